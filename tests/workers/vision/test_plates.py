"""Plates that are drawn here are read, put together from picture to picture, and stand in no observation and no still."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from domain.plates import rules
from sandbox.street import Sensor, background
from workers.vision.config import VisionConfig, Window
from workers.vision.cv import Image, cv2
from workers.vision.look import look
from workers.vision.observation import Observation
from workers.vision.plates import PlateDetector, plausibility, pruned

SIZE = (960, 540)
PLATE = "LEB 7306"
SCORES = (0.3, 0.99, 0.99, 0.3, 0.99, 0.99, 0.99, 0.99, 0.99, 0.2)


def car(picture: Image, left: int, plate: str, wide: int = 300) -> None:
    """The back of a car with its plate, on the picture."""
    top = 300
    cv2.rectangle(picture, (left, top), (left + wide, top + 180), (70, 50, 40), -1)
    cv2.rectangle(picture, (left + 40, top + 15), (left + wide - 40, top + 70), (60, 56, 50), -1)
    x, y, w, h = left + wide // 2 - 65, top + 100, 130, 34
    if picture.shape[1] < x + w:
        return
    board: Image = np.full((120, 460, 3), 235, np.uint8)
    cv2.putText(board, plate, (18, 88), cv2.FONT_HERSHEY_DUPLEX, 2.5, (25, 25, 25), 6, cv2.LINE_AA)
    picture[y : y + h, x : x + w] = cv2.resize(board, (w, h), interpolation=cv2.INTER_AREA)


def passing(plate: str, pictures: int, fps: int = 6) -> Iterator[Image]:
    """A car that comes nearer to the edge."""
    street, sensor = background(SIZE, 4), Sensor(SIZE, 4, 2.0)
    for number in range(pictures):
        picture = street.copy()
        car(picture, 80 + 70 * number // fps, plate)
        yield sensor.expose(picture)


@pytest.fixture(scope="module")
def detector() -> Iterator[PlateDetector]:
    made = PlateDetector()
    made.load({"country": "pk"})
    yield made
    made.close()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Observation:
    """One look at three seconds of it."""
    path = tmp_path_factory.mktemp("plates") / "passing.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=6)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "20"}
        for picture in passing(PLATE, 18):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    config = {"allowed_roots": [str(path.parent)], "plates": True, "country": "pk", "stills_max": 2}
    return look({"kind": "file", "path": str(path)}, Window.from_dict({"seconds": 3}), VisionConfig.from_dict(config))


def test_a_drawn_plate_is_read_sign_by_sign(detector: PlateDetector) -> None:
    (picture,) = passing("RIZ 3725", 1)
    (read,) = detector.read(picture)
    assert rules.fold(read.text) == rules.fold("RIZ3725")
    assert min(char.score for char in read.chars) > 0.5
    x, y, w, h = read.bbox
    assert abs((x + w / 2) * SIZE[0] - 230) < 40
    assert abs((y + h / 2) * SIZE[1] - 417) < 25
    assert detector.read(background(SIZE, 4)) == [], "an empty street has none"


def test_a_car_that_passes_is_one_plate_with_its_crop(seen: Observation) -> None:
    (plate,) = seen.plates
    assert rules.fold("".join(text for text, _ in plate.chars)) == rules.fold(PLATE)
    assert all(0 < score <= 1 for _, score in plate.chars)
    assert plate.crop[:2] == b"\xff\xd8"
    assert [one.kind for one in seen.detections].count("plate") >= 2


def test_the_observation_and_its_stills_do_not_tell_it(seen: Observation, detector: PlateDetector) -> None:
    assert "7306" not in json.dumps(seen.to_document())
    assert seen.stills
    for still in seen.stills:
        picture = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_COLOR)
        for read in detector.read(picture):
            assert rules.match(read.chars, PLATE) is None, "a still that is kept shows the plate"


def test_nothing_is_read_unless_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "one.jpg"
    (picture,) = passing(PLATE, 1)
    cv2.imwrite(str(path), picture)
    found = look(
        {"kind": "file", "path": str(path)}, Window(), VisionConfig.from_dict({"allowed_roots": [str(tmp_path)]})
    )
    assert found.plates == ()


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("LEB7306", 0.9, 1.0), ("TOYOTA", 0.0, 0.45), ("20260101", 0.0, 0.7), ("L7", 0.0, 0.0), ("LEB73061234", 0.0, 0.7)],
)
def test_how_much_a_text_is_like_a_plate(text: str, least: float, most: float) -> None:
    chars = [rules.Char(sign, 0.98) for sign in text]
    assert least <= plausibility(chars) <= most


def test_screws_seals_and_flags_are_cut_off() -> None:
    chars = [
        rules.Char(sign, score)
        for sign, score in zip("ERK8755AJ1", [0.3, 0.99, 0.99, 0.3, *[0.99] * 5, 0.2], strict=True)
    ]
    assert rules.written(pruned(chars)) == "RK755AJ"
