"""Puts the local carriers together: one flask app that is Twilio, FCM and every phone in the city."""

from __future__ import annotations

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from sandbox.carriers import (
    fcm,
    http_gateway,
    pages,
    phone_routes,
    twilio_account,
    twilio_calls,
    twilio_conferences,
    twilio_messages,
)
from sandbox.carriers.answers import reply
from sandbox.carriers.carriers import Carriers
from sandbox.carriers.fcm_tokens import Tokens
from sandbox.carriers.line import Line
from sandbox.carriers.options import Options
from sandbox.carriers.people import People
from sandbox.carriers.twilio_wire import VERSION, TwilioError


def create_app(options: Options) -> Flask:
    """The app, its threads started: call it after any fork. The service account file must be there."""
    app = Flask(__name__, static_folder=None)
    carriers = Carriers.open(options)
    app.extensions["carriers"] = carriers
    messages, line, pushes = twilio_messages.Messages(carriers), Line(carriers), fcm.Pushes(carriers)
    people = People(carriers, messages, line, pushes)
    app.register_blueprint(twilio_messages.routes(carriers, messages))
    app.register_blueprint(twilio_account.routes(carriers))
    app.register_blueprint(http_gateway.routes(carriers, messages))
    app.register_blueprint(twilio_calls.routes(carriers, line))
    app.register_blueprint(twilio_conferences.routes(carriers, line.conferences))
    app.register_blueprint(fcm.routes(carriers, pushes, Tokens(options.service_account)))
    app.register_blueprint(phone_routes.routes(carriers, people))
    app.register_blueprint(pages.routes(carriers, people))

    @app.before_request
    def only_own_pages() -> Response | None:
        # A page of another site, open in a browser on this machine, must not press keys here.
        origin = request.headers.get("Origin")
        if (
            origin
            and origin not in (request.host_url.rstrip("/"), "null")
            and not request.path.startswith(("/2010-04-01", "/v1", "/gateway"))
        ):
            return reply({"error": "another site's page"}, 403)
        return None

    @app.errorhandler(TwilioError)
    def twilio_error(error: TwilioError) -> Response:
        return error.response()

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        if request.path.startswith(f"/{VERSION}"):
            code = {404: 20404, 405: 20004}.get(error.code or 500, 20500)
            return TwilioError(
                error.code or 500, code, f"The requested resource {request.path} was not found"
            ).response()
        return reply({"error": error.description}, error.code or 500, dict(error.get_headers()[1:]))

    return app
