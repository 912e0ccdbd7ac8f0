"""`text/event-stream` of one SOS, of a city's incidents and of a talk with the helpline (HTML Living Standard, 9.2).

An event's id is what a client sends back as Last-Event-ID: the version of an SOS; for a list, the time of the change.
A stream ends after some minutes, so that a session that was ended is shut out; a client comes back by itself.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flask import Blueprint, Flask, Response, current_app, json, request

from api import auth
from api.helpline.access import Party, party
from api.incidents import schemas
from api.incidents.access import own_sos
from api.incidents.views import row_view
from api.schemas import Schema
from api.services import services
from api.streams.hub import Hub
from domain import permissions
from domain.clock import Clock
from domain.errors import Invalid, NotFound
from domain.helpline import service as helpline
from domain.helpline.states import HelplineStatus, Side
from domain.incidents import queries, seen
from domain.incidents import service as incidents
from domain.incidents.errors import IncidentNotFound
from domain.incidents.reach import only_by_unit, target
from domain.permissions import Principal
from runtime.mongo import STORE_DOWN

blp = Blueprint("streams", __name__, url_prefix="/v1")

HEARTBEAT_S: Final = 15.0
LASTS_S: Final = 600.0
PRACTICE_S: Final = 0.5
ELSEWHERE_S: Final = 2.0
_RESUME_FOR: Final = timedelta(minutes=10)
_RETRY: Final = "retry: 2000\n\n"
_BEAT: Final = ": still here\n\n"
_sos = schemas.Sos()
_row = schemas.IncidentRow()


@dataclass(frozen=True)
class Source:
    """What the lines of a stream are made from; they are read after the request has ended."""

    app: Flask
    hub: Hub
    clock: Clock

    def event(self, kind: str, event_id: str, schema: Schema, view: dict[str, Any]) -> str:
        """One event, its data on one line."""
        with self.app.app_context():
            return f"event: {kind}\nid: {event_id}\ndata: {json.dumps(schema.dump(view))}\n\n"


def _source() -> Source:
    """This application's. Raises Unavailable when too many streams are open."""
    found: Hub = current_app.extensions["amaan_hub"]
    found.check_room()
    return Source(current_app._get_current_object(), found, services().clock)  # type: ignore[attr-defined]


def _stream(lines: Iterator[str]) -> Response:
    answer = Response(lines, mimetype="text/event-stream")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


@blp.get("/sos/<sos_id>/events")
def sos_events(sos_id: str) -> Response:
    """How the SOS stands, whenever its citizen's view changes."""
    own_sos(sos_id)
    return _stream(_sos_lines(_source(), sos_id, _last_version()))


def _last_version() -> int:
    last = request.headers.get("Last-Event-ID", "")
    return int(last) if last.isascii() and last.isdigit() and len(last) < 12 else -1


def _sos_lines(source: Source, sos_id: str, sent: int) -> Iterator[str]:
    """Lines come with changes that the citizen may see, and beats at their own times: what changes behind a cancel rings
    the bell too, and neither a line nor when it comes may tell of it.
    """
    said_at = time.monotonic()
    ends = said_at + LASTS_S
    with source.hub.incident(sos_id) as watch:
        yield _RETRY
        while time.monotonic() < ends:
            view: dict[str, Any] = {}
            pace = HEARTBEAT_S
            try:
                doc = incidents.get(sos_id)
                view = seen.by_citizen(doc, source.clock())
                pace = _pace(doc, view)
            except STORE_DOWN:
                view = {}  # come again with the next look
            except IncidentNotFound:
                return  # erased meanwhile
            if view and view["version"] != sent:
                sent = view["version"]
                said_at = time.monotonic()
                yield source.event("sos", str(sent), _sos, view)
            elif time.monotonic() >= said_at + HEARTBEAT_S:
                said_at = time.monotonic()
                yield _BEAT
            watch.wait(max(0.0, min(pace, said_at + HEARTBEAT_S - time.monotonic())))


def _pace(doc: dict[str, Any], view: dict[str, Any]) -> float:
    """How long to wait where no bell may ring: a practice goes on by the clock, a merged SOS by another incident."""
    if (doc.get("citizen") or {}).get("cancel") or view["status"] == "closed":
        return HEARTBEAT_S
    return PRACTICE_S if view["practice"] else ELSEWHERE_S if doc.get("merged_into") else HEARTBEAT_S


@blp.get("/incidents/events")
def incident_events() -> Response:
    """What changes in a city, one event an incident, within the caller's reach."""
    who = auth.principal()
    permissions.require(who, "incident.read")
    city = request.args.get("city") or next(iter(permissions.cities(who, "incident.read") - {"*"}), who.city)
    if not city:
        raise Invalid("say which city", errors={"city": ["Needed: you work for several."]})
    return _stream(_city_lines(_source(), who, city, _resume(services().clock())))


def _resume(now: datetime) -> datetime:
    """Since when, by Last-Event-ID; at most some minutes back, since a list is read anew after longer."""
    last = request.headers.get("Last-Event-ID", "").partition("-")[0]
    if not (last.isascii() and last.isdigit() and len(last) < 15):
        return now
    return max(datetime.fromtimestamp(int(last) / 1000, UTC), now - _RESUME_FOR)


def _city_lines(source: Source, who: Principal, city: str, since: datetime) -> Iterator[str]:
    ends, sent = time.monotonic() + LASTS_S, dict[str, int]()
    with source.hub.city(city) as watch:
        yield _RETRY
        rows = queries.changed(city, since)
        while time.monotonic() < ends:
            for row in rows:
                if sent.get(row["_id"]) == row["version"]:
                    continue
                sent[row["_id"]] = row["version"]
                if permissions.reaches(who, "incident.read", target(row)):
                    event_id = f"{round(row['updated_at'].timestamp() * 1000)}-{row['_id']}-{row['version']}"
                    unit = only_by_unit(who, row)
                    yield source.event("incident", event_id, _row, row_view(row, who.language, unit=unit))
            if not watch.wait(HEARTBEAT_S):
                yield _BEAT
            rows = watch.rows()


@blp.get("/helpline/requests/<request_id>/events")
def talk_events(request_id: str) -> Response:
    """For the two who talk, while their screens are open: that there is something new, and nothing of what it is. Whoever
    hears it asks for the request, and for the messages after the last one that it has.
    """
    return _stream(_talk_lines(_source(), party(request_id), _last_version()))


def _talk_lines(source: Source, who: Party, sent: int) -> Iterator[str]:
    """An event is a version: no word, no name, no place, and not even that it is the helpline's. It ends when the request
    does, and for a counsellor when another one has it.
    """
    request_id, ends = who.doc["_id"], time.monotonic() + LASTS_S
    with source.hub.request(request_id) as watch:
        yield _RETRY
        while time.monotonic() < ends:
            try:
                doc = helpline.get(request_id)
            except STORE_DOWN:
                doc = {}
            except NotFound:
                return  # erased meanwhile
            if doc and who.side == Side.COUNSELLOR and not _has(doc, who.by):
                return
            if doc and doc["version"] != sent:
                sent = doc["version"]
                yield f"event: changed\nid: {sent}\ndata: {json.dumps({'id': request_id, 'v': sent})}\n\n"
                if doc["status"] == HelplineStatus.CLOSED:
                    return
            if not watch.wait(HEARTBEAT_S):
                yield _BEAT


def _has(doc: dict[str, Any], counsellor: str) -> bool:
    return doc["status"] == HelplineStatus.CLAIMED and doc.get("counsellor") == counsellor
