"""openapi.json, whole: what the decorator of each route documented, and what only the whole can say.

flask-smorest writes paths, bodies, answers and problems. Added here: operation ids, the headers that every answer has,
401 where a token is needed, examples, links from one operation to the next, and the uploads (tus), whose routes are
plain. The same code makes the same bytes: `amaan openapi` writes it, `/docs/openapi.json` serves it.
"""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any, Final

from flask import Flask
from pydantic import SecretStr

from api.contract.examples import BODIES, PARAMETERS
from api.contract.links import LINKS
from api.contract.uploads import PATHS as UPLOADS
from api.errors import MEDIA_TYPE
from runtime.settings import Settings

METHODS: Final = ("get", "put", "post", "patch", "delete", "head")
DESCRIPTION: Final = (
    "Amaan (امان, safety): the backend of a city's safety app. JSON, RFC 3339 times with offset, WGS 84 degrees, "
    "metres, E.164 numbers, BCP 47 languages; ids are opaque. Errors are RFC 9457 problems with a stable `code` "
    "(error-codes.md); what the states mean is in states.md. Unknown body fields are ignored, unknown query "
    "parameters are 422, and a thing that you may not see is 404."
)
HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-ID": {
        "description": "Names this request in the server's log; also in every problem.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds until it is worth to come again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "The scheme, and the code of what was wrong with the token.",
        "required": True,
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "The version, for If-None-Match.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Location": {"description": "Where it is.", "required": True, "schema": {"type": "string"}},
}
HEADERS_OF: Final = {
    "401": "WWW-Authenticate",
    "429": "Retry-After",
    "503": "Retry-After",
    "307": "Location",
    "304": "ETag",
}
WITHOUT_NUL: Final = r"^[^\u0000]*$"
_PARAMETER: Final = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")


def settings_for_writing() -> Settings:
    """Settings with which the application is made only to be described: nothing is connected to until asked."""
    return Settings(
        secret=SecretStr("described, never served: no key at all.."),
        mongodb_url="mongodb://127.0.0.1:9/amaan",
        redis_url="redis://127.0.0.1:9/0",
    )


def document(app: Flask) -> dict[str, Any]:
    """The OpenAPI document of this application, in a fixed order."""
    found: dict[str, Any] = copy.deepcopy(app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict())
    found["info"]["description"] = DESCRIPTION
    found["tags"].append({"name": "uploads", "description": "Files of an SOS, sent in parts (tus 1.0)."})
    found["paths"].update(copy.deepcopy(UPLOADS))
    found["components"]["headers"] = copy.deepcopy(HEADERS)
    ids = operation_ids(app)
    for path, method, operation in operations(found):
        operation["operationId"] = ids[f"{method} {path}"]
        _parameters(found["paths"][path], operation)
        _body(operation, found["components"]["schemas"])
        if _names_what_may_not_be_there(operation, found["components"]["schemas"]):
            operation["responses"].setdefault("404", _problem("No such thing, or none that you may see."))
        _responses(operation)
    _say_types(found["components"]["schemas"])
    _say_what_cannot_be_stored(found)
    for schema in ("PaginationMetadata",):  # flask-smorest declares it; our lists have `next`
        found["components"]["schemas"].pop(schema, None)
    sorted_components = {name: dict(sorted(value.items())) for name, value in found["components"].items()}
    return {**found, "components": sorted_components}


def text(app: Flask) -> str:
    """The document as it is committed."""
    return json.dumps(document(app), indent=1, ensure_ascii=False) + "\n"


def operations(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of all of them."""
    for path, item in found["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def operation_ids(app: Flask) -> dict[str, str]:
    """`method path` → id: the blueprint and the name of the view, such as `sos_cancel`."""
    ids = {}
    for rule in app.url_map.iter_rules():
        path = _PARAMETER.sub(r"{\1}", rule.rule)
        ids.update({f"{method.lower()} {path}": rule.endpoint.replace(".", "_") for method in rule.methods or ()})
    return ids


def _parameters(item: dict[str, Any], operation: dict[str, Any]) -> None:
    for parameter in [*item.get("parameters", ()), *operation.get("parameters", ())]:
        if parameter["name"] in PARAMETERS:
            parameter["example"] = PARAMETERS[parameter["name"]]


def _body(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None:
        # A body of which nothing is required may be left out.
        schema = schemas[content["schema"]["$ref"].rsplit("/", 1)[-1]]
        operation["requestBody"]["required"] = "required" in schema or operation["operationId"] == "sos_raise_sos"
        content["examples"] = {name: {"value": value} for name, value in BODIES[operation["operationId"]].items()}


def _names_what_may_not_be_there(operation: dict[str, Any], schemas: dict[str, Any]) -> bool:
    """Whether the query or the body names a city, a person or what a group has, which the caller's role may not reach."""
    if not operation["security"] or operation.get("x-permission", {}).get("action", "me.").startswith("me."):
        return False
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    named = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
    if content:
        named |= schemas[content["schema"]["$ref"].rsplit("/", 1)[-1]].get("properties", {}).keys()
    return bool(named & {"city", "person_id", "group", "groups", "beat"})


def _problem(text: str) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": text, "content": content}


def _responses(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if operation["security"] and {} not in operation["security"] and "401" not in responses:
        responses["401"] = _problem("No token, or one that is over.")
    for status, response in responses.items():
        if "$ref" in response:
            continue
        names = ["X-Request-ID", *([HEADERS_OF[status]] if status in HEADERS_OF else [])]
        headers = response.setdefault("headers", {})
        names += ["ETag"] if "ETag" in headers else []
        headers.update({name: {"$ref": f"#/components/headers/{name}"} for name in names})
        if links := LINKS.get((operation["operationId"], status)):
            response["links"] = {
                f"{to}_{index}" if to in [each for each, _ in links[:index]] else to: {
                    "operationId": to,
                    "parameters": dict(parameters),
                }
                for index, (to, parameters) in enumerate(links)
            }
    operation["responses"] = dict(sorted(responses.items()))


def _say_what_cannot_be_stored(found: dict[str, Any]) -> None:
    """A NUL is refused in every text of a body (api/schemas.py); those with a shape of their own exclude it already."""
    schemas, seen = found["components"]["schemas"], set()
    waiting: list[Any] = [operation.get("requestBody", {}) for _, _, operation in operations(found)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            name = str(node.get("$ref", "")).rsplit("/", 1)[-1]
            if name in schemas and name not in seen:
                seen.add(name)
                waiting.append(schemas[name])
            if node.get("type") == "string" and not {"pattern", "enum", "format"} & node.keys():
                node["pattern"] = WITHOUT_NUL
            waiting += [value for key, value in node.items() if key not in ("example", "examples")]


def _say_types(schema: Any) -> None:
    """A choice of texts is a text: some generators of clients need to be told."""
    if isinstance(schema, dict):
        if "type" not in schema and isinstance(schema.get("enum"), list):
            schema["type"] = "string"
        for value in schema.values():
            _say_types(value)
    elif isinstance(schema, list):
        for value in schema:
            _say_types(value)
