"""Where camera addresses may point to, and what is looked for beyond what Amaan finds itself. Pure.

A registered camera makes a worker of ours open an address. Only addresses on the city's list are opened, so that a
camera's owner cannot make it read this machine's files or speak to its neighbours.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from domain.cities.config import CameraDetector, CameraSource, CityConfig
from domain.cities.reader import Reader

SCHEMES: Final = frozenset({"rtsp", "rtsps", "http", "https", "file"})


def parse_source(reader: Reader) -> CameraSource:
    """One entry of `camera_sources`: `{scheme, host, path}`; a file has no host and a relative or absolute folder."""
    scheme = reader.text("scheme")
    if scheme not in SCHEMES:
        raise reader.wrong("scheme", f"must be one of {', '.join(sorted(SCHEMES))}")
    host = "" if scheme == "file" else reader.text("host").lower()
    path = reader.text("path") if scheme == "file" or reader.has("path") else "/"
    if "/" in host:
        try:
            ipaddress.ip_network(host)
        except ValueError:
            raise reader.wrong("host", "must be a name, an address or a network such as 10.20.0.0/16") from None
    if ".." in path.split("/") or not path.endswith("/"):
        raise reader.wrong("path", "must be a folder that ends in / and has no ..")
    reader.done()
    return CameraSource(scheme, host, path)


def parse_detectors(readers: Iterable[Reader], top: Reader) -> tuple[CameraDetector, ...]:
    """The entries of `camera_detectors`: `{name, options}` of an installed detector, or `{model}`, the path of a `model.toml`.

    Whether it is installed, or the model is there, is seen by the worker that looks, and by `amaan vision models`.
    """
    found = tuple(_detector(reader) for reader in readers)
    names = [each.name or each.model for each in found]
    if len(set(names)) != len(names):
        raise top.wrong("camera_detectors", "has something twice")
    return found


def _detector(reader: Reader) -> CameraDetector:
    if reader.has("model"):
        made = CameraDetector(model=reader.text("model"))
        if not made.model.endswith(".toml"):
            raise reader.wrong("model", "must be the path of a model.toml")
    else:
        name = reader.identifier("name")
        options = reader.raw("options") if reader.has("options") else {}
        if not isinstance(options, Mapping):
            raise reader.wrong("options", "must be a table")
        made = CameraDetector(name, dict(options))
    reader.done()
    return made


def is_allowed(city: CityConfig, address: str) -> bool:
    """Whether a camera of this city may be read at `address` (`rtsp://host/path`, `file:folder/clip.mp4`).

    A name is compared as a name; where it may point to is judged when it is resolved (`workers/vision/resolve.py`). A
    file's path is compared as written, so whoever opens it resolves symbolic links itself.
    """
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").lower()
    except ValueError:
        return False
    path = unquote(parts.path) or "/"
    if any(char in path for char in "\\\0%") or ".." in path.split("/"):
        return False  # a % that is left was encoded twice: whoever opens it might decode it into something else
    return any(
        source.scheme == parts.scheme and _same_host(source.host, host) and path.startswith(source.path)
        for source in city.camera_sources
    )


def is_network(host: str) -> bool:
    """Whether an entry's host is an address or a network, not a name."""
    try:
        ipaddress.ip_network(host, strict=False)
    except ValueError:
        return False
    return True


def _same_host(allowed: str, host: str) -> bool:
    if "/" not in allowed:
        return allowed == host
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(allowed)
    except ValueError:
        return False
