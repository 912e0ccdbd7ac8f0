"""flask-smorest's Api with problem documents in place of its own errors, and the bearer scheme declared."""

import http
from typing import Any

import flask_smorest

from api.errors import MEDIA_TYPE
from api.schemas import ProblemSchema, Time

TITLE = "Amaan"
VERSION = "1"


class Api(flask_smorest.Api):  # type: ignore[misc]  # flask-smorest is untyped
    """Documents every error as RFC 9457; error handling itself is `api/errors.py`."""

    ERROR_SCHEMA = ProblemSchema

    def _init_spec(self, **options: Any) -> None:
        super()._init_spec(**options)
        self.ma_plugin.map_to_openapi_type(Time, "string", "date-time")

    def _register_error_handlers(self) -> None:
        """Not here: flask-smorest's own drops headers and is not problem+json."""

    def _register_responses(self) -> None:
        self.spec.components.schema("Problem", schema=ProblemSchema)
        self.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
        self.spec.components.security_scheme("gateway", {"type": "apiKey", "in": "header", "name": "Gateway-Key"})
        self.spec.components.security_scheme("sos", {"type": "apiKey", "in": "header", "name": "Sos-Token"})
        self.spec.components.security_scheme(
            "helpline", {"type": "apiKey", "in": "header", "name": "Helpline-Token"}
        )
        content: dict[str, Any] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for status in http.HTTPStatus:
            response: dict[str, Any] = {"description": status.phrase}
            if status >= 400:
                response["content"] = content
            self.spec.components.response(status.name, response, lazy=True)
        self.spec.components.response(
            "DEFAULT_ERROR", {"description": "Any other error.", "content": content}, lazy=True
        )
