"""The beats of a group: drawn, changed and retired. A beat that is retired stays for the patrols that were planned on it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.errors import Conflict
from domain.patrols import queries, rules
from domain.patrols.errors import BeatNotFound, TooManyBeats
from domain.patrols.queries import Beat, beat, beats, patrols

MOST_BEATS: Final = 20
"""Of one group."""


def draw(
    beat_id: str, group: Mapping[str, Any], name: str, geometry: Any, *, fingerprint: str, now: datetime
) -> tuple[Beat, bool]:
    """(beat, whether it is new). The same id again is the same beat; with another body it is a Conflict. Raises BeatInvalid,
    TooManyBeats.
    """
    held = beats().find_one({"_id": beat_id})
    fresh = held is None
    if held is None:
        kind, kept = rules.beat_shape(geometry, group["area"])
        if len(queries.beats_of(group["_id"], limit=MOST_BEATS)) >= MOST_BEATS:
            raise TooManyBeats("retire one of them first", retry_after=60)
        held = {
            "_id": beat_id,
            "city": group["city"],
            "group": group["_id"],
            "name": name,
            "kind": str(kind),
            "geometry": kept,
            "fingerprint": fingerprint,
            "created_at": now,
            "changed_at": now,
            "version": 1,
        }
        try:
            beats().insert_one(held)
        except DuplicateKeyError:
            held, fresh = beat(beat_id), False
    if held["fingerprint"] != fingerprint:
        raise Conflict("this key was used for another beat", code="idempotency_conflict")
    return held, fresh


def redraw(held: Beat, group: Mapping[str, Any], facts: Mapping[str, Any], *, now: datetime) -> Beat:
    """Change name or shape. Raises BeatInvalid, BeatNotFound for a retired one, Conflict where somebody was quicker."""
    changes: dict[str, Any] = {"name": facts["name"]} if facts.get("name") else {}
    if facts.get("geometry"):
        kind, kept = rules.beat_shape(facts["geometry"], group["area"])
        changes |= {"kind": str(kind), "geometry": kept}
    if not changes:
        return held
    written = _write(held, changes, now)
    if written["name"] != held["name"]:
        _renamed(written, now)
    return written


def _renamed(held: Beat, now: datetime) -> None:
    """Patrols that go on or are to come are shown with the name: a phone that was away is told of them anew."""
    ahead = {"group": held["group"], "starts_at": {"$gt": now - rules.LONGEST}, "beat": held["_id"]}
    patrols().update_many(ahead, {"$set": {"changed_at": now}, "$inc": {"version": 1}})


def retire(held: Beat, *, now: datetime) -> Beat:
    """No more patrols on it. Again is harmless."""
    return held if held.get("retired_at") else _write(held, {"retired_at": now}, now)


def _write(held: Beat, changes: Mapping[str, Any], now: datetime) -> Beat:
    if held.get("retired_at"):
        raise BeatNotFound("it was retired")
    written = outbox.write(beats(), held, changes, now=now)
    if written is None:
        raise Conflict("it changed in between", code="beat_changed", current=beat(held["_id"])["version"])
    return written
