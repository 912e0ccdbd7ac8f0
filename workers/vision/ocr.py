"""Text in pictures: where it stands, and which capital letters and digits it is. Two ONNX models, run on one thread.

The models are PP-OCRv6 (small), Apache-2.0, carried by the package rapidocr; we run them ourselves, since a plate is read
better when only letters and digits may come out, and when each sign has a score of its own. Nothing is downloaded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from domain.plates.rules import Char
from workers.vision.cv import Image, cv2
from workers.vision.observation import Box

VERSION: Final = "ppocr6s-1"
_FOLDER: Final = "rapidocr/models"
_DETECTS: Final = "PP-OCRv6_det_small.onnx"
_READS: Final = "PP-OCRv6_rec_small.onnx"
_TEXT: Final = 0.3  # from which a pixel is text
_UNCLIP: Final = 1.6  # of area by perimeter: the model marks a text's core
_STEP: Final = 32  # sides are multiples of it
_HEIGHT: Final = 48  # of a line, in pixels, as it was trained
_WIDEST: Final = 640
_NARROWEST: Final = 160
_LEAST: Final = (4, 3)  # pixels of a core, else it is a speck


@dataclass(frozen=True)
class Text:
    """Where something is written: a box in pixels, and how sure that is."""

    box: Box
    score: float


class TextReader:
    """Both models. Not thread-safe; loading takes half a second and 150 MB."""

    def __init__(self) -> None:
        import onnxruntime  # half a second: only a process that reads plates pays it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.enable_cpu_mem_arena = False  # pictures differ in size: an arena would keep the largest of each

        def session(name: str) -> Any:
            return onnxruntime.InferenceSession(str(_folder() / name), options, providers=["CPUExecutionProvider"])

        self._finder, self._reader = session(_DETECTS), session(_READS)
        self._signs, self._columns, self._others = _alphabet(self._reader)

    def find(self, image: Image, side: int) -> list[Text]:
        """Where text stands in a BGR picture that is looked at with a longer side of ``side`` pixels.

        A larger one is made smaller, a cut of one at most three times larger.
        """
        height, width = image.shape[:2]
        scale = min(3.0, side / max(height, width))
        size = tuple(max(_STEP, round(length * scale / _STEP) * _STEP) for length in (width, height))
        small = _resized(image, size).astype(np.float32) / 127.5 - 1.0
        (found,) = self._finder.run(None, {self._finder.get_inputs()[0].name: small.transpose(2, 0, 1)[None]})
        likely = found[0, 0]
        count, labels, stats, _ = cv2.connectedComponentsWithStats((likely > _TEXT).astype(np.uint8))
        across, down = width / size[0], height / size[1]
        texts = []
        for label in range(1, count):
            x, y, w, h = (int(value) for value in stats[label][:4])
            if w < _LEAST[0] or h < _LEAST[1]:
                continue
            part = (slice(y, y + h), slice(x, x + w))
            score = float(likely[part][labels[part] == label].mean())
            grow = w * h * _UNCLIP / (2 * (w + h))
            box = ((x - grow) * across, (y - grow) * down, (w + 2 * grow) * across, (h + 2 * grow) * down)
            texts.append(Text(box, score))
        return texts

    def read(self, line: Image) -> tuple[Char, ...]:
        """The letters and digits of one line of text (BGR), each with its score; whatever else stands there is left out."""
        height, width = line.shape[:2]
        if height < 4 or width < 4:
            return ()
        across = min(_WIDEST, max(_HEIGHT, math.ceil(_HEIGHT * width / height)))
        scaled = cv2.resize(line, (across, _HEIGHT)).astype(np.float32) / 127.5 - 1.0
        padded = np.zeros((_HEIGHT, max(across, _NARROWEST), 3), np.float32)
        padded[:, :across] = scaled
        (found,) = self._reader.run(None, {self._reader.get_inputs()[0].name: padded.transpose(2, 0, 1)[None]})
        return self._signs_of(found[0])

    def _signs_of(self, steps: npt.NDArray[np.float32]) -> tuple[Char, ...]:
        """CTC (Graves 2006), greedy: a sign is where it is likelier than nothing and than any sign of another script."""
        of_sign = np.stack([steps[:, columns].sum(axis=1) for columns in self._columns], axis=1)
        best = of_sign.argmax(axis=1)
        score = of_sign.max(axis=1)
        is_sign = (score > steps[:, 0]) & (score > steps[:, self._others].max(axis=1))
        signs: list[Char] = []
        before = -1
        for step in range(len(steps)):
            now = int(best[step]) if is_sign[step] else -1
            if now >= 0:
                sure = float(score[step])
                if now == before:
                    sure = max(sure, signs.pop().score)
                signs.append(Char(self._signs[now], sure))
            before = now
        return tuple(signs)


def _resized(image: Image, size: tuple[int, ...]) -> Image:
    way = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_CUBIC
    resized: Image = cv2.resize(image, size, interpolation=way)
    return resized


def _folder() -> Path:
    found = find_spec("rapidocr")
    if found is None or not found.submodule_search_locations:
        raise ValueError("the models of rapidocr are not installed")
    return Path(next(iter(found.submodule_search_locations))).parent / _FOLDER


def _alphabet(session: Any) -> tuple[str, list[npt.NDArray[np.int64]], npt.NDArray[np.int64]]:
    """Latin capitals and digits; the model's columns of each, small letters with it; the columns of all else but blank."""
    named = session.get_modelmeta().custom_metadata_map["character"].split("\n")
    columns: dict[str, list[int]] = {}
    others = []
    for column, sign in enumerate(named, start=1):  # column 0 is "nothing"
        capital = sign.upper()
        if len(capital) == 1 and capital.isascii() and capital.isalnum():
            columns.setdefault(capital, []).append(column)
        else:
            others.append(column)
    signs = "".join(sorted(columns))
    return signs, [np.array(columns[sign]) for sign in signs], np.array(others)
