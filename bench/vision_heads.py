"""Whether heads are blurred in real footage: marked by hand, looked for as the working copy of evidence has it.

The label is the middle of a head. 35 were marked by eye, to about a hundredth of the picture, in people who stand near, sit,
walk and lie, most of them seen from behind; heads that are hidden or cut off are not marked. Of far people the footage has the
middle of each person alone: the head lies 0.43 of a height above it, and the height at a picture row is a straight line through
three people measured by hand. A head is covered when its middle lies in a box that is blurred in that very picture. How much
of a head beside its middle is covered is not measured.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workers.vision.blur import CONFIG, at_time
from workers.vision.boxes import inside
from workers.vision.config import VisionConfig, Window
from workers.vision.decode import Sample
from workers.vision.look import look_at
from workers.vision.source import opened

Point = tuple[float, float]
BEFORE_S, SECONDS = 3.0, 6.0  # of the clip around a marked picture
MARKED: Mapping[str, Mapping[float, Sequence[Point]]] = {
    # seconds → middles of heads, as shares of width and height
    "people/intel_one-by-one-person-detection.mp4": {
        9.0: [(0.584, 0.08)],
        13.0: [(0.584, 0.08)],
        25.0: [(0.624, 0.063)],
        29.0: [(0.6, 0.065)],
        37.0: [(0.602, 0.065)],
        53.0: [(0.607, 0.06)],
        61.0: [(0.632, 0.065)],
        77.0: [(0.58, 0.125)],
    },
    "people/intel_store-aisle-detection.gif": {
        22 / 15: [(0.6, 0.285), (0.76, 0.35), (0.86, 0.755)],
        66 / 15: [(0.6, 0.27), (0.765, 0.34), (0.67, 0.455)],
    },
    "people/intel_worker-zone-detection.gif": {21 / 15: [(0.353, 0.365)], 49 / 15: [(0.237, 0.245)]},
    "people/intel_classroom.gif": {
        9 / 15: [(0.158, 0.56), (0.276, 0.49), (0.5, 0.485), (0.66, 0.565)],
        31 / 15: [(0.157, 0.56), (0.278, 0.49), (0.495, 0.485), (0.66, 0.565)],
    },
    "people/intel_face-demographics-walking.gif": {
        7 / 12.08: [(0.537, 0.46), (0.673, 0.39)],
        24 / 12.08: [(0.442, 0.45), (0.635, 0.37)],
    },
    "falls/fall-01-cam0.mp4": {40 / 30: [(0.648, 0.228)]},
    "falls/fall-08-cam0.mp4": {22 / 30: [(0.69, 0.336)], 86 / 30: [(0.158, 0.893)]},
    "falls/fall-13-cam0.mp4": {21 / 30: [(0.612, 0.38), (0.132, 0.485)], 80 / 30: [(0.134, 0.49)]},
    "falls/fall-27-cam0.mp4": {23 / 30: [(0.535, 0.367)]},
}


def far_heads(marked: Mapping[str, Sequence[Sequence[float]]]) -> dict[float, list[Point]]:
    """Seconds → heads of vtest's marked middles (pixels of 480x360, pictures of 10 a second)."""
    return {
        int(index) / 10: [(x / 480, (y - 0.43 * (6.4 + 0.305 * y)) / 360) for x, y in points]
        for index, points in marked.items()
    }


def near(root: Path, half: Any) -> Iterator[tuple[str, float, int, int]]:
    """(clip, seconds, heads covered, heads marked). ``half`` wraps the footage of falls, whose left half is no picture."""
    for name, moments in MARKED.items():
        for t, heads in moments.items():
            start = t - BEFORE_S if t > SECONDS else 0.0
            samples = blurred(root / name, start, SECONDS, half if name.startswith("falls/") else None)
            yield name, t, covered(samples, t - start, heads), len(heads)


def blurred(path: Path, start: float, seconds: float, wrap: Any = None) -> list[Sample]:
    """What the making of a working copy knows of each sample of a part of a clip."""
    config = VisionConfig.from_dict({**CONFIG, "allowed_roots": [str(path.parent)], "budget_s": 600.0})
    nothing = np.zeros((1, 1), np.uint8)
    samples: list[Sample] = []

    def keep(sample: Sample) -> None:
        samples.append(
            Sample(sample.t, nothing, nothing, None, sample.tumult, sample.faces, sample.heads, sample.people)
        )

    with opened({"kind": "file", "path": str(path)}, Window(seconds), config) as footage:
        if start:
            footage.seek(start)  # type: ignore[attr-defined]
        shown = wrap(footage) if wrap is not None else footage
        look_at(shown, Window(seconds), config, time.monotonic(), seen=keep)
    return samples


def covered(samples: Sequence[Sample], t: float, heads: Sequence[Point]) -> int:
    """How many of the heads' middles lie in what is blurred at that time."""
    boxes = at_time(samples, t)
    outlines = [((x, y), (x + w, y), (x + w, y + h), (x, y + h)) for x, y, w, h in boxes]
    return sum(any(inside(head, outline) for outline in outlines) for head in heads)
