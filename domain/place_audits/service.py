"""Taking audits and folding them into their cells. An audit is stored with its event in one write; the fold is one
conditional write, and the same audit folds once however often it runs.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import h3
from pymongo.errors import DuplicateKeyError

from domain import geo, outbox
from domain.cities import queries as cities
from domain.errors import Conflict, Invalid
from domain.incidents.errors import TooBusy
from domain.limits import service as limits
from domain.people.tokens import purpose_key
from domain.place_audits import photos, queries, rules
from domain.place_audits.errors import OutsideEveryCity
from domain.place_audits.queries import Audit, audits, get, place_cells

OLDEST: Final = timedelta(days=7)
"""A phone may have been offline for some days; what is older says little of the place now."""
MOST_A_DAY: Final = 50
_TRIES: Final = 12


def add(
    audit_id: str,
    person: str,
    *,
    position: Mapping[str, Any],
    ratings: Mapping[str, int],
    note: str | None,
    at: datetime,
    fingerprint: str,
    secret: str,
    now: datetime,
) -> tuple[Audit, bool]:
    """(audit, whether it is new). The same id again is the same audit; with another body it is a Conflict.

    Raises OutsideEveryCity, Invalid for a time that cannot be, LimitReached.
    """
    held = audits().find_one({"_id": audit_id})
    if held is None:
        city = cities.city_at(position["lat"], position["lon"])
        if city is None:
            raise OutsideEveryCity("in no city", errors={"position": ["In no city that Amaan knows."]})
        if not now - OLDEST <= at <= now + timedelta(minutes=5):
            raise Invalid("not a time for an audit", errors={"captured_at": ["Within the last seven days."]})
        limits.take(secret, "place_audit", person, limit=MOST_A_DAY, window_s=86_400, now=now)
        year, hour = rules.hour_of(at, cities.current(city).zone)
        made = outbox.event("place.audited", audit_id, version=1, now=now, city=city)
        doc: Audit = {
            "_id": audit_id,
            "city": city,
            "person": person,
            "fingerprint": fingerprint,
            "cell": geo.cells(position["lat"], position["lon"]).r9,
            "year": year,
            "hour": hour,
            "ratings": {name: int(ratings[name]) for name in rules.ASPECTS},
            "note": note,
            "version": 1,
            "at": at,
            "created_at": now,
            **outbox.fields([made], now),
        }
        try:
            audits().insert_one(doc)
            return doc, True
        except DuplicateKeyError:
            held = get(audit_id)
    if held["fingerprint"] != fingerprint:
        raise Conflict("this key was used for another audit", code="idempotency_conflict")
    return held, False


def fold(audit_id: str, *, secret: str) -> None:
    """Count an audit in its cell. Again changes nothing; one that was erased meanwhile neither."""
    audit = audits().find_one({"_id": audit_id})
    if audit is None:
        return
    cell_id = rules.cell_id(audit["city"], audit["year"], audit["cell"], audit["hour"])
    k = cities.current(audit["city"]).place_audits_k
    fixed = {name: audit[name] for name in ("city", "year", "cell", "hour")}
    fixed["r7"] = h3.cell_to_parent(audit["cell"], 7)
    for _ in range(_TRIES):
        cell = place_cells().find_one({"_id": cell_id})
        after = rules.fold(cell or {}, pseudonym(secret, cell_id, audit["person"]), audit["ratings"], k)
        if after is None:
            return
        changes: dict[str, Any] = {name: after[name] for name in ("waiting", "counted", "n", "sums") if name in after}
        try:
            if cell is None:
                place_cells().insert_one({"_id": cell_id, **fixed, "n": 0, **changes, "version": 1})
                return
            done = place_cells().update_one(
                {"_id": cell_id, "version": cell["version"]}, {"$set": changes, "$inc": {"version": 1}}
            )
            if done.modified_count:
                return
        except DuplicateKeyError:
            continue
    raise TooBusy("the cell kept changing")


def pseudonym(secret: str, cell_id: str, person: str) -> str:
    """Who somebody is in one cell, hour and year: of no use anywhere else, and to nobody without the secret."""
    message = f"{cell_id}|{person}".encode()
    return hmac.new(purpose_key(secret, "place_audit"), message, hashlib.sha256).hexdigest()[:20]


def exported(person_id: str, now: datetime) -> list[dict[str, Any]]:
    """Every audit of a person."""
    return [view(doc) for doc in queries.of_person(person_id, limit=1000)]


def view(doc: Audit) -> dict[str, Any]:
    """An audit as its author sees it."""
    return {
        "id": doc["_id"],
        "city": doc["city"],
        "cell": doc["cell"],
        "hour": doc["hour"],
        "ratings": dict(doc["ratings"]),
        "note": doc.get("note"),
        "photo": bool(doc.get("photo")),
        "captured_at": doc["at"],
        "created_at": doc["created_at"],
    }


def forget(person_id: str, *, secret: str, drop: Callable[[str], None]) -> int:
    """Somebody asked to be forgotten: what waited is taken out of its cell, and the audits go, with their pictures
    (`drop` takes bytes away by their SHA-256). Figures that were told stay: they are of k people at least.
    """
    done = 0
    while rows := queries.of_person(person_id, limit=200):
        for doc in rows:
            cell_id = rules.cell_id(doc["city"], doc["year"], doc["cell"], doc["hour"])
            somebody = pseudonym(secret, cell_id, person_id)
            _stop_waiting(cell_id, somebody)
            done += audits().delete_one({"_id": doc["_id"]}).deleted_count
            _stop_waiting(cell_id, somebody)  # folded between the two
            photos.drop_of(doc, drop)
    return done


def _stop_waiting(cell_id: str, somebody: str) -> None:
    place_cells().update_one(
        {"_id": cell_id, f"waiting.{somebody}": {"$exists": True}},
        {"$unset": {f"waiting.{somebody}": ""}, "$inc": {"version": 1}},
    )
