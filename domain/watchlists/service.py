"""Putting plates on the watchlist and taking them off, and what each plate becomes that a camera reads.

A reading like a listed plate becomes a hit, and a human is asked; of every other one a keyed hash is left. A hit is
decided once, by the answer to its review; only then may somebody be sent (`sending.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.cities.config import CityConfig, Service
from domain.errors import Invalid
from domain.ids import derived_id
from domain.plates import rules
from domain.plates.rules import Char, Match
from domain.reviews import service as reviews
from domain.reviews.states import RULE, ReviewKind, ReviewStatus
from domain.watchlists.errors import EntryChanged, EntryOver, NoPlate
from domain.watchlists.hashing import hashed
from domain.watchlists.queries import Entry, Hit, entries, entry, hit, hits, looked_for, sightings
from domain.watchlists.states import EntryStatus, HitStatus, ListReason

LONGEST: Final = timedelta(days=90)
"""So long an entry may stand before its owner says again that it is needed."""
SAME_PASS: Final = timedelta(minutes=5)
"""A camera that reads a listed plate again within so long asks nobody again."""

_BECOMES: Final[Mapping[ReviewStatus, HitStatus]] = {
    ReviewStatus.APPROVED: HitStatus.CONFIRMED,
    ReviewStatus.REFUSED: HitStatus.REFUSED,
    ReviewStatus.CANNOT_TELL: HitStatus.CANNOT_TELL,
    ReviewStatus.EXPIRED: HitStatus.UNANSWERED,
    ReviewStatus.WITHDRAWN: HitStatus.UNANSWERED,
}


@dataclass(frozen=True)
class Reading:
    """A plate as a camera's analytics read it. `bbox` in 0–1 of the picture; `crop` a JPEG, empty for none."""

    chars: tuple[Char, ...]
    at: datetime
    track: str
    detector: str = ""
    bbox: tuple[float, ...] = ()
    at_s: float = 0.0
    crop: bytes = b""


def put_on(
    entry_id: str,
    facts: Mapping[str, Any],
    config: CityConfig,
    *,
    owner: str,
    agency: str,
    fingerprint: str,
    now: datetime,
) -> tuple[Entry, bool]:
    """(entry, whether it is new). Raises NoPlate, EntryChanged for a known key with another body, and Invalid for an
    agency that is no police, or an end that is past or too far away.
    """
    if not rules.is_plate(rules.canonical(facts["plate"])):
        raise NoPlate("not a plate", errors={"plate": ["3 to 12 letters and digits."]})
    found = config.agencies.get(agency)
    if found is None or Service.POLICE not in found.services:
        raise Invalid("only the police look for vehicles", errors={"agency": ["Not a police force of this city."]})
    made: Entry = {
        "_id": entry_id,
        "city": config.id,
        "plate": facts["plate"],
        "keys": sorted(rules.keys(facts["plate"])),
        "why": str(ListReason(facts["why"])),
        "legal_basis": facts["legal_basis"],
        "description": facts.get("description") or "",
        "owner": owner,
        "agency": agency,
        "status": str(EntryStatus.ACTIVE),
        "listed_at": now,
        "expires_at": _end(facts["expires_at"], now),
        "fingerprint": fingerprint,
        "version": 1,
    }
    try:
        entries().insert_one(made)
    except DuplicateKeyError:
        known = entry(entry_id)
        if known["fingerprint"] != fingerprint:
            raise EntryChanged("the key was used for another entry", code="idempotency_conflict") from None
        return known, False
    return made, True


def _end(expires_at: datetime, now: datetime) -> datetime:
    if not now < expires_at <= now + LONGEST:
        raise Invalid(
            "an entry ends, and not too late", errors={"expires_at": [f"Within {LONGEST.days} days from now."]}
        )
    return expires_at


def prolong(entry_id: str, expires_at: datetime, *, now: datetime) -> Entry:
    """Say again that it is needed, or for how much less. Raises EntryOver for one that is off the list."""
    return _change(entry(entry_id), {"expires_at": _end(expires_at, now)}, now)


def end(entry_id: str, *, by: str, reason: str, now: datetime) -> Entry:
    """Take it off the list. Again is no change."""
    found = entry(entry_id)
    if found["status"] == EntryStatus.ENDED:
        return found
    gone = {"status": str(EntryStatus.ENDED), "ended_at": now, "ended_by": by, "end_reason": reason}
    return _change(found, gone, now)


def _change(found: Entry, changes: Mapping[str, Any], now: datetime) -> Entry:
    after = entries().find_one_and_update(
        {"_id": found["_id"], "status": str(EntryStatus.ACTIVE), "version": found["version"]},
        {"$set": dict(changes), "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )
    if after is None:
        current = entry(found["_id"])
        if current["status"] == EntryStatus.ENDED:
            raise EntryOver("it is off the list", current=current["status"])
        raise EntryChanged("somebody else changed it")
    return after


def is_over(found: Entry, now: datetime) -> bool:
    """Whether nobody looks for it any more."""
    return bool(found["status"] != EntryStatus.ACTIVE or found["expires_at"] <= now)


def best_match(city: str, chars: Sequence[Char], now: datetime) -> tuple[Entry, Match] | None:
    """The listed plate that a reading is nearest to; None when it is like none."""
    rows = looked_for(city, sorted(rules.keys(rules.written(chars))), now)
    found = [(row, matched) for row in rows if (matched := rules.match(chars, row["plate"]))]
    return max(found, key=lambda each: (each[1].score, each[0]["_id"]), default=None)


def take(
    camera: Mapping[str, Any],
    observation: str,
    reading: Reading,
    *,
    keep: Callable[[bytes], str],
    secret: str,
    now: datetime,
) -> Hit | None:
    """What becomes of one reading: a hit, or a sighting and None. The same reading again is the same one.

    `keep` stores a crop and names it: of a hit alone, of no other plate is there ever a picture.
    """
    found = best_match(camera["city"], reading.chars, now)
    if found is None:
        _keep_hash(camera, observation, reading, secret)
        return None
    listed, matched = found
    slot = int(reading.at.astimezone(UTC).timestamp() // SAME_PASS.total_seconds())
    hit_id = derived_id("hit", listed["_id"], camera["_id"], str(slot))
    if (known := hits().find_one({"_id": hit_id})) is not None:
        return known
    event = outbox.event("hit.found", hit_id, version=1, now=now, city=camera["city"])
    made: Hit = {
        "_id": hit_id,
        "city": camera["city"],
        "entry": listed["_id"],
        "camera": camera["_id"],
        "observation": observation,
        "position": camera["position"],
        "at": reading.at,
        "raw": [{"text": each.text, "score": each.score} for each in reading.chars],
        "score": matched.score,
        "detector": reading.detector,
        "bbox": list(reading.bbox),
        "at_s": reading.at_s,
        "status": str(HitStatus.ASKED),
        "created_at": now,
        "version": 1,
        **({"crop": crop} if reading.crop and (crop := keep(reading.crop)) else {}),
        **outbox.fields([event], now),
    }
    with suppress(DuplicateKeyError):
        hits().insert_one(made)
    return hit(hit_id)


def _keep_hash(camera: Mapping[str, Any], observation: str, reading: Reading, secret: str) -> None:
    made = hashed(rules.written(reading.chars), reading.at, secret=secret)
    row = {
        "_id": derived_id("sgt", observation, reading.track),
        "city": camera["city"],
        "camera": camera["_id"],
        "position": camera["position"],
        "at": reading.at,
        "exact": made.exact,
        "alike": made.alike,
    }
    with suppress(DuplicateKeyError):
        sightings().insert_one(row)


def ask_about(hit_id: str, *, now: datetime) -> str:
    """Ask a human about a hit, once. Returns the review's id."""
    found = hit(hit_id)
    about = {
        "hit": hit_id,
        "observation": found["observation"],
        "camera": found["camera"],
        "finding": "plate",
        "confidence": found["score"],
        "detector": found.get("detector") or "",
        "crop": bool(found.get("crop")),
        "boxes": [{"kind": "plate", "bbox": found["bbox"], "at_s": found["at_s"]}] if found["bbox"] else [],
    }
    review, _ = reviews.ask(
        ReviewKind.PLATE_HIT,
        city=found["city"],
        subject=hit_id,
        asked_by=RULE,
        reason=entry(found["entry"])["why"],
        key=hit_id,
        about=about,
        now=now,
    )
    hits().update_one({"_id": hit_id, "review": {"$exists": False}}, {"$set": {"review": review["_id"]}})
    return str(review["_id"])


def decide(hit_id: str, status: ReviewStatus, *, now: datetime) -> Hit | None:
    """Take a review's outcome over; None when the hit was decided already. Only a yes has anything follow."""
    found = hit(hit_id)
    becomes = _BECOMES[status]
    update: dict[str, Any] = {"$set": {"status": str(becomes), "decided_at": now}, "$inc": {"version": 1}}
    if becomes is HitStatus.CONFIRMED:
        event = outbox.event("hit.confirmed", hit_id, version=found["version"] + 1, now=now, city=found["city"])
        update = outbox.merge(update, outbox.pending([event], now))
    return hits().find_one_and_update(
        {"_id": hit_id, "status": str(HitStatus.ASKED), "version": found["version"]},
        update,
        return_document=ReturnDocument.AFTER,
    )
