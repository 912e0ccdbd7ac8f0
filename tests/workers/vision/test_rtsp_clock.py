"""What an RTSP camera says of its clock, heard in passing; nothing is what most say."""

import socket
import struct
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlsplit

import pytest

from tests.workers.vision.cameras import Camera, answering
from workers.vision.rtsp import RtspRelay, SenderReports

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


def report(at: float, channel: int = 1) -> bytes:
    """An interleaved RTCP packet: a sender report (RFC 3550, 6.4.1) with a source description behind it."""
    seconds, rest = divmod(at + 2_208_988_800, 1)
    body = struct.pack(">BBHIIIIII", 0x80, 200, 6, 7, int(seconds), int(rest * 2**32), 0, 1, 2)
    body += struct.pack(">BBHI4x", 0x81, 202, 2, 7)
    return struct.pack(">cBH", b"$", channel, len(body)) + body


def pictures(size: int = 3000) -> bytes:
    return struct.pack(">cBH", b"$", 0, size) + b"$\x01\x00\x20" * (size // 4)


@pytest.mark.parametrize("step", [1, 7, 1400, 10**6])
def test_sender_reports_are_found_between_pictures_however_the_bytes_come(step: int) -> None:
    stream = pictures() + b"RTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n" + report(NOON) + pictures(8) + report(NOON + 5.25)
    reports = SenderReports()
    said = [reports.feed(stream[at : at + step]) for at in range(0, len(stream), step)]
    assert [each for each in said if each is not None][-1] == pytest.approx(NOON + 5.25, abs=0.01)


@pytest.mark.parametrize(
    "stream", [report(-2_208_988_800 + 300), report(NOON)[:20], b"$\x01\x00\x04abcd", b"$", pictures() * 3]
)
def test_what_tells_no_time_tells_none(stream: bytes) -> None:
    assert SenderReports().feed(stream) is None


@pytest.mark.parametrize(
    ("says", "offset"),
    [("date", 60.0), ("report", -30.0), ("nothing", None)],
)
def test_the_relay_hears_how_far_the_cameras_clock_is_off(says: str, offset: float | None) -> None:
    date = format_datetime(datetime.fromtimestamp(time.time() + 60, UTC), usegmt=True) if says != "nothing" else "soon"
    chunks = [f"RTSP/1.0 200 OK\r\nCSeq: 1\r\nDate: {date}\r\n\r\n".encode()]
    chunks += [report(time.time() - 30)] if says == "report" else []
    with (
        Camera("rtsp", answering(*chunks, pause_s=0.05)) as camera,
        RtspRelay(urlsplit(camera.address + "/live"), "127.0.0.1", 2.0) as relay,
        socket.create_connection(("127.0.0.1", urlsplit(relay.url).port or 0), timeout=2) as viewer,
    ):
        viewer.sendall(b"OPTIONS * RTSP/1.0\r\n\r\n")
        heard = 0
        while heard < sum(map(len, chunks)):
            heard += len(viewer.recv(4096))
        if offset is None:
            assert relay.clock_offset_s is None
        else:
            assert relay.clock_offset_s == pytest.approx(offset, abs=3)
