"""Cameras of the tests, on the loopback: some well-behaved, most not. Each is a context manager with an ``address``."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from types import TracebackType

import cv2
import numpy as np

Talk = Callable[[socket.socket, threading.Event], None]


class Camera:
    """A TCP server that talks to each who connects; ``talk`` ends when its event is set."""

    def __init__(self, scheme: str, talk: Talk, port: int = 0) -> None:
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.settimeout(0.1)
        self.address = f"{scheme}://127.0.0.1:{self.listener.getsockname()[1]}"
        self.visits = 0
        self._talk = talk
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                visitor, _ = self.listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.visits += 1
            thread = threading.Thread(target=self._serve, args=(visitor,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, visitor: socket.socket) -> None:
        with visitor:
            try:
                self._talk(visitor, self._over)
            except OSError:
                return  # the visitor hung up, as a look that gives up does

    def __enter__(self) -> Camera:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self.listener.close()
        for thread in self._threads:
            thread.join(timeout=3)


def silent(visitor: socket.socket, over: threading.Event) -> None:
    """Takes the connection and says nothing."""
    over.wait()


def answering(*chunks: bytes, pause_s: float = 0.0, then_silent: bool = True) -> Talk:
    def talk(visitor: socket.socket, over: threading.Event) -> None:
        visitor.recv(4096)
        for chunk in chunks:
            visitor.sendall(chunk)
            if over.wait(pause_s):
                return
        if then_silent:
            over.wait()

    return talk


def dripping(visitor: socket.socket, over: threading.Event) -> None:
    """One byte of a header now and then: no socket time-out ever fires."""
    visitor.recv(4096)
    visitor.sendall(b"HTTP/1.1 200 OK\r\n")
    while not over.wait(0.1):
        visitor.sendall(b"X")


HEADER = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"


def part(jpeg: bytes) -> bytes:
    return b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(jpeg), jpeg)


def jpeg_of(size: tuple[int, int], seed: int = 0) -> bytes:
    """A JPEG of grey noise on a gradient, ``size`` = (width, height)."""
    rng = np.random.default_rng(seed)
    small = rng.integers(60, 200, (max(2, size[1] // 16), max(2, size[0] // 16), 3), dtype=np.uint8)
    return bytes(cv2.imencode(".jpg", cv2.resize(small, size))[1].tobytes())


def endless(visitor: socket.socket, over: threading.Event) -> None:
    """A healthy stream that never ends, 20 pictures a second."""
    visitor.recv(4096)
    visitor.sendall(HEADER)
    jpegs = [jpeg_of((320, 240), seed) for seed in range(5)]
    index = 0
    while not over.wait(0.05):
        visitor.sendall(part(jpegs[index % 5]))
        index += 1


def rtsp(jpegs: list[bytes], rate: float = 12.0, redirect_to: str | None = None) -> Talk:
    """An RTSP 1.0 camera (RFC 2326) that sends RTP/JPEG (RFC 2435) within its TCP connection.

    With ``redirect_to`` it answers DESCRIBE with a 302 to there.
    """

    def talk(visitor: socket.socket, over: threading.Event) -> None:
        buffered = b""
        while not over.is_set():
            data = visitor.recv(4096)
            if not data:
                return
            buffered += data
            while b"\r\n\r\n" in buffered:
                head, _, buffered = buffered.partition(b"\r\n\r\n")
                lines = head.decode().split("\r\n")
                method, url, _ = lines[0].split(" ")
                fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
                reply = [f"CSeq: {fields['cseq']}"]
                status, body = "200 OK", ""
                if method == "OPTIONS":
                    reply.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
                elif method == "DESCRIBE" and redirect_to is not None:
                    status = "302 Found"
                    reply.append(f"Location: {redirect_to}")
                elif method == "DESCRIBE":
                    body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:track0\r\n"
                    reply += [f"Content-Base: {url}/", "Content-Type: application/sdp", f"Content-Length: {len(body)}"]
                elif method == "SETUP":
                    reply += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1;timeout=60"]
                elif method == "PLAY":
                    reply.append("Session: 1")
                visitor.sendall((f"RTSP/1.0 {status}\r\n" + "\r\n".join(reply) + "\r\n\r\n" + body).encode())
                if method == "PLAY":
                    _play(visitor, over, jpegs, rate)
                    return

    return talk


def _play(visitor: socket.socket, over: threading.Event, jpegs: list[bytes], rate: float) -> None:
    sequence, began = 0, time.monotonic()
    for index, jpeg in enumerate(jpegs):
        width, height, tables, scan = _dismantled(jpeg)
        offset = 0
        while offset < len(scan):
            payload = scan[offset : offset + 1200]
            last = offset + len(payload) >= len(scan)
            header = struct.pack(
                ">BBBBBBBB", 0, offset >> 16, (offset >> 8) & 255, offset & 255, 1, 255, width // 8, height // 8
            )
            if offset == 0:
                header += struct.pack(">BBH", 0, 0, len(tables)) + tables
            stamp = int(index / rate * 90000)
            rtp = (
                struct.pack(">BBHII", 0x80, 26 | (0x80 if last else 0), sequence & 0xFFFF, stamp, 1) + header + payload
            )
            visitor.sendall(b"$\x00" + struct.pack(">H", len(rtp)) + rtp)
            sequence += 1
            offset += len(payload)
        if over.wait(max(0.0, began + (index + 1) / rate - time.monotonic())):
            return


def _dismantled(jpeg: bytes) -> tuple[int, int, bytes, bytes]:
    """Width, height, both quantisation tables and the scan of a baseline 4:2:0 JPEG with the standard Huffman tables."""
    tables, size, at = b"", (0, 0), 2
    while True:
        marker, length = jpeg[at + 1], struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        body = jpeg[at + 4 : at + 2 + length]
        if marker == 0xDB:
            for start in range(0, len(body), 65):
                tables += body[start + 1 : start + 65]
        elif marker == 0xC0:
            height, width = struct.unpack(">HH", body[1:5])
            size = (width, height)
        at += 2 + length
        if marker == 0xDA:
            return *size, tables, jpeg[at:-2]
