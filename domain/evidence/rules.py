"""How much one may ask for at once, which files cover a time, and what is missing of it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from domain.errors import Invalid
from domain.evidence.states import Found, Why

MOST_SECONDS: Final = 300.0
"""The longest stretch that one request may ask for."""
MOST_RADIUS_M: Final = 300.0
"""How far from the asked place a camera may stand: beyond this no city camera shows what a court can use."""
MOST_AWAY_M: Final = 1000.0
"""How far from the incident the asked place may lie."""
BEFORE: Final = timedelta(minutes=30)
AFTER: Final = timedelta(hours=6)
"""The stretch lies between so long before the incident was raised and so long after."""
MOST_CAMERAS: Final = 8
MOST_BYTES: Final = 400_000_000
"""Of one camera, for one request."""
BEFORE_AND_AFTER: Final = timedelta(seconds=60)
"""What is asked for where the request does not say: so long before and after the tap."""
HOLE_S: Final = 2.0
"""A pause between two files that is no gap: recorders close one and open the next."""


@dataclass(frozen=True)
class Segment:
    """A recorded file and the time that it covers, by our clock."""

    path: Path
    start: datetime
    seconds: float

    @property
    def end(self) -> datetime:
        """When it ends."""
        return self.start + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class Recording:
    """What a recorder has of a time. `oldest`: the first moment that it still keeps; `why`: nothing is there, and this is
    the reason; `by`: whose clock named the files, `offset_s`: how far that was ahead of ours, `camera_offset_s`: how far the
    camera's own clock was, which it may have written into its pictures; None: unknown.
    """

    segments: tuple[Segment, ...] = ()
    oldest: datetime | None = None
    why: Why | None = None
    by: str = "amaan"
    offset_s: float = 0.0
    down: tuple[tuple[datetime, datetime], ...] = field(default=())
    """When the camera is known to have been down."""
    camera_offset_s: float | None = None


def check_time(start: datetime, seconds: float, *, raised_at: datetime, now: datetime) -> None:
    """Raises Invalid, by field, for a stretch that is too long, too far from the incident, or still to come."""
    errors: dict[str, list[str]] = {}
    end = start + timedelta(seconds=seconds)
    if seconds <= 0:
        errors["until"] = ["Must be after `since`."]
    elif seconds > MOST_SECONDS:
        errors["until"] = [f"At most {MOST_SECONDS:.0f} seconds after `since`."]
    elif end > now:
        errors["until"] = ["Has not come yet."]
    if start < raised_at - BEFORE or end > raised_at + AFTER:
        errors["since"] = ["Too far from when the incident was raised."]
    if errors:
        raise Invalid("footage is given for a short time around an incident", errors=errors)


def check_place(away_m: float, radius_m: float) -> None:
    """Raises Invalid, by field, for an area that is too large or has nothing to do with the incident."""
    errors: dict[str, list[str]] = {}
    if not 0 < radius_m <= MOST_RADIUS_M:
        errors["radius_m"] = [f"At most {MOST_RADIUS_M:.0f} metres."]
    if away_m > MOST_AWAY_M:
        errors["position"] = [f"Farther than {MOST_AWAY_M:.0f} metres from the incident."]
    if errors:
        raise Invalid("footage is given for a small area around an incident", errors=errors)


Span = tuple[datetime, datetime]


def joined(spans: Iterable[Span], *, hole_s: float = HOLE_S) -> list[Span]:
    """Spans in order, those that touch (or nearly) made one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and (start - found[-1][1]).total_seconds() <= hole_s:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def without(whole: Span, taken: Sequence[Span]) -> list[Span]:
    """What is left of a span when those in order are taken out of it."""
    left, at = [], whole[0]
    for start, end in taken:
        if (start - at).total_seconds() > HOLE_S:
            left.append((at, start))
        at = max(at, end)
    return [*left, (at, whole[1])] if (whole[1] - at).total_seconds() > HOLE_S else left


@dataclass(frozen=True)
class Said:
    """A camera's answer: what is there, what is missing and why, and the files to take."""

    found: Found
    have: list[dict[str, Any]]
    missing: list[dict[str, Any]]
    take: tuple[Segment, ...] = ()


def answer(recording: Recording, start: datetime, seconds: float, *, now: datetime) -> Said:
    """What a recorder has of a time, and why the rest is missing."""
    whole = (start, start + timedelta(seconds=seconds))
    take = tuple(each for each in recording.segments if each.start < whole[1] and each.end > whole[0])
    have = joined((max(each.start, whole[0]), min(each.end, whole[1])) for each in take)
    missing = [_span(part, str(why)) for gap in without(whole, have) for part, why in _explained(gap, recording, now)]
    found = Found.NOTHING if not take else Found.PART if missing else Found.WHOLE
    return Said(found, [_span(each) for each in have], missing, take)


def fitting(files: Sequence[Segment], sizes: Sequence[int], middle: datetime, most: int) -> tuple[Segment, ...]:
    """Of the files to take those next to a moment, as many as have room in `most` bytes, in order."""
    by_nearness = sorted(zip(files, sizes, strict=True), key=lambda each: abs(each[0].start - middle))
    chosen, held = [], 0
    for segment, size in by_nearness:
        held += size
        if held > most:
            break
        chosen.append(segment)
    return tuple(sorted(chosen, key=lambda each: each.start))


def _explained(gap: Span, recording: Recording, now: datetime) -> list[tuple[Span, Why]]:
    """A gap cut into the parts for which there is one reason each."""
    if recording.why is not None:
        return [(gap, recording.why)]
    found: list[tuple[Span, Why]] = []
    if recording.oldest is not None and gap[0] < recording.oldest:
        found.append(((gap[0], min(gap[1], recording.oldest)), Why.OVERWRITTEN))
        gap = (min(gap[1], recording.oldest), gap[1])
    clipped = [(max(since, gap[0]), min(until, gap[1])) for since, until in recording.down]
    down = joined(each for each in clipped if each[1] > each[0])
    found += [(each, Why.DOWN) for each in down]
    rest = without(gap, down) if gap[1] > gap[0] else []
    young = now - timedelta(seconds=NOT_CLOSED_S)
    found += [(each, Why.NOT_YET if each[1] > young else Why.UNKNOWN) for each in rest]
    return sorted(found)


NOT_CLOSED_S: Final = 15.0
"""What is missing of the last seconds may still be in a file that the recorder has not closed."""


def _span(span: Span, why: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"start": span[0], "seconds": round((span[1] - span[0]).total_seconds(), 3)}
    return found | ({"why": why} if why else {})


def offsets(segments: Sequence[Segment], start: datetime) -> list[float]:
    """Where each file's first picture stands in the footage, in seconds; negative: it begins before."""
    return [round((each.start - start).total_seconds(), 3) for each in segments]
