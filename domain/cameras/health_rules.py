"""From samples of a camera to what is said of it: a state that does not flicker, and when somebody is told. Pure.

A sample comes every few seconds from the recorder, or every minute or so from the sampler. What is shown changes only once
the samples have said the same for a while; who is told hears of a camera that stayed blind, not of each dusk and lorry.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from domain.cameras.states import HealthState, View
from domain.notices.states import NoticeKind

FRAME_WITHIN: Final = timedelta(seconds=20)
"""A recorded camera from which no picture came for so long is down (Frigate's watchdog waits as long)."""
FRESH: Final = timedelta(seconds=30)
"""The recorder's word on a camera holds for so long; a recorder that says nothing longer is itself away."""
TELL_AFTER: Final = timedelta(seconds=60)
"""A camera that is blind for so long is a notice."""
UNWATCHED_AFTER: Final = timedelta(minutes=5)
"""What nobody has sampled for so long is no longer known: the recorder is away, or has more to do than it can."""
SINGLY: Final = 5
"""Blind cameras of a city that are told one by one; at dusk, or when a switch fails, hundreds would ring."""
SLOW_FPS: Final = 1.0
"""A live camera with fewer pictures a second misses what matters."""
ALIKE: Final = 0.40
"""Scenes whose correlation is less are two: measured, a turn by a fifth of the picture gives 0.44 at most and −0.17 at least,
hours of people on the same street 0.59 and more."""
UNLIKE_SAMPLES: Final = 3
"""So many in a row show another scene: one is a lorry that stops before the camera."""
_EDGES: Final = 0.3
LEARNING: Final = 0.05
"""How much one sample moves the scene that is remembered: seasons pass into it, a person does not."""
DIM_LUMA: Final = 60.0
"""Below this the scene by night is compared, above it the one by day."""
_DIRECTIONS: Final = 4


class Hold(NamedTuple):
    """For how long, and in how many samples, a new state must show before it is believed."""

    seconds: float
    samples: int


HOLDS: Final[Mapping[HealthState, Hold]] = {
    HealthState.DOWN: Hold(0.0, 2),
    HealthState.IMPAIRED: Hold(12.0, 3),
    HealthState.OK: Hold(12.0, 3),
}


@dataclass(frozen=True)
class Sample:
    """What one sample says. `scene`: 192 numbers of `workers/vision/scene.py`, None where nothing could be seen."""

    at: datetime
    state: HealthState
    reasons: tuple[str, ...] = ()
    fps: float | None = None
    luma: float | None = None
    scene: Sequence[int] | None = None
    sure: bool = False
    """Whoever sampled has waited long enough: it is believed at once."""


def of_report(report: Mapping[str, Any], last_frame_at: datetime | None, now: datetime) -> Sample | None:
    """The sample that a recorder's report is; None while a lost connection is too young to say anything."""
    if "lost" in report:
        if last_frame_at is not None and now - last_frame_at < FRAME_WITHIN:
            return None
        return Sample(now, HealthState.DOWN, (str(report["lost"]),), sure=last_frame_at is not None)
    reasons = [str(flag) for flag in report.get("flags") or ()]
    fps = float(report["fps"])
    if fps < SLOW_FPS and report.get("live", True):
        reasons.append("slow")
    if report.get("full"):
        reasons.append("disk_full")
    state = HealthState.IMPAIRED if reasons else HealthState.OK
    return Sample(now, state, tuple(reasons), fps, report.get("luma"), report.get("scene"))


def resemblance(one: Sequence[float], other: Sequence[float]) -> float:
    """The correlation of two scenes, −1 to 1 (Pearson, each direction about its own mean); 0 for one without edges."""
    if len(one) != len(other) or not one:
        return 0.0
    first, second = _centred(one), _centred(other)
    length = math.sqrt(sum(value * value for value in first) * sum(value * value for value in second))
    return sum(a * b for a, b in zip(first, second, strict=True)) / length if length > 1e-6 else 0.0


def _centred(scene: Sequence[float]) -> list[float]:
    cells = max(1, len(scene) // _DIRECTIONS)
    means = [sum(scene[direction::_DIRECTIONS]) / cells for direction in range(_DIRECTIONS)]
    return [value - means[index % _DIRECTIONS] for index, value in enumerate(scene)]


def looked_at(scenes: Mapping[str, Any], sample: Sample) -> tuple[dict[str, Any], bool]:
    """(the scenes to remember, whether the camera looks elsewhere). By day and by night a street has other edges.

    What looks elsewhere is not learned: it stays so until somebody says that the camera may look there.
    """
    remembered = dict(scenes)
    if sample.scene is None or sample.luma is None:
        return remembered, bool(remembered.get("elsewhere"))
    light = "night" if sample.luma < DIM_LUMA else "day"
    known = remembered.get(light)
    if known is None:
        other = remembered.get("day" if light == "night" else "night")
        if other is not None and remembered.get("elsewhere"):
            return remembered, True  # turned, and then it became dark: nothing to learn from
        remembered[light] = [float(value) for value in sample.scene]
        return remembered, False
    if sum(sample.scene) < _EDGES * sum(known):
        return remembered, bool(remembered.get("elsewhere"))  # nothing to be seen is not something else
    unlike = resemblance(known, sample.scene) < ALIKE
    remembered["unlike"] = int(remembered.get("unlike") or 0) + 1 if unlike else 0
    elsewhere = remembered["unlike"] >= UNLIKE_SAMPLES
    remembered["elsewhere"] = elsewhere
    if not unlike:
        remembered[light] = [
            round(old + LEARNING * (new - old), 1) for old, new in zip(known, sample.scene, strict=True)
        ]
    return remembered, elsewhere


def after(record: Mapping[str, Any], sample: Sample) -> dict[str, Any]:
    """What the health record holds after a sample: `{state, reasons, since, at, turning, scenes, fps, luma, …}`.

    `turning` is a new state that has not shown for long enough: `{state, since, samples}`.
    """
    scenes, elsewhere = looked_at(record.get("scenes") or {}, sample)
    reasons = (*sample.reasons, "moved") if elsewhere and sample.state is not HealthState.DOWN else sample.reasons
    state = HealthState.IMPAIRED if reasons and sample.state is HealthState.OK else sample.state
    found: dict[str, Any] = {"at": sample.at, "scenes": scenes}
    if sample.state is not HealthState.DOWN:
        found |= {"last_frame_at": sample.at, "fps": sample.fps, "luma": sample.luma}
    shown = str(record.get("state") or HealthState.UNKNOWN)
    if shown == state:
        return found | {"state": shown, "reasons": list(reasons), "since": record["since"], "turning": None}
    turning = record.get("turning") or {}
    if turning.get("state") != state:
        turning = {"state": str(state), "since": sample.at, "samples": 0}
    turning = {**turning, "samples": turning["samples"] + 1}
    hold = HOLDS[state]
    held = sample.sure or (
        (sample.at - turning["since"]).total_seconds() >= hold.seconds and turning["samples"] >= hold.samples
    )
    if held or shown == HealthState.UNKNOWN:
        return found | {"state": str(state), "reasons": list(reasons), "since": turning["since"], "turning": None}
    return found | {
        "state": shown,
        "reasons": list(record.get("reasons") or []),
        "since": record["since"],
        "turning": turning,
    }


def is_blind(record: Mapping[str, Any]) -> bool:
    """Whether what the camera shows proves nothing."""
    return record.get("state") in (HealthState.DOWN, HealthState.IMPAIRED)


def is_to_be_told(record: Mapping[str, Any], now: datetime) -> bool:
    """Whether it has been blind for so long that staff hear of it."""
    return is_blind(record) and now - record["since"] >= TELL_AFTER


def as_known(record: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """A health record as it is shown: what nobody has sampled for minutes is unknown, whatever it was."""
    at = record.get("at")
    if at is None or now - at <= UNWATCHED_AFTER:
        return dict(record)
    return {**record, "state": str(HealthState.UNKNOWN), "reasons": ["not_watched"], "since": at}


def is_watched(record: Mapping[str, Any], now: datetime) -> bool:
    """Whether somebody has sampled it of late."""
    return record.get("at") is not None and now - record["at"] <= UNWATCHED_AFTER


def to_tell(
    blind: Sequence[tuple[str, str]], told: Collection[str], *, open_ones: Collection[str]
) -> dict[tuple[NoticeKind, str, str], dict[str, int]]:
    """(kind, cause, city) of each notice that must stand → its figures, from (city, camera) of what is blind.

    One notice a camera as long as a city has few of them that nobody has acknowledged; of more, one for all the others.
    `told`: cameras with a notice; `open_ones`: those whose notice nobody has acknowledged.
    """
    found: dict[tuple[NoticeKind, str, str], dict[str, int]] = {}
    room: dict[str, int] = {}
    for city, camera in blind:
        if camera in told:
            found[(NoticeKind.CAMERA_BLIND, camera, city)] = {}
            room[city] = room.get(city, SINGLY) - (camera in open_ones)
    for city, camera in blind:
        if camera in told:
            continue
        if room.setdefault(city, SINGLY) > 0:
            room[city] -= 1
            found[(NoticeKind.CAMERA_BLIND, camera, city)] = {}
        else:
            others = found.setdefault((NoticeKind.CAMERAS_BLIND, city, city), {"cameras": 0})
            others["cameras"] += 1
    return found


def is_fresh(record: Mapping[str, Any], now: datetime) -> bool:
    """Whether the recorder has spoken of this camera just now."""
    return record.get("by") == "recorder" and record.get("at") is not None and now - record["at"] <= FRESH


def is_known_down(record: Mapping[str, Any], now: datetime) -> bool:
    """Whether it need not be asked: the recorder, which is connected all day, just found it down."""
    return is_fresh(record, now) and record.get("state") == HealthState.DOWN


def judged(answer: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """A look's answer with what is known of its camera: one that was turned may show a clear street, and not the place."""
    found = dict(answer)
    if "moved" not in (record.get("reasons") or ()):
        return found
    found["health"] = {**(answer.get("health") or {}), "moved": True}
    if found["verdict"] == View.CLEAR:
        found["verdict"] = str(View.CANNOT_TELL)
    return found
