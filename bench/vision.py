"""Camera analytics measured on real footage: precision, recall and cost of people, falls and faces.

    nice -n 10 python -m bench.vision                 # the footage in ../shared/footage beside the repository, if it is there
    python -m bench.vision --footage DIR --json

It runs the same look that a vision job runs and writes nothing. What the figures are not: thresholds were chosen with
this footage in sight, it is small, none of it is from Pakistan, at night or of real hands up, and the fall clips show
one room. A missing folder is said, not skipped silently.

Criteria. People: a person is found when the marked centre lies in a detected box grown by a quarter, each box for one
person. Falls: clips, not moments; other footage in windows of 10 s counts for false ones. Faces: only the number of
faces in a picture is marked, so recall is min(found, marked)/marked and precision min(found, marked)/found: a false face
may stand in for a missed one, and the recall at the threshold of a reported face is printed beside it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from workers.vision.boxes import grown
from workers.vision.config import VisionConfig, Window
from workers.vision.cv import Image
from workers.vision.decode import Decoder
from workers.vision.faces import PARAMETERS
from workers.vision.look import look_at
from workers.vision.models import loaded
from workers.vision.observation import Observation
from workers.vision.source import opened

FOOTAGE = Path(__file__).resolve().parents[2] / "shared" / "footage"
PATIENT = {"budget_s": 600.0, "max_seconds": 200.0, "stills_max": 1}
NO_FALL = (
    "people/intel_one-by-one-person-detection.mp4",
    "people/intel_store-aisle-detection.gif",
    "people/intel_worker-zone-detection.gif",
    "people/intel_classroom.gif",
    "people/intel_face-demographics-walking.gif",
    "people/vtest.avi",
)


@dataclass(frozen=True)
class Figure:
    """One measured value beside what VISION.md aims at; ``better`` is the direction."""

    name: str
    value: float
    unit: str
    aim: str = ""
    met: bool | None = None


class RightHalf:
    """Footage of which only the right half is looked at: the fall clips hold a depth picture on the left."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.declared, self.sha256, self.live, self.gap = inner.declared, inner.sha256, inner.live, inner.gap

    def grab(self) -> float | None:
        moment: float | None = self._inner.grab()
        return moment

    def retrieve(self) -> Image | None:
        image: Image | None = self._inner.retrieve()
        return None if image is None else image[:, image.shape[1] // 2 :].copy()


def seen(path: Path, seconds: float, *, half: bool = False, start: float = 0.0, **options: Any) -> Observation:
    """One look at a file of the footage."""
    config = VisionConfig.from_dict({**PATIENT, "allowed_roots": [str(path.parent)], **options})
    with opened({"kind": "file", "path": str(path)}, Window(seconds), config) as footage:
        if start:
            footage.seek(start)  # type: ignore[attr-defined]
        return look_at(RightHalf(footage) if half else footage, Window(seconds), config, time.monotonic())


@contextmanager
def frames(path: Path, config: VisionConfig) -> Iterator[Iterator[Image]]:
    with ExitStack() as stack:
        footage = stack.enter_context(opened({"kind": "file", "path": str(path)}, Window(200), config))

        def every() -> Iterator[Image]:
            while footage.grab() is not None:
                image = footage.retrieve()
                if image is not None:
                    yield image

        yield every()


def people_far(root: Path) -> Iterator[Figure]:
    """vtest.avi: marked centres in ten pictures."""
    marked = json.loads((root / "people/vtest_points.json").read_text())["frames"]
    observation = seen(root / "people/vtest.avi", 40.0)
    hits = found = truth = 0
    errors = []
    for index, points in marked.items():
        t = int(index) / 10
        boxes = [d.bbox for d in observation.detections if d.kind == "person" and abs(d.t - t) < 0.05]
        hits += _matched([(x / 480, y / 360) for x, y in points], boxes)
        found, truth = found + len(boxes), truth + len(points)
        errors.append(abs(len(boxes) - len(points)))
    precision, recall = hits / max(1, found), hits / max(1, truth)
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    yield Figure("people, far: precision", precision, "")
    yield Figure("people, far: recall", recall, "")
    yield Figure("people, far: F1", f1, "", "≥ .94", f1 >= 0.94)
    yield Figure("people, far: count MAE", mean(errors), "people", "≤ .55", mean(errors) <= 0.55)
    yield from _cost("people, far", observation)


def _matched(points: list[tuple[float, float]], boxes: list[Any]) -> int:
    pairs = []
    for i, (px, py) in enumerate(points):
        for j, box in enumerate(boxes):
            x, y, w, h = grown(box, 0.25)
            if x <= px <= x + w and y <= py <= y + h:
                pairs.append((abs(px - x - w / 2) / w + abs(py - y - h / 2) / h, i, j))
    left, right = set(), set()
    for _, i, j in sorted(pairs):
        if i not in left and j not in right:
            left.add(i)
            right.add(j)
    return len(left)


def people_near(root: Path) -> Iterator[Figure]:
    """one-by-one: how many are in the picture, in 35 pictures."""
    marked = json.loads((root / "people/intel_one-by-one_counts.json").read_text())
    observation = seen(root / "people/intel_one-by-one-person-detection.mp4", 140.0)
    exact = 0
    for index, count in marked.items():
        t = int(index) / 10
        boxes = [d for d in observation.detections if d.kind == "person" and abs(d.t - t) < 0.05]
        exact += len(boxes) == count
    yield Figure("people, near: exact counts of 35", exact, "pictures", "35", exact == 35)
    yield from _cost("people, near", observation)


def people_seated(root: Path) -> Iterator[Figure]:
    """A classroom of four, seated, and a shop's aisle with two or three."""
    room = seen(root / "people/intel_classroom.gif", 10.0)
    error = mean(abs(c - 4) for c in _counts(room))
    yield Figure("people, seated: count MAE", error, "people", "≤ .50", error <= 0.5)
    aisle = seen(root / "people/intel_store-aisle-detection.gif", 10.0)
    yield Figure("people, shop's aisle (2, then 3): count MAE", mean(abs(c - 2.75) for c in _counts(aisle)), "people")


def _counts(observation: Observation) -> list[int]:
    return [people for _, people in observation.counts]


def falls(root: Path) -> Iterator[Figure]:
    clips = sorted((root / "falls").glob("*.mp4"))
    hit = 0
    for clip in clips:
        observation = seen(clip, 10.0, half=True)
        kinds = {finding.kind for finding in observation.summary.findings}
        hit += bool(kinds & {"fall", "lying"})
        if not kinds & {"fall", "lying"}:
            print(f"  missed: {clip.name}", file=sys.stderr)
    recall = hit / max(1, len(clips))
    yield Figure(f"fall: recall over {len(clips)} clips", recall, "", "≥ .93", recall >= 0.93)
    windows = false = 0
    for name in NO_FALL:
        start = 0.0
        while True:
            try:
                observation = seen(root / name, 10.0, start=start)
            except Exception:
                break
            windows += 1
            kinds = {finding.kind for finding in observation.summary.findings}
            if kinds & {"fall", "lying"}:
                false += 1
                print(f"  false: {name} from {start:.0f} s", file=sys.stderr)
            start += 10.0
    yield Figure("fall: false", false, f"of {windows} windows of 10 s", "≤ 1 of 30", false <= windows / 30)


def faces(root: Path) -> Iterator[Figure]:
    marked = json.loads((root / "people/faces_counts.json").read_text())["faces_per_frame_all_frames"]
    detector = loaded().faces
    found = met = truth = sure = 0
    spent = []
    for name, count in marked.items():
        path = root / "people" / name
        if not path.exists():
            continue
        config = VisionConfig.from_dict({**PATIENT, "allowed_roots": [str(path.parent)]})
        with frames(path, config) as pictures:
            for picture in pictures:
                began = time.process_time()
                seen_faces = detector.detect(picture)
                spent.append((time.process_time() - began) * 1000)
                number = len(seen_faces)
                sure += min(count, sum(one.score >= PARAMETERS["counts"] for one in seen_faces))
                found, met, truth = found + number, met + min(number, count), truth + count
    yield Figure(f"faces: recall over {truth}", met / max(1, truth), "", "≥ .99", met >= 0.99 * truth)
    yield Figure("faces: precision", met / max(1, found), "")
    yield Figure("faces: recall of those reported as faces", sure / max(1, truth), "")
    cost = mean(spent) if spent else 0.0
    yield Figure("faces: cost", cost, "ms a picture", "≤ 40", cost <= 40)


def _cost(name: str, observation: Observation) -> Iterator[Figure]:
    times = dict(observation.timings_ms)
    decode = times.get("decode", 0.0) / max(1, observation.frames_decoded)
    work = (times["people"] + times["poses"] + times["motion"]) / max(1, observation.frames_judged)
    yield Figure(f"{name}: cost", work, "ms a judged picture", "≤ 100", work <= 100)
    yield Figure(f"{name}: cost beside decoding alone", work / max(1e-9, decode), "times")


def whole(root: Path) -> Iterator[Figure]:
    """Ten seconds of each, every stage, beside decoding alone."""
    for name in ("people/intel_one-by-one-person-detection.mp4", "people/vtest.avi", "traffic/intel_car-detection.mp4"):
        config = VisionConfig.from_dict({**PATIENT, "allowed_roots": [str(root)]})
        with opened({"kind": "file", "path": str(root / name)}, Window(10), config) as footage:
            began = time.process_time()
            for _ in Decoder(footage, 10.0, config, time.monotonic() + 60):
                pass
            alone = time.process_time() - began
        began = time.process_time()
        seen(root / name, 10.0, stills_max=6)
        spent = time.process_time() - began
        yield Figure(f"10 s of {Path(name).name}", spent, "s", "≤ 4", spent <= 4)
        yield Figure(f"10 s of {Path(name).name} beside decoding alone", spent / alone, "times")


PARTS = {
    "far": people_far,
    "near": people_near,
    "seated": people_seated,
    "falls": falls,
    "faces": faces,
    "whole": whole,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.vision", description="Camera analytics on real footage.")
    parser.add_argument("--footage", type=Path, default=FOOTAGE)
    parser.add_argument("--only", choices=list(PARTS), action="append")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not given.footage.is_dir():
        print(f"no footage at {given.footage}: nothing measured")
        return 0
    loaded()
    figures: list[Figure] = []
    for name in given.only or PARTS:
        for figure in PARTS[name](given.footage):
            figures.append(figure)
            if not given.json:
                mark = "" if figure.met is None else "met" if figure.met else "MISSED"
                print(f"{figure.name:58} {figure.value:8.3f} {figure.unit:24} {figure.aim:10} {mark}", flush=True)
    if given.json:
        print(json.dumps([figure.__dict__ for figure in figures]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
