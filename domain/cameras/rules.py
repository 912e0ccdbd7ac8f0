"""Which cameras are asked about a place, for which window, when a look is shed, and what an answer means. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from domain import geo
from domain.cameras import health_rules, sources
from domain.cameras.states import HealthState, LookState, SourceKind, View
from domain.ids import derived_id

AT_MOST: Final = 8
"""Cameras that one asking may add to an incident."""
MOST_OF_AN_INCIDENT: Final = 16
"""Cameras of an incident in all: a better position may bring others into view."""
SEARCH_M: Final = 400.0
"""Farther than this no city camera tells a person from a post."""
TRUSTED_ACCURACY_M: Final = 50.0
"""A position that is known worse than this would bring every camera into view."""

AROUND: Final = timedelta(seconds=5)
"""So much before and after the tap is looked at."""
SLOT: Final = timedelta(seconds=5)
"""Taps of one slot share one look at a recording."""
LIVE_SLOT: Final = timedelta(seconds=10)
"""Askings of one slot share one look at a live stream, which lasts as long."""
RECORDED_SEGMENT_S: Final = 2.0
"""How long the rolling recorder's own files are (`runtime/recording.py`)."""
SETTLE: Final = timedelta(seconds=2)
"""A recorder's file is closed and in its folder so long after its last picture."""

SHED_AFTER: Final = timedelta(seconds=45)
"""A look that waited longer than this comes too late to help whoever is on the way."""
GIVE_UP_AFTER: Final = timedelta(seconds=180)
"""A look that was begun, and ended its worker, is done again until then."""
TRIES: Final = 3
BACKLOG: Final = 24
"""Looks that may wait for analytics, at four or five seconds each, before an incident's first camera is shed."""
REPORTS_OF_A_CAMERA: Final = 6
"""So often a camera is looked at for neighbours' reports that nobody believes yet,"""
REPORTS_WITHIN: Final = timedelta(minutes=10)
"""in so long."""
GATEWAY_WITHIN: Final = timedelta(seconds=60)
"""A gateway's word counts for an incident when it is not farther from the tap than this."""

NOT_THE_CAMERAS: Final = frozenset({"out_of_time", "look_failed", "analytics_unavailable", "too_much_memory"})
"""Reasons that speak of our analytics, not of the camera."""
_FLAGS: Final = ("dark", "covered", "frozen", "blurred", "shaken", "moved", "not_allowed")


@dataclass(frozen=True)
class Chosen:
    """A camera to ask. `covering`: the place lies within its field of view and range."""

    camera: Mapping[str, Any]
    distance_m: float
    covering: bool


@dataclass(frozen=True)
class Span:
    """The window of a look. `ready_at`: before this its footage cannot be there."""

    start: datetime
    seconds: float
    recorded: bool
    ready_at: datetime


class Step(StrEnum):
    """What the sweeper does about a look that is overdue."""

    AGAIN = "again"
    """On the queue once more: the queue lost it, or its worker died."""
    SHED = "shed"
    """Too late, or tried too often: its incidents show `busy`."""
    TELL = "tell"
    """It was shed, but whoever did it died before all incidents showed so."""


def choose(
    cameras: Iterable[Mapping[str, Any]], lat: float, lon: float, *, accuracy_m: float = 0.0, at_most: int = AT_MOST
) -> list[Chosen]:
    """Those that may see the place first, then the nearest; at most `at_most`."""
    found = []
    for camera in cameras:
        here = camera["position"]
        metres = geo.distance_m(here["lat"], here["lon"], lat, lon)
        if metres > SEARCH_M:
            continue
        covering = geo.in_view(
            here["lat"],
            here["lon"],
            camera["bearing_deg"],
            camera["fov_deg"],
            camera["range_m"],
            lat,
            lon,
            accuracy_m=min(accuracy_m, TRUSTED_ACCURACY_M),
        )
        found.append(Chosen(camera, metres, covering))
    found.sort(key=lambda each: (not each.covering, each.distance_m, each.camera["_id"]))
    return found[:at_most]


def _floor(at: datetime, step: timedelta) -> datetime:
    seconds = int(at.timestamp()) // int(step.total_seconds()) * int(step.total_seconds())
    return datetime.fromtimestamp(seconds, UTC)


def span(source: Mapping[str, Any], raised_at: datetime, now: datetime) -> Span:
    """The window to look at for a tap: a recording's is around the tap, a live stream's begins when it is looked at.

    Windows begin at slots of the clock, so that many SOS of one place share one look; the tap with AROUND before and
    after it always lies within a recording's window.
    """
    if not sources.is_recorded(source):
        return Span(_floor(now, LIVE_SLOT), LIVE_SLOT.total_seconds(), False, now)
    start = _floor(raised_at, SLOT) - AROUND
    length = AROUND + SLOT + AROUND
    ready = now
    if source.get("kind") == SourceKind.SEGMENTS:
        closed = timedelta(seconds=float(source.get("segment_s") or sources.SEGMENT_S))
        ready = max(now, start + length + closed + SETTLE)
    return Span(start, length.total_seconds(), True, ready)


def as_recorded(
    source: Mapping[str, Any], record: Mapping[str, Any], raised_at: datetime, now: datetime
) -> Mapping[str, Any]:
    """The source to look at for a tap: the rolling recording of a live stream, where it holds the time before the tap.

    `record` is the camera's health record. Where the recorder is away or began too late, the stream itself.
    """
    kept_from, kept_until = record.get("kept_from"), record.get("kept_until")
    if source.get("kind") not in sources.STREAMS or not kept_from or not kept_until:
        return source
    if not health_rules.is_fresh(record, now) or kept_until < raised_at - AROUND or kept_from > raised_at - AROUND:
        return source
    return {"kind": str(SourceKind.SEGMENTS), "segment_s": RECORDED_SEGMENT_S}


def look_id(camera: str, start: datetime) -> str:
    """One look per camera and window."""
    return derived_id("lok", camera, start.isoformat())


def observation_id(camera: str, start: datetime) -> str:
    """One observation per camera and window, however often a job runs."""
    return derived_id("obs", camera, start.isoformat())


def has_room(place: int, waiting: int) -> bool:
    """Whether the camera at this place (0 is the best) of an incident's list is still looked at while `waiting` wait.

    Under load every incident keeps its best cameras, rather than some incidents all of theirs: the first is shed from
    BACKLOG on, the second from half of it, the eighth from an eighth.
    """
    return waiting < BACKLOG / (place + 1)


def next_step(look: Mapping[str, Any], now: datetime) -> Step:
    """What becomes of a look whose `until` has passed."""
    if look["state"] == LookState.SHED:
        return Step.TELL
    waited = now - look["ready_at"]
    if look["tries"] == 0:
        return Step.SHED if waited > SHED_AFTER else Step.AGAIN
    return Step.SHED if look["tries"] >= TRIES or waited > GIVE_UP_AFTER else Step.AGAIN


def is_too_late(look: Mapping[str, Any], now: datetime) -> bool:
    """Whether a look that a worker has just begun waited so long that it is shed instead."""
    return bool(now - look["ready_at"] > (SHED_AFTER if look["tries"] <= 1 else GIVE_UP_AFTER))


def may_show(held: Mapping[str, Any] | None, view: View) -> bool:
    """Whether an incident takes this answer: the first observation stays; what had none gives way to one."""
    if held is None or held.get("observation") or held["state"] == View.NOT_COVERING:
        return False
    return bool(held["state"] == View.ASKED or view in (View.SEEN, View.CLEAR, View.CANNOT_TELL, View.DOWN))


def findings_of(seen: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The kinds with their best confidence, strongest first: [{kind, confidence, at_s}]."""
    best: dict[str, dict[str, Any]] = {}
    for finding in (seen.get("summary") or {}).get("findings") or []:
        known = best.get(finding["kind"])
        if known is None or finding["confidence"] > known["confidence"]:
            best[finding["kind"]] = {"kind": finding["kind"], "confidence": finding["confidence"], "at_s": finding["t"]}
    return sorted(best.values(), key=lambda each: (-each["confidence"], each["kind"]))


def health_of(seen: Mapping[str, Any], before: Mapping[str, Any] | None, at: datetime) -> dict[str, Any] | None:
    """The camera's health after this answer: {state, reasons, at, since}; None when it says nothing of the camera."""
    found = seen.get("health") or {}
    reason = str(found.get("reason") or "")
    if reason in NOT_THE_CAMERAS or reason.startswith("detector_failed"):
        return None
    reasons = [name for name in _FLAGS if found.get(name)] + ([reason] if reason else [])
    down = seen["verdict"] == View.DOWN
    state = HealthState.DOWN if down else HealthState.IMPAIRED if reasons else HealthState.OK
    since = before["since"] if before and before.get("state") == state and before.get("since") else at
    return {"state": str(state), "reasons": reasons, "at": at, "since": since}
