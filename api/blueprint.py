"""The one decorator that enforces and documents a route.

    blp = Blueprint("journeys", __name__, url_prefix="/v1", description="Timed check-ins.")

    @blp.endpoint("POST /journeys", permission="journey.edit", body=New, answer=Journey, status=201, creates=True)
    def start(call: Call) -> Any:
        \"\"\"Start a journey.\"\"\"
        return service.start(call.who.person_id, call.new_id("jny"), **call.body, now=call.now)

A route names its permission, or says in `public` why it has none. From that one line come: the bearer check, the
permission of `domain/permissions.py`, reading of body, query and headers, Idempotency-Key and Sent-At, paging, ETag and
304, the status codes and the security scheme in openapi.json.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import wraps
from typing import Any, Final

import flask_smorest
import marshmallow as ma
from flask import Response, json, request
from marshmallow import fields
from werkzeug.http import generate_etag

from api import auth
from api.paging import DEFAULT_LIMIT, Listed, PageQuery, decode_cursor, encode_cursor
from api.parsing import Parser, refuse_unknown_query, refuse_unstorable_path
from api.schemas import Schema, Shaped, Time
from api.services import Services, services
from domain import permissions
from domain.errors import Precondition, Unauthenticated
from domain.ids import derived_id, new_id
from domain.permissions import Principal, Target
from runtime import logging

CAUTION_BYTES: Final = 8 * 1024
_log = logging.get(__name__)

View = Callable[..., Any]


class _Headers(Schema):
    sent_at = Time(data_key="Sent-At", metadata={"description": "The phone's clock when it sent this."})


class _KeyHeaders(_Headers):
    key = fields.String(
        data_key="Idempotency-Key",
        validate=Shaped("[A-Za-z0-9_-]{8,64}", "Must be a UUID."),
        metadata={
            "description": "A UUID made by the phone. The same key and body give the same answer with the current "
            "state, 200 instead of 201; another body is 409 `idempotency_conflict`."
        },
    )


@dataclass(frozen=True)
class Call:
    """One request, parsed: all that a view needs to translate it into the domain."""

    services: Services
    now: datetime
    principal: Principal | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    """Idempotency-Key."""
    sent_at: datetime | None = None

    @property
    def who(self) -> Principal:
        """The caller of a route that has a permission."""
        if self.principal is None:
            raise Unauthenticated("a bearer token is needed")
        return self.principal

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the body as sent: what a key is bound to, for `idempotency_conflict`."""
        return hashlib.sha256(request.get_data(cache=True)).hexdigest()

    @property
    def limit(self) -> int:
        """Page size asked for."""
        return int(self.query.get("limit") or DEFAULT_LIMIT)

    def new_id(self, prefix: str) -> str:
        """The id of what is created: derived from caller and key, so that a retry meets it; fresh without a key."""
        if self.key is None:
            return new_id(prefix, self.now)
        return derived_id(prefix, self.who.person_id, self.key)

    def after(self, *kinds: type) -> list[Any] | None:
        """The sort values at which the page starts, by their types; None for the first page."""
        return decode_cursor(self.query.get("cursor"), kinds)

    def require_reach(self, action: str, target: Target) -> None:
        """NotFound when the caller's roles do not reach the target."""
        permissions.require_reach(self.who, action, target)

    def require_match(self, version: int) -> None:
        """Precondition when the request has If-Match and it is not this version."""
        if request.if_match and not request.if_match.contains_weak(str(version)):
            raise Precondition("it changed in between", current=version)


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest is untyped
    """flask-smorest's blueprint with `endpoint` in place of its stack of decorators."""

    ARGUMENTS_PARSER = Parser()

    def endpoint(
        self,
        where: str,
        *,
        permission: str | None = None,
        public: str = "",
        body: type[ma.Schema] | ma.Schema | None = None,
        lenient: bool = False,
        query: type[ma.Schema] | None = None,
        answer: type[ma.Schema] | ma.Schema | None = None,
        paged: bool = False,
        status: int = 200,
        also: Mapping[int, str] | None = None,
        creates: bool = False,
        etag: bool = False,
        caution: bool = True,
        **doc: Any,
    ) -> Callable[[View], View]:
        """Declare a route: `where` is "POST /sos/<sos_id>/cancel".

        permission  an action of `domain.permissions.ACTIONS`; or `public`, the reason why there is none
        body        schema of the JSON body; with `lenient` it documents only: the view reads
                    what came for itself
        query       schema of the query (a subclass of PageQuery where `paged`)
        answer      schema of the answer, of one item where `paged`; a view may return (data, status) or a Response
        also        further status codes with their sentences
        creates     takes an Idempotency-Key; a repeat answers 200 (return `(data, 200)`)
        etag        answers with an ETag and 304 for If-None-Match; return `(data, status, tag)` to give a version
        caution     log an answer over 8 KiB: phones on bad networks
        """
        method, _, rule = where.partition(" ")
        if (permission is None) == (not public):
            raise TypeError(f"{where}: name a permission, or say in `public` why there is none")
        if permission is not None and permissions.unknown_actions([permission]):
            raise TypeError(f"{where}: {permission} is not in domain/permissions.py ACTIONS")
        if paged and query is None:
            query = PageQuery
        schema = answer() if isinstance(answer, type) else answer
        query_schema = query() if query else None

        def decorator(view: View) -> View:
            run = _innermost(view)
            if query_schema is not None:
                run = self.arguments(query_schema, location="query", arg_name="query")(run)
            if body is not None and not lenient:
                run = self.arguments(body, location="json", arg_name="body")(run)
            if method != "GET":
                headers = _KeyHeaders if creates else _Headers
                if lenient:
                    run = _documented(run, self.arguments, headers, body)
                else:
                    run = self.arguments(headers, location="headers", arg_name="headers")(run)

            @wraps(view)
            def outer(**path: Any) -> Response:
                found = services()
                call = Call(found, found.clock())
                refuse_unstorable_path()
                if permission is not None:
                    who = auth.principal()
                    permissions.require(who, permission)
                    call = replace(call, principal=who)
                if query_schema is None and not lenient:
                    refuse_unknown_query(request, None)
                if lenient:
                    call = replace(call, **_any_headers())
                return _answer(run(call=call, **path), schema, status, paged, etag, caution)

            outer._apidoc = _documentation(  # type: ignore[attr-defined]
                run,
                permission=permission,
                public=public,
                schema=schema,
                paged=paged,
                status=status,
                also=also,
                creates=creates,
                etag=etag,
                rule=rule,
                takes_body=body is not None and not lenient,
            )
            outer._amaan = {"permission": permission, "public": public}  # type: ignore[attr-defined]
            self.add_url_rule(rule, view.__name__, self.doc(**doc)(outer) if doc else outer, methods=[method])
            view._amaan = outer._amaan  # type: ignore[attr-defined]
            return view

        return decorator


def _innermost(view: View) -> View:
    """Put what webargs hands in as keywords into the call."""

    @wraps(view)
    def run(*, call: Call, **given: Any) -> Any:
        headers = given.pop("headers", {})
        parts: dict[str, Any] = {name: given.pop(name) for name in ("body", "query") if name in given}
        if headers:
            parts |= {"sent_at": headers.get("sent_at"), "key": headers.get("key")}
        return view(replace(call, **parts), **given)

    return run


def _documented(run: View, arguments: Callable[..., Any], headers: type[ma.Schema], body: Any) -> View:
    """Document body and headers without enforcing them: for what is never refused for its shape."""
    shell = arguments(headers, location="headers", arg_name="headers")(run)
    if body is not None:
        shell = arguments(body, location="json", arg_name="body")(shell)

    @wraps(run)
    def open_door(**kwargs: Any) -> Any:
        return run(**kwargs)

    open_door._apidoc = shell._apidoc  # type: ignore[attr-defined]
    return open_door


def _any_headers() -> dict[str, Any]:
    """Idempotency-Key and Sent-At as far as they can be read."""
    key = request.headers.get("Idempotency-Key", "")[:200]
    try:
        sent_at = Time().deserialize(request.headers.get("Sent-At", ""))
    except ma.ValidationError:
        sent_at = None
    return {"key": key or None, "sent_at": sent_at}


def _answer(result: Any, schema: ma.Schema | None, status: int, paged: bool, etag: bool, caution: bool) -> Response:
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


def _documentation(
    run: View,
    *,
    permission: str | None,
    public: str,
    schema: ma.Schema | None,
    paged: bool,
    status: int,
    also: Mapping[int, str] | None,
    creates: bool,
    etag: bool,
    rule: str,
    takes_body: bool,
) -> dict[str, Any]:
    """What flask-smorest reads to write openapi.json, from the same facts that are enforced."""
    info: dict[str, Any] = dict(getattr(run, "_apidoc", {}))
    shape: Any = schema
    if paged and schema is not None:
        name = f"{type(schema).__name__}Page"
        shape = Schema.from_dict(
            {"items": fields.List(fields.Nested(schema), required=True), "next": fields.String()}, name=name
        )()
    responses: dict[int, list[Any]] = {}
    good = {status: "", **({200: "The same was sent before: its current state."} if creates and status == 201 else {})}
    for code, text in good.items():
        entry: dict[str, Any] = {"description": text or "Done.", "content_type": None}
        if shape is not None and code != 204:
            entry["schema"] = shape
        if etag:
            entry["headers"] = {"ETag": {"schema": {"type": "string"}}}
        responses[code] = [entry]
    problems = dict(_PROBLEMS_ALWAYS)
    if takes_body:
        problems |= _PROBLEMS_OF_BODIES
    if "<" in rule:
        problems[404] = "No such thing, or none that you may see."
    problems |= also or {}
    manual: dict[str, Any] = {}
    if permission is not None:
        problems |= {401: "No token, an expired one, or an ended session.", 403: f"Needs the permission {permission}."}
        manual["security"] = [{"bearer": []}]
        who = ", ".join(f"{role} ({scope})" for role, scope in permissions.roles_for(permission))
        manual["x-permission"] = {"action": permission, "roles": who}
    else:
        manual["security"] = []
        manual["x-public"] = public
    if etag:
        problems[304] = "Not changed since If-None-Match."
        manual["parameters"] = [{"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}]
    for code, text in problems.items():
        entry = {"description": text, "content_type": "application/problem+json"}
        if code >= 400:
            entry["schema"] = _PROBLEM
        responses.setdefault(code, [entry])
    info["response"] = {"responses": responses}
    info["success_status_codes"] = list(good)
    info["manual_doc"] = manual
    return info


_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_PROBLEMS_OF_BODIES: Final = {
    400: "The body is not JSON.",
    413: "The body is too large.",
    415: "The body is not application/json.",
}
_PROBLEMS_ALWAYS: Final = {
    422: "Something in the body, the query or the headers is not right; `errors` says where.",
    503: "The document store is away; come again after Retry-After.",
}
