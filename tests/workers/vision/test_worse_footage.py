"""More that a camera or a file may be: sound alone, another file's name, uneven times, a pixel, sixteen thousand of them, a
codec that nobody has, half a picture. Each is a finding or a clear word, in time, from a child that lives on.
"""

from __future__ import annotations

import random
import struct
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from runtime import recording
from tests.workers.vision import cameras
from tests.workers.vision.cameras import Camera
from workers.vision.child import Looker
from workers.vision.config import VisionConfig
from workers.vision.record import KEPT_HZ, Recording, Task
from workers.vision.segments import SegmentWriter

Look = Callable[..., dict[str, Any]]
Clip = Callable[..., Path]


@pytest.fixture(autouse=True)
def answers_in_time_and_lives_on(looker: Looker) -> Iterator[None]:
    assert looker.warm()
    began, child = time.monotonic(), looker._child
    yield
    assert time.monotonic() - began < 75
    assert looker._child is child, "the child died of this footage"


def test_sound_alone(look: Look, footage: Path) -> None:
    path = footage / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("aac", rate=8000)
        stream.layout = "mono"
        for number in range(8):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, number * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    answer = look(kind="file", path=str(path))
    assert (answer["status"], answer["verdict"], answer["health"]["reason"]) == (
        "corrupt", "cannot_tell", "not_decodable",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["clip.jpg", "clip.txt", "clip", "clip.m3u8", "clip.avi"])
def test_the_bytes_say_what_it_is_and_not_the_name(look: Look, footage: Path, clip: Clip, name: str) -> None:
    (footage / name).write_bytes(clip("walk", seconds=2.0, size=(320, 180)).read_bytes())
    answer = look(kind="file", path=str(footage / name))
    assert answer["status"] == "ok"
    assert answer["frames"]["decoded"] == 16


def uneven(path: Path, times: list[float], size: tuple[int, int] = (320, 180)) -> Path:
    """A recording with pictures at these seconds."""
    start, last = datetime(2026, 1, 1, 12, tzinfo=UTC), None
    path.mkdir(exist_ok=True)
    with SegmentWriter(path, 100.0) as writer:
        for number, t in enumerate(times):
            writer.add(cameras.jpeg_of(size, number), size, start + timedelta(seconds=t))
    last = recording.listed(path)[-1].path
    return last


def test_pictures_that_come_unevenly_keep_their_times(look: Look, footage: Path) -> None:
    times = [0.0, 0.04, 0.08, 0.9, 1.0, 2.2, 2.25, 3.4, 4.0]
    answer = look(kind="file", path=str(uneven(footage / "uneven", times)))
    assert answer["status"] == "ok"
    assert answer["frames"]["decoded"] == answer["frames"]["declared"] == 9
    assert abs(answer["seconds"] - 4.0) < 0.02


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (16, 1), (1, 4000), (4096, 2)])
def test_a_picture_that_is_hardly_one(look: Look, footage: Path, size: tuple[int, int]) -> None:
    picture = np.full((size[1], size[0], 3), 120, np.uint8)
    name = f"tiny-{size[0]}x{size[1]}.jpg"
    (footage / name).write_bytes(cv2.imencode(".jpg", picture)[1].tobytes())
    answer = look(kind="file", path=str(footage / name))
    assert answer["verdict"] == "cannot_tell"
    assert answer["summary"]["people_max"] == 0


def test_sixteen_thousand_pixels_wide(look: Look, footage: Path) -> None:
    picture = np.zeros((16, 16384, 3), np.uint8)
    (footage / "wide.jpg").write_bytes(cv2.imencode(".jpg", picture)[1].tobytes())
    assert look(kind="file", path=str(footage / "wide.jpg"))["health"]["reason"] == "too_many_pixels"
    jpeg = (footage / "wide.jpg").read_bytes()
    folder = footage / "wide"
    folder.mkdir()
    with SegmentWriter(folder, 10.0) as writer:
        for number in range(3):
            writer.add(jpeg, (16384, 16), datetime(2026, 1, 1, 12, 0, number, tzinfo=UTC))
    answer = look(kind="file", path=str(recording.listed(folder)[0].path))
    assert answer["health"]["reason"] == "too_many_pixels"


def test_a_header_that_lies_about_its_pixels(look: Look, footage: Path) -> None:
    """It says 320×240 outside and sends pictures of 6,000×6,000 inside."""
    folder = footage / "liar"
    folder.mkdir()
    big = cameras.jpeg_of((6000, 6000))
    with SegmentWriter(folder, 10.0) as writer:
        for number in range(3):
            writer.add(big, (320, 240), datetime(2026, 1, 1, 12, 0, number, tzinfo=UTC))
    answer = look(kind="file", path=str(recording.listed(folder)[0].path))
    assert answer["verdict"] == "cannot_tell"
    assert answer["status"] in ("unsupported", "corrupt", "partial")


def test_a_codec_that_nobody_has(look: Look, footage: Path, clip: Clip) -> None:
    data = clip("walk", seconds=2.0, size=(320, 180)).read_bytes()
    assert data.count(b"avc1") >= 1
    (footage / "codec.mp4").write_bytes(data.replace(b"avc1", b"zz9z").replace(b"avcC", b"zz9C"))
    answer = look(kind="file", path=str(footage / "codec.mp4"))
    assert (answer["status"], answer["verdict"]) == ("corrupt", "cannot_tell")


def test_a_stream_that_stops_in_the_middle_of_a_picture(look: Look) -> None:
    whole = [cameras.part(cameras.jpeg_of((320, 240), seed)) for seed in range(4)]
    half = cameras.part(cameras.jpeg_of((320, 240), 9))[:900]
    for then_silent in (True, False):
        talk = cameras.answering(cameras.HEADER, *whole, half, pause_s=0.1, then_silent=then_silent)
        with Camera("http", talk) as camera:
            answer = look(
                kind="mjpeg",
                url=f"{camera.address}/x",
                window={"seconds": 6.0},
                config={"allowed_addresses": [camera.address]},
            )
            assert (answer["status"], answer["verdict"]) == ("partial", "cannot_tell")
            assert answer["frames"]["decoded"] == 4


def test_an_rtsp_camera_that_stops_in_the_middle_of_a_picture(look: Look) -> None:
    jpegs = [cameras.jpeg_of((320, 240), seed) for seed in range(20)]

    def talk(visitor: Any, over: threading.Event) -> None:
        class Cut:
            """A socket that sends so many bytes and then nothing more."""

            left = 60_000

            def sendall(self, data: bytes) -> None:
                visitor.sendall(data[: max(0, self.left)])
                self.left -= len(data)

            def recv(self, size: int) -> bytes:
                return bytes(visitor.recv(size))

        cameras.rtsp(jpegs)(Cut(), over)  # type: ignore[arg-type]
        over.wait()

    with Camera("rtsp", talk) as camera:
        began = time.monotonic()
        answer = look(
            kind="rtsp",
            url=f"{camera.address}/x",
            window={"seconds": 6.0},
            config={"allowed_addresses": [camera.address], "open_timeout_s": 4.0, "read_timeout_s": 1.0},
        )
        assert time.monotonic() - began < 20
        assert answer["status"] in ("partial", "timeout")
        assert answer["verdict"] != "clear"


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_whatever_is_done_to_a_file_it_is_answered(look: Look, footage: Path, clip: Clip, suffix: str) -> None:
    """Cut, flipped, swapped and overwritten by chance; an empty street is never called clear for it."""
    good = clip("empty", seconds=1.0, size=(96, 64), suffix=suffix).read_bytes()
    for seed in range(12):
        chance, data = random.Random(seed), bytearray(good)
        for _ in range(chance.randrange(1, 5)):
            at, length = chance.randrange(len(data)), chance.randrange(1, 400)
            match chance.randrange(4):
                case 0:
                    data[at : at + length] = chance.randbytes(length)
                case 1:
                    del data[at : at + length]
                case 2:
                    data[at:at] = data[at : at + length] * 3
                case _:
                    data[at : at + 4] = struct.pack(">I", chance.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF)))
            data = data or bytearray(b"\x00")
        path = footage / f"odd-{seed}{suffix}"
        path.write_bytes(bytes(data))
        answer = look(kind="file", path=str(path))
        assert answer["status"] in ("ok", "partial", "corrupt", "unsupported")
        assert answer["verdict"] in ("cannot_tell", "seen", "clear")


# The recorder


ENOUGH_S = 30.0
"""A recording that never comes to what is waited for ends then, and the test says what is missing."""


def recorded(
    tmp_path: Path, talk: cameras.Talk, enough: Callable[[list[dict[str, Any]], Path], bool], **about: Any
) -> tuple[list[dict[str, Any]], Path, float]:
    """(reports, folder, seconds that it took) of recording this camera until there is ``enough`` of it, however slow."""
    said: list[dict[str, Any]] = []
    folder = tmp_path / "cam"
    folder.mkdir()
    with Camera("http", talk) as camera:
        limits = {"allowed_addresses": [camera.address], "open_timeout_s": 5.0, "read_timeout_s": 1.0}
        source = {"kind": "mjpeg", "url": camera.address + "/x"}
        task = Task("cam", source, folder, VisionConfig.from_dict(limits), 1, 10**8, **about)
        over, began = threading.Event(), time.monotonic()

        def watch() -> None:
            while not over.wait(0.05) and time.monotonic() - began < ENOUGH_S:
                if enough(said, folder):
                    break
            over.set()

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            Recording(task, said.append, over).run()
        finally:
            over.set()
            watching.join()
        return said, folder, time.monotonic() - began


def sizes_of(folder: Path) -> set[tuple[int, int]]:
    sizes = set()
    for each in recording.listed(folder):
        capture = cv2.VideoCapture(str(each.path))
        sizes.add((int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))))
        capture.release()
    return sizes


def is_lost(said: list[dict[str, Any]], folder: Path) -> bool:
    return any("lost" in each for each in said)


def test_the_recorder_takes_no_picture_that_is_none(tmp_path: Path) -> None:
    huge = cameras.part(cameras.jpeg_of((12000, 9000)))
    noise = cameras.part(random.Random(1).randbytes(4000))
    small, large = cameras.jpeg_of((320, 240)), cameras.jpeg_of((640, 480))
    parts = [noise, cameras.part(small), noise, cameras.part(large), cameras.part(small[:800]), cameras.part(large)]
    said, folder, _ = recorded(tmp_path, cameras.answering(cameras.HEADER, *parts, huge, pause_s=0.15), is_lost)
    assert sizes_of(folder) == {(320, 240), (640, 480)}, "another size is another file"
    assert said[-1]["lost"] in ("no_picture_in_time", "no_answer", "too_many_pixels")
    assert not list(folder.glob("*.part"))


def test_a_disk_that_is_full_stops_nothing_but_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.vision.record.REPORT_S", 0.5)

    def goes_on(said: list[dict[str, Any]], folder: Path) -> bool:
        return len([each for each in said if each.get("full")]) >= 2

    said, folder, _ = recorded(tmp_path, cameras.endless, goes_on, segment_s=0.3, free_bytes=10**18)
    assert said[-1]["full"] is True
    assert said[-1]["fps"] > 0
    assert len(recording.listed(folder)) <= 2


def test_pictures_of_many_rates_are_thinned(tmp_path: Path) -> None:
    jpegs = [cameras.part(cameras.jpeg_of((320, 240), seed)) for seed in range(100)]
    talk = cameras.answering(cameras.HEADER, *jpegs, pause_s=0.02)
    _, folder, seconds = recorded(tmp_path, talk, is_lost)  # it falls silent after the last one
    kept = sum(int(cv2.VideoCapture(str(each.path)).get(cv2.CAP_PROP_FRAME_COUNT)) for each in recording.listed(folder))
    assert 5 <= kept <= min(99, KEPT_HZ * seconds + 2)


def test_the_last_pictures_before_a_camera_falls_silent_are_kept(tmp_path: Path) -> None:
    jpegs = [cameras.part(cameras.jpeg_of((320, 240), seed)) for seed in range(4)]
    talk = cameras.answering(cameras.HEADER, *jpegs, pause_s=0.2)
    _, folder, _ = recorded(tmp_path, talk, is_lost)
    (only,) = recording.listed(folder)
    assert cv2.VideoCapture(str(only.path)).get(cv2.CAP_PROP_FRAME_COUNT) >= 3
    assert not list(folder.glob("*.part"))
