"""Light, as a detector: whether a picture is dark, covered or blurred. What most pictures of a look say is in ``quality``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workers.vision import quality
from workers.vision.cv import Image, cv2, narrowed
from workers.vision.detector import Region, part_of
from workers.vision.observation import Detection

VERSION = "1"
PARAMETERS: dict[str, float] = {
    "dark_luma": quality.DARK_LUMA,
    "dark_bright": quality.DARK_BRIGHT,
    "flat_blocks": quality.FLAT_BLOCKS,
    "flat_deviation": quality.FLAT_DEVIATION,
    "blurred": quality.BLURRED,
    "frozen_change": quality.FROZEN_CHANGE,
}


class LightDetector:
    """A ``Detector`` for one look: it remembers the picture before. ``measured``, read after each, has the figures."""

    name = "light"
    version = VERSION
    labels: Sequence[str] = ("dark", "covered", "blurred")

    def __init__(self) -> None:
        self.measured: quality.Quality | None = None
        self._before: Image | None = None
        self._loaded = False

    def load(self, config: Mapping[str, Any]) -> None:
        self._loaded, self._before = True, None

    def detect(self, frame: Image, roi: Region | None = None) -> list[Detection]:
        if not self._loaded:
            raise ValueError("load comes first")
        cut, whole = part_of(frame, roi)
        grey = narrowed(cut if cut.ndim == 2 else cv2.cvtColor(cut, cv2.COLOR_BGR2GRAY), quality.WIDTH)
        self.measured = quality.measure(grey, self._before)
        self._before = grey
        return [Detection(kind, 1.0, whole) for kind in quality.troubles(self.measured)]

    def close(self) -> None:
        self._loaded, self._before = False, None
