"""Asking for an escort, and the incident that it becomes when it is time: dispatched by a ladder, as an SOS is.

Each change is one conditional write; the incident is derived from the escort, so it is one however often the step runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.cities import queries as cities
from domain.cities.config import Kept, Service
from domain.errors import Conflict, Invalid
from domain.escorts import queries
from domain.escorts.errors import NoEscorts, TooManyEscorts
from domain.escorts.queries import Escort, escorts, get
from domain.escorts.states import EscortStatus
from domain.incidents import cancelling
from domain.incidents import rules as incident_rules
from domain.incidents import service as incidents
from domain.incidents.calls import CallForHelp, facts
from domain.incidents.draft import Draft
from domain.incidents.errors import TooBusy
from domain.incidents.service import Incident
from domain.incidents.states import IncidentStatus
from domain.people.documents import PersonDoc

LEAD: Final = timedelta(minutes=15)
"""Units are asked so long before the way begins."""
AHEAD: Final = timedelta(days=7)
LATE: Final = timedelta(hours=1)
MOST_OPEN: Final = 3
CATEGORY: Final = "escort"


@dataclass(frozen=True)
class Wanted:
    """What a person asks for. `at` by the server's clock."""

    position: Mapping[str, Any]
    destination: Mapping[str, Any]
    at: datetime
    women_first: bool = True
    note: str | None = None


def ask(
    escort_id: str, person: str, wanted: Wanted, *, city: str, fingerprint: str, now: datetime
) -> tuple[Escort, bool]:
    """(escort, whether it is new). The same id again is the same escort; with another body it is a Conflict.

    Raises NoEscorts, TooManyEscorts, and Invalid for a time more than an hour back or a week ahead.
    """
    held = escorts().find_one({"_id": escort_id})
    if held is None:
        doc = _document(escort_id, person, wanted, city=city, fingerprint=fingerprint, now=now)
        try:
            escorts().insert_one(doc)
            return doc, True
        except DuplicateKeyError:
            held = get(escort_id)
    if held["fingerprint"] != fingerprint:
        raise Conflict("this key was used for another escort", code="idempotency_conflict")
    return held, False


def _document(escort_id: str, person: str, wanted: Wanted, *, city: str, fingerprint: str, now: datetime) -> Escort:
    config = cities.current(city)
    if CATEGORY not in config.categories or not config.agencies_for(Service.ESCORT):
        raise NoEscorts("nobody gives escorts in this city")
    if not now - LATE <= wanted.at <= now + AHEAD:
        raise Invalid("not a time for an escort", errors={"at": ["Between an hour ago and a week ahead."]})
    if (
        len([each for each in queries.of_person(person) if each["status"] != EscortStatus.CANCELLED and _open(each)])
        >= MOST_OPEN
    ):
        raise TooManyEscorts("cancel one of them first", retry_after=60)
    doc: Escort = {
        "_id": escort_id,
        "city": city,
        "person": person,
        "fingerprint": fingerprint,
        "status": str(EscortStatus.PLANNED),
        "version": 1,
        "at": wanted.at,
        "position": dict(wanted.position),
        "destination": dict(wanted.destination),
        "women_first": wanted.women_first,
        "note": wanted.note,
        "created_at": now,
        "updated_at": now,
        "forget_at": wanted.at + timedelta(days=config.retention_days[Kept.TRACKS]),
    }
    if wanted.at - LEAD > now:
        return doc | {"due_at": wanted.at - LEAD}
    due = outbox.event("escort.due", escort_id, version=1, now=now, city=city)
    return doc | {"status": str(EscortStatus.ASKED)} | outbox.fields([due], now)


def _open(doc: Escort) -> bool:
    incident = incident_of(doc)
    return incident is None or incident["status"] != IncidentStatus.CLOSED


def incident_of(doc: Escort) -> Incident | None:
    """The incident that it became, where it has."""
    return incidents.incidents().find_one({"_id": doc["incident"]}) if doc.get("incident") else None


def begin(escort_id: str, *, now: datetime) -> Escort:
    """It is time: units are to be asked. Again, or after a cancel, changes nothing."""
    doc = get(escort_id)
    due = outbox.event("escort.due", escort_id, version=doc["version"] + 1, now=now, city=doc["city"])
    written = escorts().find_one_and_update(
        {"_id": escort_id, "status": str(EscortStatus.PLANNED), "version": doc["version"]},
        outbox.merge(
            {
                "$set": {"status": str(EscortStatus.ASKED), "updated_at": now},
                "$unset": {"due_at": ""},
                "$inc": {"version": 1},
            },
            outbox.pending([due], now),
        ),
        return_document=ReturnDocument.AFTER,
    )
    return written or get(escort_id)


def raise_incident(doc: Escort, *, secret: str, link_ttl: timedelta, now: datetime) -> Incident | None:
    """The escort's incident, made if it is not there. One that was cancelled makes none, and ends the one that was made
    by a step that died; None where there is none.
    """
    person: Any = PersonDoc.objects(id=doc["person"], erased_at=None).only("phone", "language").first()
    place = doc["position"]
    found = facts(
        CallForHelp(
            channel="escort",
            position={**place, "captured_at": place.get("captured_at") or doc["created_at"], "source": "app"},
            phone=person.phone if person else None,
            person=doc["person"],
            verified=True,
            category=CATEGORY,
            note=_note(doc),
            language=person.language if person else None,
            key=f"{doc['_id']}:escort",
            city=doc["city"],
        ),
        now=now,
    )
    found = replace(found, about={"escort": doc["_id"]}, needs=found.needs if doc["women_first"] else {})
    if doc["status"] == EscortStatus.CANCELLED and incidents.raised_before(found) is None:
        return None
    raised = incidents.raise_sos(found, now=now, secret=secret, link_ttl=link_ttl, merge=False)
    noted = escorts().find_one_and_update(
        {"_id": doc["_id"], "incident": {"$exists": False}},
        {"$set": {"incident": raised.incident["_id"], "updated_at": now}, "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )
    if noted is not None and noted["status"] == EscortStatus.CANCELLED:  # while it was being made
        return incidents.change(
            raised.incident["_id"], lambda draft: incident_rules.cancel(draft, by=doc["person"]), now=now
        )
    return raised.incident


def _note(doc: Escort) -> str:
    zone, goal = cities.current(doc["city"]).zone, doc["destination"]
    lines = [
        f"Escort at {doc['at'].astimezone(zone):%H:%M} to {goal.get('name') or 'a place'} "
        f"({goal['lat']:.5f}, {goal['lon']:.5f}).",
        doc.get("note") or "",
    ]
    return "\n".join(line for line in lines if line)


def cancel(doc: Escort, pin: str, *, secret: str, now: datetime) -> Escort:
    """Take it back. Once units are asked, as an SOS is cancelled: with the PIN, and with the duress PIN the same to the
    phone while the police are called. Raises WrongPin, LimitReached.
    """
    incident = incident_of(doc)
    if incident is not None:
        cancelling.cancel(incident, pin, reason="", secret=secret, now=now)
    done = escorts().find_one_and_update(
        {"_id": doc["_id"], "status": {"$ne": str(EscortStatus.CANCELLED)}},
        {
            "$set": {"status": str(EscortStatus.CANCELLED), "updated_at": now},
            "$unset": {"due_at": ""},
            "$inc": {"version": 1},
        },
        return_document=ReturnDocument.AFTER,
    )
    return done or get(doc["_id"])


def call_police(draft: Draft) -> None:
    """A duress PIN was entered on an escort: those who walk with people are not enough."""
    slots = draft.doc.get("slots") or {}
    if draft.doc["status"] == IncidentStatus.CLOSED or Service.POLICE in slots or Service.ESCORT not in slots:
        return
    draft.set(f"slots.{Service.POLICE}", incident_rules.new_slot(Service.POLICE, draft.now))
    draft.entry("facts_added", what=["services"])
    draft.event("incident.facts_added")


def put_off(escort_id: str, due: datetime, *, until: datetime) -> None:
    """A timer of which nothing came is due again later."""
    escorts().update_one({"_id": escort_id, "due_at": due}, {"$set": {"due_at": until}})


def exported(person_id: str, now: datetime) -> list[dict[str, Any]]:
    """Every request of a person; what came of it stands among their SOS."""
    shown = ("status", "at", "position", "destination", "women_first", "note", "created_at")
    return [
        {"id": doc["_id"], **{name: doc.get(name) for name in shown}}
        for doc in queries.of_person(person_id, limit=1000)
    ]


def forget(person_id: str) -> int:
    """Somebody asked to be forgotten: what was planned is off, and the requests go; an incident that goes on is its own.

    Raises TooBusy while a request's event is not worked off yet: try again.
    """
    done = busy = 0
    for doc in queries.of_person(person_id, limit=1000):
        gone = escorts().delete_one({"_id": doc["_id"], "outbox_due": {"$exists": False}}).deleted_count
        done, busy = done + gone, busy + (not gone)
    if busy:
        raise TooBusy("escorts have events that are not worked off yet")
    return done


def forget_old(*, now: datetime) -> int:
    """Take away requests that a city has kept for as long as it keeps tracks; how many went."""
    return int(escorts().delete_many({"forget_at": {"$lte": now}, "outbox_due": {"$exists": False}}).deleted_count)
