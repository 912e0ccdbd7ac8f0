"""Event streams are served by a process of their own (`api/streams`); this one says where."""

from http import HTTPStatus

from flask import Response, redirect, request

from api.services import services
from domain.errors import NotFound


def to_streams() -> Response:
    """307 to the same path at `streams_url`. Raises NotFound where that is not set, or is this very address."""
    settings = services().settings
    if settings.streams in ("", settings.public_url):
        raise NotFound("no event streams here: poll with If-None-Match", code="streams_elsewhere")
    found: Response = redirect(settings.streams + request.full_path.rstrip("?"), HTTPStatus.TEMPORARY_REDIRECT)  # type: ignore[assignment]
    return found
