"""A city's own ONNX model, described by a ``model.toml`` beside it, as a ``Detector``.

    name = "knives"                      # lower-case; how it stands in observations and troubles
    path = "knives.onnx"                 # relative to this file, or absolute
    sha256 = "6b1d…"                     # of the model; another file is refused
    licence = "Apache-2.0"               # what allows the city to run it; stands in `amaan vision models`
    decoder = "yolo"                     # yolo, ssd or yunet: see ``decoders``
    labels = ["knife", "scissors"]       # in the order of the model's classes
    ask = ["knife"]                      # labels that a human is asked about; none by default

    [input]
    width = 640                          # pixels
    height = 640
    scale = 0.00392156862745098          # a pixel's value is multiplied by it, after …
    mean = [0.0, 0.0, 0.0]               # … this is taken off each channel
    colour = "rgb"                       # rgb or bgr
    layout = "nchw"                      # nchw or nhwc
    fit = "letterbox"                    # letterbox (proportions kept, grey bars) or stretch

    [thresholds]
    score = 0.4                          # less is nothing
    overlap = 0.45                       # of two boxes that overlap more (IoU), the better stays
    knife = 0.6                          # a label may have its own

The file is read once, hashed and given to onnxruntime from memory, one thread, so that what was hashed is what runs and
a model's "external data" can name no other file. It is tried on a drawn picture when it is loaded. Whatever is wrong is a
``ModelError`` with one stable word, which becomes the look's reason: the look goes on without it and says so.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workers.vision.boxes import clipped, strongest
from workers.vision.cv import Image, cv2
from workers.vision.decoders import DECODERS, WrongShape
from workers.vision.detector import Region
from workers.vision.observation import Box, Detection

MOST_BYTES = 256 << 20  # a model shares the child's memory with everything else
GREY = 114  # of the bars beside a letterboxed picture
OURS = frozenset({"people", "pose", "faces", "plates", "light", "motion", "crowd"})
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_LABEL = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


class ModelError(ValueError):
    """A model that cannot be used. ``code`` is one stable word, and the text says what to mend."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


@dataclass(frozen=True)
class ModelSpec:
    """What a ``model.toml`` says."""

    name: str
    path: Path
    sha256: str
    licence: str
    decoder: str
    labels: tuple[str, ...]
    ask: tuple[str, ...]
    size: tuple[int, int]  # width, height
    scale: float
    mean: tuple[float, float, float]
    bgr: bool
    nchw: bool
    letterbox: bool
    score: float
    overlap: float
    least: Mapping[str, float]  # label → its own least score


def read_spec(path: Path) -> ModelSpec:
    """Read a ``model.toml``. Raises ``ModelError``: model_missing, model_bad_config."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError("model_missing", f"no {path.name} to read") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError("model_bad_config", f"{path.name}: {error}") from error
    try:
        return _spec(table, path)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, ModelError):
            raise
        said = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise ModelError("model_bad_config", f"{path.name}: {said}") from error


def _spec(table: dict[str, Any], path: Path) -> ModelSpec:
    given, least = dict(table.pop("input")), dict(table.pop("thresholds"))
    labels = tuple(table["labels"])
    spec = ModelSpec(
        name=table.pop("name"),
        path=(path.parent / table.pop("path")).absolute(),
        sha256=table.pop("sha256").lower(),
        licence=table.pop("licence"),
        decoder=table.pop("decoder"),
        labels=tuple(table.pop("labels")),
        ask=tuple(table.pop("ask", ())),
        size=(int(given.pop("width")), int(given.pop("height"))),
        scale=float(given.pop("scale", 1.0)),
        mean=tuple(float(value) for value in given.pop("mean", (0.0, 0.0, 0.0))),  # type: ignore[arg-type]  # checked below
        bgr=_one_of(given.pop("colour", "rgb"), ("rgb", "bgr")) == "bgr",
        nchw=_one_of(given.pop("layout", "nchw"), ("nchw", "nhwc")) == "nchw",
        letterbox=_one_of(given.pop("fit", "letterbox"), ("letterbox", "stretch")) == "letterbox",
        score=float(least.pop("score")),
        overlap=float(least.pop("overlap", 0.45)),
        least={label: float(least.pop(label)) for label in labels if label in least},
    )
    unknown = sorted({*table, *given, *least})
    wrong = [
        (bool(unknown), f"unknown key: {', '.join(unknown)}"),
        (not _NAME.fullmatch(spec.name), "name must be lower-case letters, digits, _ or -"),
        (spec.name in OURS, f"the name {spec.name} is ours"),
        (not re.fullmatch(r"[0-9a-f]{64}", spec.sha256), "sha256 must be 64 hexadecimal digits"),
        (not spec.licence.strip(), "licence must say what allows the city to run it"),
        (spec.decoder not in DECODERS, f"decoder must be one of {', '.join(DECODERS)}"),
        (not labels or not all(_LABEL.fullmatch(label) for label in labels), "labels must be lower-case names"),
        (len(set(labels)) != len(labels), "a label stands twice"),
        (not set(spec.ask) <= set(labels), "ask names a label that the model does not have"),
        (len(spec.mean) != 3, "mean must have three figures"),
        (not all(16 <= side <= 2048 for side in spec.size), "input must be 16 to 2048 pixels wide and high"),
        (not all(0 < value <= 1 for value in (spec.score, spec.overlap, *spec.least.values())), "thresholds: 0 to 1"),
    ]
    for is_wrong, text in wrong:
        if is_wrong:
            raise ModelError("model_bad_config", f"{path.name}: {text}")
    return spec


def _one_of(value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise ValueError(f"{value!r} must be one of {', '.join(known)}")
    return value


class OwnModel:
    """A ``Detector`` made of a ``model.toml``. ``load`` takes ``{"model": path of the toml}``."""

    name = "own_model"
    version = ""
    labels: Sequence[str] = ()
    ask: Sequence[str] = ()  # labels that a human is asked about

    def __init__(self) -> None:
        self._session: Any = None
        self.spec: ModelSpec | None = None

    def load(self, config: Mapping[str, Any]) -> None:
        """Raises ``ModelError``: also model_wrong_hash, model_too_large, model_unreadable, model_wrong_shape."""
        spec = read_spec(Path(str(config.get("model", ""))))
        data = _bytes_of(spec)
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.enable_cpu_mem_arena = False  # memory goes back between looks
        try:
            session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has an exception of its own for each kind of broken file
            raise ModelError("model_unreadable", f"{spec.path.name}: onnxruntime cannot read it") from error
        self._check_input(session, spec)
        self.name, self.version, self.labels, self.ask = spec.name, spec.sha256[:12], spec.labels, spec.ask
        self.spec, self._session = spec, session
        try:
            self.detect(_self_test(spec.size))
        except ModelError:
            self.close()
            raise

    @staticmethod
    def _check_input(session: Any, spec: ModelSpec) -> None:
        inputs = session.get_inputs()
        width, height = spec.size
        wanted = [1, 3, height, width] if spec.nchw else [1, height, width, 3]
        given = inputs[0].shape if len(inputs) == 1 else []
        fits = len(given) == 4 and all(not isinstance(g, int) or g == w for g, w in zip(given, wanted, strict=True))
        if not fits or inputs[0].type not in _TYPES:
            said = ", ".join(f"{one.type}{one.shape}" for one in inputs)
            raise ModelError("model_wrong_shape", f"{spec.path.name}: its input is {said}, not one of {wanted}")

    def detect(self, frame: Image, roi: Region | None = None) -> list[Detection]:
        if self._session is None or self.spec is None:
            raise ValueError("load comes first")
        spec, (height, width) = self.spec, frame.shape[:2]
        x0, y0, w, h = roi or (0, 0, width, height)
        cut = frame[y0 : y0 + h, x0 : x0 + w]
        if min(cut.shape[:2]) < 2:
            return []
        fed, across, down = _fed(cut, spec)
        one = self._session.get_inputs()[0]
        names = [output.name for output in self._session.get_outputs()]
        try:
            outputs = self._session.run(None, {one.name: fed.astype(_TYPES[one.type])})
            raw = DECODERS[spec.decoder](dict(zip(names, outputs, strict=True)), len(spec.labels), spec.size)
        except WrongShape as error:
            raise ModelError("model_wrong_shape", f"{spec.path.name}: {error}") from error
        except Exception as error:
            raise ModelError("model_unreadable", f"{spec.path.name}: it does not run on a picture") from error
        by_label: dict[str, list[tuple[float, Box]]] = {}
        for index, score, (bx, by, bw, bh) in raw:
            label = spec.labels[index]
            if score >= spec.least.get(label, spec.score) and np.isfinite((bx, by, bw, bh)).all():
                place = ((x0 + bx / across) / width, (y0 + by / down) / height, bw / across / width, bh / down / height)
                by_label.setdefault(label, []).append((min(1.0, score), clipped(place)))
        return [
            Detection(label, score, box)
            for label, scored in by_label.items()
            for score, box in strongest(scored, spec.overlap)
            if box[2] > 0 and box[3] > 0
        ]

    def close(self) -> None:
        self._session = None


def _bytes_of(spec: ModelSpec) -> bytes:
    try:
        if spec.path.stat().st_size > MOST_BYTES:
            raise ModelError("model_too_large", f"{spec.path.name} has more than {MOST_BYTES >> 20} MiB")
        data = spec.path.read_bytes()
    except OSError as error:
        raise ModelError("model_missing", f"no {spec.path.name} to read") from error
    if hashlib.sha256(data).hexdigest() != spec.sha256:
        raise ModelError("model_wrong_hash", f"{spec.path.name} is not the file that its sha256 names")
    return data


def _fed(cut: Image, spec: ModelSpec) -> tuple[npt.NDArray[np.float32], float, float]:
    """The picture as the model wants it, and how many of its pixels one of the picture's became, across and down."""
    (width, height), (high, wide) = spec.size, cut.shape[:2]
    across, down = width / wide, height / high
    if spec.letterbox:
        across = down = min(across, down)
    small = cv2.resize(cut, (max(1, round(wide * across)), max(1, round(high * down))), interpolation=cv2.INTER_LINEAR)
    canvas = np.full((height, width, 3), GREY, np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small[:height, :width]
    ordered = canvas if spec.bgr else canvas[:, :, ::-1]
    values = (ordered.astype(np.float32) - np.array(spec.mean, np.float32)) * np.float32(spec.scale)
    return np.ascontiguousarray((values.transpose(2, 0, 1) if spec.nchw else values)[None]), across, down


def _self_test(size: tuple[int, int]) -> Image:
    """A picture that any model must take: a gradient with a rectangle."""
    width, height = size
    picture: Image = np.zeros((height, width, 3), np.uint8)
    picture[:] = np.linspace(30, 220, width, dtype=np.uint8)[None, :, None]
    cv2.rectangle(picture, (width // 4, height // 4), (width // 2, height * 3 // 4), (40, 90, 200), -1)
    return picture
