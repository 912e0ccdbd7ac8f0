"""A camera that speaks MJPEG over HTTP, read by us and not by FFmpeg, which would follow a redirect to anywhere.

Every wait ends: the connection and the headers within the open time-out, each picture within the read time-out, however
slowly the bytes drip.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import socket
import threading
import time
from email.utils import parsedate_to_datetime
from types import TracebackType
from urllib.parse import SplitResult, unquote

from workers.vision.admit import Unseen
from workers.vision.observation import Status

MAX_PART = 16_000_000  # bytes of one JPEG; more is no camera


class MjpegStream:
    """The JPEGs of ``multipart/x-mixed-replace`` as they arrive, or the one JPEG of ``image/jpeg``.

    ``parts`` is an admitted address, ``ip`` what its name was found to be. Raises ``Unseen``: down when nothing answers,
    unsupported for a redirect or another content type.
    """

    def __init__(self, parts: SplitResult, ip: str, open_timeout_s: float, read_timeout_s: float) -> None:
        self._read_timeout = read_timeout_s
        self._buffer = b""
        self._ended = self._hung_up = False
        self._connection = connected(parts, ip, open_timeout_s)
        self._held = contextlib.ExitStack()
        self._held.callback(self._connection.close)
        watchdog = threading.Timer(open_timeout_s, self._hang_up)  # headers that drip defeat a socket's own time-out
        watchdog.daemon = True
        watchdog.start()
        self._socket: socket.socket | None = (
            None  # http.client forgets it once an answer says that the connection will close
        )
        try:
            self._connection.connect()
            self._socket = self._connection.sock
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            self._connection.request(
                "GET", target, headers=request_headers(parts, "multipart/x-mixed-replace, image/jpeg")
            )
            self._response = self._connection.getresponse()
            self._held.callback(self._response.close)  # it has taken the socket over where that will be closed
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unseen(Status.TIMEOUT, "no_answer", down=True) from error
        finally:
            watchdog.cancel()
        if self._hung_up:  # a half-read answer looks like a whole one
            self.close()
            raise Unseen(Status.TIMEOUT, "no_answer", down=True)
        self._judge_answer()
        self.clock_offset_s = clock_offset(self._response.headers.get("Date"), time.time())
        if self._socket is not None:
            self._socket.settimeout(read_timeout_s)

    def _judge_answer(self) -> None:
        status, kind = self._response.status, self._response.headers.get_content_type()
        refusal: Unseen | None = None
        if 300 <= status < 400:
            refusal = Unseen(Status.UNSUPPORTED, "redirected", not_allowed=True)
        elif status != 200:
            refusal = Unseen(Status.UNSUPPORTED, f"http_{status}", down=True)
        elif kind not in ("multipart/x-mixed-replace", "image/jpeg"):
            refusal = Unseen(Status.UNSUPPORTED, "not_footage")
        boundary = self._response.headers.get_param("boundary")
        if refusal is None and kind != "image/jpeg" and not isinstance(boundary, str):
            refusal = Unseen(Status.UNSUPPORTED, "not_footage")
        if refusal is not None:
            self.close()
            raise refusal
        self.single = kind == "image/jpeg"
        # Cameras write the dashes into the parameter, or not (RFC 2046, 5.1.1): both are met.
        self._delimiter = b"--" + str(boundary).strip('"').lstrip("-").encode("latin-1", "replace")

    def next_jpeg(self) -> bytes | None:
        """The next picture's bytes; None when the stream ended. Raises ``Unseen`` (timeout) when none came in time."""
        deadline = time.monotonic() + self._read_timeout
        while True:
            jpeg = self._take()
            if jpeg is not None:
                return jpeg
            if self._ended:
                return None
            if len(self._buffer) > MAX_PART:
                raise Unseen(Status.UNSUPPORTED, "too_many_bytes")
            if time.monotonic() > deadline:
                raise Unseen(Status.TIMEOUT, "no_picture_in_time")
            self._receive()

    def _receive(self) -> None:
        try:
            data = self._response.read1(65536)
        except TimeoutError as error:
            raise Unseen(Status.TIMEOUT, "no_picture_in_time") from error
        except (OSError, http.client.HTTPException, ValueError):
            data = b""
        self._buffer += data
        self._ended = not data

    def _take(self) -> bytes | None:
        if self.single:
            if not self._ended or not self._buffer:
                return None
            jpeg, self._buffer = self._buffer, b""
            return jpeg
        start = self._buffer.find(self._delimiter)
        body = self._buffer.find(b"\r\n\r\n", start)
        if start < 0 or body < 0:
            return None
        body += 4
        length = _content_length(self._buffer[start:body])
        if length is None:
            end = self._buffer.find(self._delimiter, body)
            if end < 0:
                return None
        else:
            end = body + min(length, MAX_PART)
            if len(self._buffer) < end:
                return None
        jpeg, self._buffer = self._buffer[body:end], self._buffer[end:]
        return jpeg

    def _hang_up(self) -> None:
        self._hung_up = True
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # already closed by the other side

    def close(self) -> None:
        self._held.close()

    def __enter__(self) -> MjpegStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def clock_offset(date: str | None, now: float) -> float | None:
    """By how many seconds the camera's clock is ahead of ours; None when it does not say (RFC 9110, 6.6.1: whole seconds)."""
    try:
        return round(parsedate_to_datetime(date or "").timestamp() - now, 1)
    except (TypeError, ValueError, OverflowError):
        return None


def connected(parts: SplitResult, ip: str, timeout_s: float) -> http.client.HTTPConnection:
    """A connection that will go to ``ip`` and nowhere else; the name is still what a certificate is compared with."""
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=timeout_s)
    # What http.client calls with (host, port), time-out and source address: the host is left unasked.
    connection._create_connection = lambda address, *rest: socket.create_connection(  # type: ignore[attr-defined]
        (ip, address[1]), timeout_s
    )
    return connection


def request_headers(parts: SplitResult, accept: str) -> dict[str, str]:
    """Headers of a request: what we take, and the password of the address, if it has one."""
    headers = {"Accept": accept, "User-Agent": "amaan-vision"}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    return headers


def _content_length(header: bytes) -> int | None:
    for line in header.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return None
