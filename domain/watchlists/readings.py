"""What each plate becomes that a camera reads: like a listed one it is a hit, and a human is asked; of every other one a
keyed hash is left.

A hit is decided once: by the answer to its review, or because nobody looks for its plate any more. Only a yes may send
somebody (`sending.py`). Its row comes before the bytes of its picture, so that none is ever stored that nobody owns.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.ids import derived_id
from domain.plates import rules
from domain.plates.rules import Char, Match
from domain.reviews import service as reviews
from domain.reviews.states import RULE, ReviewKind, ReviewStatus
from domain.vault.errors import Destroyed
from domain.watchlists.hashing import DayKeys
from domain.watchlists.queries import Entry, Hit, entries, hit, hits, looked_for, sightings
from domain.watchlists.rules import why_over
from domain.watchlists.states import Closed, HitStatus

SAME_PASS: Final = timedelta(minutes=5)
"""A camera that reads a listed plate again within so long asks nobody again."""

_BECOMES: Final[Mapping[ReviewStatus, HitStatus]] = {
    ReviewStatus.APPROVED: HitStatus.CONFIRMED,
    ReviewStatus.REFUSED: HitStatus.REFUSED,
    ReviewStatus.CANNOT_TELL: HitStatus.CANNOT_TELL,
    ReviewStatus.EXPIRED: HitStatus.UNANSWERED,
    ReviewStatus.WITHDRAWN: HitStatus.WITHDRAWN,
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
    store: Callable[[bytes], str],
    keys: DayKeys,
    now: datetime,
) -> Hit | None:
    """What becomes of one reading: a hit, or a sighting and None. The same reading again is the same one, and brings the
    picture that a worker which died did not.

    `store` puts bytes away by their SHA-256: of a hit alone, of no other plate is there ever a picture. Raises
    KeysUnavailable where a hash cannot be made: then nothing is kept of the plate.
    """
    found = best_match(camera["city"], reading.chars, now)
    if found is None:
        _keep_hash(camera, observation, reading, keys, now)
        return None
    made = _hit(camera, observation, reading, *found, now)
    try:
        hits().insert_one(made)
    except DuplicateKeyError:
        if not _picture_is_due(made):
            return hit(made["_id"])
    if reading.crop:
        store(reading.crop)
        hits().update_one({"_id": made["_id"], "crop": made["crop"]}, {"$unset": {"crop_due": ""}})
    return hit(made["_id"])


def _hit(
    camera: Mapping[str, Any], observation: str, reading: Reading, listed: Entry, matched: Match, now: datetime
) -> Hit:
    slot = int(reading.at.astimezone(UTC).timestamp() // SAME_PASS.total_seconds())
    hit_id = derived_id("hit", listed["_id"], camera["_id"], str(slot))
    event = outbox.event("hit.found", hit_id, version=1, now=now, city=camera["city"])
    crop = hashlib.sha256(reading.crop).hexdigest()  # as the store names it
    return {
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
        **({"crop": crop, "crop_due": True, "noted": [crop]} if reading.crop else {}),
        **outbox.fields([event], now),
    }


def _picture_is_due(made: Hit) -> bool:
    """Of a hit that is known: whether its picture never came, and this one is its picture from here on."""
    if not made.get("crop"):
        return False
    change = {"$set": {"crop": made["crop"]}, "$addToSet": {"noted": made["crop"]}}
    return bool(hits().update_one({"_id": made["_id"], "crop_due": True}, change).matched_count)


def _keep_hash(camera: Mapping[str, Any], observation: str, reading: Reading, keys: DayKeys, now: datetime) -> None:
    try:
        made = keys.hashed(rules.written(reading.chars), reading.at, now=now)
    except Destroyed:
        return  # it comes so late that its day is over
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


def ask_about(hit_id: str, *, now: datetime) -> str | None:
    """Ask a human about a hit, once: the review's id. None where nobody looks for its plate any more: then it is closed."""
    found = hit(hit_id)
    listed = entries().find_one({"_id": found["entry"]}) or {}
    if why := why_over(listed, now):
        _close(found, why, now)
        return None
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
        reason=listed["why"],
        key=hit_id,
        about=about,
        now=now,
    )
    hits().update_one({"_id": hit_id, "review": {"$exists": False}}, {"$set": {"review": review["_id"]}})
    if hit(hit_id)["status"] == HitStatus.WITHDRAWN:  # it was taken off the list at the same moment
        reviews.withdraw([hit_id], now=now)
    return str(review["_id"])


def decide(hit_id: str, status: ReviewStatus, *, now: datetime) -> Hit | None:
    """Take a review's outcome over; None when the hit was decided already. Only a yes has anything follow, and only while
    somebody looks for the plate.
    """
    found = hit(hit_id)
    becomes = _BECOMES[status]
    if becomes is HitStatus.CONFIRMED and (why := why_over(entries().find_one({"_id": found["entry"]}) or {}, now)):
        return _close(found, why, now)
    return _become(found, becomes, now)


def unanswered_owner(hit_id: str) -> str | None:
    """Who put the plate on the list, where a hit on it ran out without an answer: they may still look at it themselves."""
    found = hit(hit_id)
    listed = entries().find_one({"_id": found["entry"]}) if found["status"] == HitStatus.UNANSWERED else None
    return str(listed["owner"]) if listed else None


def withdraw(entry_id: str, *, now: datetime) -> None:
    """Nobody looks for it any more: hits that wait for a human are closed, and their questions taken back."""
    waiting = list(hits().find({"entry": entry_id, "status": str(HitStatus.ASKED)}))
    for each in waiting:
        _close(each, Closed.ENTRY_ENDED, now)
    reviews.withdraw([each["_id"] for each in waiting], now=now)


def not_sent(confirmed: Hit, why: Closed) -> None:
    """A human said yes, and meanwhile nobody looks for it any more: that nobody is sent is written down, once."""
    condition = {"_id": confirmed["_id"], "status": str(HitStatus.CONFIRMED), "closed": {"$exists": False}}
    hits().update_one(condition, {"$set": {"closed": str(why)}, "$inc": {"version": 1}})


def _close(found: Hit, why: Closed, now: datetime) -> Hit | None:
    return _become(found, HitStatus.WITHDRAWN, now, closed=str(why))


def _become(found: Hit, status: HitStatus, now: datetime, **more: str) -> Hit | None:
    update: dict[str, Any] = {"$set": {"status": str(status), "decided_at": now, **more}, "$inc": {"version": 1}}
    if status is HitStatus.CONFIRMED:
        event = outbox.event("hit.confirmed", found["_id"], version=found["version"] + 1, now=now, city=found["city"])
        update = outbox.merge(update, outbox.pending([event], now))
    return hits().find_one_and_update(
        {"_id": found["_id"], "status": str(HitStatus.ASKED), "version": found["version"]},
        update,
        return_document=ReturnDocument.AFTER,
    )
