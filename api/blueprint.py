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

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any

import flask_smorest
import marshmallow as ma
from flask import Response, request
from marshmallow import fields

from api import auth
from api.answers import answered
from api.call import Call
from api.documentation import Facts, documentation
from api.paging import PageQuery
from api.parsing import Parser, refuse_unknown_query, refuse_unstorable_path
from api.schemas import Schema, Shaped, Time
from api.services import services
from domain import permissions

__all__ = ["Blueprint", "Call"]

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
        etag        answers with an ETag and 304 for If-None-Match, as every `paged` GET does, since lists are polled;
                    return `(data, status, tag)` to give a version
        caution     log an answer over 8 KiB: phones on bad networks
        parameters  (in `doc`) further parameters as openapi.json has them
        """
        method, _, rule = where.partition(" ")
        etag = etag or (paged and method == "GET")
        parameters = doc.pop("parameters", ())
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
                result = run(call=call, **path)
                return answered(result, schema, status, paged=paged, etag=etag, caution=caution)

            facts = Facts(
                rule=rule,
                permission=permission,
                public=public,
                schema=schema,
                paged=paged,
                status=status,
                also=also or {},
                creates=creates,
                etag=etag,
                takes_body=body is not None and not lenient,
                parameters=parameters,
            )
            outer._apidoc = documentation(getattr(run, "_apidoc", {}), facts)  # type: ignore[attr-defined]
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
