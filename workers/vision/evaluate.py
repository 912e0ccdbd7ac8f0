"""How right camera analytics is on a city's own footage: a folder of clips, and a ``truth.json`` that says what they show.

    {"clips": [
      {"file": "gate-night.mp4", "start": 0, "seconds": 10, "set": "aside",
       "people": [{"t": 2.0, "count": 3}, {"t": 5.0, "points": [[0.31, 0.62], [0.70, 0.58]]}],
       "findings": ["fall"]}
    ]}

``file``: below the folder. ``start`` and ``seconds`` (0, 10) choose the part. ``people``: moments, in seconds from ``start``,
with how many are in view, or with the middle of each as a share of width and height. ``findings``: every kind that truly
happens in the part (lying, fall, hands_up, running, dispersal, or a label of the city's own model); an empty list says that
none does, so that false ones count. What a clip does not say is not judged. ``set``: ``tune`` (also when left out) for clips
with which thresholds are chosen, ``aside`` for those nobody has tuned with: only these tell how good it is. Pure, but for
reading the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workers.vision.boxes import grown

SETS = ("tune", "aside")
NEAR_S = 0.3  # a moment is judged by the count that is not further away
MARGIN = 0.25  # a person is found when the marked middle lies in a box grown by this share


class BadTruth(ValueError):
    """A ``truth.json`` that cannot be used; the text says where and why."""


@dataclass(frozen=True)
class Moment:
    """How many people are in view at ``t``, and where, when that was marked."""

    t: float
    count: int
    points: tuple[tuple[float, float], ...] | None = None


@dataclass(frozen=True)
class Clip:
    """One part of one file, and what is true of it. None: nothing was said."""

    file: str
    start: float
    seconds: float
    set: str
    people: tuple[Moment, ...] = ()
    findings: frozenset[str] | None = None


@dataclass
class Score:
    """The figures of one set. ``met``, ``found``, ``there``: marked people; findings by kind: [right, missed, false]."""

    clips: int = 0
    blind: list[str] = field(default_factory=list)  # clips that analytics could not see, with its reason
    moments: int = 0
    unseen: int = 0  # moments that were not judged
    error: float = 0.0
    exact: int = 0
    met: int = 0
    found: int = 0
    there: int = 0
    findings: dict[str, list[int]] = field(default_factory=dict)
    cpu_ms: float = 0.0
    judged: int = 0


def read_truth(folder: Path) -> list[Clip]:
    """The clips that ``truth.json`` names. Raises ``BadTruth``."""
    path = folder / "truth.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadTruth(f"no truth.json in {folder.name}/: it says what the clips show") from error
    except ValueError as error:
        raise BadTruth(f"truth.json is not JSON: {error}") from error
    clips = told.get("clips") if isinstance(told, Mapping) else None
    if not isinstance(clips, list) or not clips:
        raise BadTruth('truth.json must be {"clips": [...]} with at least one')
    return [_clip(entry, f"clips[{index}]", folder) for index, entry in enumerate(clips)]


def _clip(entry: Any, where: str, folder: Path) -> Clip:
    try:
        unknown = sorted(set(entry) - {"file", "start", "seconds", "set", "people", "findings"})
        if unknown:
            raise ValueError(f"unknown key {unknown[0]!r}")
        found = entry.get("findings")
        clip = Clip(
            file=str(entry["file"]),
            start=float(entry.get("start", 0.0)),
            seconds=float(entry.get("seconds", 10.0)),
            set=str(entry.get("set", "tune")),
            people=tuple(_moment(each) for each in entry.get("people", [])),
            findings=None if found is None else frozenset(str(kind) for kind in found),
        )
    except KeyError as error:
        raise BadTruth(f"{where}: {error.args[0]} is missing") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise BadTruth(f"{where}: {error}") from error
    path = (folder / clip.file).resolve()
    wrong = [
        (not path.is_relative_to(folder.resolve()), "file must lie below the folder"),
        (not path.is_file(), f"there is no {clip.file}"),
        (clip.set not in SETS, f"set must be one of {', '.join(SETS)}"),
        (not 0 < clip.seconds <= 120 or clip.start < 0, "start from 0 on, seconds up to 120"),
        (any(not 0 <= each.t < clip.seconds for each in clip.people), "a moment lies outside the part"),
    ]
    for is_wrong, text in wrong:
        if is_wrong:
            raise BadTruth(f"{where}: {text}")
    return clip


def _moment(entry: Mapping[str, Any]) -> Moment:
    points = entry.get("points")
    if points is None:
        return Moment(float(entry["t"]), int(entry["count"]))
    marked = tuple((float(x), float(y)) for x, y in points)
    return Moment(float(entry["t"]), len(marked), marked)


def add(score: Score, clip: Clip, answer: Mapping[str, Any]) -> None:
    """Judge what a look answered (``observation.Observation.to_document``) by what is true of the clip."""
    score.clips += 1
    score.cpu_ms += sum(answer["timings_ms"].values())
    score.judged += answer["frames"]["judged"]
    if answer["verdict"] in ("cannot_tell", "down"):
        score.blind.append(f"{clip.file}: {answer['health']['reason'] or answer['verdict']}")
    for moment in clip.people:
        near = min(answer["counts"], key=lambda each: abs(each[0] - moment.t), default=None)
        if near is None or abs(near[0] - moment.t) > NEAR_S:
            score.unseen += 1
            continue
        score.moments += 1
        score.error += abs(near[1] - moment.count)
        score.exact += near[1] == moment.count
        if moment.points is not None:
            people = [d for d in answer["detections"] if d["kind"] == "person" and d["track"] is not None]
            boxes = [tuple(d["bbox"]) for d in people if abs(d["t"] - near[0]) < 0.05]
            score.met += matched(moment.points, boxes)
            score.found += len(boxes)
            score.there += len(moment.points)
    if clip.findings is not None:
        said = {finding["kind"] for finding in answer["summary"]["findings"]}
        for kind in sorted(said | clip.findings):
            right, missed, false = score.findings.setdefault(kind, [0, 0, 0])
            here = kind in clip.findings
            score.findings[kind] = [
                right + (here and kind in said),
                missed + (here and kind not in said),
                false + (not here),
            ]


def matched(points: Sequence[tuple[float, float]], boxes: Sequence[Any]) -> int:
    """How many of the marked middles lie in a box of their own, grown by a quarter; each box serves one."""
    pairs = []
    for i, (px, py) in enumerate(points):
        for j, box in enumerate(boxes):
            x, y, w, h = grown(box, MARGIN)
            if w > 0 and h > 0 and x <= px <= x + w and y <= py <= y + h:
                pairs.append((abs(px - x - w / 2) / w + abs(py - y - h / 2) / h, i, j))
    left, right = set(), set()
    for _, i, j in sorted(pairs):
        if i not in left and j not in right:
            left.add(i)
            right.add(j)
    return len(left)


def lines(score: Score) -> list[tuple[str, str]]:
    """The figures in words: what, and how much."""
    rows = [("clips", str(score.clips))]
    if score.moments:
        rows.append(("people, moments judged", f"{score.moments}, exact in {score.exact / score.moments:.0%}"))
        rows.append(("people, count error", f"{score.error / score.moments:.2f} a moment"))
    if score.there:
        precision, recall = score.met / max(1, score.found), score.met / score.there
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        rows.append(("people, where marked", f"precision {precision:.2f}, recall {recall:.2f}, F1 {f1:.2f}"))
    if score.unseen:
        rows.append(("moments without a judged picture", str(score.unseen)))
    for kind, (right, missed, false) in sorted(score.findings.items()):
        rows.append((kind, f"{right} of {right + missed} found, {false} false"))
    rows += [("could not see", text) for text in score.blind]
    if score.judged:
        rows.append(("cost", f"{score.cpu_ms / score.judged:.0f} ms of one core a judged picture"))
    return rows
