"""What flask-smorest reads to write openapi.json, made from the facts that the decorator enforces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import marshmallow as ma
from marshmallow import fields

from api.schemas import Schema
from domain import permissions


@dataclass(frozen=True)
class Facts:
    """What a route declared of itself."""

    rule: str
    permission: str | None
    public: str
    schema: ma.Schema | None
    paged: bool
    status: int
    also: Mapping[int, str]
    creates: bool
    etag: bool
    takes_body: bool
    parameters: Sequence[Mapping[str, Any]] = ()
    """Further parameters as openapi.json has them, beside those that the schemas tell."""


_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_IF_NONE_MATCH: Final = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}
_PROBLEMS_OF_BODIES: Final = {
    400: "The body is not JSON.",
    413: "The body is too large.",
    415: "The body is not application/json.",
}
_PROBLEMS_ALWAYS: Final = {
    422: "Something in the body, the query or the headers is not right; `errors` says where.",
    503: "The document store is away; come again after Retry-After.",
}


def documentation(earlier: dict[str, Any], facts: Facts) -> dict[str, Any]:
    """`earlier` (what the readers of body, query and headers documented) with answers, problems and permission."""
    info = dict(earlier)
    shape: Any = facts.schema
    if facts.paged and facts.schema is not None:
        name = f"{type(facts.schema).__name__}Page"
        shape = Schema.from_dict(
            {"items": fields.List(fields.Nested(facts.schema), required=True), "next": fields.String()}, name=name
        )()
    responses: dict[int, list[Any]] = {}
    good = {
        facts.status: "",
        **({200: "The same was sent before: its current state."} if facts.creates and facts.status == 201 else {}),
    }
    for code, text in good.items():
        entry: dict[str, Any] = {"description": text or "Done.", "content_type": None}
        if shape is not None and code != 204:
            entry["schema"] = shape
        if facts.etag:
            entry["headers"] = {"ETag": {"schema": {"type": "string"}}}
        responses[code] = [entry]
    problems = dict(_PROBLEMS_ALWAYS)
    if facts.takes_body:
        problems |= _PROBLEMS_OF_BODIES
    if "<" in facts.rule:
        problems[404] = "No such thing, or none that you may see."
    problems |= facts.also
    manual: dict[str, Any] = {}
    if facts.permission is not None:
        problems |= {
            401: "No token, an expired one, or an ended session.",
            403: f"Needs the permission {facts.permission}.",
        }
        manual["security"] = [{"bearer": []}]
        who = ", ".join(f"{role} ({scope})" for role, scope in permissions.roles_for(facts.permission))
        manual["x-permission"] = {"action": facts.permission, "roles": who}
    else:
        manual["security"] = []
        manual["x-public"] = facts.public
    if facts.etag:
        problems[304] = "Not changed since If-None-Match."
    for code, text in problems.items():
        entry = {"description": text, "content_type": "application/problem+json"}
        if code >= 400:
            entry["schema"] = _PROBLEM
        responses.setdefault(code, [entry])
    further = [*([_IF_NONE_MATCH] if facts.etag else []), *facts.parameters]
    if further:  # beside what the schemas tell: in `manual_doc` they would stand in their place
        told = info.get("arguments") or {}
        info["arguments"] = {**told, "parameters": [*told.get("parameters", []), *further]}
    info["response"] = {"responses": responses}
    info["success_status_codes"] = list(good)
    info["manual_doc"] = manual
    return info
