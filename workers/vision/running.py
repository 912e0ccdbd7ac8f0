"""Who runs, told by the way of a track and nothing else: its speed in heights of the person's own box. Pure.

A height is a person's 1.7 m wherever he stands, so no camera needs to be calibrated: walking (1.4 m/s) is 0.8 heights a
second, running (3 m/s and more) 1.8. Who runs towards the camera hardly moves in the picture and is not told. No footage of
runners with truth was there to measure with: only that walkers are not taken for them is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from workers.vision.observation import Box
from workers.vision.pose import Spell

VERSION = "1"
PARAMETERS: dict[str, float] = {
    "speed": 1.8,  # heights a second
    "seconds": 1.5,  # for so long at least, in which a track that swaps two walkers does not hold, …
    "way": 2.2,  # … and so far, in heights
    "steady": 1.35,  # a box that grows or shrinks more within the window is not one person's outline
    "straight": 0.8,  # of the way there and back: boxes that jump to and fro get nowhere
    "gap": 0.8,  # seconds
    "edge": 0.02,  # of the picture's height
}


def running(seen: Sequence[tuple[float, Box, float]], shape: float) -> Spell | None:
    """The first stretch in which ``(t, box, score)`` of one track runs; ``shape`` is the picture's width by height."""
    for first in range(len(seen)):
        window = [seen[first]]
        for entry in seen[first + 1 :]:
            if entry[0] - window[-1][0] > PARAMETERS["gap"]:
                break
            window.append(entry)
            if entry[0] - window[0][0] >= PARAMETERS["seconds"] and len(window) >= 3:
                spell = _run(window, shape)
                if spell is not None:
                    return spell
                break
    return None


def _run(window: Sequence[tuple[float, Box, float]], shape: float) -> Spell | None:
    if any(_cut_off(box) for _, box, _ in window):
        return None  # of a body that the picture's edge cuts, the height is not known
    heights = [box[3] for _, box, _ in window]
    tall = median(heights)
    if tall <= 0 or max(heights) > PARAMETERS["steady"] * min(heights):
        return None
    places = [((box[0] + box[2] / 2) * shape / tall, (box[1] + box[3] / 2) / tall) for _, box, _ in window]
    way = sum(_apart(a, b) for a, b in pairwise(places))
    far = _apart(places[0], places[-1])
    seconds = window[-1][0] - window[0][0]
    if far < PARAMETERS["way"] or far < PARAMETERS["straight"] * way or far < PARAMETERS["speed"] * seconds:
        return None
    return Spell(window[0][0], window[-1][0], min(0.9, 0.5 + 0.3 * (far / seconds / PARAMETERS["speed"] - 1)))


def _cut_off(box: Box) -> bool:
    return box[1] < PARAMETERS["edge"] or box[1] + box[3] > 1 - PARAMETERS["edge"]


def _apart(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5)
