"""Handing a report over to an agency, and what the agency says of it. Each is one conditional write with its event."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.cities import agencies
from domain.handovers import queries
from domain.handovers.errors import HandoverInvalid, HandoverNotFound, NobodyTakesIt, NotHandedOver
from domain.handovers.queries import Desk, Handover, desks, get, handovers
from domain.handovers.states import HandoverStatus
from domain.ids import derived_id, random_token, token_hash
from domain.reports.categories import CATEGORIES
from domain.reports.changing import change
from domain.reports.queries import Report
from domain.reports.states import ReportStatus

BY_RULE: Final = "rule"
MOST_UPDATES: Final = 50
NOTES_CHARS: Final = 1_000


def open_desk(city: str, agency: str, takes: Sequence[str], *, now: datetime) -> tuple[Desk, str]:
    """(desk, its key): the agency takes these categories from now on. A new key ends the one before it.

    Raises UnknownCity, UnknownAgency, HandoverInvalid for a category that is none, or to which units are sent.
    """
    agencies.get(city, agency)
    wrong = [code for code in takes if code not in CATEGORIES or CATEGORIES[code].incident]
    if wrong or not takes:
        raise HandoverInvalid("not categories of an office", errors={"takes": wrong or ["At least one."]})
    key = random_token()
    desk = desks().find_one_and_update(
        {"_id": queries.desk_id(city, agency)},
        {
            "$set": {"key_hash": token_hash(key), "takes": sorted(set(takes))},
            "$setOnInsert": {"city": city, "agency": agency, "made_at": now},
        },
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    return dict(desk or {}), key


def close_desk(city: str, agency: str) -> bool:
    """The agency takes nothing more, and its key opens nothing. False where it took nothing."""
    return bool(desks().delete_one({"_id": queries.desk_id(city, agency)}).deleted_count)


def desk_for(city: str, category: str) -> Desk | None:
    """The agency of a city that takes a category; the first by id where several do."""
    return next((each for each in queries.desks_of(city) if category in each["takes"]), None)


def hand_over(doc: Report, *, by: str, now: datetime, own: Mapping[str, Any] | None = None) -> tuple[Handover, bool]:
    """(handover, whether it is new) of a report to the agency that takes its kind. Again is the same one.

    `own`: {agency, answers, address, token} of a request that the agency itself brought. Raises NobodyTakesIt, NotHandedOver.
    """
    if CATEGORIES[doc["category"]].incident:
        raise NotHandedOver("units are sent to this", current="emergency")
    if doc["status"] != ReportStatus.PUBLISHED and own is None:
        raise NotHandedOver("it is not published", current=doc["status"])
    desk = desk_for(doc["city"], doc["category"]) if own is None else None
    agency = own["agency"] if own else desk["agency"] if desk else ""
    if not agency:
        raise NobodyTakesIt("no agency of this city takes this", current=doc["category"])
    made: Handover = {
        "_id": queries.handover_id(doc["_id"], agency),
        "city": doc["city"],
        "report": doc["_id"],
        "agency": agency,
        "category": doc["category"],
        "groups": list(doc["groups"]),
        "by": by,
        "status": str(HandoverStatus.OPEN),
        "notes": "",
        "updates": [],
        "requested_at": now,
        "updated_at": now,
        "version": 1,
        **{name: value for name, value in (own or {}).items() if name != "agency" and value},
    }
    event = outbox.event("handover.made", made["_id"], version=1, now=now, city=doc["city"])
    try:
        handovers().insert_one(made | outbox.fields([event], now))
    except DuplicateKeyError:
        return get(made["_id"]), False
    return made, True


def update(
    handover_id: str, agency: str, status: HandoverStatus, notes: str, *, key: str = "", now: datetime
) -> tuple[Handover, str]:
    """(handover, the update's id): the agency says how it stands. The same key, or the same words again, is the same update.

    Raises HandoverNotFound for one of another agency.
    """
    notes = notes.strip()[:NOTES_CHARS]
    for _ in range(20):
        doc = get(handover_id)
        if doc["agency"] != agency:
            raise HandoverNotFound("no such request")
        update_id = derived_id("upd", handover_id, key or f"{doc['version']}")
        last = doc["updates"][-1] if doc["updates"] else None
        if last and not key and (last["status"], last["notes"]) == (str(status), notes):
            return doc, last["id"]
        if any(each["id"] == update_id for each in doc["updates"]):
            return doc, update_id
        said = {"id": update_id, "at": now, "status": str(status), "notes": notes}
        version = doc["version"] + 1
        event = outbox.event("handover.updated", handover_id, version=version, now=now, city=doc["city"])
        changes = {
            "$set": {"status": str(status), "notes": notes, "updated_at": now},
            "$push": {"updates": {"$each": [said], "$slice": -MOST_UPDATES}},
            "$inc": {"version": 1},
        }
        written = handovers().find_one_and_update(
            {"_id": handover_id, "version": doc["version"]},
            outbox.merge(changes, outbox.pending([event], now)),
            return_document=ReturnDocument.AFTER,
        )
        if written is not None:
            return written, update_id
    raise HandoverInvalid("it kept changing")


def show_on_report(doc: Handover, *, now: datetime) -> Report:
    """The report says who has it and how it stands, for its author, its followers and its groups. Again is harmless."""
    shown = {
        "id": doc["_id"],
        "agency": doc["agency"],
        "status": doc["status"],
        "notes": doc["notes"],
        "at": doc["updated_at"],
    }

    def rule(report: Report) -> Mapping[str, Any]:
        held = report.get("handover") or {}
        if held == shown or (held and held["at"] > shown["at"]):
            return {}
        return {"handover": shown}

    return change(doc["report"], rule, now=now)
