"""What is kept of an incident's surroundings without anybody asking: a rolling recorder goes over its files within minutes,
and whoever investigates asks the next day.

An incident of a kind in its city's table (`keep_footage`) makes one footage request of the rule's own, which is due once
the recorders have closed their files, while they still have the first of them. What is taken is sealed and shown to nobody:
its redacted copy is made when somebody asks for it with a reason, and what nobody asks for goes as early as what cameras
saw. Incidents of one place and minute share it: it is taken once, and kept for as long as any of them needs it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from domain.cameras import queries as cameras
from domain.cameras import rules as camera_rules
from domain.cameras.sources import SEGMENT_S
from domain.cameras.states import SourceKind
from domain.cities import queries as cities
from domain.evidence.footage import Request, asked_of, requests
from domain.evidence.states import RequestState
from domain.ids import derived_id
from domain.incidents import service as incidents
from domain.incidents.states import Resolution

ACTOR: Final = "system:footage"
"""Who took it, on the chain of custody; the reason names the rule."""
BEFORE: Final = timedelta(minutes=2)
AFTER: Final = timedelta(minutes=1)
SLOT: Final = timedelta(minutes=1)
"""Taps of one minute share one window: from BEFORE its beginning to AFTER its end. Four minutes in all, so that a recorder
that keeps five still has the first when the last is closed."""
CLOSED: Final = timedelta(seconds=10)
"""So long after its last picture our own recorder's file is in its folder."""
MOST_WAIT: Final = timedelta(seconds=30)
"""Another recorder's files may be longer; but ours goes over its first."""
RADIUS_M: Final = 150.0
MOST_CAMERAS: Final = 4
MOST_AN_HOUR: Final = 12
"""Of one camera. More is a storm of taps, of which the first minutes are kept."""
OVER: Final = frozenset({Resolution.FALSE_ALARM, Resolution.CANCELLED_BY_CITIZEN})
"""An incident that is over like this before anything was taken leaves no footage of a street."""


def ask(incident_id: str, *, now: datetime) -> Request | None:
    """The rule's request for an incident, made once; None where the rule asks for nothing."""
    doc = incidents.get(incident_id)
    place, city = doc.get("position"), cities.current(doc["city"])
    if not place or "practice" in doc["flags"] or doc["category"] not in city.keep_footage:
        return None
    near = cameras.near(doc["city"], place["lat"], place["lon"])
    near = [each for each in near if each["source"]["kind"] != SourceKind.GATEWAY]
    chosen = camera_rules.choose(near, place["lat"], place["lon"], accuracy_m=place.get("accuracy_m") or 0.0)
    chosen = [each for each in chosen if each.distance_m <= RADIUS_M][:MOST_CAMERAS]
    if not chosen:
        return None
    start, seconds = window(doc["raised_at"])
    made: Request = {
        "_id": request_id(incident_id),
        "city": doc["city"],
        "incident": incident_id,
        "by": ACTOR,
        "reason": f"Kept by the city's rule for {doc['category']}: two minutes before the tap and one after",
        "start": start,
        "seconds": seconds,
        "position": {"lat": place["lat"], "lon": place["lon"]},
        "radius_m": RADIUS_M,
        "cameras": {each.camera["_id"]: asked_of(each) for each in chosen},
        "state": str(RequestState.OPEN),
        "at": now,
        "due": max(now, start + timedelta(seconds=seconds) + max(_closed(each.camera) for each in chosen)),
        "tries": 0,
        "version": 1,
    }
    try:
        requests().insert_one(made)
    except DuplicateKeyError:
        return None
    return made


def window(raised_at: datetime) -> tuple[datetime, float]:
    """(beginning, seconds) of what is kept for a tap: the same for all taps of its minute."""
    slot = datetime.fromtimestamp(raised_at.timestamp() // SLOT.total_seconds() * SLOT.total_seconds(), UTC)
    return slot - BEFORE, (BEFORE + SLOT + AFTER).total_seconds()


def request_id(incident_id: str) -> str:
    """The rule's request of an incident."""
    return derived_id("ftr", "kept", incident_id)


def evidence_id(camera_id: str, start: datetime) -> str:
    """What is kept of a camera's window, whichever incident it was first taken for."""
    return derived_id("evd", "kept", camera_id, start.isoformat())


def is_kept(request: Mapping[str, Any]) -> bool:
    """Whether it is the rule's, and no human's."""
    return bool(request["by"] == ACTOR)


def middle(request: Mapping[str, Any]) -> datetime:
    """What there is not room for is left out at the ends: of the rule's window the tap is what matters."""
    start: datetime = request["start"]
    return start + (BEFORE if is_kept(request) else timedelta(seconds=request["seconds"] / 2))


def still_wanted(incident: Mapping[str, Any]) -> bool:
    """Whether the rule still takes something now that the recorders have it. A duress PIN's cancelling is no end."""
    return "duress" in incident["flags"] or incident.get("resolution") not in OVER


def _closed(camera: Mapping[str, Any]) -> timedelta:
    if camera["source"]["kind"] != SourceKind.SEGMENTS:
        return CLOSED
    seconds = float(camera["source"].get("segment_s") or SEGMENT_S)
    return min(timedelta(seconds=seconds) + CLOSED, MOST_WAIT)
