"""From what each picture showed to what the look found. Pure: no picture, no clock, no model.

The one rule that matters: a look that could not see is ``cannot_tell``, never ``clear``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from workers.vision import crowd, pose, quality, running
from workers.vision.boxes import around
from workers.vision.observation import Box, Finding, Health, Status, Summary, Verdict
from workers.vision.tracks import Track

COLLAPSED = 0.5  # of the upright height
FLAT = 0.9  # width by height of a body on the ground, at least
LARGE = 0.22  # of the picture's height: outlines of those further away are too rough
STOOD = 3  # samples in which it stood
COLLAPSE_S = 0.5
COLLAPSE_CONFIDENCE = 0.6
WHOLE_CHANGES = 0.2  # share of pictures that may change as a whole before the camera counts as shaken


@dataclass(frozen=True)
class Seen:
    """One body in one picture."""

    t: float
    attitude: pose.Attitude
    box: Box


@dataclass(frozen=True)
class Shape:
    """What moved where one body is, in one picture. ``wide`` and ``high`` in the same unit (heights of the picture)."""

    t: float
    box: Box
    wide: float
    high: float


@dataclass
class Evidence:
    """Everything that the pictures gave, collected while looking."""

    qualities: list[quality.Quality] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)  # of the picture that moved
    whole: int = 0  # pictures that changed as a whole
    counts: list[int] = field(default_factory=list)  # people, at each count
    faces: int = 0
    bodies: dict[int, list[Seen]] = field(default_factory=dict)  # by track
    shapes: dict[int, list[Shape]] = field(default_factory=dict)  # by track
    stirs: list[crowd.Stir] = field(default_factory=list)


def findings(bodies: Mapping[int, Sequence[Seen]], step_s: float) -> list[Finding]:
    """Lying, falls and raised hands, by track, strongest first."""
    found: list[Finding] = []
    for track, seen in bodies.items():
        postures = [(s.t, s.attitude.posture, s.attitude.confidence) for s in seen]
        lying = pose.spells(
            [(t, posture is pose.Posture.LYING, c) for t, posture, c in postures], pose.PARAMETERS["lying_s"], step_s
        )
        fallen = pose.fall(postures, step_s)
        for spell in lying[:1] or ([fallen] if fallen else []):
            sure = spell.confidence * min(1.0, 0.6 + 0.2 * spell.seconds)
            found.append(_finding("lying", sure, spell, track, seen))
        if fallen:
            stayed = any(spell.end > fallen.start for spell in lying)
            found.append(_finding("fall", fallen.confidence * (0.9 if stayed else 0.6), fallen, track, seen))
        raised = [(s.t, s.attitude.hands_up, s.attitude.confidence) for s in seen]
        found += [
            _finding("hands_up", spell.confidence * min(1.0, 0.5 + 0.25 * spell.seconds), spell, track, seen)
            for spell in pose.spells(raised, pose.PARAMETERS["hands_s"], step_s)[:1]
        ]
    return sorted(found, key=lambda finding: -finding.confidence)


def collapses(
    bodies: Mapping[int, Sequence[Seen]], shapes: Mapping[int, Sequence[Shape]], step_s: float
) -> list[Finding]:
    """Falls that the joints do not show, as towards the camera: who stood is suddenly less than half as high, and wide.

    The height of what moves is compared with the most that the same body had, upright, in the three seconds before.
    """
    found: list[Finding] = []
    for track, outlines in shapes.items():
        upright = [s for s in bodies.get(track, ()) if s.attitude.posture is pose.Posture.UPRIGHT and s.box[3] > LARGE]
        down: list[tuple[float, bool, float]] = []
        for shape in outlines:
            stood = [s.box for s in upright if 0 < shape.t - s.t <= pose.PARAMETERS["fall_s"]]
            low = False
            if len(stood) >= STOOD:
                tallest = max(stood, key=lambda box: box[3])
                on_ground = shape.box[1] + shape.box[3] > tallest[1] + 0.75 * tallest[3]
                low = on_ground and shape.high < COLLAPSED * tallest[3] and shape.wide > FLAT * shape.high
            down.append((shape.t, low, COLLAPSE_CONFIDENCE))
        for spell in pose.spells(down, COLLAPSE_S, step_s)[:1]:
            box = min(outlines, key=lambda shape: abs(shape.t - spell.end)).box
            found += [
                Finding(kind, spell.confidence, spell.start, spell.seconds, track, box) for kind in ("lying", "fall")
            ]
    return found


def movements(evidence: Evidence, tracks: Sequence[Track], size: tuple[int, int]) -> list[Finding]:
    """Who runs, by track, and people who suddenly disperse. ``size`` is the picture's width and height."""
    found: list[Finding] = []
    shape = size[0] / max(1, size[1])
    for track in tracks:
        spell = running.running(track.seen, shape) if track.believed else None
        if spell is not None:
            box = min(track.seen, key=lambda entry: abs(entry[0] - spell.end))[1]
            found.append(Finding("running", spell.confidence, spell.start, spell.seconds, track.number, box))
    fled = crowd.dispersal(evidence.stirs)
    if fled is not None:
        where = [box for track in tracks if track.believed for t, box, _ in track.seen if abs(t - fled.start) <= 1.0]
        box = around(where) if where else (0.0, 0.0, 1.0, 1.0)
        found.append(Finding("dispersal", fled.confidence, fled.start, fled.seconds, None, box))
    return found


def _finding(kind: str, confidence: float, spell: pose.Spell, track: int, seen: Sequence[Seen]) -> Finding:
    box = min(seen, key=lambda entry: abs(entry.t - spell.end)).box
    return Finding(kind, min(1.0, confidence), spell.start, spell.seconds, track, box)


def summary(evidence: Evidence, found: Sequence[Finding]) -> Summary:
    """The whole window in a few figures."""
    return Summary(
        people_max=max(evidence.counts, default=0),
        people_median=float(median(evidence.counts)) if evidence.counts else 0.0,
        motion=sum(evidence.shares) / len(evidence.shares) if evidence.shares else 0.0,
        luma=sum(q.luma for q in evidence.qualities) / len(evidence.qualities) if evidence.qualities else 0.0,
        faces=evidence.faces,
        density=max((stir.density for stir in evidence.stirs), default=0.0),
        findings=tuple(found),
    )


def health(evidence: Evidence, step_s: float, reason: str = "") -> Health:
    """How well the camera could see; `step_s` is the time between two judged pictures."""
    view = quality.judge(evidence.qualities, step_s)
    shaken = evidence.whole > WHOLE_CHANGES * max(1, len(evidence.qualities))
    return Health(view.dark, view.covered, view.frozen, view.blurred, shaken, reason=reason)


def verdict(status: Status, judged: int, what: Summary, how: Health) -> Verdict:
    """Somebody seen is seen, even through bad footage; nobody seen is clear only through good footage of the whole window."""
    if how.down:
        return Verdict.DOWN
    if judged and not how.frozen and (what.people_max > 0 or what.findings):
        return Verdict.SEEN
    if status is not Status.OK or judged == 0:
        return Verdict.CANNOT_TELL
    if how.dark or how.covered or how.frozen or how.blurred or how.shaken:
        return Verdict.CANNOT_TELL
    return Verdict.CLEAR
