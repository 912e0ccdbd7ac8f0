"""What a look answers: plain frozen values that become one JSON document.

Kept apart from the code that looks, so that whoever stores or judges an observation imports neither cv2 nor mediapipe.
Boxes are ``(x, y, w, h)`` as fractions of the picture (0 to 1, origin top left); times ``t`` are seconds from the first
picture of the look; scores and confidences are 0 to 1.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

Box = tuple[float, float, float, float]


class Status(StrEnum):
    """How the look itself went, whatever it saw."""

    OK = "ok"
    """The whole window was read and judged."""
    PARTIAL = "partial"
    """Something was read and judged, but not all of what was declared or asked for."""
    CORRUPT = "corrupt"
    """Bytes came, but no picture could be made of them, or the decoder died of them."""
    TIMEOUT = "timeout"
    """The source went silent, or the look ran into its wall limit and was killed."""
    UNSUPPORTED = "unsupported"
    """Refused before it was read: not footage, too large, outside what the city allows."""


class Verdict(StrEnum):
    """What the incident shows for the camera."""

    SEEN = "seen"
    """Somebody is in view."""
    CLEAR = "clear"
    """The view was good, the whole window was read, and nobody is in it."""
    CANNOT_TELL = "cannot_tell"
    """Dark, covered, frozen, broken or incomplete footage: it proves nothing."""
    DOWN = "down"
    """The source could not be reached, or sent nothing."""


@dataclass(frozen=True)
class Detection:
    """One thing seen in one picture."""

    kind: str  # a label of the detector: person, face, lying, hands_up, …
    score: float
    bbox: Box
    t: float = 0.0
    track: int | None = None  # the same number means the same person, within one observation
    zone: str | None = None  # the zone that holds the middle of the box's lower edge

    def to_document(self) -> dict[str, Any]:
        return {
            "t": round(self.t, 3),
            "kind": self.kind,
            "score": round(self.score, 3),
            "bbox": [round(v, 4) for v in self.bbox],
            "track": self.track,
            "zone": self.zone,
        }


@dataclass(frozen=True)
class Finding:
    """Something about a person that a human should look at; never acted upon without one."""

    kind: str  # lying, fall, hands_up, running, dispersal, or a label that a city's own model asks about
    confidence: float
    t: float  # when it was first true
    seconds: float  # for how long it held
    track: int | None
    bbox: Box
    ask: bool = True  # always true for what is found today: a human is asked

    def to_document(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "confidence": round(self.confidence, 3),
            "t": round(self.t, 3),
            "seconds": round(self.seconds, 3),
            "track": self.track,
            "bbox": [round(v, 4) for v in self.bbox],
            "ask": self.ask,
        }


@dataclass(frozen=True)
class Summary:
    """The look in a few figures."""

    people_max: int = 0
    people_median: float = 0.0
    motion: float = 0.0  # mean share of the picture that moved
    luma: float = 0.0  # mean brightness, 0 to 255
    faces: int = 0  # the most faces in one picture
    density: float = 0.0  # of a crowd: people for each square of a person's height; 0 without one
    findings: tuple[Finding, ...] = ()

    def to_document(self) -> dict[str, Any]:
        return {
            "people_max": self.people_max,
            "people_median": self.people_median,
            "motion": round(self.motion, 4),
            "luma": round(self.luma, 1),
            "faces": self.faces,
            "density": round(self.density, 2),
            "findings": [finding.to_document() for finding in self.findings],
        }


@dataclass(frozen=True)
class Health:
    """The camera's own state; every true flag is a reason why it may have seen nothing."""

    dark: bool = False
    covered: bool = False
    frozen: bool = False
    blurred: bool = False
    shaken: bool = False  # the whole picture changed at once more often than now and then
    down: bool = False
    not_allowed: bool = False  # address or path outside what the city allows
    reason: str = ""  # one stable word for what went wrong, empty when nothing did

    def to_document(self) -> dict[str, Any]:
        return dict(self.__dict__)


@dataclass(frozen=True)
class DetectorInfo:
    """Which detector judged, so that an old observation can be understood after a change."""

    name: str
    version: str
    parameters: str  # first 12 hex digits of the SHA-256 of its parameters

    def to_document(self) -> dict[str, str]:
        return dict(self.__dict__)


@dataclass(frozen=True)
class Still:
    """One kept picture, every face and head in it already blurred."""

    t: float
    jpeg: bytes
    width: int
    height: int
    blurred: int  # how many regions were blurred
    why: str  # sharpest, most_people, or the finding it shows

    def to_document(self) -> dict[str, Any]:
        return {
            "t": round(self.t, 3),
            "width": self.width,
            "height": self.height,
            "blurred": self.blurred,
            "why": self.why,
            "sha256": hashlib.sha256(self.jpeg).hexdigest(),
        }


@dataclass(frozen=True)
class SeenPlate:
    """A number plate that a look has read. It never stands in an observation: see ``workers/plates.py``."""

    chars: tuple[tuple[str, float], ...]  # sign and score
    t: float
    track: int
    bbox: Box
    detector: str
    crop: bytes

    def to_answer(self) -> dict[str, Any]:
        """As JSON, the crop in base 64."""
        return {
            "chars": [{"text": text, "score": score} for text, score in self.chars],
            "t": round(self.t, 3),
            "track": self.track,
            "bbox": [round(value, 4) for value in self.bbox],
            "detector": self.detector,
            "crop": base64.b64encode(self.crop).decode(),
        }


@dataclass(frozen=True)
class Observation:
    """What one camera showed in one window."""

    status: Status
    verdict: Verdict
    frames_declared: int | None = None  # None where the source cannot say (a live stream)
    frames_decoded: int = 0
    frames_judged: int = 0
    seconds: float = 0.0  # how much of the window was seen
    width: int = 0
    height: int = 0
    sha256: str | None = None  # of the clip, when it is one file
    detectors: tuple[DetectorInfo, ...] = ()
    detections: tuple[Detection, ...] = ()
    counts: tuple[tuple[float, int], ...] = ()  # t, people in view
    summary: Summary = field(default_factory=Summary)
    health: Health = field(default_factory=Health)
    timings_ms: tuple[tuple[str, float], ...] = ()  # processor time of each stage
    stills: tuple[Still, ...] = ()
    plates: tuple[SeenPlate, ...] = ()  # beside the document, never in it

    def to_document(self) -> dict[str, Any]:
        """A JSON-able dict. The stills' bytes are not in it, only what they are."""
        return {
            "status": self.status.value,
            "verdict": self.verdict.value,
            "frames": {
                "declared": self.frames_declared,
                "decoded": self.frames_decoded,
                "judged": self.frames_judged,
            },
            "seconds": round(self.seconds, 3),
            "size": [self.width, self.height],
            "sha256": self.sha256,
            "detectors": [detector.to_document() for detector in self.detectors],
            "detections": [detection.to_document() for detection in self.detections],
            "counts": [[round(t, 3), people] for t, people in self.counts],
            "summary": self.summary.to_document(),
            "health": self.health.to_document(),
            "timings_ms": {name: round(value, 1) for name, value in self.timings_ms},
            "still_details": [still.to_document() for still in self.stills],
        }


def blind(status: Status, reason: str, *, down: bool = False, not_allowed: bool = False) -> Observation:
    """An observation of a look that saw nothing at all; ``reason`` is one stable word."""
    verdict = Verdict.DOWN if down else Verdict.CANNOT_TELL
    return Observation(status, verdict, health=Health(down=down, not_allowed=not_allowed, reason=reason))


def at(detection: Detection, t: float, track: int | None = None, zone: str | None = None) -> Detection:
    """The same detection with its place in time, its track and its zone."""
    return replace(detection, t=t, track=track, zone=zone)
