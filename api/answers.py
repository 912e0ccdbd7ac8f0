"""From what a view returns to the response: dumped by its schema, paged, with its ETag, 304 where nothing changed."""

from typing import Any, Final

import marshmallow as ma
from flask import Response, json, request
from werkzeug.http import generate_etag

from api.paging import Listed, encode_cursor
from runtime import logging

CAUTION_BYTES: Final = 8 * 1024
"""What no answer to a phone should exceed (CONTRACT)."""
_log = logging.get(__name__)


def answered(result: Any, schema: ma.Schema | None, status: int, *, paged: bool, etag: bool, caution: bool) -> Response:
    """The response to what a view returned: data, (data, status), (data, status, version) or a Response."""
    if isinstance(result, Response):
        return result
    tag = ""
    if isinstance(result, tuple):
        result, status, *rest = result
        tag = str(rest[0]) if rest else ""
    if isinstance(result, Response):
        result.status_code = status
        return result
    if status == 204:
        return Response(status=204)
    if paged:
        result = _page(result, schema)
    elif schema is not None:
        result = schema.dump(result)
    answer = Response(json.dumps(result), status=status, mimetype="application/json")
    if caution and (size := len(answer.get_data())) > CAUTION_BYTES:
        _log.warning("answer_over_8_kib", endpoint=request.endpoint, bytes=size)
    if etag:
        answer.set_etag(tag or generate_etag(answer.get_data()), weak=True)
        answer.headers["Cache-Control"] = "private, no-cache"
        answer.make_conditional(request)
    return answer


def _page(listed: Listed, schema: ma.Schema | None) -> dict[str, Any]:
    items = schema.dump(listed.items, many=True) if schema else list(listed.items)
    page = {"items": items, **listed.extra}
    if listed.after is not None:
        page["next"] = encode_cursor(listed.after)
    return page
