"""A source names one thing that the city's list has, and its password stands nowhere in the open."""

from dataclasses import replace
from typing import Any

import pytest

from domain.cameras import registry, sources
from domain.cameras.errors import SourceNotAllowed
from domain.cities import queries as cities
from domain.cities.config import CameraSource, CityConfig
from domain.errors import Invalid
from tests.factories.cameras import NOON, PLACE, SECRET


@pytest.fixture(scope="module")
def config() -> CityConfig:
    allowed = (
        CameraSource("file", "", "var/footage/"),
        CameraSource("rtsp", "10.20.0.0/16", "/"),
        CameraSource("http", "cams.example", "/live/"),
    )
    return replace(cities.current("lahore"), camera_sources=allowed)


@pytest.mark.parametrize(
    "source",
    [
        {"kind": "file", "path": "var/footage/a.mp4"},
        {"kind": "file", "path": "var/footage/a.mp4", "recorded_at": "2026-03-01T12:00:00+05:00"},
        {"kind": "segments", "path": "var/footage/cam-7"},
        {"kind": "segments", "path": "var/footage/cam-7/", "segment_s": 60.0},
        {"kind": "rtsp", "url": "rtsp://10.20.3.4:554/one?subtype=0"},
        {"kind": "mjpeg", "url": "http://cams.example/live/7"},
        {"kind": "gateway"},
    ],
)
def test_taken_as_it_is(source: dict[str, Any], config: CityConfig) -> None:
    assert sources.clean(source, config) == (source, "")


@pytest.mark.parametrize(
    "source",
    [
        {"kind": "file", "path": "/etc/passwd"},
        {"kind": "file", "path": "var/footage/../../etc/passwd"},
        {"kind": "file", "path": "/etc/passwd", "url": "http://cams.example/live/7"},
        {"kind": "segments", "path": "var"},
        {"kind": "rtsp", "url": "rtsp://10.21.0.1/one"},
        {"kind": "rtsp", "url": "rtsp://10.20.3.4@10.99.0.1/one"},
        {"kind": "rtsp", "url": "rtsp://metadata.internal/one"},
        {"kind": "mjpeg", "url": "http://cams.example/admin"},
        {"kind": "mjpeg", "url": "http://cams.example.evil.example/live/7"},
        {"kind": "mjpeg", "url": "http://127.0.0.1/live/7"},
    ],
)
def test_not_on_the_list(source: dict[str, Any], config: CityConfig) -> None:
    with pytest.raises(SourceNotAllowed):
        sources.clean(source, config)


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"kind": "ftp"},
        {"kind": "file"},
        {"kind": "file", "path": "var/footage/a?../../../etc/passwd"},
        {"kind": "file", "path": "var/footage/a.mp4", "recorded_at": "2026-03-01T12:00:00"},
        {"kind": "segments", "path": "var/footage/a", "segment_s": True},
        {"kind": "mjpeg", "url": "rtsp://10.20.3.4/one"},
        {"kind": "rtsp", "url": "http://cams.example/live/7"},
        {"kind": "rtsp", "url": "rtsp://10.20.3.4:0/one"},
        {"kind": "rtsp", "url": "rtsp://10.20.3.4:port/one"},
        {"kind": "rtsp", "url": "rtsp://10.20.3.4\\@10.99.0.1/one"},
        {"kind": "rtsp", "url": "rtsp://10.20.3.4/a b"},
        {"kind": "rtsp", "url": ["rtsp://10.20.3.4/one"]},
    ],
)
def test_not_understood(source: dict[str, Any], config: CityConfig) -> None:
    with pytest.raises(Invalid) as refused:
        sources.clean(source, config)
    assert refused.value.error_code == "invalid"


def test_a_list_that_became_shorter_holds_at_the_next_look(config: CityConfig) -> None:
    source = {"kind": "rtsp", "url": "rtsp://10.20.3.4/one"}
    assert sources.allowed_now(source, config)
    assert not sources.allowed_now(source, replace(config, camera_sources=()))
    assert not sources.allowed_now({"kind": "gateway"}, config)


@pytest.mark.usefixtures("documents")
def test_a_password_is_sealed(config: CityConfig) -> None:
    url = "rtsp://viewer:s3cret@10.20.3.4:554/one"
    facts = {"name": "a", "position": {"lat": PLACE[0], "lon": PLACE[1]}, "source": {"kind": "rtsp", "url": url}}
    made, _ = registry.add("cam_1", facts, config, secret=SECRET, now=NOON)
    assert "s3cret" not in str(made)
    assert made["source"]["url"] == "rtsp://10.20.3.4:554/one"
    assert registry.source_of(made, secret=SECRET) == {"kind": "rtsp", "url": url}
    assert registry.source_of(made, secret="x" * 40) == {"kind": "rtsp", "url": "rtsp://10.20.3.4:554/one"}
    assert sources.place_of(url) == "rtsp://10.20.3.4:554"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://10.20.3.4/one?channel=1&subtype=0", "rtsp://10.20.3.4/one?channel=1&subtype=0"),
        ("rtsp://10.20.3.4/one?channel=1&pwd=s3cret", "rtsp://10.20.3.4/one"),
        ("rtsp://viewer:s3cret@10.20.3.4:554/one?s3cret", "rtsp://10.20.3.4:554/one"),
        ("http://cams.example/live/7?token=s3cret&Channel=2", "http://cams.example/live/7"),
    ],
)
def test_a_password_in_a_query_is_sealed_too(config: CityConfig, url: str, shown: str) -> None:
    kind = "rtsp" if url.startswith("rtsp") else "mjpeg"
    source, sealed = sources.clean({"kind": kind, "url": url}, config)
    assert source == {"kind": kind, "url": shown}
    assert sources.with_credentials(shown, sealed) == url
