"""What a camera looks at, in 192 small numbers: the directions of the edges in each of 8×6 cells of the picture.

Light, rain and people change a few of them, a camera that was turned changes all. Histograms of oriented gradients:
N. Dalal and B. Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005. They are compared in
``domain.cameras.health``; no picture can be made of them again.
"""

from __future__ import annotations

import numpy as np

from workers.vision.cv import Image, cv2

COLUMNS, ROWS, DIRECTIONS = 8, 6, 4
_WIDTH, _HEIGHT = 160, 96
_FAINT = 12.0  # edges weaker than this are a sensor's noise
_CELL_FLOOR = 40.0  # a cell with less edge than this says nothing: its numbers stay near 0


def signature(grey: Image) -> list[int]:
    """192 numbers, 0 to 255: by row, column and direction (unsigned, four of 45°)."""
    small = cv2.GaussianBlur(cv2.resize(grey, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA), (0, 0), 1.0)
    along, down = (cv2.Sobel(small, cv2.CV_32F, *axes) for axes in ((1, 0), (0, 1)))
    strength = np.hypot(along, down)
    strength[strength < _FAINT] = 0.0
    direction = (np.arctan2(down, along) % np.pi) / np.pi * DIRECTIONS
    low = np.floor(direction).astype(int) % DIRECTIONS
    share = direction - np.floor(direction)
    found = np.zeros((ROWS, COLUMNS, DIRECTIONS), np.float32)
    rows = np.repeat(np.arange(_HEIGHT) * ROWS // _HEIGHT, _WIDTH).reshape(_HEIGHT, _WIDTH)
    columns = np.tile(np.arange(_WIDTH) * COLUMNS // _WIDTH, (_HEIGHT, 1))
    np.add.at(found, (rows, columns, low), strength * (1 - share))
    np.add.at(found, (rows, columns, (low + 1) % DIRECTIONS), strength * share)
    length = np.linalg.norm(found, axis=2, keepdims=True)
    scaled = found / np.maximum(length, 1e-6) * np.minimum(1.0, length / (_CELL_FLOOR * _FAINT))
    return [int(value) for value in np.clip(scaled * 255, 0, 255).reshape(-1)]
