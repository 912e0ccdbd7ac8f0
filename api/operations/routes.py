"""`/healthz`: the process lives. `/readyz`: it can take an SOS, that is, the document store answers.

Redis away does not make it unready: an SOS is taken all the same, and the sweeper tells the units.
"""

from typing import Any

from flask import Blueprint, Response, json

from api.services import services
from runtime.mongo import ping

blp = Blueprint("operations", __name__)


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json", headers={"Cache-Control": "no-store"})


@blp.get("/healthz")
def healthz() -> Response:
    """The process lives."""
    return _json({"status": "ok"}, 200)


@blp.get("/readyz")
def readyz() -> Response:
    """The document store answers; `queue` says whether Redis does."""
    store = ping()
    away = getattr(services().enqueue, "away", None)
    queue = "unknown" if away is None else "away" if away() else "ok"
    body = {"status": "ok" if store else "unavailable", "store": "ok" if store else "away", "queue": queue}
    return _json(body, 200 if store else 503)
