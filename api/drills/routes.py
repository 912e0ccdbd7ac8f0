"""Drills: who of those whom Amaan must be able to call can be reached, on which channel, and why not."""

from datetime import datetime, time, timedelta
from typing import Any, Final

from api.admin.scope import audited
from api.blueprint import Blueprint, Call
from api.drills import schemas
from api.paging import Listed, cut
from api.readings import reading
from domain import permissions
from domain.cities import agencies
from domain.cities import queries as cities
from domain.cities.config import ChannelName, DrillPlan
from domain.cities.errors import CityInvalid, UnknownAgency, UnknownCity
from domain.drills import queries, service
from domain.drills.errors import DrillNotFound
from domain.drills.service import Wanted
from domain.drills.states import Unreached
from domain.errors import NotFound
from domain.permissions import Role, Target

blp = Blueprint("drills", __name__, url_prefix="/v1/drills", description="Tests of whether people can be reached.")

USUAL: Final = DrillPlan(
    days=(),
    at=time(),
    roles=(Role.RESPONDER, Role.SUPERVISOR, Role.OPERATOR),
    channels=tuple(ChannelName),
    answer_within=timedelta(minutes=60),
)
"""What is tested where neither the request nor the city says."""
READ, RUN = "drill.read", "drill.run"


def _city(call: Call, action: str, given: str | None) -> tuple[str, str]:
    """(city, agency): where the caller's action holds; agency empty for a whole city."""
    city = given or call.who.city
    if not city:
        raise CityInvalid("which city", errors={"city": ["Say which city."]})
    if city not in cities.known():
        raise UnknownCity("no such city")
    if permissions.reaches(call.who, action, Target(city=city)):
        return city, ""
    own = sorted(
        held.agency_id
        for held in call.who.active
        if held.city == city and held.agency_id in permissions.agencies(call.who, action)
    )
    if not own:
        raise UnknownCity("no such city")
    return city, own[0]


def _drill(call: Call, action: str, drill_id: str) -> queries.Drill:
    drill = queries.get(drill_id)
    agency = drill.get("agency") or ""
    try:
        call.require_reach(action, Target(city=drill["city"], agency_ids=frozenset({agency} - {""})))
    except NotFound:
        raise DrillNotFound("no such drill") from None
    return drill


def _shown(drill: queries.Drill, now: datetime) -> dict[str, Any]:
    found = service.report(drill, now=now)
    rows = [{"channel": channel, **figures} for channel, figures in found.by_channel.items()]
    unreachable = drill.get("unreachable")
    return {
        **_row(drill),
        "results": rows,
        "unreachable": len(found.unreachable) if unreachable is None else unreachable,
    }


def _row(drill: queries.Drill) -> dict[str, Any]:
    return {**drill, "agency_id": drill.get("agency") or None}


@blp.endpoint("GET ", permission=READ, query=schemas.DrillsQuery, answer=schemas.Drill, paged=True, caution=False)
def list_drills(call: Call) -> Any:
    """A city's drills, the latest first; the one that is planned next stands first. A supervisor sees the own agency's."""
    city, agency = _city(call, READ, call.query.get("city"))
    after = call.after(datetime, str)
    rows = queries.listed(city, agency=agency, after=after, limit=call.limit + 1)
    page, more = cut(rows, call.limit, "at", "_id")
    return Listed([_row(each) for each in page], more)


@blp.endpoint(
    "POST ",
    permission=RUN,
    body=schemas.NewDrill,
    answer=schemas.Drill,
    status=201,
    creates=True,
    also={409: "Another drill goes on, or the city sleeps."},
)
def start_drill(call: Call) -> Any:
    """Begin a drill now: each person is told on each channel, and may answer until the deadline."""
    body = call.body
    city, own = _city(call, RUN, body.get("city"))
    agency = body.get("agency_id") or own
    if own and agency != own:
        raise UnknownAgency("no such agency")
    if agency:
        agencies.get(city, agency)
    config = cities.current(city)
    usual = config.drills or USUAL
    minutes = body.get("answer_within_min")
    wanted = Wanted(
        city=city,
        by=call.who.person_id,
        agency=agency,
        roles=body.get("roles") or usual.roles,
        channels=body.get("channels") or usual.channels,
        answer_within=timedelta(minutes=minutes) if minutes else usual.answer_within,
        fingerprint=call.fingerprint,
    )
    drill_id = call.new_id("drl")
    audited(call, city, "drill.started", drill_id)
    drill, fresh = service.start(drill_id, wanted, config, now=call.now)
    call.services.enqueue("drill", drill_id)
    return _shown(drill, call.now), 201 if fresh else 200


@blp.endpoint("GET /<drill_id>", permission=READ, answer=schemas.Drill, etag=True)
def read_drill(call: Call, drill_id: str) -> Any:
    """One drill with its figures by channel: how many were reached and by what, how many not and why."""
    return _shown(_drill(call, READ, drill_id), call.now)


@blp.endpoint("POST /<drill_id>/stop", permission=RUN, answer=schemas.Drill, also={409: "It is over."})
def stop_drill(call: Call, drill_id: str) -> Any:
    """Call a planned drill off, or end a running one now; its report stands."""
    drill = _drill(call, RUN, drill_id)
    audited(call, drill["city"], "drill.stopped", drill_id)
    stopped = service.stop(drill_id, now=call.now)
    call.services.enqueue("drill", drill_id)
    return _shown(stopped, call.now)


@blp.endpoint("GET /<drill_id>/unreached", permission=READ, answer=schemas.Missed, paged=True, caution=False)
def unreached(call: Call, drill_id: str) -> Any:
    """Who could not be reached, by channel, and why. Each reading is in the audit log."""
    drill = _drill(call, READ, drill_id)
    audited(call, drill["city"], "drill.read", drill_id)
    after = call.after(datetime, str)
    rows, last = service.missed(drill, after=after, limit=call.limit, now=call.now)
    page = [{**vars(each), "reading": reading(Unreached, each.why)} for each in rows]
    return Listed(page, list(last) if last else None)
