"""The task `faces` of `bounded.py`: is somebody in this recording like the face in this picture? Leads with a score, no more.

A city supplies the model that turns a face into figures, described by a ``model.toml``:

    name = "sface"
    path = "face_recognition_sface.onnx"  # relative to this file, or absolute
    sha256 = "…"                          # of the model; another file is refused
    licence = "Apache-2.0"                # what allows the city to run it
    threshold = 0.363                     # cosine from which two faces may be one person: the model's own figure

It is run by OpenCV's ``FaceRecognizerSF`` (112x112 BGR in, one vector out) on the face that our own detector boxes, which is
not turned upright by its eyes as that class can do: faces seen from the side are found less often. Figures of a face are
compared and forgotten; none leaves this process.
"""

from __future__ import annotations

import hashlib
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from workers.vision.admit import Unseen, admit_image
from workers.vision.boxes import clipped, grown, iou
from workers.vision.config import VisionConfig
from workers.vision.cv import Image, cv2
from workers.vision.faces import FaceDetector
from workers.vision.frames import Piece, frames
from workers.vision.observation import Box, Status

SIDE = 112
MARGIN = 0.2  # of a face's box, on every side
LEAST_SHARE = 0.012  # of the picture's width: smaller faces say nothing
SURE = 0.5  # score of a face in the picture of whom to look for
HZ = 2.0
APART_S = 3.0  # leads of one place that are nearer in time are one
MOST_BYTES = 256 << 20

Vector = npt.NDArray[np.float32]


class Embedder(Protocol):
    """A face in, a vector out; two vectors of one person point the same way."""

    name: str
    sha256: str
    threshold: float

    def embed(self, face: Image) -> Vector:
        """The vector of a face, 112x112 BGR; any length, not all 0."""


class ModelRefused(ValueError):
    """The model cannot be used; the text is one stable word."""


class SFace:
    """``Embedder`` by ``cv2.FaceRecognizerSF``."""

    def __init__(self, described: Path) -> None:
        try:
            table = tomllib.loads(described.read_text(encoding="utf-8"))
            path = (described.parent / str(table["path"])).absolute()
            self.name, self.threshold = str(table["name"]), float(table["threshold"])
            wanted, _licence = str(table["sha256"]).lower(), str(table["licence"])
            if path.stat().st_size > MOST_BYTES:
                raise ModelRefused("model_too_large")
            data = path.read_bytes()
        except OSError:
            raise ModelRefused("model_missing") from None
        except (KeyError, ValueError, TypeError, tomllib.TOMLDecodeError) as error:
            raise error if isinstance(error, ModelRefused) else ModelRefused("model_bad_config") from error
        self.sha256 = hashlib.sha256(data).hexdigest()
        if self.sha256 != wanted:
            raise ModelRefused("model_wrong_hash")
        try:
            self._model = cv2.FaceRecognizerSF.create("onnx", np.frombuffer(data, np.uint8), np.empty(0, np.uint8))
            self.embed(np.full((SIDE, SIDE, 3), 127, np.uint8))
        except cv2.error:
            raise ModelRefused("model_not_loadable") from None

    def embed(self, face: Image) -> Vector:
        vector: Vector = np.asarray(self._model.feature(face), np.float32).reshape(-1).copy()
        return vector


@dataclass(frozen=True)
class Lead:
    """A face that is like the one searched for: when, where, how much (cosine), and its picture."""

    t: float
    score: float
    bbox: Box
    crop: Image


def cosine(one: Vector, two: Vector) -> float:
    """1 for the same direction, 0 for none in common; 0 where one of them is nothing."""
    size = float(np.linalg.norm(one) * np.linalg.norm(two))
    return float(one @ two) / size if size > 0 else 0.0


def face_of(image: Image, box: Box) -> Image:
    """A face with a margin, square in the picture's pixels, 112x112."""
    height, width = image.shape[:2]
    x, y, w, h = grown(box, MARGIN)
    middle, side = ((x + w / 2) * width, (y + h / 2) * height), max(w * width, h * height)
    square = ((middle[0] - side / 2) / width, (middle[1] - side / 2) / height, side / width, side / height)
    x, y, w, h = clipped(square)
    left, top = int(x * width), int(y * height)
    part = image[top : max(top + 1, int((y + h) * height)), left : max(left + 1, int((x + w) * width))]
    small: Image = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return small


def whom(photo: bytes, detector: FaceDetector, embedder: Embedder) -> Vector:
    """The figures of the one face in a picture. Raises ``Unseen``: no_face, several_faces, not_decodable."""
    admit_image(photo, VisionConfig.max_side)
    image = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise Unseen(Status.CORRUPT, "not_decodable")
    seen = [one for one in detector.detect(image) if one.score >= SURE]
    if len(seen) != 1:
        raise Unseen(Status.UNSUPPORTED, "no_face" if not seen else "several_faces")
    return embedder.embed(face_of(image, seen[0].bbox))


def alike(
    pieces: Sequence[Piece],
    seconds: float,
    wanted: Vector,
    detector: FaceDetector,
    embedder: Embedder,
    config: VisionConfig,
    *,
    until: float,
) -> Iterator[Lead]:
    """Every face in the recording that reaches the model's threshold. Stops at ``until`` (``time.monotonic``) by ``Unseen``."""
    due, broken, read = 0.0, list[str](), 0
    for frame in frames(pieces, seconds, config, broken):
        read += 1
        if time.monotonic() > until:
            raise Unseen(Status.TIMEOUT, "out_of_time")
        if frame.t + 1e-3 < due:
            continue
        due = frame.t + 1 / HZ
        image = frame.image()
        for one in detector.detect(image):
            if one.bbox[2] < LEAST_SHARE:
                continue
            face = face_of(image, one.bbox)
            score = cosine(wanted, embedder.embed(face))
            if score >= embedder.threshold:
                yield Lead(frame.t, score, one.bbox, face)
    if not read:
        raise Unseen(Status.CORRUPT, broken[0] if broken else "no_pictures")


def best(leads: Sequence[Lead], most: int) -> list[Lead]:
    """The strongest; of those at one place within ``APART_S`` only the best."""
    kept: list[Lead] = []
    for lead in sorted(leads, key=lambda each: -each.score):
        if all(abs(lead.t - other.t) > APART_S or iou(lead.bbox, other.bbox) < 0.1 for other in kept):
            kept.append(lead)
        if len(kept) == most:
            break
    return kept


def search(request: dict[str, Any]) -> dict[str, Any]:
    """`{folder, photo, pieces: [{file, offset}], seconds, model, most, budget_s, max_bytes}` in. Out: `{status: "ok", leads:
    [{t, score, bbox, file}], model: {name, sha256, threshold}}`, or `{status, reason}`.
    """
    folder, until = Path(request["folder"]), time.monotonic() + float(request["budget_s"])
    config = VisionConfig.from_dict({"max_bytes": int(request["max_bytes"]), "max_seconds": 600.0})
    try:
        embedder: Embedder = SFace(Path(request["model"]))
    except ModelRefused as refused:
        return {"status": str(Status.UNSUPPORTED), "reason": str(refused)}
    detector = FaceDetector()
    detector.load({})
    try:
        wanted = whom((folder / request["photo"]).read_bytes(), detector, embedder)
        pieces = [Piece(folder / each["file"], float(each["offset"])) for each in request["pieces"]]
        seen = alike(pieces, float(request["seconds"]), wanted, detector, embedder, config, until=until)
        leads = best(list(seen), int(request["most"]))
    except Unseen as unseen:
        return {"status": str(unseen.status), "reason": unseen.reason}
    except cv2.error:
        return {"status": str(Status.CORRUPT), "reason": "not_decodable"}
    except MemoryError:
        return {"status": str(Status.UNSUPPORTED), "reason": "too_much_memory"}
    finally:
        detector.close()
    return {
        "status": str(Status.OK),
        "leads": [_written(lead, folder / f"lead-{index}.jpg") for index, lead in enumerate(leads)],
        "model": {"name": embedder.name, "sha256": embedder.sha256, "threshold": embedder.threshold},
    }


def _written(lead: Lead, path: Path) -> dict[str, Any]:
    cv2.imwrite(str(path), lead.crop, [cv2.IMWRITE_JPEG_QUALITY, 92])
    bbox = [round(value, 4) for value in lead.bbox]
    return {"t": round(lead.t, 3), "score": round(lead.score, 4), "bbox": bbox, "file": path.name}
