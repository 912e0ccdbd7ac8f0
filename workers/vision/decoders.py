"""What the outputs of known families of models mean. Pure: arrays in, (class, score, box in the input's pixels) out.

A family is told by the shapes of its outputs; any other shape is ``WrongShape``, which is noticed when a model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from workers.vision.observation import Box

Outputs = Mapping[str, npt.NDArray[Any]]
Found = list[tuple[int, float, Box]]
LEAST = 0.01  # below it nothing is worth a box
MOST = 300  # boxes of one picture, the best


class WrongShape(ValueError):
    """Outputs that the decoder does not know."""


def yolo(outputs: Outputs, classes: int, size: tuple[int, int]) -> Found:
    """YOLO's one output, as Ultralytics exports it: boxes by middle and size in pixels.

    v5 and v7: 1xNx(5+classes), with a score that anything is there; v8 and later: 1x(4+classes)xN, without.
    """
    if len(outputs) != 1:
        raise WrongShape(f"yolo has one output, this has {len(outputs)}")
    (rows,) = outputs.values()
    if rows.ndim != 3 or rows.shape[0] != 1:
        raise WrongShape(f"yolo answers 1xNx{5 + classes} or 1x{4 + classes}xN, this {_shape(rows)}")
    rows = rows[0].astype(np.float64)
    if rows.shape[1] == 5 + classes:
        scores = rows[:, 5:] * rows[:, 4:5]
    elif rows.shape[0] == 4 + classes:
        rows = rows.T
        scores = rows[:, 4:]
    else:
        raise WrongShape(
            f"yolo of {classes} classes answers 1xNx{5 + classes} or 1x{4 + classes}xN, this {_shape(rows)}"
        )
    best = scores.argmax(axis=1)
    top = scores[np.arange(len(rows)), best]
    return _best((int(best[i]), float(top[i]), _centred(rows[i, :4])) for i in np.flatnonzero(top >= LEAST))


def ssd(outputs: Outputs, classes: int, size: tuple[int, int]) -> Found:
    """SSD with its non-maximum suppression inside, in either of two forms; boxes come as fractions of the input.

    Caffe's DetectionOutput: 1x1xNx7 of (image, class, score, left, top, right, bottom), class 0 being the background.
    TensorFlow's Object Detection API: detection_boxes 1xNx4 (top, left, bottom, right), detection_classes (from 1),
    detection_scores 1xN.
    """
    width, height = size
    if len(outputs) == 1:
        (rows,) = outputs.values()
        if rows.ndim != 4 or rows.shape[:2] != (1, 1) or rows.shape[3] != 7:
            raise WrongShape(f"ssd answers 1x1xNx7 or boxes, classes and scores, this {_shape(rows)}")
        kinds, scores, edges = rows[0, 0, :, 1], rows[0, 0, :, 2], rows[0, 0, :, [3, 4, 5, 6]].T
    else:
        boxes, kinds, scores = (_named(outputs, word) for word in ("box", "class", "score"))
        if boxes.ndim != 3 or boxes.shape[2] != 4 or kinds.shape != boxes.shape[:2] or scores.shape != kinds.shape:
            raise WrongShape(f"ssd answers boxes 1xNx4 with classes and scores 1xN, this {_shape(boxes)}")
        kinds, scores, edges = kinds[0], scores[0], boxes[0][:, [1, 0, 3, 2]]
    found: Found = []
    for kind, score, (left, top, right, bottom) in zip(kinds, scores, edges.astype(np.float64), strict=True):
        index = round(float(kind)) - 1
        if 0 <= index < classes and score >= LEAST:
            box = (left * width, top * height, (right - left) * width, (bottom - top) * height)
            found.append((index, float(score), box))
    return _best(found)


def yunet(outputs: Outputs, classes: int, size: tuple[int, int]) -> Found:
    """YuNet 2023 (libfacedetection, OpenCV's FaceDetectorYN): cls, obj and bbox at strides 8, 16 and 32; one class.

    A cell's score is the root of cls x obj; its box is offset from the cell's corner, its size an exponent.
    """
    width, height = size
    found: Found = []
    for stride in (8, 16, 32):
        kind, some, boxes = (outputs.get(f"{part}_{stride}") for part in ("cls", "obj", "bbox"))
        columns, rows = width // stride, height // stride
        if kind is None or some is None or boxes is None or boxes.shape != (1, columns * rows, 4):
            raise WrongShape(f"yunet answers cls_{stride}, obj_{stride} and bbox_{stride} of {columns * rows} cells")
        scores = np.sqrt(np.clip(kind.reshape(-1), 0, 1) * np.clip(some.reshape(-1), 0, 1))
        if scores.shape != (columns * rows,):
            raise WrongShape(f"yunet answers one score for each of {columns * rows} cells at stride {stride}")
        for i in np.flatnonzero(scores >= LEAST):
            dx, dy, w, h = (float(v) for v in boxes[0, i])
            x, y = (i % columns + dx) * stride, (i // columns + dy) * stride
            wide, high = float(np.exp(min(w, 10.0))) * stride, float(np.exp(min(h, 10.0))) * stride
            found.append((0, float(scores[i]), (x - wide / 2, y - high / 2, wide, high)))
    return _best(found)


DECODERS: Mapping[str, Callable[[Outputs, int, tuple[int, int]], Found]] = {"yolo": yolo, "ssd": ssd, "yunet": yunet}


def _best(found: Any) -> Found:
    return sorted(found, key=lambda one: -one[1])[:MOST]


def _centred(row: npt.NDArray[np.float64]) -> Box:
    x, y, w, h = (float(value) for value in row)
    return x - w / 2, y - h / 2, w, h


def _named(outputs: Outputs, word: str) -> npt.NDArray[Any]:
    found = [array for name, array in outputs.items() if word in name.lower()]
    if len(found) != 1:
        raise WrongShape(f"ssd with several outputs names one of them after {word!r}")
    return found[0]


def _shape(array: npt.NDArray[Any]) -> str:
    return "x".join(str(side) for side in array.shape)
