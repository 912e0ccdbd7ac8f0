"""No number plate can be read in what leaves: clips, their stills, photographs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from domain.plates import rules
from sandbox.car import CarPainter
from sandbox.figure import Pose
from sandbox.street import Sensor, background
from workers.vision import copying, photos
from workers.vision.cv import Image, cv2
from workers.vision.models import loaded
from workers.vision.observation import Box
from workers.vision.plates_hidden import PlatesHidden

SIZE, FPS, PLATE = (960, 540), 8, "LEA 4821"
CAR = 250.0  # pixels


def at(number: int) -> tuple[float, float]:
    """Where the car stands in a picture: it crosses a third of the street in a second."""
    return 260.0 + 40.0 * number, 470.0


def drawn(pictures: int) -> Iterator[Image]:
    street, sensor, car = background(SIZE, 4), Sensor(SIZE, 4, 2.0), CarPainter(PLATE)
    for number in range(pictures):
        picture = street.copy()
        car.paint(picture, at(number), CAR, Pose())
        yield sensor.expose(picture)


def reads(picture: Image) -> bool:
    """Whether somebody who looks at the picture from near finds the number."""
    return any(rules.match(read.chars, PLATE) for read in loaded().plates("").read(picture))


def pictures_of(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def test_a_plate_is_in_no_picture_of_a_clip_that_leaves(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "in.mp4"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "20"}
        for picture in drawn(FPS + 4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    asked = {"folder": str(tmp_path), "pieces": [{"file": "in.mp4", "offset": 0}], "seconds": 1.0, "stills": 1}
    answer = copying.copy({**asked, "budget_s": 60, "max_bytes": 10_000_000})
    assert (answer["status"], answer["cut"], answer["frames"]) == ("ok", True, FPS), answer
    assert "plates" in {each["name"] for each in answer["detectors"]}
    bare, hidden = pictures_of(tmp_path / "in.mp4"), pictures_of(tmp_path / answer["file"])
    for number in (1, 4, 6):
        assert reads(bare[number]), "the plate was not to be read in the first place"
        assert not reads(hidden[number])
    assert not reads(cv2.imread(str(tmp_path / answer["stills"][0]["file"])))


def test_nor_in_a_photograph(tmp_path: Path) -> None:
    (picture,) = drawn(1)
    (tmp_path / "in").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    assert photos.photo({"folder": str(tmp_path)})["status"] == "ok"
    assert reads(picture)
    assert not reads(cv2.imread(str(tmp_path / "out.jpg")))


class Texts:
    """A reader that finds what it is told: box in pixels → how much it is like a plate."""

    def __init__(self, *pictures: dict[Box, float]) -> None:
        self.pictures = iter(pictures)
        self.now: dict[Box, float] = {}
        self.read = 0

    def likely(self, frame: Image, side: int) -> list[Box]:
        self.now = next(self.pictures)
        return list(self.now)

    def first_reading(self, frame: Image, box: Box) -> tuple[tuple[rules.Char, ...], float]:
        self.read += 1
        return (), self.now[box]


def seen(*pictures: dict[Box, float]) -> tuple[PlatesHidden, Texts]:
    texts = Texts(*pictures)
    found = PlatesHidden(texts)  # type: ignore[arg-type]
    for number in range(len(pictures)):
        found.see(number / 3, np.zeros((100, 100, 3), np.uint8))
    return found, texts


def hides(found: PlatesHidden, t: float, x: float, y: float) -> bool:
    return any(left <= x <= left + w and top <= y <= top + h for left, top, w, h in found.at(t))


@pytest.mark.parametrize(
    ("t", "x", "hidden"),
    [(0.1, 0.15, True), (0.5, 0.35, True), (0.5, 0.9, False), (1.1, 0.6, True)],
    ids=["where it was", "on its way", "where it never is", "before it is seen again"],
)
def test_the_way_of_a_car_is_hidden_between_two_looks(t: float, x: float, hidden: bool) -> None:
    found, _ = seen({(10, 50, 10, 4): 0.9}, {(30, 50, 10, 4): 0.9}, {(50, 50, 10, 4): 0.9}, {}, {(60, 50, 10, 4): 0.9})
    assert hides(found, t, x, 0.52) is hidden


def test_one_that_stands_is_hidden_where_it_was_missed_for_seconds() -> None:
    parked = {(40.0, 50.0, 10.0, 4.0): 0.9}
    found, _ = seen(parked, *[{}] * 9, parked, *[{}] * 20)
    assert hides(found, 1.7, 0.45, 0.52)
    assert not hides(found, 7.0, 0.45, 0.52), "it has left"


def test_what_there_is_no_time_to_read_is_hidden_and_signs_are_read_once() -> None:
    many: dict[Box, float] = {(9.0 * (each % 10), 15.0 * (each // 10), 8.0, 4.0): 0.0 for each in range(30)}
    found, texts = seen(many)
    assert texts.read == 10
    assert len(found.at(0.0)) == 20
    sign: dict[Box, float] = {(10.0, 10.0, 30.0, 8.0): 0.0}
    found, texts = seen(sign, sign, sign)
    assert (texts.read, found.at(0.5)) == (1, [])


def test_the_second_row_of_a_plate_is_hidden_with_it() -> None:
    found, _ = seen({(40.0, 50.0, 12.0, 6.0): 0.1, (40.0, 57.0, 12.0, 6.0): 0.8, (80.0, 57.0, 12.0, 6.0): 0.1})
    assert hides(found, 0.0, 0.45, 0.53)
    assert not hides(found, 0.0, 0.85, 0.6)
