"""HLS is read by us: segments in order from the one admitted place, and nothing that a playlist would like to have opened."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import pytest

from sandbox.footage import draw
from tests.workers.vision.cameras import Camera
from workers.vision import hls
from workers.vision.admit import Unseen

Look = Callable[..., dict[str, Any]]
SIZE, FPS = (640, 360), 8


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three segments of two seconds in which somebody walks, as MPEG-TS, with a playlist and one that names variants."""
    folder = tmp_path_factory.mktemp("hls")
    pictures = list(draw("walk", 6.0, SIZE, FPS, 3))
    for number in range(3):
        with av.open(str(folder / f"s{number}.ts"), "w", format="mpegts") as container:
            stream: Any = container.add_stream("libx264", rate=Fraction(FPS))
            stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
            stream.options = {"preset": "ultrafast"}
            for picture in pictures[number * 2 * FPS : (number + 1) * 2 * FPS]:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
            container.mux(stream.encode(None))
    rows = "".join(f"#EXTINF:2.0,\ns{number}.ts\n" for number in range(3))
    (folder / "live.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:7\n{rows}")
    (folder / "ended.m3u8").write_text((folder / "live.m3u8").read_text() + "#EXT-X-ENDLIST\n")
    (folder / "master.m3u8").write_text(
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nnothing.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=9\nended.m3u8\n"
    )
    return folder


@pytest.fixture(scope="module")
def server(shown: Path) -> Iterator[tuple[str, list[str]]]:
    """(address, what was asked for)."""
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(shown))

        def do_GET(self) -> None:
            asked.append(self.path)
            if self.path == "/moved.m3u8":
                self.send_response(302)
                self.send_header("Location", "/ended.m3u8")
                self.end_headers()
                return
            super().do_GET()

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_address[1]}", asked
        listening.shutdown()


def watch(look: Look, address: str, name: str, seconds: float = 8.0) -> dict[str, Any]:
    return look(
        kind="hls", url=f"{address}/{name}", window={"seconds": seconds}, config={"allowed_addresses": [address]}
    )


@pytest.mark.parametrize("name", ["ended.m3u8", "master.m3u8"])
def test_a_playlist_is_watched_to_its_end(look: Look, server: tuple[str, list[str]], name: str) -> None:
    answer = watch(look, server[0], name, seconds=6.0)
    assert (answer["status"], answer["verdict"]) == ("ok", "seen"), answer["health"]
    assert answer["frames"]["decoded"] == 48
    assert 5.5 < answer["seconds"] < 6.0


def test_a_live_playlist_that_stands_still_is_partial(look: Look, server: tuple[str, list[str]]) -> None:
    answer = watch(look, server[0], "live.m3u8", seconds=12.0)
    assert (answer["status"], answer["verdict"]) == ("partial", "seen")
    assert answer["frames"]["decoded"] == 48
    assert answer["health"]["reason"] == "no_picture_in_time"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("#EXTM3U\n#EXTINF:2,\nhttp://169.254.169.254/latest\n", "address_not_allowed"),
        ("#EXTM3U\n#EXTINF:2,\nfile:///etc/passwd\n", "address_malformed"),
        ("#EXTM3U\n#EXTINF:2,\nlive.m3u8\n", "not_footage"),
        ('#EXTM3U\n#EXT-X-MAP:URI="http://10.0.0.1/x"\n#EXTINF:2,\ns0.ts\n', "address_not_allowed"),
        ('#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:2,\ns0.ts\n', "encrypted"),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nbad.m3u8\n", "not_footage"),
        ("ffconcat version 1.0\nfile /etc/passwd\n", "not_footage"),
        ("#EXTM3U\n#EXTINF:2,\ns9.ts\n", "http_404"),
        ("", "not_footage"),
    ],
    ids=["elsewhere", "file", "text", "init elsewhere", "encrypted", "itself", "concat", "gone", "empty"],
)
def test_nothing_else_is_opened(look: Look, server: tuple[str, list[str]], shown: Path, text: str, reason: str) -> None:
    (shown / "bad.m3u8").write_text(text)
    answer = watch(look, server[0], "bad.m3u8")
    assert (answer["status"], answer["health"]["reason"]) == ("unsupported", reason)
    assert answer["verdict"] in ("cannot_tell", "down")
    assert not [path for path in server[1] if "passwd" in path or "latest" in path]


def test_a_playlist_tells_the_cameras_time_of_its_segments() -> None:
    text = (
        "#EXTM3U\n#EXTINF:2,\na.ts\n#EXT-X-PROGRAM-DATE-TIME:2026-03-01T17:00:00.500+05:00\n#EXTINF:2,\nb.ts\n"
        "#EXTINF:3,\nc.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:2,\nd.ts\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T17:00:00\n#EXTINF:2,\ne.ts\n#EXT-X-PROGRAM-DATE-TIME:soon\n#EXTINF:2,\nf.ts\n"
    )
    found = [each.ended_at for each in hls.parsed(text, "http://127.0.0.1/a.m3u8").pieces]
    noon = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert found == [None, noon + timedelta(seconds=2.5), noon + timedelta(seconds=5.5), None, None, None]


def test_a_redirect_is_not_followed(look: Look, server: tuple[str, list[str]]) -> None:
    before = len(server[1])
    assert watch(look, server[0], "moved.m3u8")["health"]["reason"] == "redirected"
    assert server[1][before:] == ["/moved.m3u8"]


def test_a_playlist_is_read_or_refused_whatever_is_in_it() -> None:
    import random

    words = ["#EXTM3U", "#EXTINF:2.0,", "#EXTINF:...,", "#EXT-X-MEDIA-SEQUENCE:-1", "s.ts", "#EXT-X-TARGETDURATION:9e9",
             "#EXT-X-STREAM-INF:BANDWIDTH=", "#EXT-X-MAP:URI=", "\x00", "#EXT-X-ENDLIST", "http://[::1", "é" * 9]  # fmt: skip
    for seed in range(400):
        draw_of = random.Random(seed)
        text = "\n".join(["#EXTM3U", *(draw_of.choice(words) for _ in range(9))])
        try:
            hls.parsed(text, "http://127.0.0.1/a.m3u8")
        except Unseen:
            continue


def test_an_answer_that_drips_until_its_connection_closes_is_ended_in_time() -> None:
    said_all: list[bool] = []

    def dripping(visitor: socket.socket, over: threading.Event) -> None:
        visitor.recv(4096)
        visitor.sendall(b"HTTP/1.0 200 OK\r\n\r\n#EXTM3U\n")
        for _ in range(100):
            if over.wait(0.1):
                return
            visitor.sendall(b"#")
        said_all.append(True)

    with Camera("http", dripping) as camera, pytest.raises(Unseen) as refused:
        hls.HlsStream(urlsplit(camera.address + "/a.m3u8"), "127.0.0.1", 0.3, 0.3)
    assert refused.value.reason == "no_picture_in_time"
    assert not said_all
