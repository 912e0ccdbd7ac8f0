"""What the carriers call back: a small server in the place of the city, which remembers and answers as it is told."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest
from twilio.request_validator import RequestValidator

from sandbox.carriers.options import AUTH_TOKEN


@dataclass
class Heard:
    """One request that the city got."""

    path: str
    params: dict[str, Any]
    signed: bool
    at: float


@dataclass
class City:
    """Answers are by path: a body, or a status; what was asked is in `heard`."""

    url: str
    answers: dict[str, str | int] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)

    def asked(self, path: str) -> list[dict[str, Any]]:
        """The parameters of every request to a path, in order."""
        return [request.params for request in list(self.heard) if request.path == path]


@pytest.fixture
def city() -> Iterator[City]:
    """A listening city, new for each test."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # answers in one packet: no waiting for the other side's delayed acknowledgement
        timeout = 5

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if self.headers["Content-Type"].startswith("application/json"):
                params, signed = json.loads(body), False
            else:
                params = dict(parse_qsl(body, keep_blank_values=True))
                signature = self.headers.get("X-Twilio-Signature", "")
                signed = RequestValidator(AUTH_TOKEN).validate(made.url + self.path, params, signature)
            made.heard.append(Heard(self.path, params, signed, time.time()))
            answer = made.answers.get(self.path, "")
            text = answer.encode() if isinstance(answer, str) else b""
            self.send_response(answer if isinstance(answer, int) else 200)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    made = City(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()
