"""Counsellors' shifts: who can be asked now. A state ends by itself when its time is up."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.collection import Collection

from domain.helpline.documents import CounsellorDoc
from domain.helpline.errors import NotOnShift
from domain.helpline.states import CounsellorState

LONGEST_SHIFT: Final = timedelta(hours=12)
LONGEST_BREAK: Final = timedelta(hours=1)
THERE_FOR: Final = timedelta(minutes=5)
"""A counsellor whose console has not asked for so long is not there."""


def counsellors() -> Collection[dict[str, Any]]:
    """The raw collection."""
    found: Collection[dict[str, Any]] = CounsellorDoc._get_collection()
    return found


def set_state(
    person_id: str, city: str, state: CounsellorState, *, gender: str, languages: Sequence[str], until: datetime | None,
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """Go on shift, on break, or off. A shift lasts at most 12 hours and a break one, whatever `until` says."""
    held = counsellors().find_one({"_id": person_id}) or {}
    sets: dict[str, Any] = {
        "city": city,
        "state": str(state),
        "gender": gender,
        "languages": list(languages),
        "since": now,
        "seen_at": now,
    }
    gone: dict[str, str] = {}
    shift_until = held.get("shift_until")
    if state == CounsellorState.OFF:
        gone = {"until": "", "shift_until": ""}
    elif state == CounsellorState.BREAK:
        sets["until"] = min(until or now + LONGEST_BREAK, now + LONGEST_BREAK)
    else:
        ends = now + LONGEST_SHIFT
        if until is not None:
            ends = min(until, ends)
        elif held.get("state") == CounsellorState.BREAK and shift_until:
            ends = shift_until
        sets |= {"until": ends, "shift_until": ends}
    update: dict[str, Any] = {"$set": sets, "$inc": {"version": 1}}
    if gone:
        update["$unset"] = gone
    found = counsellors().find_one_and_update(
        {"_id": person_id}, update, upsert=True, return_document=ReturnDocument.AFTER
    )
    return found or get(person_id)


def get(person_id: str) -> dict[str, Any]:
    """The shift of a counsellor; off where there never was one."""
    return counsellors().find_one({"_id": person_id}) or {"_id": person_id, "state": str(CounsellorState.OFF)}


def must_be_available(person_id: str) -> dict[str, Any]:
    """Raise NotOnShift unless the counsellor can be asked now."""
    held = get(person_id)
    if held["state"] != CounsellorState.AVAILABLE:
        raise NotOnShift("go on shift first", current=held["state"])
    return held


def seen(person_id: str, *, now: datetime) -> None:
    """The console asked for something: its counsellor is there."""
    counsellors().update_one({"_id": person_id}, {"$set": {"seen_at": now}})


def is_there(person_id: str, *, now: datetime) -> bool:
    """Whether a counsellor is on shift and at the console."""
    held = get(person_id)
    return bool(held["state"] != CounsellorState.OFF and now - held.get("seen_at", now - 2 * THERE_FOR) < THERE_FOR)


def on_duty(city: str) -> list[dict[str, Any]]:
    """Who can be asked now."""
    return list(counsellors().find({"city": city, "state": str(CounsellorState.AVAILABLE)}))


def on_shift(city: str) -> list[dict[str, Any]]:
    """Who is on shift, on break or not."""
    states = [str(CounsellorState.AVAILABLE), str(CounsellorState.BREAK)]
    return list(counsellors().find({"city": city, "state": {"$in": states}}))


def over(*, now: datetime, limit: int = 200) -> list[dict[str, Any]]:
    """Those whose state's time is up."""
    return list(counsellors().find({"until": {"$lte": now}}).sort("until", 1).limit(limit))


def end(held: dict[str, Any], *, now: datetime) -> CounsellorState:
    """End a state whose time is up: a break goes over into the shift, a shift ends. Returns the state after it."""
    resumes = held["state"] == CounsellorState.BREAK and held.get("shift_until") and held["shift_until"] > now
    state = CounsellorState.AVAILABLE if resumes else CounsellorState.OFF
    update: dict[str, Any] = {"$set": {"state": str(state), "since": now}, "$inc": {"version": 1}}
    if resumes:
        update["$set"]["until"] = held["shift_until"]
    else:
        update["$unset"] = {"until": "", "shift_until": ""}
    counsellors().update_one({"_id": held["_id"], "version": held["version"]}, update)
    return state


def end_now(person_id: str, *, now: datetime) -> None:
    """Off at once: signed out everywhere."""
    counsellors().update_one(
        {"_id": person_id},
        {
            "$set": {"state": str(CounsellorState.OFF), "since": now},
            "$unset": {"until": "", "shift_until": ""},
            "$inc": {"version": 1},
        },
    )
