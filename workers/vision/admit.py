"""Who may be looked at: files under allowed roots, addresses on the city's list, bytes that are footage.

A camera's address is data that people type in; without this gate a look would be a way to make the city's servers open
any file and any internal address (SSRF, and FFmpeg's playlists that name other files).
"""

from __future__ import annotations

import hashlib
import stat
import struct
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from workers.vision.observation import Status

PORTS = {"http": 80, "https": 443, "rtsp": 554}

# First bytes of what we read. Playlists (#EXTM3U, ffconcat, sdp) are text that makes FFmpeg open other things: not here.
MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftyp", "mp4"),
    (4, b"moov", "mp4"),
    (4, b"mdat", "mp4"),
    (0, b"RIFF", "avi"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (0, b"GIF8", "gif"),
    (0, b"\x00\x00\x01\xba", "mpeg-ps"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
)


class Unseen(Exception):
    """A source that cannot be looked at; becomes an observation with this status and reason, and never a dead job."""

    def __init__(self, status: Status, reason: str, *, down: bool = False, not_allowed: bool = False) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.down = down
        self.not_allowed = not_allowed


def address(url: str) -> SplitResult:
    """Split an address that FFmpeg and we read alike. Raises ``Unseen`` for any that two readers might read differently."""
    if any(character in url for character in "\\ \t\r\n\x00") or len(url) > 2048:
        raise Unseen(Status.UNSUPPORTED, "address_malformed", not_allowed=True)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Unseen(Status.UNSUPPORTED, "address_malformed", not_allowed=True) from error
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise Unseen(Status.UNSUPPORTED, "address_malformed", not_allowed=True)
    return parts


def place(parts: SplitResult) -> tuple[str, str, int]:
    """(scheme, host, port) of an address, in the one form that is compared."""
    return parts.scheme, (parts.hostname or "").rstrip("."), parts.port or PORTS[parts.scheme]


def admit_url(url: str, allowed: Iterable[str]) -> SplitResult:
    """The split address, if its scheme, host and port stand on the list. Raises ``Unseen`` otherwise.

    The list is compared as written; where a listed name may point to is judged when it is resolved (``resolve``).
    """
    parts = address(url)
    if place(parts) not in {place(address(entry)) for entry in allowed}:
        raise Unseen(Status.UNSUPPORTED, "address_not_allowed", not_allowed=True)
    return parts


def admit_path(path: str, roots: Iterable[str]) -> Path:
    """The real path, if it lies under an allowed root once every symlink is followed.

    A relative path is taken under the first root that has it. Raises ``Unseen``: not allowed, or down when nothing is there.
    """
    real_roots = [Path(root).resolve() for root in roots]
    if "\x00" in path:
        raise Unseen(Status.UNSUPPORTED, "path_not_allowed", not_allowed=True)
    candidates = [Path(path)] if Path(path).is_absolute() else [root / path for root in real_roots]
    inside = False
    for candidate in candidates:
        real = candidate.resolve()
        if not any(real.is_relative_to(root) for root in real_roots):
            continue
        inside = True
        if real.exists():
            return real
    if not inside:
        raise Unseen(Status.UNSUPPORTED, "path_not_allowed", not_allowed=True)
    raise Unseen(Status.UNSUPPORTED, "no_recording", down=True)


def admit_file(path: Path, max_bytes: int) -> str:
    """The container's name, by its first bytes.

    Raises ``Unseen`` for what is empty, too large, no regular file or no footage.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Unseen(Status.UNSUPPORTED, "not_a_file")
    if status.st_size == 0:
        raise Unseen(Status.CORRUPT, "empty_file")
    if status.st_size > max_bytes:
        raise Unseen(Status.UNSUPPORTED, "too_many_bytes")
    with path.open("rb") as stream:
        container = container_of(stream.read(1024))
    if not container:
        raise Unseen(Status.UNSUPPORTED, "not_footage")
    return container


def container_of(head: bytes) -> str:
    """The container's name by the first kilobyte of a file; empty for what is no footage."""
    for offset, magic, name in MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return name
    if head[:1] == b"G" and head[188:189] == b"G" and head[376:377] == b"G":
        return "mpeg-ts"  # ISO 13818-1: a sync byte every 188
    return ""


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def image_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) that a JPEG or PNG declares, read from its header without decoding it; None when it has none.

    JPEG: the first SOFn marker (ITU T.81, B.2.2). PNG: the IHDR chunk.
    """
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF or 0xD0 <= marker <= 0xD8 or marker == 0x01:
            at += 1 if marker == 0xFF else 2
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return None


def admit_image(data: bytes, max_side: int) -> None:
    """Refuse a picture by its header. Raises ``Unseen``: no header (corrupt) or more than ``max_side`` pixels (unsupported)."""
    size = image_size(data)
    if size is None or 0 in size:
        raise Unseen(Status.CORRUPT, "no_picture")
    if max(size) > max_side:
        raise Unseen(Status.UNSUPPORTED, "too_many_pixels")
