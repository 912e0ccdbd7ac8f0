"""Patrols of watch groups: beats, the roster, who walks, who came, and where nobody does."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from api.admin.scope import audited
from api.blueprint import Blueprint, Call
from api.incidents.position import heard_at
from api.paging import Listed, cut
from api.patrols import schemas
from api.watch.access import LEAD, READ, belongs, group_of, reached
from domain import geo
from domain.cities import queries as cities
from domain.patrols import mapping, queries, rules, seen, service
from domain.patrols.errors import BeatNotFound, PatrolInvalid, PatrolNotFound
from domain.patrols.queries import Beat, Patrol
from domain.patrols.service import Plan
from domain.people import queries as people
from domain.watch.queries import Group

blp = Blueprint("patrols", __name__, url_prefix="/v1/watch", description="Neighbours walk their streets.")

SHOWN: Final = 12
COVERED: Final = 5
FEATURES: Final = 3
"""Rows of a page at most: they fit in 8 KiB."""
BACK: Final = timedelta(hours=4)
_OVER = {409: "It does not stand where this is possible (`current`)."}


def _beat(call: Call, beat_id: str, *, leads: bool = False) -> tuple[Beat, Group]:
    beat = queries.beat(beat_id)
    return beat, group_of(call, beat, BeatNotFound("no such beat"), leads=leads)


def _patrol(call: Call, patrol_id: str, *, leads: bool = False, member: bool = False) -> Patrol:
    """The patrol, for whoever may see its group; `member`: for who belongs to it, and may walk."""
    doc = queries.get(patrol_id)
    group_of(call, doc, PatrolNotFound("no such patrol"), leads=leads, member=member)
    return doc


def beat_view(beat: Beat) -> dict[str, Any]:
    """A beat as the app has it."""
    return {**beat, "id": beat["_id"], "retired": bool(beat.get("retired_at"))}


def _rows(call: Call, docs: Sequence[Patrol]) -> list[dict[str, Any]]:
    beats = queries.some_beats([doc["beat"] for doc in docs])
    return [
        seen.row(doc, beats[doc["beat"]]["name"], call.who.person_id, cities.current(doc["city"]).zone) for doc in docs
    ]


def _shown(call: Call, doc: Patrol) -> dict[str, Any]:
    """A patrol; who signed up is for members: a liaison and the control room do not learn who they are."""
    (view,) = _rows(call, [doc])
    if not belongs(call, doc["group"]):
        return {**view, "reason": doc.get("reason") or None, "places": []}
    names = people.names(doc["places"])
    view["reason"] = doc.get("reason") or None
    view["places"] = [
        {
            "person": person,
            "name": names.get(person, ""),
            "status": rules.place_status(place),
            "checked_in_at": place.get("checked_in_at"),
        }
        for person, place in sorted(doc["places"].items(), key=lambda each: (each[1]["since"], each[0]))
    ]
    return view


def _answer(call: Call, doc: Patrol) -> dict[str, Any]:
    if doc.get("pending_events"):
        call.services.enqueue("drain", "watch_patrols", doc["_id"])
    return _shown(call, doc)


# beats


@blp.endpoint(
    "POST /beats",
    permission=LEAD,
    body=schemas.NewBeat,
    answer=schemas.BeatAnswer,
    status=201,
    creates=True,
    also={409: "The key was used for another beat, or the group was closed.", 429: "Twenty beats are there already."},
)
def draw_beat(call: Call) -> Any:
    """Draw a beat, as an area or a route."""
    body = call.body
    group = reached(call, body["group"], leads=True)
    beat, fresh = mapping.draw(
        call.new_id("bea"), group, body["name"], body["geometry"], fingerprint=call.fingerprint, now=call.now
    )
    return beat_view(beat), 201 if fresh else 200


@blp.endpoint("GET /beats", permission=READ, query=schemas.BeatsQuery, answer=schemas.BeatAnswer, paged=True)
def list_beats(call: Call) -> Any:
    """The beats of a group."""
    group = reached(call, call.query["group"])
    after, limit = call.after(str), min(call.limit, FEATURES)
    rows = queries.beats_of(group["_id"], after=after[0] if after else "", limit=limit + 1)
    page, more = cut(rows, limit, "_id")
    return Listed([beat_view(row) for row in page], more)


@blp.endpoint("GET /beats/<beat_id>", permission=READ, answer=schemas.BeatAnswer, etag=True)
def read_beat(call: Call, beat_id: str) -> Any:
    """One beat."""
    return beat_view(_beat(call, beat_id)[0])


@blp.endpoint(
    "PATCH /beats/<beat_id>",
    permission=LEAD,
    body=schemas.BeatFields,
    answer=schemas.BeatAnswer,
    also={409: "Changed by somebody else.", 412: "If-Match is not the version that stands."},
)
def change_beat(call: Call, beat_id: str) -> Any:
    """Change a beat's name or shape; what is left out stays."""
    beat, group = _beat(call, beat_id, leads=True)
    call.require_match(beat["version"])
    return beat_view(mapping.redraw(beat, group, call.body, now=call.now))


@blp.endpoint("DELETE /beats/<beat_id>", permission=LEAD, status=204, also={409: "Changed by somebody else."})
def retire_beat(call: Call, beat_id: str) -> Any:
    """Plan no more patrols on it; those that are planned stay."""
    mapping.retire(_beat(call, beat_id, leads=True)[0], now=call.now)
    return None, 204


# the roster


@blp.endpoint(
    "POST /patrols",
    permission=LEAD,
    body=schemas.NewPatrols,
    answer=schemas.PlannedPatrols,
    status=201,
    creates=True,
    also={409: "The key was used for other patrols, or the group was closed.", 429: "Too many are still to come."},
)
def plan(call: Call) -> Any:
    """Put patrols of a beat on the roster, one for each date."""
    body = call.body
    beat, _ = _beat(call, body["beat"], leads=True)
    if beat.get("retired_at"):
        raise BeatNotFound("it was retired")
    wanted = Plan(
        dates=_dates(body["dates"]),
        since=time.fromisoformat(body["since"]),
        until=time.fromisoformat(body["until"]),
        capacity=body["capacity"],
    )
    docs, fresh = service.plan(call.new_id("ros"), beat, wanted, fingerprint=call.fingerprint, now=call.now)
    return {"items": _rows(call, docs)}, 201 if fresh else 200


def _dates(given: Sequence[str]) -> list[date]:
    try:
        return [date.fromisoformat(each) for each in given]
    except ValueError as error:
        raise PatrolInvalid("no such day", errors={"dates": ["Not a day that exists."]}) from error


@blp.endpoint("GET /patrols", permission=READ, query=schemas.PatrolsQuery, answer=schemas.PatrolRow, paged=True)
def list_patrols(call: Call) -> Any:
    """The roster of a group, or one's own patrols, the earliest first."""
    query, limit = call.query, min(call.limit, SHOWN)
    since = query.get("since") or call.now - BACK
    after = call.after(datetime, str)
    if query["mine"]:
        rows = queries.of_person(call.who.person_id, since=since, after=after, limit=limit + 1)
    elif query.get("group"):
        group = reached(call, query["group"])
        until = since + timedelta(days=query["days"])
        rows = queries.of_group(group["_id"], since=since, until=until, after=after, limit=limit + 1)
    else:
        raise PatrolInvalid("of whom", errors={"group": ["Name a group, or say mine=true."]})
    page, more = cut(rows, limit, "starts_at", "_id")
    return Listed(_rows(call, page), more)


@blp.endpoint(
    "GET /patrols/coverage", permission=READ, query=schemas.CoverageQuery, answer=schemas.BeatCoverage, paged=True
)
def read_coverage(call: Call) -> Any:
    """Which beats and hours have nobody, by beat."""
    rows, more = _covered(call, COVERED)
    return Listed([shown for _, shown in rows], more)


@blp.endpoint(
    "GET /patrols/coverage/features",
    permission=READ,
    query=schemas.CoverageQuery,
    answer=schemas.CoverageFeature,
    paged=True,
)
def read_coverage_features(call: Call) -> Any:
    """The same as GeoJSON features, for a map."""
    rows, more = _covered(call, FEATURES)
    return Listed(
        [{"type": "Feature", "geometry": beat["geometry"], "properties": shown} for beat, shown in rows], more
    )


def _covered(call: Call, most: int) -> tuple[list[tuple[Beat, dict[str, Any]]], list[str] | None]:
    query, limit = call.query, min(call.limit, most)
    group = reached(call, query["group"])
    zone = cities.current(group["city"]).zone
    since = query.get("since") or call.now
    after = call.after(str)
    beats = queries.beats_of(group["_id"], after=after[0] if after else "", limit=limit + 1)
    walked = queries.walked(group["_id"], since, since + timedelta(days=query["days"]))
    rows = []
    for beat in beats[:limit]:
        found = rules.coverage([each for each in walked if each["beat"] == beat["_id"]], since, query["days"], zone)
        shown = {
            "beat": beat["_id"],
            "name": beat["name"],
            "zone": str(zone),
            "since": since,
            "days": query["days"],
            "planned_h": found.planned_h,
            "covered_h": found.covered_h,
            "empty": list(found.empty[:20]),
            "never": list(found.never),
            "sometimes": list(found.sometimes),
        }
        rows.append((beat, shown))
    return rows, [beats[limit - 1]["_id"]] if len(beats) > limit else None


@blp.endpoint("GET /patrols/<patrol_id>", permission=READ, answer=schemas.PatrolAnswer, etag=True)
def read_patrol(call: Call, patrol_id: str) -> Any:
    """One patrol with who signed up, for the group."""
    return _shown(call, _patrol(call, patrol_id))


@blp.endpoint(
    "POST /patrols/<patrol_id>/places",
    permission=READ,
    answer=schemas.PatrolAnswer,
    also={409: "Full (`patrol_full`), over, or the caller walks elsewhere at that time (`on_another_patrol`)."},
)
def sign_up(call: Call, patrol_id: str) -> Any:
    """Take a free place. Again is harmless."""
    _patrol(call, patrol_id, member=True)
    return _answer(call, service.sign_up(patrol_id, call.who.person_id, now=call.now))


@blp.endpoint(
    "DELETE /patrols/<patrol_id>/places/<person_id>", permission=READ, answer=schemas.PatrolAnswer, also=_OVER
)
def give_back(call: Call, patrol_id: str, person_id: str) -> Any:
    """Give one's place back (`me`); those who lead take somebody off the roster."""
    mine = person_id in ("me", call.who.person_id)
    doc = _patrol(call, patrol_id, leads=not mine)
    if not mine:
        audited(call, doc["city"], "patrol.place_freed", patrol_id)
    return _answer(call, service.give_back(patrol_id, call.who.person_id if mine else person_id, now=call.now))


@blp.endpoint("POST /patrols/<patrol_id>/offer", permission=READ, answer=schemas.PatrolAnswer, also=_OVER)
def offer(call: Call, patrol_id: str) -> Any:
    """Offer one's place to others; it stays one's own until somebody takes it."""
    _patrol(call, patrol_id, member=True)
    return _answer(call, service.offer(patrol_id, call.who.person_id, offered=True, now=call.now))


@blp.endpoint("DELETE /patrols/<patrol_id>/offer", permission=READ, answer=schemas.PatrolAnswer, also=_OVER)
def take_offer_back(call: Call, patrol_id: str) -> Any:
    """Keep one's place after all."""
    _patrol(call, patrol_id, member=True)
    return _answer(call, service.offer(patrol_id, call.who.person_id, offered=False, now=call.now))


@blp.endpoint(
    "POST /patrols/<patrol_id>/take",
    permission=READ,
    body=schemas.PatrolTake,
    answer=schemas.PatrolAnswer,
    also={409: "Nobody offers a place any more (`nothing_offered`), it is over, or the caller walks elsewhere."},
)
def take(call: Call, patrol_id: str) -> Any:
    """Take a place that somebody offers; who offered it hears of it."""
    _patrol(call, patrol_id, member=True)
    return _answer(call, service.take(patrol_id, call.who.person_id, of=call.body.get("person", ""), now=call.now))


@blp.endpoint(
    "POST /patrols/<patrol_id>/check-in",
    permission=READ,
    body=schemas.PatrolCheckIn,
    answer=schemas.PatrolAnswer,
    also={409: "Not at the beat (`not_at_the_beat`), not the time (`not_the_time`), not signed up, or cancelled."},
)
def check_in(call: Call, patrol_id: str) -> Any:
    """Say that one is at the beat. The position is compared and forgotten; that one was there in time is kept."""
    _patrol(call, patrol_id, member=True)
    position = call.body["position"]
    if not geo.is_position(position["lat"], position["lon"]):
        raise PatrolInvalid("no place", errors={"position": ["Not a position."]})
    doc = service.check_in(
        patrol_id,
        call.who.person_id,
        lat=position["lat"],
        lon=position["lon"],
        accuracy_m=position.get("accuracy_m") or 0.0,
        at=heard_at(position, sent_at=call.sent_at, now=call.now),
        now=call.now,
    )
    return _answer(call, doc)


@blp.endpoint(
    "POST /patrols/<patrol_id>/cancel",
    permission=LEAD,
    body=schemas.PatrolReason,
    answer=schemas.PatrolAnswer,
    also=_OVER,
)
def cancel(call: Call, patrol_id: str) -> Any:
    """Take a patrol off the roster; who signed up hears of it."""
    doc = _patrol(call, patrol_id, leads=True)
    audited(call, doc["city"], "patrol.cancelled", patrol_id)
    return _answer(call, service.cancel(patrol_id, call.body["reason"], now=call.now))
