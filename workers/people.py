"""Reactions to what people do with their own access: a responder who logs out is not asked, who is erased is forgotten."""

from domain.dispatch import duty, registry
from domain.dispatch import queries as dispatch
from domain.dispatch.errors import UnitNotFound
from domain.incidents import personal
from domain.incidents import service as incidents
from domain.journeys import fake_calls
from domain.journeys import service as journeys
from domain.outbox import Event
from domain.people import sessions
from domain.people.documents import PersonDoc
from domain.people.states import Duty
from workers.context import Context


def session_ended(event: Event, context: Context) -> None:
    """A responder's last session is over: they are off duty, and their unit with them when nobody else on it is on duty.
    Who has signed in again meanwhile has not left.
    """
    now = context.clock()
    if not event.get("unit") or sessions.listed(event["subject"], now=now):
        return
    try:
        unit = dispatch.unit(event["unit"])
    except UnitNotFound:
        return
    duty.leave(event["subject"], unit, Duty(event.get("duty") or Duty.OFF_DUTY), context.desk(unit["city"]), now=now)


def person_erased(event: Event, context: Context) -> None:
    """Closed cases forget the person now; an open one when it closes (`forget_if_erased`). Nor are they on a unit."""
    personal.forget(event["subject"])
    if unit := dispatch.unit_of(event["subject"]):
        registry.take_off(unit["_id"], event["subject"], now=context.clock())


def forget_journeys(event: Event, context: Context) -> None:
    """Journeys that are over are gone with the person; one that goes on is left to its timers."""
    fake_calls.forget(event["subject"])
    journeys.forget(event["subject"], now=context.clock())


def forget_if_erased(event: Event, context: Context) -> None:
    """A case closed: if its citizen asked to be forgotten meanwhile, now is the time."""
    person_id = (incidents.get(event["subject"]).get("citizen") or {}).get("person")
    if person_id and PersonDoc.objects(id=person_id, erased_at__ne=None).only("id").first():
        personal.forget(person_id)
