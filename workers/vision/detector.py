"""What a detector is, and how a city adds one.

To add one, write a class with the attributes and methods of ``Detector`` in a package of your own and name it in that
package's metadata::

    [project.entry-points."amaan.detectors"]
    smoke = "lahore_vision.smoke:SmokeDetector"

then name it in the city's ``camera_detectors`` (``docs/cameras.md``). It is loaded once in the child process, sees one
picture a second at up to 1920 pixels' width, and what it finds stands in the observation beside our own under its labels;
labels that it lists as ``ask`` become findings that a human is asked about. It may take what memory and time the child's
limits leave; if it raises, the look answers ``partial`` and names it. An ONNX model needs no code: see ``own_models``.

Ours are found the same way (``pyproject.toml`` names them): people, pose, faces, light, motion, crowd, plates. All keep the
promises of ``tests/workers/vision/test_detectors.py``; run it over yours by installing it beside Amaan.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable

from workers.vision.boxes import clipped
from workers.vision.cv import Image
from workers.vision.observation import Box, Detection, DetectorInfo

GROUP = "amaan.detectors"
Region = tuple[int, int, int, int]  # x, y, w, h in pixels


@runtime_checkable
class Detector(Protocol):
    """Finds things in one picture at a time. Not thread-safe; one instance lives in one process."""

    name: str  # stands in the observation
    version: str  # changes whenever the same picture may give another answer
    labels: Sequence[str]  # every ``kind`` it may answer

    def load(self, config: Mapping[str, Any]) -> None:
        """Read the model and try it once. Raises ``ValueError`` for a wrong config; called before any ``detect``."""

    def detect(self, frame: Image, roi: Region | None = None) -> list[Detection]:
        """What is in ``frame`` (HxWx3 uint8 BGR), or in its part ``roi`` (pixels). Boxes are fractions of the whole frame.

        Does not write to ``frame``. Finding nothing is an empty list, never an exception, in a picture of 1x1 as well.
        Raises ``ValueError`` before ``load`` and after ``close``.
        """

    def close(self) -> None:
        """Give back what ``load`` took."""


def part_of(frame: Image, roi: Region | None) -> tuple[Image, Box]:
    """The pixels of the region (of the whole frame without one), and its box as fractions of the frame."""
    height, width = frame.shape[:2]
    if roi is None:
        return frame, (0.0, 0.0, 1.0, 1.0)
    x, y, w, h = roi
    return frame[y : y + h, x : x + w], clipped((x / width, y / height, w / width, h / height))


def found_here() -> dict[str, type]:
    """Every detector that the installed packages name: name → its class. Ours are among them."""
    return {entry.name: entry.load() for entry in entry_points(group=GROUP)}


def described(name: str, version: str, parameters: Mapping[str, Any]) -> DetectorInfo:
    """A detector as the observation names it, with the hash of its parameters."""
    text = json.dumps(parameters, sort_keys=True, default=str)
    return DetectorInfo(name, version, hashlib.sha256(text.encode()).hexdigest()[:12])


def installed(name: str, options: Mapping[str, Any]) -> Detector:
    """Load the detector that an installed package names. Raises ``ValueError`` when there is none or it is none."""
    for entry in entry_points(group=GROUP, name=name):
        detector = entry.load()()
        if not isinstance(detector, Detector):
            raise ValueError(f"{name} is no detector: see workers/vision/detector.py")
        detector.load(options)
        return detector
    raise ValueError(f"no installed package names a detector {name!r} in {GROUP}")
