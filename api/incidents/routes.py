"""Incidents as the control room lists and reads them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from api.blueprint import Blueprint, Call
from api.incidents import schemas
from api.incidents.elsewhere import to_streams
from api.incidents.views import entry_view, full_view, holds, row_view
from api.paging import Listed
from domain import permissions
from domain.audit import chain as audit
from domain.deliveries import queries as deliveries
from domain.dispatch import queries as dispatch
from domain.errors import Invalid
from domain.incidents import queries
from domain.incidents import service as incidents
from domain.incidents.errors import IncidentNotFound
from domain.incidents.reach import only_by_unit, target
from domain.permissions import Scope
from domain.tracks import service as tracks

blp = Blueprint("incidents", __name__, url_prefix="/v1", description="What needs somebody to come.")

READ = "incident.read"


@blp.endpoint(
    "GET /incidents",
    permission=READ,
    query=schemas.IncidentsQuery,
    answer=schemas.IncidentRow,
    paged=True,
    caution=False,
)
def list_incidents(call: Call) -> Any:
    """Incidents within reach: newest first, or by `order=rank` those that most need somebody."""
    if permissions.scopes(call.who, READ) <= {Scope.SELF}:
        return Listed([_row(call, each) for each in _of_unit(call)])
    wanted = _wanted(call)
    by_rank = call.query["order"] == "rank"
    if by_rank:
        found: Iterator[incidents.Incident] = queries.ranked(wanted, after=call.after(float, str))
    else:
        found = queries.newest(wanted, after=call.after(datetime, str))
    page: list[incidents.Incident] = []
    last: incidents.Incident | None = None
    for looked_at, row in enumerate(found):
        if len(page) == call.limit or looked_at == _LOOKED_AT:
            assert last is not None
            after = [last["rank"] if by_rank else last["raised_at"], last["_id"]]
            return Listed([_row(call, each) for each in page], after)
        last = row
        if permissions.reaches(call.who, READ, target(row)):
            page.append(row)
    return Listed([_row(call, each) for each in page])


def _row(call: Call, doc: incidents.Incident) -> dict[str, Any]:
    """As the caller's roles let it be seen: one that is theirs by their unit alone, with a responder's eyes."""
    return row_view(doc, call.who.language, unit=only_by_unit(call.who, doc))


def _of_unit(call: Call) -> list[incidents.Incident]:
    """What a responder's unit is asked or holds; a few, so that filters and pages do not matter."""
    found = dispatch.of_unit(call.who.unit_id) if call.who.unit_id else []
    rows = {doc["_id"]: doc for doc, _ in found}.values()
    return [doc for doc in rows if permissions.reaches(call.who, READ, target(doc))]


_LOOKED_AT = 1000
"""Rows that one page looks at for those within reach; the next page goes on from there."""


def _wanted(call: Call) -> queries.Wanted:
    query = call.query
    place = [float(part) for part in query["near"].split(",")] if query.get("near") else None
    return queries.Wanted(
        city=query.get("city") or _only_city(call),
        statuses=tuple(dict.fromkeys(query["status"].split(","))) if query.get("status") else queries.GOING_ON,
        category=query.get("category"),
        since=query.get("since"),
        until=query.get("until"),
        near=(place[0], place[1], place[2]) if place else None,
    )


def _only_city(call: Call) -> str:
    held = {each.city for each in call.who.active if each.city and each.city != "*"}
    mine = (permissions.cities(call.who, READ) - {"*"}) or held or {call.who.city}
    if len(mine) != 1 or not any(mine):
        raise Invalid("say which city", errors={"city": ["Needed: you work for several."]})
    return next(iter(mine))


def readable(call: Call, incident_id: str, action: str = READ) -> incidents.Incident:
    """The incident, within the caller's reach for an action; raises IncidentNotFound."""
    doc = incidents.get(incident_id)
    if not permissions.reaches(call.who, action, target(doc)):
        raise IncidentNotFound("no such incident")
    return doc


def shown(call: Call, doc: incidents.Incident) -> tuple[dict[str, Any], int, str]:
    """The incident for this caller with its ETag; whoever sees it by their unit alone gets a unit's view."""
    if unit := only_by_unit(call.who, doc):
        return full_view(doc, call.who.language, unit=unit), 200, str(doc["version"])
    told = deliveries.of_subject(doc["_id"])
    tag = f"{doc['version']}.{sum(each['version'] for each in told)}"
    return full_view(doc, call.who.language, deliveries=told), 200, tag


@blp.endpoint(
    "GET /incidents/events",
    permission=READ,
    query=schemas.StreamQuery,
    status=307,
    also={404: "No event streams here: poll the list."},
)
def events(call: Call) -> Any:
    """Where the event stream of a city's incidents is: `streams_url` of app-config has the same path."""
    return to_streams()


@blp.endpoint("GET /incidents/<incident_id>", permission=READ, answer=schemas.Incident, etag=True, caution=False)
def read_incident(call: Call, incident_id: str) -> Any:
    """One incident with timeline, assignments, correlations and deliveries. Each reading is in the audit log."""
    doc = readable(call, incident_id)
    audit.append(doc["city"], call.who.person_id, "incident.read", incident_id, now=call.now)
    return shown(call, doc)


@blp.endpoint(
    "GET /incidents/<incident_id>/timeline",
    permission=READ,
    answer=schemas.TimelineEntry,
    paged=True,
    caution=False,
)
def read_timeline(call: Call, incident_id: str) -> Any:
    """All that happened, newest first."""
    doc = readable(call, incident_id)
    audit.append(doc["city"], call.who.person_id, "incident.timeline.read", incident_id, now=call.now)
    after = call.after(int)
    entries = queries.timeline(doc, before=after[0] if after else None, limit=call.limit + 1)
    page = [entry_view(entry) for entry in entries[: call.limit]]
    return Listed(page, [page[-1]["seq"]] if len(entries) > call.limit else None)


@blp.endpoint(
    "GET /incidents/<incident_id>/track", permission=READ, query=schemas.TrackQuery, answer=schemas.Track, caution=False
)
def read_track(call: Call, incident_id: str) -> Any:
    """Where the citizen's phone was. A responder sees it only while the unit has the incident."""
    doc = readable(call, incident_id)
    if (unit := only_by_unit(call.who, doc)) and not holds(doc, unit):
        raise IncidentNotFound("no such incident")
    audit.append(doc["city"], call.who.person_id, "incident.track.read", incident_id, now=call.now)
    return {"points": tracks.read(incident_id, after=call.query.get("after"))}
