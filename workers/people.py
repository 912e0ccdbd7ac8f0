"""Reactions to what people do with their own access: a responder who logs out is not asked, who is erased is forgotten."""

from domain.dispatch import queries as dispatch
from domain.dispatch import service as dispatching
from domain.dispatch.errors import UnitNotFound
from domain.dispatch.states import UnitStatus
from domain.incidents import personal
from domain.incidents import service as incidents
from domain.journeys import service as journeys
from domain.outbox import Event
from domain.people import sessions
from domain.people.documents import PersonDoc
from workers.context import Context


def session_ended(event: Event, context: Context) -> None:
    """A responder's last session is over: their unit goes off duty, unless somebody else on it is still signed in."""
    if not event.get("unit"):
        return
    now = context.clock()
    try:
        unit = dispatch.unit(event["unit"])
    except UnitNotFound:
        return
    if unit["status"] == UnitStatus.OFF_DUTY:
        return
    if any(sessions.listed(person_id, now=now) for person_id in unit.get("responders") or []):
        return
    dispatching.set_duty(event["unit"], UnitStatus.OFF_DUTY, context.desk(unit["city"]), by=event["subject"], now=now)


def person_erased(event: Event, context: Context) -> None:
    """Closed cases forget the person now; an open one when it closes (`forget_if_erased`)."""
    personal.forget(event["subject"])


def forget_journeys(event: Event, context: Context) -> None:
    """Journeys that are over are gone with the person; one that goes on is left to its timers."""
    journeys.forget(event["subject"], now=context.clock())


def forget_if_erased(event: Event, context: Context) -> None:
    """A case closed: if its citizen asked to be forgotten meanwhile, now is the time."""
    person_id = (incidents.get(event["subject"]).get("citizen") or {}).get("person")
    if person_id and PersonDoc.objects(id=person_id, erased_at__ne=None).only("id").first():
        personal.forget(person_id)
