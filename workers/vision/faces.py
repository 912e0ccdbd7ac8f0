"""Faces, found to be blurred: the full-range model over tiles, since it sees only 192 px at a time.

Better one blur too many than a face too few: the threshold is low, and the tiles overlap so that no face is only on a seam.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workers.vision.boxes import clipped, strongest
from workers.vision.cv import Image
from workers.vision.graphs import FaceFinder, to_rgb
from workers.vision.observation import Box, Detection

PARAMETERS: dict[str, Any] = {
    "least_score": 0.3,  # is blurred
    "counts": 0.65,  # is reported as a face
    "grids": (1, 3),
    "seam": 0.25,
    "overlap": 0.3,
}


class FaceDetector:
    """A ``Detector`` of faces. ``detect`` looks at the whole picture, then at 3x3 tiles that overlap."""

    name = "faces"
    version = "1"
    labels: Sequence[str] = ("face",)

    def __init__(self) -> None:
        self._finder: FaceFinder | None = None
        self._grids: Sequence[int] = PARAMETERS["grids"]

    def load(self, config: Mapping[str, Any]) -> None:
        self._finder = FaceFinder(float(config.get("least_score", PARAMETERS["least_score"])))
        self._grids = tuple(config.get("grids", PARAMETERS["grids"]))

    def detect(self, frame: Image, roi: tuple[int, int, int, int] | None = None) -> list[Detection]:
        if self._finder is None:
            raise ValueError("load comes first")
        height, width = frame.shape[:2]
        x0, y0, w, h = roi if roi is not None else (0, 0, width, height)
        rgb = to_rgb(frame[y0 : y0 + h, x0 : x0 + w])
        scored: list[tuple[float, Box]] = []
        for grid in self._grids if roi is None else (1,):
            for left, top, right, bottom in _tiles(w, h, grid):
                for score, (fx, fy, fw, fh) in self._finder.find(rgb[top:bottom, left:right].copy()):
                    if fw * fh > 0:
                        box = ((fx + left + x0) / width, (fy + top + y0) / height, fw / width, fh / height)
                        scored.append((score, clipped(box)))
        return [Detection("face", score, box) for score, box in strongest(scored, PARAMETERS["overlap"])]

    def close(self) -> None:
        if self._finder is not None:
            self._finder.close()
            self._finder = None


def _tiles(width: int, height: int, grid: int) -> list[tuple[int, int, int, int]]:
    """``grid`` x ``grid`` tiles that overlap by ``seam`` of their size: left, top, right, bottom."""
    if grid == 1:
        return [(0, 0, width, height)]
    share = 1 / (grid - (grid - 1) * PARAMETERS["seam"])
    step = (1 - share) / (grid - 1)
    return [
        (
            int(column * step * width),
            int(row * step * height),
            min(width, int((column * step + share) * width)),
            min(height, int((row * step + share) * height)),
        )
        for row in range(grid)
        for column in range(grid)
    ]
