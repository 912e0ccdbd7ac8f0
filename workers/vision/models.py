"""The models of one process, loaded once: half a second the first time, nothing after."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from workers.vision.bodies import PoseDetector
from workers.vision.detector import Detector, installed
from workers.vision.faces import FaceDetector
from workers.vision.left_alone import Note
from workers.vision.own_models import ModelError, OwnModel
from workers.vision.people import PersonDetector
from workers.vision.plates import PlateDetector
from workers.vision.plates_seen import SIDES


class Models:
    """Ours, and those that the config names."""

    def __init__(self) -> None:
        self.people = PersonDetector()
        self.faces = FaceDetector()
        self.pose = PoseDetector()
        for ours in (self.people, self.faces, self.pose):
            ours.load({})
        self.others: dict[str, Detector] = {}
        self._plates: dict[str, PlateDetector] = {}
        self._own: dict[str, OwnModel] = {}
        self._refused: dict[str, ModelError] = {}
        self.note: Note | None = None  # where to write down which of the city's is at work, in a child

    def other(self, name: str, options: Mapping[str, Any]) -> Detector:
        """An installed detector, loaded once. Raises ``ValueError``."""
        if name not in self.others:
            self.others[name] = installed(name, options)
        return self.others[name]

    def plates(self, country: str) -> PlateDetector:
        """The reader of plates, loaded when the first look wants it: its two models take half a second and 150 MB."""
        if country not in self._plates:
            self._plates[country] = PlateDetector()
            self._plates[country].load({"country": country, "sides": SIDES})
        return self._plates[country]

    def own(self, path: str) -> OwnModel:
        """The city's model of that ``model.toml``, loaded once. Raises ``ModelError``, again and cheaply once it was refused.

        A file that is changed is read again by the next child: within ``LOOKS_PER_CHILD`` looks.
        """
        if path in self._refused:
            raise self._refused[path]
        if path not in self._own:
            model = OwnModel()
            try:
                model.load({"model": path})
            except ModelError as error:
                self._refused[path] = error
                raise
            self._own[path] = model
        return self._own[path]


@cache
def loaded() -> Models:
    """The models of this process, loaded once."""
    return Models()
