"""Reading bodies, queries and headers strictly: what webargs lets pass by default, and a store cannot keep, is refused.

415 for a body that is not JSON, 400 for JSON that cannot be read (also too deep, or a number too long), and 422 for a
query parameter that no schema names: a mistyped filter would answer everything. What no store can keep (NUL, lone
surrogates) is refused by `api/schemas.py`, in the fields that are read.
"""

import json
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request, request
from webargs.flaskparser import FlaskParser, abort, is_json_request

from api.schemas import unstorable


def read_json(raw: bytes) -> Any:
    """JSON of a body; raises ValueError for whatever cannot be read, however it fails."""
    try:
        return json.loads(raw)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


class Parser(FlaskParser):
    """webargs' parser for Flask with the doors closed."""

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """The JSON body; `{}` where there is none, so that the schema says what is missing."""
        raw = req.get_data(cache=True)
        if not raw:
            return {}
        if not is_json_request(req):
            abort(415, message="the body must be application/json")
        try:
            return read_json(raw)
        except ValueError:
            abort(400, message="the body is not JSON")

    def load_querystring(self, req: Request, schema: ma.Schema) -> Any:
        """The query; a parameter that the schema does not name is an error."""
        refuse_unknown_query(req, schema)
        return super().load_querystring(req, schema)

    def load_headers(self, req: Request, schema: ma.Schema) -> Any:
        """Headers by their names, whatever their case."""
        return super().load_headers(req, schema)

    def handle_error(self, error: ma.ValidationError, req: Request, schema: ma.Schema, **kwargs: Any) -> NoReturn:
        """422 with the messages by field."""
        abort(422, messages=error.messages)


def refuse_unknown_query(req: Request, schema: ma.Schema | None) -> None:
    """422 for parameters that no field of the schema (or no schema) names."""
    known = {field.data_key or name for name, field in schema.fields.items()} if schema else set()
    if unknown := {name for name in req.args if name not in known}:
        abort(422, messages={"query": {_printable(name): ["Unknown parameter."] for name in sorted(unknown)}})


def refuse_unstorable_path() -> None:
    """404 for a path with a NUL or a lone surrogate: no thing has such an id."""
    if any(isinstance(value, str) and next(unstorable(value), None) for value in (request.view_args or {}).values()):
        abort(404)


def _printable(name: str) -> str:
    return name[:80].encode("utf-8", "replace").decode().replace("\x00", "?")
