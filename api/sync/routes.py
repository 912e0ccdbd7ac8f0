"""`GET /v1/sync`: what changed for this person since the last time."""

from datetime import datetime
from typing import Any, Final

from flask import json
from marshmallow import fields

from api.blueprint import Blueprint, Call
from api.gatherings.schemas import GatheringAnswer
from api.incidents.schemas import Sos
from api.journeys.schemas import Journey
from api.paging import decode_cursor, encode_cursor
from api.patrols.schemas import PatrolRow
from api.people.schemas import PersonAnswer
from api.people.views import person_view
from api.reports.schemas import ReportRow
from api.responder.schemas import Assignment
from api.schemas import Schema, Time
from api.watch.schemas import GroupAnswer
from api.watch_alerts.schemas import WatchAlertAnswer
from domain import roster_sync, sync
from domain.errors import Invalid
from domain.people import queries as people
from domain.watch import queries as watch

blp = Blueprint("sync", __name__, url_prefix="/v1", description="What changed for this person.")


class SyncReport(ReportRow):
    """A report as a list has it, and why a phone keeps it: while one of `groups` is among its person's, or it is `mine`."""

    groups = fields.List(fields.String(), required=True)
    mine = fields.Boolean(required=True)


_BODIES: dict[str, Schema] = {
    "sos": Sos(),
    "journey": Journey(),
    "watch_group": GroupAnswer(),
    "watch_report": SyncReport(),
    "watch_patrol": PatrolRow(),
    "watch_gathering": GatheringAnswer(),
    "watch_alert": WatchAlertAnswer(),
    "assignment": Assignment(),
    "profile": PersonAnswer(),
}


class SyncQuery(Schema):
    """Where the last answer ended; everything of the last 90 days without one."""

    cursor = fields.String()


class SyncItem(Schema):
    """Something that changed: `sos`, `journey`, `assignment`, `profile`, `watch_group`, `watch_report`, `watch_patrol` (these
    two as their lists have them), `watch_gathering` or `watch_alert`, as its own route answers it.
    """

    kind = fields.String(required=True)
    id = fields.String(required=True)
    at = Time(required=True)
    body = fields.Dict(required=True)


class Tombstone(Schema):
    """Something that is no longer the person's: forget it."""

    kind = fields.String(required=True)
    id = fields.String(required=True)
    at = Time(required=True)


class SyncAnswer(Schema):
    """All that changed; keep `cursor` for the next time. The same may come twice."""

    items = fields.List(fields.Nested(SyncItem), required=True)
    tombstones = fields.List(fields.Nested(Tombstone), required=True)
    watch_groups = fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "All of one's groups, invitations and requests: forget a group that is not among them."
        },
    )
    cursor = fields.String(required=True)
    more = fields.Boolean(required=True, metadata={"description": "Ask again at once with this cursor."})


BYTES: Final = 6000
"""What the changes of one answer take, so that it stays under 8 KiB; `more` says that the next is due at once."""


def _cursor(given: str | None) -> sync.Cursor | None:
    """One that cannot be read is none: the phone gets everything, and is right again."""
    try:
        values = decode_cursor(given, (datetime, str))
    except Invalid:
        return None
    return sync.Cursor(*values) if values else None


@blp.endpoint(
    "GET /sync",
    permission="me.read",
    query=SyncQuery,
    answer=SyncAnswer,
    also={410: "The cursor is older than 90 days: start without one."},
)
def changes(call: Call) -> Any:
    """What changed for oneself since the cursor; what is gone as tombstones.

    One's own SOS, journeys, profile, watch groups with their reports, patrols, gatherings and alerts, and the
    assignments of one's unit.
    """
    cursor = _cursor(call.query.get("cursor"))
    since = sync.since(cursor, now=call.now)
    found = sync.own_sos(call.who.person_id, since, cursor, now=call.now)
    found += sync.own_journeys(call.who.person_id, since, cursor, now=call.now)
    memberships = watch.of_person(call.who.person_id)
    groups, group_ids = sync.watch_groups(memberships, since, cursor)
    reach = sync.reach(memberships, since, cursor, now=call.now)
    found += groups
    found += sync.watch_reports(call.who.person_id, reach, call.who.language, cursor)
    found += roster_sync.changes(call.who.person_id, reach, cursor, now=call.now)
    if call.who.unit_id:
        found += sync.assignments(call.who.unit_id, since, call.who.language, cursor, but_of=call.who.person_id)
    person = people.get(call.who.person_id)
    if person.changed_at is None or person.changed_at > since:
        body = person_view(person, call, call.who.second_factor)
        found.append(sync.Change("profile", person.id, person.changed_at or person.created_at, body))
    bodies = {id(each): None if each.body is None else _BODIES[each.kind].dump(each.body) for each in found}
    room = BYTES - len(json.dumps(group_ids))
    page, reached = sync.page(
        found, cursor, lambda each: len(json.dumps(bodies[id(each)]).encode()) + 120, most=room, now=call.now
    )
    kept = [each for each in page if each.body is not None]
    return {
        "items": [{"kind": each.kind, "id": each.id, "at": each.at, "body": bodies[id(each)]} for each in kept],
        "tombstones": [{"kind": each.kind, "id": each.id, "at": each.at} for each in page if each.body is None],
        "watch_groups": group_ids,
        "cursor": encode_cursor([reached.at, reached.id]),
        "more": bool(reached.id),
    }
