"""A carrier at its worst: takes the connection and then hangs, trickles, breaks off, or answers nonsense.

The local carriers behave as the vendors say; this is for what no vendor says. One thread, one behaviour, a free port.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Behaviour = Callable[[socket.socket, threading.Event], None]


def hang(peer: socket.socket, over: threading.Event) -> None:
    """Reads the request and never answers."""
    over.wait()


def trickle(peer: socket.socket, over: threading.Event) -> None:
    """Answers a byte at a time, so that no single read ever times out."""
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not over.wait(0.02):
        peer.sendall(b" ")


def trickle_headers(peer: socket.socket, over: threading.Event) -> None:
    """The same, before the headers have ended."""
    peer.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not over.wait(0.02):
        peer.sendall(b"a")


def break_off(peer: socket.socket, over: threading.Event) -> None:
    """Reads the request and closes the connection."""


def answering(status: str, body: bytes, headers: str = "") -> Behaviour:
    """Answers every request with this."""

    def answer(peer: socket.socket, over: threading.Event) -> None:
        peer.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}Connection: close\r\n\r\n".encode())
        peer.sendall(body)

    return answer


@contextlib.contextmanager
def odd_carrier(behaviour: Behaviour, requests: list[bytes] | None = None) -> Iterator[str]:
    """The base URL of a server on loopback that behaves so; `requests` takes what it was sent, head and body."""
    over = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)
    peers: list[threading.Thread] = []

    def serve(peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            peer.settimeout(5)
            request = b""
            while b"\r\n\r\n" not in request:
                more = peer.recv(65536)
                if not more:
                    return
                request += more
            head, _, body = request.partition(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
            while len(body) < length:
                body += peer.recv(65536)
            if requests is not None:
                requests.append(head + b"\r\n\r\n" + body)
            behaviour(peer, over)

    def listen() -> None:
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                peer, _ = server.accept()
                peers.append(threading.Thread(target=serve, args=(peer,)))
                peers[-1].start()

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        over.set()
        listener.join()
        for thread in peers:
            thread.join()
        server.close()


@contextlib.contextmanager
def nobody() -> Iterator[str]:
    """A base URL at which nothing listens: the port is held, so that nobody else gets it meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
