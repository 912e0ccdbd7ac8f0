"""A journey as its traveller starts, follows, answers and ends it. The timers are ours: the app may be killed."""

from datetime import datetime
from typing import Any

from api.blueprint import Blueprint, Call
from api.incidents.position import by_our_clock, heard_at
from api.incidents.schemas import ShareAnswer, TrackTaken
from api.journeys import schemas
from api.paging import Listed, cut
from domain.cities import queries as cities
from domain.journeys import answering, queries, rules, service
from domain.journeys.projection import traveller_view
from domain.journeys.queries import Journey
from domain.journeys.service import Plan
from domain.journeys.states import JourneyStatus
from domain.people import queries as people

blp = Blueprint("journeys", __name__, url_prefix="/v1", description="Timed check-ins on the way.")

PERMISSION = "journey.edit"
_ENDS: dict[str, Any] = {
    "permission": PERMISSION,
    "answer": schemas.Journey,
    "also": {
        403: "The PIN is wrong; it was counted.",
        409: "It stands elsewhere (`current`).",
        429: "Too many wrong PINs.",
    },
}


@blp.endpoint(
    "POST /journeys",
    permission=PERMISSION,
    body=schemas.NewJourney,
    answer=schemas.JourneyDetail,
    status=201,
    creates=True,
    also={409: "This key was used for another journey.", 429: "Several are under way: end one first."},
)
def start(call: Call) -> Any:
    """Start a journey. Whoever does not answer or arrive is asked first, then the guardians, then it becomes an SOS."""
    body, person = call.body, people.get(call.who.person_id)
    place = body["position"] or body["destination"]
    city = cities.city_at(place["lat"], place["lon"]) or cities.nearest_city(place["lat"], place["lon"]).city
    plan = Plan(
        destination=body["destination"],
        expected_arrival=_ours(body["expected_arrival"], call),
        check_in_every_s=body["check_in_every_s"],
        check_ins=[_ours(each, call, "check_ins") for each in body["check_ins"]],
        grace_s=body["grace_s"],
        guardians=body["guardians"],
        route=body["route"],
        sharing=body["sharing"],
        silent=body["silent"],
        note=body["note"],
        battery_pct=body["battery_pct"],
        position=body["position"],
    )
    doc, fresh = service.start(
        call.new_id("jny"),
        person,
        plan,
        city=city,
        fingerprint=call.fingerprint,
        secret=call.services.settings.signing_key,
        now=call.now,
    )
    _hint(call, doc)
    return _detail(call, doc, answering.requires_pin(person)), 201 if fresh else 200


@blp.endpoint("GET /journeys", permission=PERMISSION, answer=schemas.Journey, paged=True)
def list_journeys(call: Call) -> Any:
    """One's own journeys, newest first."""
    after = call.after(datetime, str)
    limit = min(call.limit, 3)  # a journey may have two kilobytes, and phones are on bad networks
    found = queries.of_person(call.who.person_id, after=after, limit=limit + 1)
    page, more = cut(found, limit, "started_at", "_id")
    return Listed([traveller_view(doc) for doc in page], more)


@blp.endpoint("GET /journeys/<journey_id>", permission=PERMISSION, answer=schemas.JourneyDetail, etag=True)
def read(call: Call, journey_id: str) -> Any:
    """How the journey stands."""
    doc = queries.own(journey_id, call.who.person_id)
    return _detail(call, doc, answering.requires_pin(people.get(call.who.person_id))), 200, doc["version"]


@blp.endpoint(
    "POST /journeys/<journey_id>/positions",
    permission=PERMISSION,
    body=schemas.JourneyPositions,
    answer=TrackTaken,
    status=202,
    also={409: "It is over since half an hour: send no more."},
)
def add_positions(call: Call, journey_id: str) -> Any:
    """Where the phone is: up to 100 positions, in any order, and the battery; until 30 minutes after it is over."""
    points = call.body["positions"]
    doc = service.positions(
        queries.own(journey_id, call.who.person_id),
        points,
        age_of=lambda point: heard_at(point, sent_at=call.sent_at, now=call.now),
        battery_pct=call.body["battery_pct"],
        now=call.now,
    )
    _hint(call, doc)
    return {"accepted": len(points)}


@blp.endpoint("POST /journeys/<journey_id>/check-in", body=schemas.CheckIn, **_ENDS)
def check_in(call: Call, journey_id: str) -> Any:
    """All is well: the next check-in is due after this one. Takes a PIN, and needs none."""
    said = {"captured_at": call.body["at"]}
    at = heard_at(said, sent_at=call.sent_at, now=call.now)
    pct = call.body["battery_pct"]
    return _answer(call, journey_id, lambda draft: rules.check_in(draft, at, pct=pct), needs_pin=False)


@blp.endpoint("POST /journeys/<journey_id>/extend", body=schemas.Extend, **_ENDS)
def extend(call: Call, journey_id: str) -> Any:
    """Later than thought: a new time of arrival, at most 24 hours after the start."""
    arrival = _ours(call.body["expected_arrival"], call)
    return _answer(call, journey_id, lambda draft: rules.extend(draft, arrival))


@blp.endpoint("POST /journeys/<journey_id>/arrive", body=schemas.End, **_ENDS)
def arrive(call: Call, journey_id: str) -> Any:
    """There. Positions are taken for half an hour more."""
    return _answer(call, journey_id, lambda draft: rules.end(draft, JourneyStatus.ARRIVED))


@blp.endpoint("POST /journeys/<journey_id>/cancel", body=schemas.End, **_ENDS)
def cancel(call: Call, journey_id: str) -> Any:
    """Take it back. Positions are taken for half an hour more."""
    return _answer(call, journey_id, lambda draft: rules.end(draft, JourneyStatus.CANCELLED))


@blp.endpoint(
    "POST /journeys/<journey_id>/share",
    permission=PERMISSION,
    answer=ShareAnswer,
    status=201,
    also={409: "The journey is over."},
)
def share(call: Call, journey_id: str) -> Any:
    """Share until one arrives: guardians look on from now. Every live page from before is over."""
    queries.own(journey_id, call.who.person_id)
    doc = service.share_anew(journey_id, secret=call.services.settings.signing_key, now=call.now)
    _hint(call, doc)
    return {"share_url": _share_url(call, doc)}


@blp.endpoint("DELETE /journeys/<journey_id>/share", permission=PERMISSION, status=204)
def end_sharing(call: Call, journey_id: str) -> Any:
    """Every live page is over at once. A missed check-in is told to the guardians all the same."""
    queries.own(journey_id, call.who.person_id)
    service.end_sharing(journey_id, now=call.now)
    return None, 204


def _answer(call: Call, journey_id: str, step: answering.Step, *, needs_pin: bool = True) -> Any:
    doc = queries.own(journey_id, call.who.person_id)
    secret = call.services.settings.signing_key
    try:
        doc = answering.answer(doc, call.body["pin"], step, needs_pin=needs_pin, secret=secret, now=call.now)
    finally:
        call.services.enqueue("drain", "journeys", journey_id)  # also where it was refused: a PIN may call for help
    return traveller_view(doc)


def _ours(at: datetime, call: Call, field: str = "expected_arrival") -> datetime:
    return by_our_clock(at, sent_at=call.sent_at, now=call.now, field=field)


def _hint(call: Call, doc: Journey) -> None:
    if doc.get("pending_events"):
        call.services.enqueue("drain", "journeys", doc["_id"])


def _share_url(call: Call, doc: Journey) -> str:
    settings = call.services.settings
    return f"{settings.links}/t/{service.share_token(settings.signing_key, doc)}"


def _detail(call: Call, doc: Journey, requires_pin: bool) -> dict[str, Any]:
    return traveller_view(doc) | {"share_url": _share_url(call, doc), "requires_pin": requires_pin}
