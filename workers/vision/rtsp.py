"""A relay between FFmpeg and one RTSP camera, so that nothing but the admitted host and port is ever spoken to.

FFmpeg's RTSP client follows a 3xx answer to wherever it points and has no option against that. It is therefore given the
address of this relay on the loopback; the relay knows one camera, and hangs up at the first redirect: until FFmpeg asks for
pictures, after which it follows none, it is given whole messages that were judged (`rtsp_answers.py`). TCP transport only
(RFC 2326, 10.12), since UDP would open ports of its own. What FFmpeg does not tell, the relay hears in passing: the camera's
own clock, in the `Date` of its answers (12.18) and in the sender reports beside the pictures (RFC 3550, 6.4.1).
"""

from __future__ import annotations

import re
import select
import socket
import threading
import time
from urllib.parse import SplitResult, urlunsplit

from workers.vision.admit import PORTS, Unseen
from workers.vision.mjpeg import clock_offset
from workers.vision.observation import Status
from workers.vision.rtsp_answers import Answers, Redirected, Unclear

_DATE = re.compile(rb"\r\nDate: *([^\r\n]{1,60})\r\n", re.IGNORECASE)
_SENDER_REPORT = 200
_NTP_TO_UNIX = 2_208_988_800  # seconds from 1900 to 1970
_LEAST_CLOCK = 946_684_800.0  # 2000: a report that counts from when the camera was switched on says nothing


class SenderReports:
    """The NTP times in a stream of interleaved packets (`$`, channel, length), fed in any pieces."""

    def __init__(self) -> None:
        self._buffer = b""
        self._skip = 0

    def feed(self, data: bytes) -> float | None:
        """The last of the times (seconds since 1970) that these bytes complete; None when there is none."""
        said = None
        passed = min(self._skip, len(data))
        self._skip -= passed
        self._buffer += data[passed:]
        while len(self._buffer) >= 4:
            if self._buffer[:1] != b"$":  # an answer between the packets
                begins = self._buffer.find(b"$")
                self._buffer = self._buffer[begins:] if begins > 0 else b""
                continue
            channel, length = self._buffer[1], int.from_bytes(self._buffer[2:4], "big")
            if channel % 2 == 0:  # pictures
                whole = min(len(self._buffer), 4 + length)
                self._buffer, self._skip = self._buffer[whole:], 4 + length - whole
                continue
            if len(self._buffer) < 4 + length:
                break
            report, self._buffer = self._buffer[4 : 4 + length], self._buffer[4 + length :]
            if _is_sender_report(report):
                moment = (
                    int.from_bytes(report[8:12], "big") - _NTP_TO_UNIX + int.from_bytes(report[12:16], "big") / 2**32
                )
                said = moment if moment > _LEAST_CLOCK else said
        return said


def _is_sender_report(packet: bytes) -> bool:
    inside = len(packet) >= 20 and (int.from_bytes(packet[2:4], "big") + 1) * 4 <= len(packet)
    return inside and packet[0] >> 6 == 2 and packet[1] == _SENDER_REPORT


class RtspRelay:
    """``url`` is what FFmpeg opens; ``redirected`` tells afterwards whether the camera tried to send it elsewhere.

    Raises ``Unseen`` (down) when the camera does not take a connection within ``open_timeout_s``.
    """

    def __init__(self, parts: SplitResult, ip: str, open_timeout_s: float) -> None:
        self.redirected = False
        self.clock_offset_s: float | None = None
        """By how many seconds the camera's clock is ahead of ours; None: it has not said."""
        self._reports = SenderReports()
        self._stopped = threading.Event()
        try:
            self._camera = socket.create_connection((ip, parts.port or PORTS["rtsp"]), timeout=open_timeout_s)
        except OSError as error:
            raise Unseen(Status.TIMEOUT, "no_answer", down=True) from error
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._listener.settimeout(open_timeout_s)
        who, _, _ = parts.netloc.rpartition("@")
        here = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = urlunsplit(("rtsp", f"{who}@{here}" if who else here, parts.path, parts.query, ""))
        self._thread = threading.Thread(target=self._carry, daemon=True, name="rtsp-relay")
        self._thread.start()

    def _carry(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return  # FFmpeg never came, or the look was closed
        with client:
            try:
                self._relay(client)
            except (OSError, ValueError):
                return  # one end closed in the middle: FFmpeg sees the connection end, and says so

    def _relay(self, client: socket.socket) -> None:
        answers = Answers()
        playing, asked = False, b"\r\n\r\n"
        while not self._stopped.is_set():
            ready, _, _ = select.select([client, self._camera], [], [], 0.5)
            for end in ready:
                data = end.recv(65536)
                if not data:
                    return
                if end is client:
                    if not playing and asked.endswith(b"\r\n\r\n") and data.startswith(b"PLAY "):
                        playing = True
                        self._give(client, answers.rest(), packets=True)
                    asked = data
                    self._camera.sendall(data)
                    continue
                if playing:
                    self._give(client, data, packets=True)
                    continue
                try:
                    messages = answers.feed(data)
                except Redirected:
                    self.redirected = True
                    return
                except Unclear:
                    return
                for message in messages:
                    self._give(client, message, packets=message.startswith(b"$"))

    def _give(self, client: socket.socket, data: bytes, *, packets: bool) -> None:
        """Give on what the camera says, and hear what it says of its clock."""
        if packets:
            said = self._reports.feed(data)
            if said is not None:
                self.clock_offset_s = round(said - time.time(), 1)
        elif found := _DATE.search(data):
            self.clock_offset_s = clock_offset(found[1].decode("latin-1"), time.time())
        client.sendall(data)

    def close(self) -> None:
        self._stopped.set()
        for end in (self._listener, self._camera):
            end.close()
        self._thread.join(timeout=1.0)

    def __enter__(self) -> RtspRelay:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
