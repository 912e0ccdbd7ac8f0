"""A name on the city's list is resolved once, and connected to only where it may point."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.workers.vision import cameras
from tests.workers.vision.cameras import Camera
from workers.vision.admit import Unseen
from workers.vision.mjpeg import MjpegStream
from workers.vision.resolve import fits, resolved

Look = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("address", "networks", "may"),
    [
        ("10.20.1.2", ["10.20.0.0/16"], True),
        ("10.21.1.2", ["10.20.0.0/16"], False),
        ("93.184.216.34", ["10.20.0.0/16"], False),
        ("93.184.216.34", [], True),
        ("10.20.1.2", [], True),
        ("127.0.0.1", [], False),
        ("127.0.0.1", ["127.0.0.1"], True),
        ("169.254.169.254", [], False),
        ("169.254.169.254", ["10.20.0.7"], False),
        ("0.0.0.0", [], False),
        ("224.0.0.1", [], False),
        ("255.255.255.255", [], False),
        ("::1", [], False),
        ("fe80::1", [], False),
        ("::ffff:127.0.0.1", [], False),
        ("::ffff:10.20.0.1", ["10.20.0.0/16"], True),
        ("2001:4860:4860::8888", ["10.20.0.0/16"], False),
    ],
)
def test_where_a_name_may_point(address: str, networks: list[str], may: bool) -> None:
    assert fits(ipaddress.ip_address(address), networks) is may


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001"])
@pytest.mark.parametrize("kind", ["mjpeg", "rtsp", "hls"])
def test_a_listed_name_that_points_to_this_machine_is_not_opened(look: Look, kind: str, host: str) -> None:
    scheme = "rtsp" if kind == "rtsp" else "http"
    with Camera(scheme, cameras.endless) as camera:
        address = f"{scheme}://{host}:{camera.address.rpartition(':')[2]}"
        answer = look(kind=kind, url=f"{address}/live", config={"allowed_addresses": [address]})
        assert (answer["verdict"], answer["health"]["not_allowed"]) == ("cannot_tell", True)
        assert answer["health"]["reason"] == "address_not_allowed"
        assert camera.visits == 0


def test_a_listed_name_within_a_listed_network_is_opened(look: Look) -> None:
    with Camera("http", cameras.endless) as camera:
        address = camera.address.replace("127.0.0.1", "localhost")
        config = {"allowed_addresses": [address], "allowed_networks": ["127.0.0.0/8"]}
        assert look(kind="mjpeg", url=f"{address}/x", window={"seconds": 1.0}, config=config)["status"] == "ok"


def test_a_name_that_points_elsewhere_the_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first answer is judged and connected to; nobody asks a second time."""
    with Camera("http", cameras.endless) as listed, Camera("http", cameras.endless) as inside:
        port = int(listed.address.rpartition(":")[2])
        asked: list[str] = []
        real = socket.getaddrinfo

        def rebinding(host: str, *args: Any, **named: Any) -> Any:
            if host != "cam.example":
                return real(host, *args, **named)
            asked.append(host)
            where = "127.0.0.1" if len(asked) == 1 else inside.address.rpartition("/")[2]
            return real(where, *args, **named)

        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        parts = urlsplit(f"http://cam.example:{port}/live")
        ip, _ = resolved(parts, ["127.0.0.0/8"], 2.0)
        with MjpegStream(parts, ip, 2.0, 2.0) as stream:
            assert stream.next_jpeg()
        assert (asked, listed.visits, inside.visits) == (["cam.example"], 1, 0)
        asked.clear()
        with pytest.raises(Unseen) as refused:
            resolved(parts, ["10.20.0.0/16"], 2.0)
        assert refused.value.not_allowed


def test_a_resolver_that_hangs_is_a_camera_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    over = threading.Event()

    def hanging(*_: Any, **__: Any) -> Any:
        over.wait(5)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    with pytest.raises(Unseen) as nothing:
        resolved(urlsplit("rtsp://cam.example/1"), [], 0.1)
    over.set()
    assert (nothing.value.reason, nothing.value.down) == ("no_answer", True)
