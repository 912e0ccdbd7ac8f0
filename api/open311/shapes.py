"""The two formats of GeoReport v2. JSON follows from XML by the Spark convention: a list is an array, empty text is null."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask import Response
from lxml import etree

FORMATS: Final = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
_ITEMS: Final = {
    "services": "service",
    "service_requests": "request",
    "service_request_updates": "request_update",
    "errors": "error",
    "attributes": "attribute",
    "values": "value",
    "endpoints": "endpoint",
    "formats": "format",
}
"""Element of a list → that of its items."""


def answer(root: str, body: Any, form: str, status: int = 200) -> Response:
    """A body under the XML root of that name, as XML or JSON."""
    if form == "json":
        text = json.dumps(body, ensure_ascii=False).encode()
    else:
        text = etree.tostring(_element(root, body), xml_declaration=True, encoding="utf-8")
    found = Response(text, status=status, content_type=FORMATS.get(form, FORMATS["xml"]))
    found.headers["Cache-Control"] = "no-store"
    return found


def _element(name: str, value: Any) -> Any:
    made = etree.Element(name)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            made.append(_element(key, inner))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            made.append(_element(_ITEMS[name], inner))
    elif value is not None:
        made.text = str(value).lower() if isinstance(value, bool) else _storable(str(value))
    return made


def _storable(text: str) -> str:
    """Without the characters that XML 1.0 (2.2, Char) has no place for."""
    return "".join(
        letter
        for letter in text
        if letter in "\t\n\r" or " " <= letter <= "\ud7ff" or "\ue000" <= letter <= "\ufffd" or letter >= "\U00010000"
    )


def errors(code: int, description: str, form: str) -> Response:
    """An error in the standard's own shape."""
    return answer("errors", [{"code": code, "description": description}], form, code)
