"""A camera that speaks RTSP (RFC 2326) over TCP: H.264 in RTP packets as FFmpeg's own muxer makes them, interleaved.

One viewer at a time is enough for a look. The pictures are a clip, sent at its own speed, looping.
"""

import socket
import struct
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import av

_SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=street\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track\r\n"
)


class RtspCamera:
    """Serves one clip at `url`. A viewer who does not give `user:password`, where one is set, gets 401."""

    def __init__(self, clip: Path, *, password: str = "") -> None:
        self._clip = clip
        self._password = password
        self._over = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.2)
        self.port = int(self._server.getsockname()[1])
        self.url = f"rtsp://127.0.0.1:{self.port}/street"
        self.packets = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                viewer, _ = self._server.accept()
            except OSError:
                continue
            with viewer:
                viewer.settimeout(5)
                try:
                    self._talk(viewer)
                except OSError:
                    continue  # the viewer has gone

    def _talk(self, viewer: socket.socket) -> None:
        heard = b""
        while not self._over.is_set():
            while b"\r\n\r\n" not in heard:
                data = viewer.recv(4096)
                if not data:
                    return
                heard += data
            asked, _, heard = heard.partition(b"\r\n\r\n")
            lines = asked.decode().split("\r\n")
            method = lines[0].split(" ")[0]
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            viewer.sendall(self._answer(method, headers))
            if method == "PLAY":
                self._play(viewer)
                return

    def _answer(self, method: str, headers: dict[str, str]) -> bytes:
        more, body = "", ""
        status = "200 OK"
        if self._password and method == "DESCRIBE" and "authorization" not in headers:
            status, more = "401 Unauthorized", 'WWW-Authenticate: Basic realm="street"\r\n'
        elif method == "OPTIONS":
            more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
        elif method == "DESCRIBE":
            body = _SDP
            more = f"Content-Base: {self.url}/\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        elif method == "SETUP":
            more = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
        elif method == "PLAY":
            more = "Session: 1\r\nRange: npt=0.000-\r\n"
        return f"RTSP/1.0 {status}\r\nCSeq: {headers.get('cseq', '0')}\r\n{more}\r\n{body}".encode()

    def _play(self, viewer: socket.socket) -> None:
        """FFmpeg's RTP muxer sends its datagrams to a socket of ours; each goes on as one interleaved frame."""
        inbox = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        inbox.bind(("127.0.0.1", 0))
        inbox.settimeout(0.5)
        sender = threading.Thread(target=self._send, args=(inbox.getsockname()[1],), daemon=True)
        sender.start()
        with inbox:
            while not self._over.is_set():
                try:
                    packet = inbox.recv(65536)
                except TimeoutError:
                    continue
                viewer.sendall(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
                self.packets += 1

    def _send(self, port: int) -> None:
        target = f"rtp://127.0.0.1:{port}?pkt_size=1200"
        began = time.monotonic()
        try:
            with av.open(target, "w", format="rtp") as out:
                stream: Any = out.add_stream("libx264", rate=12)
                stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
                stream.options = {
                    "preset": "ultrafast",
                    "tune": "zerolatency",
                    "x264-params": "repeat-headers=1:keyint=12",
                }
                number = 0
                while not self._over.is_set():
                    with av.open(str(self._clip)) as clip:
                        for picture in clip.decode(video=0):
                            if self._over.is_set():
                                return
                            picture.pts = number
                            out.mux(stream.encode(picture))
                            number += 1
                            time.sleep(max(0.0, began + number / 12 - time.monotonic()))
        except (OSError, av.error.FFmpegError):
            return  # nobody reads any more

    def __enter__(self) -> "RtspCamera":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.close()
        self._thread.join(timeout=3)
