"""Whatever a camera sends, a look answers: a finding, within its limit, from a worker that lives on."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.workers.vision import cameras
from tests.workers.vision.cameras import Camera
from workers.vision.child import Looker

Look = Callable[..., dict[str, Any]]
Clip = Callable[..., Path]


@pytest.fixture(autouse=True)
def answers_in_time_and_lives_on(looker: Looker) -> Iterator[None]:
    assert looker.warm()  # another test may have killed it
    began = time.monotonic()
    child = looker._child
    yield
    assert time.monotonic() - began < 75  # the wall limit of these looks is 70
    assert looker._child is child, "the child died of this footage"
    assert child is not None
    assert child.poll() is None


def written(footage: Path, name: str, data: bytes) -> str:
    (footage / name).write_bytes(data)
    return str(footage / name)


def saw_nothing(answer: dict[str, Any], status: str, reason: str, verdict: str = "cannot_tell") -> None:
    assert (answer["status"], answer["verdict"], answer["health"]["reason"]) == (status, verdict, reason)
    assert answer["stills"] == []
    assert answer["detections"] == []


# Files


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"", "corrupt", "empty_file"),
        (b"the camera was on holiday\n" * 99, "unsupported", "not_footage"),
        (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "unsupported", "not_footage"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "unsupported", "not_footage"),
        (b"\x00\x00\x00\x18ftypmp42" + b"\x07" * 5000, "corrupt", "not_decodable"),
        (b"RIFF\xff\xff\xff\xffAVI LIST" + b"\x00" * 3000, "corrupt", "not_decodable"),
        (b"GIF89a" + b"\x01" * 50, "corrupt", None),
        (b"\xff\xd8\xff\xe0" + b"\x00" * 64, "corrupt", "no_picture"),
    ],
    ids=[
        "empty",
        "text",
        "playlist",
        "concat",
        "mp4 of nothing",
        "avi of nothing",
        "gif of nothing",
        "jpeg of nothing",
    ],
)
def test_a_file_that_is_no_footage(look: Look, footage: Path, data: bytes, status: str, reason: str | None) -> None:
    answer = look(kind="file", path=written(footage, f"bad-{zlib.crc32(data)}.mp4", data))
    saw_nothing(answer, status, reason or answer["health"]["reason"])


def test_a_file_without_pictures(look: Look, footage: Path) -> None:
    writer = cv2.VideoWriter(str(footage / "none.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 8, (320, 240))
    writer.release()
    answer = look(kind="file", path=str(footage / "none.avi"))
    assert answer["status"] == "corrupt"
    assert answer["verdict"] == "cannot_tell"


def test_a_truncated_mp4_without_its_index(look: Look, footage: Path, clip: Clip) -> None:
    data = clip("walk").read_bytes()
    saw_nothing(look(kind="file", path=written(footage, "cut.mp4", data[: len(data) // 2])), "corrupt", "not_decodable")


def test_a_truncated_clip_is_partial_and_never_clear(look: Look, footage: Path, clip: Clip) -> None:
    data = clip("empty", seconds=4.0, suffix=".avi").read_bytes()
    answer = look(kind="file", path=written(footage, "cut.avi", data[: len(data) // 2]))
    assert answer["status"] == "partial"
    assert answer["verdict"] == "cannot_tell"
    assert 0 < answer["frames"]["decoded"] < answer["frames"]["declared"]


def test_flipped_bits_never_make_a_street_clear(look: Look, footage: Path, clip: Clip) -> None:
    data = bytearray(clip("empty").read_bytes())
    rng = np.random.default_rng(5)
    start = data.index(b"mdat") + 4
    end = data.index(b"moov") if data.index(b"moov") > start else len(data)
    for place in rng.integers(start, end, (end - start) // 60):
        data[place] ^= 1 << int(rng.integers(8))
    answer = look(kind="file", path=written(footage, "flipped.mp4", bytes(data)))
    assert answer["verdict"] != "clear"


def test_a_picture_of_a_hundred_megapixels_is_refused_by_its_header(look: Look, footage: Path) -> None:
    header = struct.pack(">IIBBBBB", 10000, 10000, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\x00" * (10001 * 10000), 1)
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")):
        data += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    saw_nothing(look(kind="file", path=written(footage, "huge.png", data)), "unsupported", "too_many_pixels")


def test_a_video_of_a_hundred_megapixels_is_refused(look: Look, footage: Path) -> None:
    writer = cv2.VideoWriter(str(footage / "huge.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 8, (10000, 10000))
    writer.write(np.zeros((10000, 10000, 3), np.uint8))
    writer.release()
    saw_nothing(look(kind="file", path=str(footage / "huge.avi")), "unsupported", "too_many_pixels")


def test_more_bytes_than_allowed(look: Look, clip: Clip) -> None:
    saw_nothing(look(kind="file", path=str(clip("walk")), config={"max_bytes": 1000}), "unsupported", "too_many_bytes")


def test_a_device_is_no_file(look: Look) -> None:
    saw_nothing(look(kind="file", path="/dev/zero", config={"allowed_roots": ["/dev"]}), "unsupported", "not_a_file")


def test_a_still_picture_is_footage_of_one(look: Look, footage: Path, clip: Clip) -> None:
    capture = cv2.VideoCapture(str(clip("hands_up")))
    picture = [capture.read()[1] for _ in range(40)][-1]
    good = cv2.imwrite(str(footage / "one.jpg"), picture)
    assert good
    answer = look(kind="file", path=str(footage / "one.jpg"))
    assert (answer["status"], answer["verdict"], answer["summary"]["people_max"]) == ("ok", "seen", 1)


# Where a look may go


@pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd", "/proc/self/environ", "a\x00b"])
def test_no_file_outside_the_roots(look: Look, path: str) -> None:
    answer = look(kind="file", path=path)
    saw_nothing(answer, "unsupported", "path_not_allowed")
    assert answer["health"]["not_allowed"] is True


def test_no_symlink_out_of_the_roots(look: Look, footage: Path, clip: Clip, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(clip("walk").read_bytes())
    (footage / "link.mp4").symlink_to(secret)
    (footage / "door").symlink_to(tmp_path)
    for path in ("link.mp4", "door/secret.mp4", str(footage / "door" / "secret.mp4")):
        saw_nothing(look(kind="file", path=path), "unsupported", "path_not_allowed")


def test_nothing_is_allowed_unless_it_is_listed(look: Look, clip: Clip) -> None:
    answer = look(kind="file", path=str(clip("walk")), config={"allowed_roots": []})
    saw_nothing(answer, "unsupported", "path_not_allowed")


def test_a_recording_that_is_not_there_is_a_camera_that_is_down(look: Look) -> None:
    saw_nothing(look(kind="file", path="cam-9/never.mp4"), "unsupported", "no_recording", "down")


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/",
        "http://camera.example:81/",
        "https://camera.example/",
        "http://camera.example@127.0.0.1/",
        "http://camera.example\\@127.0.0.1/",
        "http://camera.example:99999999/",
        "http://[::1",
        "file:///etc/passwd",
        "gopher://camera.example/",
        "",
    ],
)
@pytest.mark.parametrize("kind", ["mjpeg", "rtsp"])
def test_no_address_that_is_not_listed(look: Look, kind: str, url: str) -> None:
    answer = look(
        kind=kind, url=url, config={"allowed_addresses": ["http://camera.example:80", "rtsp://camera.example"]}
    )
    assert (answer["status"], answer["verdict"]) == ("unsupported", "cannot_tell")
    assert answer["health"]["not_allowed"] is True


def test_an_unknown_kind_of_source(look: Look) -> None:
    saw_nothing(look(kind="telepathy"), "unsupported", "unknown_source")


# HTTP


def watch(look: Look, camera: Camera, kind: str = "mjpeg", seconds: float = 2.0, **config: Any) -> dict[str, Any]:
    config = {"allowed_addresses": [camera.address], **config}
    return look(kind=kind, url=camera.address + "/live", window={"seconds": seconds}, config=config)


@pytest.mark.parametrize("talk", [cameras.silent, cameras.dripping], ids=["silent", "dripping"])
def test_a_stream_that_never_answers_is_down(look: Look, talk: cameras.Talk) -> None:
    with Camera("http", talk) as camera:
        saw_nothing(watch(look, camera), "timeout", "no_answer", "down")
        assert camera.visits == 1


def test_nobody_listens(look: Look) -> None:
    with Camera("http", cameras.silent) as camera:
        camera.listener.close()
        saw_nothing(watch(look, camera), "timeout", "no_answer", "down")


def test_a_stream_without_pictures_is_down(look: Look) -> None:
    with Camera("http", cameras.answering(cameras.HEADER)) as camera:
        saw_nothing(watch(look, camera), "timeout", "no_picture_in_time", "down")


def test_a_stream_that_falls_silent_is_partial(look: Look) -> None:
    pictures = [cameras.part(cameras.jpeg_of((320, 240), seed)) for seed in range(6)]
    with Camera("http", cameras.answering(cameras.HEADER, *pictures, pause_s=0.2)) as camera:
        answer = watch(look, camera, seconds=8.0)
        assert (answer["status"], answer["verdict"]) == ("partial", "cannot_tell")
        assert answer["health"]["reason"] == "no_picture_in_time"
        assert answer["frames"]["decoded"] == 6


def test_a_redirect_is_not_followed(look: Look) -> None:
    with Camera("http", cameras.endless) as elsewhere:
        moved = b"HTTP/1.1 302 Found\r\nLocation: %s/\r\nContent-Length: 0\r\n\r\n" % elsewhere.address.encode()
        with Camera("http", cameras.answering(moved)) as camera:
            answer = watch(look, camera)
            saw_nothing(answer, "unsupported", "redirected")
            assert answer["health"]["not_allowed"] is True
            assert elsewhere.visits == 0


def test_a_page_is_no_stream(look: Look) -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello"
    with Camera("http", cameras.answering(page)) as camera:
        saw_nothing(watch(look, camera), "unsupported", "not_footage")


def test_a_refusal_is_a_camera_that_is_down(look: Look) -> None:
    refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
    with Camera("http", cameras.answering(refusal)) as camera:
        saw_nothing(watch(look, camera), "unsupported", "http_401", "down")


def test_a_streamed_picture_of_a_hundred_megapixels(look: Look) -> None:
    huge = cameras.part(cameras.jpeg_of((12000, 9000)))
    with Camera("http", cameras.answering(cameras.HEADER, huge)) as camera:
        saw_nothing(watch(look, camera, read_timeout_s=10.0), "unsupported", "too_many_pixels")


def test_a_part_that_never_ends(look: Look) -> None:
    part = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8" + b"\x00" * 65000

    def talk(visitor: Any, over: Any) -> None:
        visitor.recv(4096)
        visitor.sendall(cameras.HEADER + part)
        while not over.is_set():
            visitor.sendall(b"\x00" * 1_000_000)

    with Camera("http", talk) as camera:
        answer = watch(look, camera)
        assert answer["status"] in ("unsupported", "timeout")
        assert answer["verdict"] in ("cannot_tell", "down")


def test_an_endless_stream_is_watched_for_the_window_and_left(look: Look) -> None:
    with Camera("http", cameras.endless) as camera:
        answer = watch(look, camera, seconds=1.5)
        assert answer["status"] == "ok"
        assert 1.0 < answer["seconds"] <= 1.5


def test_a_window_is_never_longer_than_allowed(look: Look) -> None:
    with Camera("http", cameras.endless) as camera:
        answer = watch(look, camera, seconds=86400.0, max_seconds=1.0)
        assert answer["seconds"] <= 1.0


# RTSP


def test_rtsp_that_says_nothing_is_down(look: Look) -> None:
    with Camera("rtsp", cameras.silent) as camera:
        began = time.monotonic()
        saw_nothing(watch(look, camera, "rtsp"), "timeout", "no_answer", "down")
        assert time.monotonic() - began < 10  # FFmpeg's own is 30


def test_rtsp_is_read(look: Look) -> None:
    jpegs = [cameras.jpeg_of((320, 240), seed) for seed in range(40)]
    with Camera("rtsp", cameras.rtsp(jpegs)) as camera:
        answer = watch(look, camera, "rtsp", open_timeout_s=8.0, read_timeout_s=4.0)
        assert answer["status"] == "ok", answer["health"]
        assert answer["frames"]["decoded"] > 10
        assert answer["size"] == [320, 240]


def test_an_rtsp_redirect_is_not_followed(look: Look) -> None:
    with (
        Camera("rtsp", cameras.silent) as elsewhere,
        Camera("rtsp", cameras.rtsp([], redirect_to=elsewhere.address)) as camera,
    ):
        answer = watch(look, camera, "rtsp")
        saw_nothing(answer, "unsupported", "redirected")
        assert elsewhere.visits == 0


def test_rtsp_that_falls_silent_is_partial(look: Look) -> None:
    jpegs = [cameras.jpeg_of((320, 240), seed) for seed in range(12)]
    with Camera("rtsp", cameras.rtsp(jpegs)) as camera:
        answer = watch(look, camera, "rtsp", seconds=6.0, open_timeout_s=8.0, read_timeout_s=2.0)
        assert (answer["status"], answer["verdict"]) == ("partial", "cannot_tell")


def test_a_drawn_fall_is_seen_through_mjpeg(look: Look, clip: Clip) -> None:
    from sandbox.footage import MjpegServer

    with MjpegServer({"cam-1": clip("fall")}) as server:
        address = f"http://127.0.0.1:{server.port}"
        answer = look(
            kind="mjpeg", url=server.url("cam-1"), window={"seconds": 5.0}, config={"allowed_addresses": [address]}
        )
        assert (answer["status"], answer["verdict"]) == ("ok", "seen")
        assert "lying" in {finding["kind"] for finding in answer["summary"]["findings"]}
        nobody = look(kind="mjpeg", url=f"{address}/cam-2", config={"allowed_addresses": [address]})
        assert nobody["verdict"] == "down"


# Segments


def recorded(footage: Path, clip: Clip, name: str, *stamps: str) -> Path:
    folder = footage / name
    folder.mkdir()
    for stamp in stamps:
        (folder / f"cam-{stamp}.mp4").write_bytes(clip("walk", seconds=4.0).read_bytes())
    return folder


def test_segments_of_the_window_are_read_as_one(look: Look, footage: Path, clip: Clip) -> None:
    folder = recorded(footage, clip, "whole", "20260101T120000Z", "20260101T120004Z", "20260101T120008Z")
    window = {"start": "2026-01-01T12:00:02+00:00", "end": "2026-01-01T12:00:08+00:00"}
    answer = look(kind="segments", path=str(folder), window=window)
    assert answer["status"] == "ok"
    assert answer["verdict"] == "seen"
    assert 5.0 < answer["seconds"] < 6.0


def test_a_broken_segment_is_a_gap(look: Look, footage: Path, clip: Clip) -> None:
    folder = recorded(footage, clip, "gap", "20260101T120000Z", "20260101T120004Z")
    (folder / "cam-20260101T120002Z.mp4").write_bytes(b"nothing")
    window = {"start": "2026-01-01T12:00:00+00:00", "seconds": 8}
    answer = look(kind="segments", path=str(folder), window=window)
    assert (answer["status"], answer["health"]["reason"]) == ("partial", "gap")


def test_no_segment_of_the_window_is_a_camera_that_was_down(look: Look, footage: Path, clip: Clip) -> None:
    folder = recorded(footage, clip, "late", "20260101T120000Z")
    window = {"start": "2026-01-02T12:00:00+00:00", "seconds": 8}
    saw_nothing(look(kind="segments", path=str(folder), window=window), "unsupported", "no_recording", "down")


def test_the_part_of_a_file_that_the_window_asks_for(look: Look, clip: Clip) -> None:
    source = {"kind": "file", "path": str(clip("walk")), "recorded_at": "2026-01-01T12:00:00+00:00"}
    answer = look(**source, window={"start": "2026-01-01T12:00:04+00:00", "seconds": 10})
    assert answer["status"] == "ok"
    assert answer["seconds"] < 2.1
    saw_nothing(look(**source, window={"start": "2026-01-01T13:00:00+00:00"}), "unsupported", "no_recording", "down")
