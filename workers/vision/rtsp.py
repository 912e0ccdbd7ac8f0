"""A relay between FFmpeg and one RTSP camera, so that nothing but the admitted host and port is ever spoken to.

FFmpeg's RTSP client follows a 3xx answer to wherever it points and has no option against that. It is therefore given the
address of this relay on the loopback; the relay knows one camera, and hangs up at the first redirect. TCP transport only
(RFC 2326, 10.12), since UDP would open ports of its own.
"""

from __future__ import annotations

import re
import select
import socket
import threading
from urllib.parse import SplitResult, urlunsplit

from workers.vision.admit import PORTS, Unseen
from workers.vision.observation import Status

_REDIRECT = re.compile(rb"RTSP/\d\.\d 3\d\d ")


class RtspRelay:
    """``url`` is what FFmpeg opens; ``redirected`` tells afterwards whether the camera tried to send it elsewhere.

    Raises ``Unseen`` (down) when the camera does not take a connection within ``open_timeout_s``.
    """

    def __init__(self, parts: SplitResult, ip: str, open_timeout_s: float) -> None:
        self.redirected = False
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
        tail = b""
        playing = False  # once pictures flow, their bytes are not read as text
        while not self._stopped.is_set():
            ready, _, _ = select.select([client, self._camera], [], [], 0.5)
            for end in ready:
                data = end.recv(65536)
                if not data:
                    return
                if end is client:
                    self._camera.sendall(data)
                    continue
                playing = playing or data.startswith(b"$")
                if not playing and _REDIRECT.search(tail + data):
                    self.redirected = True
                    return
                tail = data[-16:]
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
