"""What every request and answer has, whichever route it is: a request id, a size cap, compression, safe headers.

Nothing here touches the document store or Redis, so nothing here can stand before an SOS; the breaker only refuses
what the store could not keep anyway.
"""

import gzip
import re
import uuid
from typing import Final

import structlog
from flask import Flask, Response, g, request
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix

from api import timing
from runtime.mongo import RETRY_AFTER_S, StoreUnavailable, breaker
from runtime.settings import Settings

MAX_BODY: Final = 256 * 1024
"""Bytes of any body but an upload, which has its own cap."""
TUS_HEADERS: Final = ("Tus-Resumable", "Upload-Offset", "Upload-Length", "Upload-Expires", "Upload-Metadata")
"""What a browser that uploads must be allowed to read (api/evidence)."""
_GZIP_FROM: Final = 600
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_\-]{8,64}")
_WITHOUT_STORE: Final = ("/healthz", "/readyz", "/metrics", "/docs")


def install(app: Flask, settings: Settings) -> None:
    """Register the hooks and the middleware."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY
    timing.install(app)
    app.before_request(_begin)
    app.after_request(_finish)
    if settings.cors_origins:
        CORS(
            app,
            origins=[origin.strip() for origin in settings.cors_origins.split(",")],
            expose_headers=["ETag", "Location", "Retry-After", "X-Request-ID", *TUS_HEADERS],
        )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if breaker.is_open and not request.path.startswith(_WITHOUT_STORE):
        raise StoreUnavailable("the document store is away", retry_after=RETRY_AFTER_S)


def _finish(answer: Response) -> Response:
    answer.headers["X-Request-ID"] = g.get("request_id", "")
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    answer.headers.setdefault("Referrer-Policy", "no-referrer")
    if request.path.startswith("/v1"):
        answer.headers.setdefault("Cache-Control", "no-store")
    return _compressed(answer)


def _compressed(answer: Response) -> Response:
    """gzip where the phone takes it and it pays; never a stream. ETags are weak, so they hold for both forms."""
    if answer.direct_passthrough or answer.is_streamed or answer.status_code in (204, 206, 304):
        return answer
    kind = answer.mimetype or ""
    if not (kind.startswith("text/") or kind.endswith(("json", "xml", "javascript"))):
        return answer
    answer.vary.add("Accept-Encoding")
    body = answer.get_data()
    accepts = request.accept_encodings["gzip"] > 0 and "Accept-Encoding" in request.headers
    if len(body) < _GZIP_FROM or not accepts or "Content-Encoding" in answer.headers:
        return answer
    answer.set_data(gzip.compress(body, compresslevel=4, mtime=0))
    answer.headers["Content-Encoding"] = "gzip"
    return answer
