"""One table from error to HTTP, and the problem document (RFC 9457) that every error under /v1 is answered with.

Whatever goes wrong ends here: a DomainError by its kind, werkzeug's own errors with their headers kept, input that the
schemas refuse, a dead document store, and what nobody expected (500, logged, without a trace in the answer).
"""

import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException

from api.schemas import rfc3339
from domain import errors
from runtime import logging
from runtime.mongo import RETRY_AFTER_S, STORE_DOWN, StoreUnavailable, breaker

MEDIA_TYPE: Final = "application/problem+json"

STATUS: Final[Mapping[type[errors.DomainError], HTTPStatus]] = {
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.NotAllowed: HTTPStatus.FORBIDDEN,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Precondition: HTTPStatus.PRECONDITION_FAILED,
    errors.Gone: HTTPStatus.GONE,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.LimitReached: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

HTTP_CODES: Final[Mapping[int, str]] = {
    400: "malformed_request",
    401: "unauthenticated",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "request_timeout",
    409: "conflict",
    410: "gone",
    411: "length_required",
    412: "precondition_failed",
    413: "too_large",
    414: "address_too_long",
    415: "wrong_content_type",
    416: "range_not_satisfiable",
    421: "wrong_host",
    422: "invalid",
    428: "precondition_required",
    429: "limit_reached",
    431: "headers_too_large",
    500: "internal_error",
    501: "not_implemented",
    503: "unavailable",
}
"""Codes of errors that no DomainError stands for: what werkzeug and the parser raise."""

_log = logging.get(__name__)


def status_of(error: errors.DomainError) -> HTTPStatus:
    """The HTTP status of an error's kind."""
    return next(status for kind, status in STATUS.items() if isinstance(error, kind))


def problem(
    status: int,
    code: str,
    detail: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    """A problem document. `members` stand beside the standard ones; `errors` is {field: [messages]}."""
    phrase = HTTPStatus(status).phrase
    body: dict[str, Any] = {"type": "about:blank", "title": phrase, "status": status, "code": code}
    if detail:
        body["detail"] = detail
    body.update({key: value for key, value in members.items() if key not in body and value is not None})
    body["request_id"] = getattr(g, "request_id", "")
    answer = Response(json.dumps(body, default=_said), status=status, mimetype=MEDIA_TYPE)  # ASCII: may quote anything
    for name, value in (headers or {}).items():
        answer.headers[name] = value
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer


def _said(value: Any) -> str:
    """What JSON has no word for: a time as everywhere in the contract, else its text."""
    return rfc3339(value) if isinstance(value, datetime) else str(value)


def from_domain(error: errors.DomainError) -> Response:
    """The answer to a DomainError: its kind's status, its code, its data."""
    status = status_of(error)
    data = dict(error.data)
    headers: dict[str, str] = {}
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers["Retry-After"] = str(max(1, round(float(data.get("retry_after") or 1))))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = f'Bearer realm="amaan", error="{error.error_code}"'
    return problem(status, error.error_code, error.detail, headers=headers, **data)


def from_http(error: HTTPException) -> Response:
    """The answer to werkzeug's and webargs' errors; headers such as Allow, Retry-After, WWW-Authenticate are kept."""
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]  # redirects and ready-made answers stay as they are
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    data: Mapping[str, Any] = getattr(error, "data", None) or {}
    headers.update(data.get("headers") or {})
    members: dict[str, Any] = {}
    if error.code == HTTPStatus.UNPROCESSABLE_ENTITY:
        members["errors"] = by_field(data.get("messages") or data.get("errors") or {})
    if error.code == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="amaan"')
    if error.code == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.setdefault("Retry-After", "1")
    code = data.get("code") or HTTP_CODES.get(error.code, "http_error")
    detail = data.get("message") or ("" if members or error.code >= 500 else error.description or "")
    return problem(error.code, code, detail, headers=headers, **members)


def by_field(messages: Any, prefix: str = "") -> dict[str, list[str]]:
    """Flatten what marshmallow and webargs say to {`field.sub.0`: [messages]}; the location on top is dropped."""
    if not isinstance(messages, Mapping):
        found = messages if isinstance(messages, list) else [messages]
        return {prefix or "_": [str(message) for message in found]}
    flat: dict[str, list[str]] = {}
    for name, value in messages.items():
        is_location = not prefix and name in {"json", "query", "headers", "form", "files", "path"}
        path = "" if is_location else f"{prefix}.{name}" if prefix else str(name)
        for field, found in by_field(value, path).items():
            flat.setdefault(field.removesuffix("._schema"), []).extend(found)
    return flat


def store_down(_error: Exception) -> Response:
    """The document store went away in the middle of a request: tell the breaker, say when to come again."""
    breaker.trip()
    return from_domain(StoreUnavailable("the document store is away", retry_after=RETRY_AFTER_S))


def unexpected(error: Exception) -> Response:
    """What nobody foresaw: logged with its trace, answered without."""
    _log.exception("unexpected", kind=type(error).__name__)
    return problem(500, HTTP_CODES[500], "something went wrong; the request_id finds it in the log")


def install(app: Flask) -> None:
    """Register the handlers. A blueprint with a format of its own (pages, Open311) registers its own before these."""
    app.register_error_handler(errors.DomainError, from_domain)
    app.register_error_handler(HTTPException, from_http)
    for kind in STORE_DOWN:
        app.register_error_handler(kind, store_down)
    app.register_error_handler(Exception, unexpected)
