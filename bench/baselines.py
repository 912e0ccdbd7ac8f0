"""What intake is compared with, behind the same gunicorn: a constant answer, and the least that flask-smorest and one
mongoengine save can do with the same body, document and indexes.

    gunicorn "bench.baselines:serve()"      # with the settings' environment; MONGODB_URL names a database of its own
"""

from datetime import timedelta
from typing import Any

import flask_smorest
from flask import Flask
from flask.views import MethodView
from marshmallow import EXCLUDE, Schema, fields

from domain import geo, outbox
from domain.clock import utc_now
from domain.ids import new_id, token_hash
from domain.incidents import rules
from domain.incidents.documents import IncidentDoc
from runtime import mongo
from runtime.settings import load


class _Loose(Schema):
    class Meta:
        unknown = EXCLUDE


class PositionBody(_Loose):
    """A position as phones send it."""

    lat = fields.Float(required=True)
    lon = fields.Float(required=True)
    accuracy_m = fields.Float()
    captured_at = fields.AwareDateTime()


class SosBody(_Loose):
    """The body of an SOS."""

    position = fields.Nested(PositionBody, required=True)
    category = fields.String()
    battery_pct = fields.Integer()
    note = fields.String()


class SosAnswer(_Loose):
    """What is answered."""

    id = fields.String()
    status = fields.String()


def document(body: dict[str, Any]) -> dict[str, Any]:
    """The document that intake stores for this body, field by field."""
    now = utc_now()
    incident_id = new_id("inc", now)
    position = {**body["position"], "source": "phone"}
    found = geo.cells(position["lat"], position["lon"])
    slot = {**rules.new_slot("police", now), "needs": {}}
    events = [
        outbox.event(kind, incident_id, version=1, now=now, city="lahore")
        for kind in ("incident.raised", "incident.surroundings")
    ]
    return {
        "id": incident_id,
        "city": "lahore",
        "channel": "app",
        "category": body.get("category"),
        "severity": "Severe",
        "urgency": "Immediate",
        "certainty": "Observed",
        "status": "open",
        "version": 1,
        "raised_at": now,
        "received_at": now,
        "updated_at": now,
        "position": position,
        "cells": {"r5": found.r5, "r7": found.r7, "r9": found.r9},
        "flags": [],
        "citizen": {"person": "per_bench", "battery_pct": body.get("battery_pct"), "note": body.get("note")},
        "slots": {"police": slot},
        "links": [
            {"h": token_hash(incident_id), "kind": "share", "id": incident_id, "until": now + timedelta(hours=6)}
        ],
        "timeline": [{"at": now, "kind": "raised", "seq": 1, "channel": "app", "by": "per_bench"}],
        "timeline_seq": 1,
        "ladder_due": slot["due_at"],
        "pending_events": events,
        "outbox_due": now + outbox.DUE_AFTER,
    }


def serve() -> Flask:
    """The application: /constant and /least."""
    mongo.connect(load())
    app = Flask("baselines")
    app.config.update(API_TITLE="baselines", API_VERSION="1", OPENAPI_VERSION="3.1.0")
    api = flask_smorest.Api(app)
    blp = flask_smorest.Blueprint("least", __name__)

    @app.post("/constant")
    def constant() -> tuple[dict[str, str], int]:
        return {"status": "open"}, 201

    @blp.route("/least")
    class Least(MethodView):
        @blp.arguments(SosBody)  # type: ignore[untyped-decorator]  # flask-smorest is untyped
        @blp.response(201, SosAnswer)  # type: ignore[untyped-decorator]
        def post(self, body: dict[str, Any]) -> dict[str, str]:
            """Store and answer."""
            made = IncidentDoc(**document(body))
            made.save(force_insert=True)
            return {"id": made.id, "status": "open"}

    api.register_blueprint(blp)
    return app
