"""What an RTSP camera says until pictures are asked for, given on one whole message at a time, each judged before.

FFmpeg follows a 3xx answer to wherever it points (RFC 2326, 11.3), and reads more into a broken message than another reader
would. So nothing of a message is given on before all of it is here, and what two readers might read differently is never
given on at all. Pure: bytes in, whole messages out.
"""

from __future__ import annotations

import re

MOST_HEADER = 65_536
MOST_BODY = 1_000_000
_STATUS = re.compile(rb"RTSP/\d\.\d (\d)\d\d(?: .*)?")
_LENGTH = re.compile(rb"content-length:[ \t]{0,8}(\d{1,7})[ \t]{0,8}", re.IGNORECASE)


class Redirected(Exception):
    """The camera sends whoever asks to another place."""


class Unclear(Exception):
    """Not a message that every reader would read alike, or a larger one than a camera has to send."""


class Answers:
    """Fed with the camera's bytes in any pieces."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that these bytes complete: interleaved packets (10.12), answers, or requests of the camera's own.

        Raises ``Redirected``, ``Unclear``.
        """
        self._buffer += data
        whole = []
        while self._buffer:
            length = _packet(self._buffer) if self._buffer[:1] == b"$" else _text(self._buffer)
            if length is None or len(self._buffer) < length:
                break
            whole.append(self._buffer[:length])
            self._buffer = self._buffer[length:]
        return whole

    def rest(self) -> bytes:
        """What is held back of a message that is not complete; from here on it is no longer held."""
        held, self._buffer = self._buffer, b""
        return held


def _packet(buffer: bytes) -> int | None:
    """How long the packet is: `$`, channel, length in two bytes, and so many bytes."""
    return 4 + int.from_bytes(buffer[2:4], "big") if len(buffer) >= 4 else None


def _text(buffer: bytes) -> int | None:
    """How long the message is, with its body; None while its header is not complete."""
    at, lines = 0, []
    while True:
        end = buffer.find(b"\n", at)
        if end < 0:
            if len(buffer) > MOST_HEADER:
                raise Unclear
            return None
        line = buffer[at:end].replace(b"\r", b"")
        at = end + 1
        if not line:
            break
        if b"\0" in line or line[:1] == b"$" or at > MOST_HEADER:
            raise Unclear
        lines.append(line)
    if lines:
        _judge_status(lines[0])
    return at + _body(lines[1:])


def _judge_status(line: bytes) -> None:
    if not line.strip().startswith(b"RTSP/"):
        return  # a request of the camera's own
    status = _STATUS.fullmatch(line)
    if status is None:
        raise Unclear
    if status[1] == b"3":
        raise Redirected


def _body(headers: list[bytes]) -> int:
    lengths = [line for line in headers if line.lower().startswith(b"content-length:")]
    found = [_LENGTH.fullmatch(line) for line in lengths]
    if not found:
        return 0
    if len(found) > 1 or found[0] is None or int(found[0][1]) > MOST_BODY:
        raise Unclear
    return int(found[0][1])
