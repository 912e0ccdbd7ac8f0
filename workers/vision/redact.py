"""No kept picture shows a face: every face and head in it is made unrecognisable before it leaves the process.

A detector that misses a face in one picture mostly finds it in the next, so what was found up to five samples before and
after is blurred too, and of every person the part where the head is.
"""

from __future__ import annotations

from collections.abc import Sequence

from workers.vision.boxes import grown
from workers.vision.cv import Image, cv2
from workers.vision.observation import Box

NEIGHBOURS = 5  # samples before and after
MARGIN = 0.35  # of a face's size, on every side
HEAD_HEIGHT = 0.24  # of a standing person's box, from its top
LEAST_CELLS = 4  # a head becomes at most so many cells across: nothing of a face is left in them


def head_of(box: Box) -> Box:
    """Where the head of a person is: the upper part of a standing one's box, all of a lying one's, whose end is unknown."""
    x, y, w, h = box
    if w > h * 0.9:
        return grown(box, 0.05)
    return x - 0.05 * w, y - 0.04 * h, w * 1.1, h * HEAD_HEIGHT + 0.04 * h


def around_face(face: Box) -> Box:
    """A detected face with hair, ears and chin."""
    return grown(face, MARGIN)


def redacted(image: Image, boxes: Sequence[Box]) -> Image:
    """A copy in which each box (fractions) is reduced to a few cells and smoothed. Irreversible: the pixels are averaged."""
    out: Image = image.copy()
    height, width = out.shape[:2]
    for x, y, w, h in boxes:
        left, top = max(0, int(x * width)), max(0, int(y * height))
        right, bottom = min(width, int((x + w) * width) + 1), min(height, int((y + h) * height) + 1)
        if right - left < 2 or bottom - top < 2:
            continue
        part = out[top:bottom, left:right]
        cells_x = max(1, min(LEAST_CELLS, part.shape[1] // 4))
        cells_y = max(1, min(LEAST_CELLS * part.shape[0] // max(1, part.shape[1]) + 1, part.shape[0] // 4, 12))
        cells = cv2.resize(part, (cells_x, cells_y), interpolation=cv2.INTER_AREA)
        out[top:bottom, left:right] = cv2.resize(cells, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_LINEAR)
    return out
