"""The picture of a request: the copy in which every face is blurred, by a signed link, since `media_url` is opened without a
key. The agency that has the request is given the link; it ends when the report is taken out, and with its retention.
"""

import hmac
from typing import Final

from flask import Response

from api.services import services
from domain.errors import NotFound
from domain.handovers import open311, queries
from domain.handovers.errors import HandoverNotFound
from domain.handovers.queries import Handover
from domain.ids import link_token
from domain.reports import media
from domain.reports import queries as reports
from domain.reports.queries import Report
from runtime.media import Media

_PURPOSE: Final = "open311_picture"


def link(row: Handover, report: Report) -> str | None:
    """The address of a request's picture; None where there is none to show."""
    file = open311.picture(report)
    if file is None:
        return None
    here = services().settings.public_url.rstrip("/")
    return f"{here}/open311/v2/media/{row['_id']}/{file['id']}/{_token(row['_id'], file['id'])}"


def _token(request_id: str, media_id: str) -> str:
    return link_token(services().settings.signing_key, _PURPOSE, f"{request_id}|{media_id}")


def read(request_id: str, media_id: str, token: str) -> Response:
    """The blurred copy. Raises HandoverNotFound for a link that we did not make, and for what is not shown any more."""
    nothing = HandoverNotFound("there is no such picture")
    if not hmac.compare_digest(_token(request_id, media_id).encode(), token.encode()):
        raise nothing
    held = reports.some([queries.get(request_id)["report"]])
    file = open311.picture(held[0]) if held else None
    if file is None or file["id"] != media_id:
        raise nothing
    try:
        copy = media.for_neighbours(file)
        data = Media(services().settings.media_url).get(copy["sha256"])
    except (FileNotFoundError, NotFound, ValueError):
        raise nothing from None
    made = Response(data, mimetype=copy["type"])
    made.headers["Cache-Control"] = "private, no-store"
    made.headers["X-Content-Type-Options"] = "nosniff"
    return made
