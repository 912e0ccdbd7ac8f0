"""What citizens send is looked at as it came, once somebody else said yes; it must not have anything else opened."""

import socket
from pathlib import Path

import pytest

from tests.workers.vision.cameras import jpeg_of
from workers.vision.marking import pictures


def test_a_list_of_files_or_a_description_of_a_stream_opens_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = jpeg_of((320, 180))
    (tmp_path / "secret.jpg").write_bytes(secret)
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    stream = f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video {port} RTP/AVP 26\r\n"
    for sent in (b"ffconcat version 1.0\nfile secret.jpg\n", stream.encode()):
        assert list(pictures(iter([(sent, 0.0)]), 5.0)) == []
    assert len(list(pictures(iter([(secret, 0.0)]), 5.0))) == 1
