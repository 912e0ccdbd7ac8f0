"""`/docs`: openapi.json in Swagger UI. Every byte comes from this server, so it works where there is no network.

The assets are npm's `swagger-ui-dist`, installed by `make setup` into this folder, and named one by one. Nothing else
of the package is served, and the page may load, run and ask only this address (its Content-Security-Policy).
"""

from pathlib import Path
from typing import Final

from flask import Blueprint, Response, current_app, send_from_directory

from api.contract import document
from domain.errors import NotFound

blp = Blueprint("docs", __name__, url_prefix="/docs")

ASSETS: Final = Path(__file__).parent / "node_modules" / "swagger-ui-dist"
SERVED: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
# Swagger UI sets styles on its elements, and draws its icons from data: addresses; scripts are files of ours alone.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MISSING: Final = "The documentation's assets are not installed: run `make setup`. The contract: /docs/openapi.json\n"
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Amaan API</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="contract"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
# No validator badge: it would tell an address elsewhere about us.
_START: Final = """SwaggerUIBundle({
  url: "/docs/openapi.json", dom_id: "#contract", deepLinking: true, validatorUrl: null, docExpansion: "none",
  presets: [SwaggerUIBundle.presets.apis]
});
"""


@blp.after_request
def private(answer: Response) -> Response:
    """What every answer here has."""
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["X-Frame-Options"] = "DENY"
    return answer


@blp.get("", strict_slashes=False)
def page() -> Response:
    """The documentation; one line that says what to run where its assets are not installed."""
    if not all((ASSETS / name).is_file() for name in SERVED):
        return Response(MISSING, status=503, mimetype="text/plain")
    return Response(_PAGE, mimetype="text/html")


@blp.get("/openapi.json")
def openapi_json() -> Response:
    """The contract."""
    answer = Response(_text(), mimetype="application/json")
    answer.headers["Access-Control-Allow-Origin"] = "*"  # it is public, and editors in a browser read it
    return answer


@blp.get("/start.js")
def start() -> Response:
    """What puts the contract into the page: a file, so that the page needs no script of its own."""
    return Response(_START, mimetype="text/javascript")


@blp.get("/<name>")
def asset(name: str) -> Response:
    """A file of Swagger UI, as the page names it."""
    if name not in SERVED or not (ASSETS / name).is_file():
        raise NotFound("no such file")
    return send_from_directory(ASSETS, name, mimetype=SERVED[name], max_age=86400)


def _text() -> str:
    """Made once for each application, at the first question."""
    kept: str | None = current_app.extensions.get("amaan_contract")
    if kept is None:
        kept = current_app.extensions["amaan_contract"] = document.text(current_app._get_current_object())  # type: ignore[attr-defined]
    return kept
