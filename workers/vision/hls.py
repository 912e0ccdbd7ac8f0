"""A camera that speaks HLS (RFC 8216), read by us: FFmpeg would open whatever its playlist names.

The playlist and each segment are fetched from the one admitted host and port, no redirect followed, bytes and time bounded;
a segment reaches FFmpeg as bytes without a name (memfd), so nothing in it can lead anywhere. Where the playlist says when
its segments were taken (`EXT-X-PROGRAM-DATE-TIME`, 4.3.2.6), that is the camera's clock, and how far it is off is known.
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import SplitResult, urljoin

from workers.vision import admit
from workers.vision.admit import Unseen
from workers.vision.mjpeg import connected, request_headers
from workers.vision.observation import Status

MAX_PLAYLIST = 1_000_000
MAX_SEGMENT = 64_000_000
BEHIND = 3  # segments before the live edge, as RFC 8216, 6.3.3 wants it
_DURATION = re.compile(r"#EXTINF:\s*([0-9.]+)")
_BANDWIDTH = re.compile(r"[:,]BANDWIDTH=(\d+)")
_ATTRIBUTE_URI = re.compile(r'URI="([^"]*)"')
LONGEST_WAIT_S = 20.0
DEPTH = 2  # a master playlist names media playlists, and these name segments


@dataclass(frozen=True)
class Piece:
    """One media segment: its number, where it is, how long it says it is, what must stand before its bytes, and when it
    ended by the camera's clock, where that is said.
    """

    number: int
    url: str
    seconds: float
    init_url: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Playlist:
    """A media playlist, or of a master playlist the ``variants`` (bandwidth, address)."""

    pieces: tuple[Piece, ...] = ()
    target_s: float = 6.0
    ended: bool = False
    variants: tuple[tuple[int, str], ...] = ()


def parsed(text: str, base: str) -> Playlist:
    """Read a playlist; addresses in it are relative to ``base``. Raises ``Unseen`` for what is none, or is encrypted."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or not lines[0].startswith("#EXTM3U"):
        raise Unseen(Status.UNSUPPORTED, "not_footage")
    pieces: list[Piece] = []
    variants: list[tuple[int, str]] = []
    number, target, seconds, init, bandwidth, ended = 0, 6.0, 0.0, "", -1, False
    clock: datetime | None = None
    for line in lines[1:]:
        if line.startswith("#EXT-X-KEY") and "METHOD=NONE" not in line:
            raise Unseen(Status.UNSUPPORTED, "encrypted")
        if line.startswith("#EXT-X-BYTERANGE"):
            raise Unseen(Status.UNSUPPORTED, "not_footage")
        if line.startswith("#EXT-X-MEDIA-SEQUENCE:"):
            number = _whole(line.partition(":")[2])
        elif line.startswith("#EXT-X-TARGETDURATION:"):
            target = min(60.0, max(0.5, float(_whole(line.partition(":")[2]) or 6)))
        elif line.startswith("#EXT-X-MAP:") and (found := _ATTRIBUTE_URI.search(line)):
            init = _joined(base, found[1])
        elif line.startswith("#EXT-X-STREAM-INF:"):
            found = _BANDWIDTH.search(line)
            bandwidth = int(found[1]) if found else 0
        elif line.startswith("#EXT-X-ENDLIST"):
            ended = True
        elif line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
            clock = _moment(line.partition(":")[2])
        elif line.startswith("#EXT-X-DISCONTINUITY") and not line.startswith("#EXT-X-DISCONTINUITY-SEQUENCE"):
            clock = None
        elif found := _DURATION.match(line):
            seconds = _seconds(found[1])
        elif not line.startswith("#"):
            address = _joined(base, line)
            if bandwidth >= 0:
                variants.append((bandwidth, address))
                bandwidth = -1
            else:
                clock = None if clock is None else clock + timedelta(seconds=seconds)
                pieces.append(Piece(number, address, seconds, init, clock))
                number += 1
    return Playlist(tuple(pieces), target, ended, tuple(variants))


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError as error:
        raise Unseen(Status.UNSUPPORTED, "address_malformed", not_allowed=True) from error


def _seconds(text: str) -> float:
    try:
        return min(60.0, float(text))
    except ValueError:
        return 0.0


def _moment(text: str) -> datetime | None:
    """A time with its zone; without one it says nothing."""
    try:
        found = datetime.fromisoformat(text.strip())
        return found if found.tzinfo and 2000 < found.year < 3000 else None
    except ValueError:
        return None


def _whole(text: str) -> int:
    digits = text.strip()
    return int(digits) if digits.isdigit() and len(digits) < 16 else 0


class HlsStream:
    """``next_piece`` gives each segment's bytes as an open file's path, in order, as they appear."""

    def __init__(self, parts: SplitResult, ip: str, open_timeout_s: float, read_timeout_s: float) -> None:
        self._place, self._ip = admit.place(parts), ip
        self._headers = request_headers(parts, "*/*")
        self._open_timeout, self._read_timeout = open_timeout_s, read_timeout_s
        self._url = parts.geturl()
        self._last = -1
        self._waiting: list[Piece] = []
        self._init = ("", b"")
        self._file: int | None = None
        self.clock_offset_s: float | None = None
        playlist = self._playlist(self._url)
        for _ in range(DEPTH):
            if not playlist.variants:
                break
            self._url = max(playlist.variants)[1]
            playlist = self._playlist(self._url)
        if playlist.variants:
            raise Unseen(Status.UNSUPPORTED, "not_footage")
        self._target, self._ended = playlist.target_s, playlist.ended
        pieces = playlist.pieces if playlist.ended else playlist.pieces[-BEHIND:]
        self._compare_clocks(playlist)
        self._take(pieces)
        self.behind_s = 0.0 if playlist.ended else sum(piece.seconds for piece in pieces)

    def _compare_clocks(self, playlist: Playlist) -> None:
        """By how many seconds the camera's clock is ahead of ours: at the latest when the playlist names it, a segment is
        over. The least delay is the best that is known; what the camera takes to publish remains in it.
        """
        said = playlist.pieces[-1].ended_at if playlist.pieces and not playlist.ended else None
        if said is not None:
            ahead = round(said.timestamp() - time.time(), 1)
            self.clock_offset_s = ahead if self.clock_offset_s is None else max(ahead, self.clock_offset_s)

    def _take(self, pieces: tuple[Piece, ...]) -> None:
        if pieces and pieces[-1].number < self._last - 1:
            self._last = -1  # the camera began its numbers anew
        fresh = [piece for piece in pieces if piece.number > self._last]
        if fresh:
            self._last = fresh[-1].number
        self._waiting += fresh

    def next_piece(self) -> tuple[str, float] | None:
        """(path, seconds) of the next segment, good until the next call; None when the stream has ended.

        Raises ``Unseen`` (timeout) when none came within the read time-out and two target durations.
        """
        deadline = time.monotonic() + min(LONGEST_WAIT_S, self._read_timeout + 2 * self._target)
        while not self._waiting:
            if self._ended:
                return None
            if time.monotonic() > deadline:
                raise Unseen(Status.TIMEOUT, "no_picture_in_time")
            time.sleep(min(1.0, self._target / 2))
            playlist = self._playlist(self._url)
            self._ended = playlist.ended
            self._compare_clocks(playlist)
            self._take(playlist.pieces)
        piece = self._waiting.pop(0)
        data = self._fetch(piece.url, MAX_SEGMENT)
        if piece.init_url:
            if self._init[0] != piece.init_url:
                self._init = (piece.init_url, self._fetch(piece.init_url, MAX_PLAYLIST))
            data = self._init[1] + data
        if not admit.container_of(data[:1024]):
            raise Unseen(Status.UNSUPPORTED, "not_footage")
        self.release()
        self._file = os.memfd_create("segment", os.MFD_CLOEXEC)
        with os.fdopen(os.dup(self._file), "wb") as out:
            out.write(data)
        return f"/proc/self/fd/{self._file}", piece.seconds

    def _playlist(self, url: str) -> Playlist:
        return parsed(self._fetch(url, MAX_PLAYLIST).decode("utf-8", "replace"), url)

    def _fetch(self, url: str, most: int) -> bytes:
        """The body of one GET, from the admitted place and nowhere else, within the time-outs however slowly it drips."""
        parts = admit.address(url)
        if admit.place(parts) != self._place:
            raise Unseen(Status.UNSUPPORTED, "address_not_allowed", not_allowed=True)
        limit = self._open_timeout + self._read_timeout
        connection = None
        watchdog: threading.Timer | None = None
        late = threading.Event()
        try:
            connection = connected(parts, self._ip, self._open_timeout)
            connection.connect()
            # http.client forgets its socket once an answer says that the connection will close
            watchdog = threading.Timer(limit, _hang_up, (connection.sock, late))
            watchdog.daemon = True
            watchdog.start()
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target, headers=self._headers)
            with connection.getresponse() as answer:  # has taken the socket over where it will be closed
                if 300 <= answer.status < 400:
                    raise Unseen(Status.UNSUPPORTED, "redirected", not_allowed=True)
                if answer.status != 200:
                    raise Unseen(Status.UNSUPPORTED, f"http_{answer.status}", down=True)
                data = answer.read(most + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unseen(Status.TIMEOUT, "no_answer", down=True) from error
        finally:
            if watchdog is not None:
                watchdog.cancel()
            if connection is not None:
                connection.close()
        if late.is_set():  # what was cut off looks like a whole one
            raise Unseen(Status.TIMEOUT, "no_picture_in_time")
        if len(data) > most:
            raise Unseen(Status.UNSUPPORTED, "too_many_bytes")
        return data

    def release(self) -> None:
        """Let go of the segment that was handed out last."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _hang_up(end: socket.socket, late: threading.Event) -> None:
    late.set()
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # already closed by the other side
