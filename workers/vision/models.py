"""The models of one process, loaded once: half a second the first time, nothing after."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from workers.vision.detector import Detector, installed
from workers.vision.faces import FaceDetector
from workers.vision.graphs import BodyFinder, JointReader
from workers.vision.people import PersonDetector


class Models:
    """Ours, and those that the config names."""

    def __init__(self) -> None:
        self.people = PersonDetector()
        self.faces = FaceDetector()
        self.people.load({})
        self.faces.load({})
        self.finder = BodyFinder()
        self.reader = JointReader()
        self._extra: dict[str, Detector] = {}

    def extra(self, name: str, options: Mapping[str, Any]) -> Detector:
        """An installed detector, loaded once. Raises ``ValueError``."""
        if name not in self._extra:
            self._extra[name] = installed(name, options)
        return self._extra[name]


@cache
def loaded() -> Models:
    return Models()
