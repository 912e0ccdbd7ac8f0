"""What every route needs to answer: JSON by orjson (benches ask for thousands a second), and who still listens."""

from __future__ import annotations

import socket
from typing import Any

import orjson
from flask import Response, request


def client_gone() -> bool:
    """Whether the client of this request has closed its connection (always False where gunicorn does not serve it)."""
    connection: socket.socket | None = request.environ.get("gunicorn.socket")
    if connection is None:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(orjson.dumps(body), status, headers, content_type="application/json")
