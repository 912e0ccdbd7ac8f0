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
        self.others: dict[str, Detector] = {}

    def other(self, name: str, options: Mapping[str, Any]) -> Detector:
        """An installed detector, loaded once. Raises ``ValueError``."""
        if name not in self.others:
            self.others[name] = installed(name, options)
        return self.others[name]


@cache
def loaded() -> Models:
    """The models of this process, loaded once."""
    return Models()
