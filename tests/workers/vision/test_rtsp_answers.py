"""An RTSP camera that sends whoever asks elsewhere is not believed, however it says so; FFmpeg would go there."""

import socket
from urllib.parse import urlsplit

import pytest

from tests.workers.vision.cameras import Camera, answering
from workers.vision.rtsp import RtspRelay
from workers.vision.rtsp_answers import MOST_HEADER, Answers, Redirected, Unclear

ELSEWHERE = b"Location: rtsp://169.254.169.254/latest\r\n\r\n"
MOVED = b"RTSP/1.0 302 Found\r\nCSeq: 1\r\n" + ELSEWHERE
SDP = b"v=0\r\nm=video 0 RTP/AVP 26\r\n"
DESCRIBED = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: %d\r\n\r\n%s" % (len(SDP), SDP)
PACKET = b"$\x00\x00\x05RTSP/"


@pytest.mark.parametrize("step", [1, 5, 10_000])
def test_messages_are_given_on_whole_however_the_bytes_come(step: int) -> None:
    each = [b"RTSP/1.0 200 OK\r\n\r\n", PACKET, DESCRIBED, b"\r\n", b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", DESCRIBED]
    stream, answers = b"".join(each), Answers()
    assert [one for at in range(0, len(stream), step) for one in answers.feed(stream[at : at + step])] == each
    assert answers.feed(b"RTSP/1.0 2") == []
    assert (answers.rest(), answers.rest()) == (b"RTSP/1.0 2", b"")


@pytest.mark.parametrize(
    "said",
    [
        *(MOVED, PACKET + MOVED, DESCRIBED + MOVED, b"\r\n" + MOVED),
        b"RTSP/1.0\t302 Found\r\n" + ELSEWHERE,
        b"RTSP/1.0  302 Found\r\n" + ELSEWHERE,
        b"RTSP/x 0302 Found\r\n" + ELSEWHERE,
        b" RTSP/1.0 302\r\n" + ELSEWHERE,
        b"R\rTSP/1.0 302 Found\r\n" + ELSEWHERE,
        b"RTSP/1.0 200 OK\r\n$\x00\x00\x02\r\n" + MOVED,
        b"RTSP/1.0 200 OK\r\n\0X: 1\r\n" + MOVED,
        b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n" + MOVED,
        b"RTSP/1.0 200 OK\r\nContent-Length: 2\r\nContent-Length: 200\r\n\r\n" + MOVED,
        b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"X" * (MOST_HEADER + 1),
    ],
)
@pytest.mark.parametrize("step", [3, 100_000])
def test_no_byte_of_a_redirect_is_given_on(said: bytes, step: int) -> None:
    given: list[bytes] = []
    with pytest.raises((Redirected, Unclear)):
        _fed(said, step, given)
    assert b"302" not in b"".join(given)
    assert b"169.254" not in b"".join(given)


def _fed(said: bytes, step: int, given: list[bytes]) -> None:
    answers = Answers()
    for at in range(0, len(said), step):
        given += answers.feed(said[at : at + step])


@pytest.mark.parametrize("chunks", [[MOVED[:7], MOVED[7:10], MOVED[10:]], [PACKET, MOVED]])
def test_the_relay_hangs_up_at_a_redirect_that_comes_in_pieces_or_behind_a_picture(chunks: list[bytes]) -> None:
    with (
        Camera("rtsp", answering(*chunks, pause_s=0.05)) as camera,
        RtspRelay(urlsplit(camera.address + "/live"), "127.0.0.1", 2.0) as relay,
        socket.create_connection(("127.0.0.1", urlsplit(relay.url).port or 0), timeout=2) as viewer,
    ):
        viewer.sendall(b"OPTIONS * RTSP/1.0\r\n\r\n")
        heard = b""
        while data := viewer.recv(4096):
            heard += data
        assert relay.redirected
        assert b"302" not in heard


def test_after_pictures_were_asked_for_they_are_given_on_as_they_come() -> None:
    half = b"$\x00\xff\xff" + b"x" * 100
    with (
        Camera("rtsp", answering(half)) as camera,
        RtspRelay(urlsplit(camera.address + "/live"), "127.0.0.1", 2.0) as relay,
        socket.create_connection(("127.0.0.1", urlsplit(relay.url).port or 0), timeout=2) as viewer,
    ):
        viewer.sendall(b"PLAY rtsp://x/ RTSP/1.0\r\n\r\n")
        assert viewer.recv(4096) == half
