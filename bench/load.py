"""A load that costs little itself: raw sockets, keep-alive, requests made beforehand. It shares the two cores."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.figures import percentile


@dataclass(frozen=True)
class Load:
    """What a run gave: latencies in seconds, answers by status, and how long it took."""

    latencies: tuple[float, ...]
    statuses: dict[int, int]
    seconds: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def ms(self, share: float) -> float:
        """A percentile of the latency in milliseconds."""
        return percentile(self.latencies, share) * 1000


class Connection:
    """One keep-alive connection that sends prepared bytes and reads one answer."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._where = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._socket = self._open()

    def _open(self) -> socket.socket:
        opened = socket.create_connection(self._where, timeout=30)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        try:
            return self._once(request)
        except (ConnectionError, EOFError):  # the server may end a keep-alive connection between two requests
            self._socket.close()
            self._socket = self._open()
            return self._once(request)

    def _once(self, request: bytes) -> tuple[int, bytes]:
        self._socket.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(body) < length:
            body += self._more()
        return int(head.split(b" ", 2)[1]), body

    def _more(self) -> bytes:
        found = self._socket.recv(65536)
        if not found:
            raise EOFError("the server closed the connection")
        return found

    def close(self) -> None:
        """End it."""
        self._socket.close()


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A POST as bytes."""
    lines = [f"POST {path} HTTP/1.1", "Host: bench", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def get(path: str) -> bytes:
    """A GET as bytes."""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


def closed_loop(address: str, requests: Sequence[bytes], *, connections: int, seconds: float) -> Load:
    """As fast as `connections` clients can, each waiting for its answer; every request is sent at most once."""
    lock, taken = threading.Lock(), iter(requests)
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    end = time.perf_counter() + seconds

    def client() -> None:
        connection = Connection(address)
        mine: list[tuple[float, int]] = []
        while time.perf_counter() < end:
            with lock:
                request = next(taken, None)
            if request is None:
                break
            began = time.perf_counter()
            status, _ = connection.send(request)
            mine.append((time.perf_counter() - began, status))
        connection.close()
        with lock:
            latencies.extend(each for each, _ in mine)
            statuses.update(status for _, status in mine)

    return _run([client] * connections, latencies, statuses)


def _run(clients: list[Callable[[], None]], latencies: list[float], statuses: "Counter[int]") -> Load:
    threads = [threading.Thread(target=client) for client in clients]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(tuple(latencies), dict(statuses), time.perf_counter() - began)


def open_loop(address: str, requests: Sequence[bytes], *, rate: float) -> list[tuple[float, int, bytes]]:
    """At a fixed rate, whether answers come or not. Returns (Unix time of the tap, status, body) for each request."""
    answers: list[tuple[float, int, bytes]] = [(0.0, 0, b"")] * len(requests)
    began = time.time() + 0.2
    position = iter(range(len(requests)))
    lock = threading.Lock()

    def client() -> None:
        connection = Connection(address)
        while True:
            with lock:
                index = next(position, None)
            if index is None:
                break
            due = began + index / rate
            time.sleep(max(0.0, due - time.time()))
            tapped = time.time()
            status, body = connection.send(requests[index])
            answers[index] = (tapped, status, body)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(min(24, max(2, int(rate))))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
