"""Asking cameras about an incident or a report: one look per camera and window, shared by all who ask, never left undone.

A look waits, is taken by a worker under a lease that the worker renews, and ends done or shed. `until` is set as long as
somebody has to see to it: the sweeper puts it on the queue again when the queue or its worker lost it, and sheds it when
it comes too late, so that nothing shows `asked` for ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain.cameras import health_rules, observations, rules
from domain.cameras.queries import (
    Camera,
    Look,
    Observation,
    camera,
    health_of_all,
    latest,
    looks,
    near,
    observation,
    overdue,
    waiting,
)
from domain.cameras.rules import Chosen, Step
from domain.cameras.states import LookState, View
from domain.errors import NotFound
from domain.incidents import service as incidents
from domain.incidents.draft import Draft
from domain.limits import service as limits
from domain.reports import sights

LEASE: Final = timedelta(seconds=15)
"""How long a worker that died holds a look back."""
RENEW_S: Final = 5.0
QUEUED: Final = timedelta(seconds=2)
"""A look that the queue has not got within this is put there by the sweeper."""
LOOK_AGAIN: Final = timedelta(seconds=10)


@dataclass
class Joined:
    """What asking came to: looks to do now, and what is known at once, [(camera, its answer, the observation)]."""

    to_do: list[str] = field(default_factory=list)
    answers: list[tuple[str, View, Observation | None]] = field(default_factory=list)


def ask(incident_id: str, *, now: datetime) -> list[str]:
    """Ask the cameras that may have seen an incident. Returns the looks that somebody has to do now.

    The incident first shows whom it asked, with the look of each, so that a second run joins the same looks.
    """
    doc = incidents.get(incident_id)
    position = doc.get("position")
    if not position or "practice" in doc["flags"]:
        return []
    lat, lon = position["lat"], position["lon"]
    chosen = rules.choose(near(doc["city"], lat, lon), lat, lon, accuracy_m=position.get("accuracy_m") or 0.0)
    health = {row["_id"]: row for row in health_of_all(each.camera["_id"] for each in chosen)}

    def rule(draft: Draft) -> None:
        held = draft.doc.get("cameras") or {}
        fresh = [each for each in chosen if each.camera["_id"] not in held]
        for each in fresh[: max(0, rules.MOST_OF_AN_INCIDENT - len(held))]:
            draft.set(
                f"cameras.{each.camera['_id']}",
                _asked(each, health.get(each.camera["_id"], {}), draft.doc["raised_at"], now),
            )

    asked = incidents.change(incident_id, rule, now=now, known=doc).get("cameras") or {}
    return _join_all(incident_id, {name: held for name, held in asked.items() if held["state"] == View.ASKED}, now)


def _asked(each: Chosen, health: Mapping[str, Any], raised_at: datetime, now: datetime) -> dict[str, Any]:
    shown: dict[str, Any] = {"covering": each.covering, "distance_m": round(each.distance_m), "asked_at": now}
    if not each.covering:
        return shown | {"state": str(View.NOT_COVERING)}
    shown["state"] = str(View.ASKED)
    if not observations.is_gateways(each.camera["source"]):
        source = rules.as_recorded(each.camera["source"], health, raised_at, now)
        if source is each.camera["source"] and health_rules.is_known_down(health, now):
            return shown | {"state": str(View.DOWN), "answered_at": now}  # opening it would only take a worker's time
        span = rules.span(source, raised_at, now)
        shown["look"] = {
            "start": span.start,
            "seconds": span.seconds,
            "recorded": span.recorded,
            "ready_at": span.ready_at,
        }
    return shown


def _join_all(incident_id: str, asked: Mapping[str, Mapping[str, Any]], now: datetime) -> list[str]:
    backlog = waiting(now=now, at_most=rules.BACKLOG) if asked else 0
    to_do: list[str] = []
    best_first = sorted(asked.items(), key=lambda each: (each[1]["distance_m"], each[0]))  # a store keeps no order
    for place, (camera_id, held) in enumerate(best_first):
        if "look" not in held:
            _ask_gateway(incident_id, camera_id, now)
            continue
        look = _join(camera_id, held["look"], incident_id, now, room=rules.has_room(place, backlog))
        if look is None or look["state"] == LookState.SHED:
            observations.show(incident_id, camera_id, View.BUSY, None, now=now)
        elif look["state"] == LookState.DONE:
            _tell_one(look, incident_id, now)
        elif look["state"] == LookState.WAITING and look["ready_at"] <= now:
            backlog += look["asked_at"] == now
            to_do.append(look["_id"])
    return to_do


def windows(
    city: str, position: Mapping[str, Any], at: datetime, *, at_most: int, now: datetime
) -> dict[str, dict[str, Any]]:
    """The cameras that may see what a neighbour reports, each with the window to look at, as `ask` puts them on an incident.

    Only the city's own: what somebody lent is looked at once it is believed. Nor those that are known to be down, nor a
    gateway's, whose words are linked when they come.
    """
    lat, lon = position["lat"], position["lon"]
    own = [each for each in near(city, lat, lon) if not each.get("owner")]
    chosen = rules.choose(own, lat, lon, accuracy_m=position.get("accuracy_m") or 0.0)
    health = {row["_id"]: row for row in health_of_all(each.camera["_id"] for each in chosen)}
    asked = {each.camera["_id"]: _asked(each, health.get(each.camera["_id"], {}), at, now) for each in chosen}
    return dict([(name, held) for name, held in asked.items() if "look" in held][:at_most])


def join_report(report_id: str, asked: Mapping[str, Mapping[str, Any]], *, secret: str, now: datetime) -> Joined:
    """Have a report wait for the looks that `windows` chose. `secret`: of the counters (`domain/limits`).

    A look that somebody asked for already is shared. A new one yields to SOS, as an incident's next camera does, and no
    camera is looked at more often than REPORTS_OF_A_CAMERA in ten minutes for what nobody has to believe yet.
    """
    made = Joined()
    backlog = waiting(now=now, at_most=rules.BACKLOG) if asked else 0
    best_first = sorted(asked.items(), key=lambda each: (each[1]["distance_m"], each[0]))
    for place, (camera_id, held) in enumerate(best_first):
        look = _join(camera_id, held["look"], report_id, now, room=False, waits="reports")
        if look is None and rules.has_room(place + 1, backlog) and _may_be_looked_at(camera_id, secret, now):
            look = _join(camera_id, held["look"], report_id, now, room=True, waits="reports")
        if look is None or look["state"] == LookState.SHED:
            made.answers.append((camera_id, View.BUSY, None))
        elif look["state"] == LookState.DONE:
            made.answers.append((camera_id, View.CANNOT_TELL, observations.kept(look["observation"])))
        elif look["state"] == LookState.WAITING and look["ready_at"] <= now:
            backlog += look["asked_at"] == now
            made.to_do.append(look["_id"])
    return made


def _may_be_looked_at(camera_id: str, secret: str, now: datetime) -> bool:
    within = int(rules.REPORTS_WITHIN.total_seconds())
    most = rules.REPORTS_OF_A_CAMERA
    return limits.admit(secret, "report_look", camera_id, limit=most, window_s=within, now=now) is None


def _ask_gateway(incident_id: str, camera_id: str, now: datetime) -> None:
    """A gateway's camera cannot be looked at: its last word counts, and its next one, if they are near in time."""
    found = latest(camera_id, incidents.get(incident_id)["raised_at"])
    view = View(found["view"]) if found else View.CANNOT_TELL
    observations.show(incident_id, camera_id, view, found, now=now)


def _join(
    camera_id: str, span: Mapping[str, Any], asker: str, now: datetime, *, room: bool, waits: str = "incidents"
) -> Look | None:
    """The look, with the asker among those who wait for it; None when there is none yet and no room for more."""
    look_id = rules.look_id(camera_id, span["start"])
    join = {"$addToSet": {waits: asker}}
    if not room:
        return looks().find_one_and_update({"_id": look_id}, join, return_document=ReturnDocument.AFTER)
    fresh = {
        "city": camera(camera_id, retired=True)["city"],
        "camera": camera_id,
        "start": span["start"],
        "seconds": span["seconds"],
        "recorded": span["recorded"],
        "state": str(LookState.WAITING),
        "tries": 0,
        "asked_at": now,
        "ready_at": span["ready_at"],
        "until": max(now + QUEUED, span["ready_at"]),
    }
    for _ in range(2):
        try:
            return looks().find_one_and_update(
                {"_id": look_id},
                {**join, "$setOnInsert": fresh},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:
            continue  # two upserts at once: the other one made it
    return looks().find_one_and_update({"_id": look_id}, join, return_document=ReturnDocument.AFTER)


def _tell_one(look: Look, incident_id: str, now: datetime) -> None:
    try:
        found = observation(look["observation"])
    except NotFound:  # its time to be kept is over
        observations.show(incident_id, look["camera"], View.CANNOT_TELL, None, now=now)
    else:
        observations.tell(found, [incident_id], now=now)


def queued(look_id: str, *, now: datetime) -> None:
    """The queue has it: the sweeper may leave it alone for a while."""
    looks().update_one({"_id": look_id, "state": str(LookState.WAITING)}, {"$set": {"until": now + LOOK_AGAIN}})


def begin(look_id: str, *, now: datetime) -> Look | None:
    """Take a look for a worker; None when it is over, or another worker has it. `tries` is the lease's owner."""
    return looks().find_one_and_update(
        {
            "_id": look_id,
            "$or": [
                {"state": str(LookState.WAITING)},
                {"state": str(LookState.LOOKING), "until": {"$lte": now}},
            ],
        },
        {"$set": {"state": str(LookState.LOOKING), "until": now + LEASE}, "$inc": {"tries": 1}},
        return_document=ReturnDocument.AFTER,
    )


def _mine(look: Look) -> dict[str, Any]:
    return {"_id": look["_id"], "state": str(LookState.LOOKING), "tries": look["tries"]}


def renew(look: Look, *, now: datetime) -> bool:
    """Hold the lease on; False when the look is no longer this worker's."""
    return bool(looks().update_one(_mine(look), {"$set": {"until": now + LEASE}}).matched_count)


def note_stills(look: Look, names: Sequence[str]) -> None:
    """Write down what is about to be stored, so that it is found again should the worker die before the observation."""
    looks().update_one({"_id": look["_id"]}, {"$addToSet": {"stills": {"$each": list(names)}}})


def give_back(look: Look, *, now: datetime) -> None:
    """The worker could not look (its analytics would not start): somebody else does, soon."""
    looks().update_one(_mine(look), {"$set": {"state": str(LookState.WAITING), "until": now + QUEUED}})


def settle(look_id: str, observation_id: str, *, now: datetime) -> list[str]:
    """The look is done: all who wait for it are told. Whoever joins from now on finds it done. The reports among them, of
    which one may be believed now.
    """
    done = looks().find_one_and_update(
        {"_id": look_id},
        {"$set": {"state": str(LookState.DONE), "observation": observation_id}, "$unset": {"until": ""}},
        return_document=ReturnDocument.AFTER,
    )
    if done is None:
        return []
    found, reports = observation(observation_id), list(done.get("reports") or [])
    observations.tell(found, done.get("incidents") or [], now=now)
    sights.tell(found, reports, now=now)
    return reports


def shed(look: Look, *, now: datetime) -> None:
    """Give a look up; whoever asked shows `busy`. `until` stays until all of them do."""
    given_up = looks().find_one_and_update(
        {"_id": look["_id"], "state": look["state"], "tries": look["tries"], "until": look["until"]},
        {"$set": {"state": str(LookState.SHED), "until": now + QUEUED}},
        return_document=ReturnDocument.AFTER,
    )
    if given_up is not None:
        tell_shed(given_up, now=now)


def tell_shed(look: Look, *, now: datetime) -> None:
    """Every incident and report that waited shows that it was shed; then nobody has to see to it any more."""
    for incident_id in look.get("incidents") or []:
        observations.show(incident_id, look["camera"], View.BUSY, None, now=now)
    for report_id in look.get("reports") or []:
        sights.show(report_id, look["camera"], View.BUSY, None, now=now)
    looks().update_one({"_id": look["_id"], "state": str(LookState.SHED)}, {"$unset": {"until": ""}})


def see_to_overdue(*, now: datetime) -> list[str]:
    """Shed what comes too late, and give the looks that have to go on the queue again; they wait anew."""
    again = []
    for look in overdue(now=now):
        step = rules.next_step(look, now)
        if step is Step.TELL:
            tell_shed(look, now=now)
        elif step is Step.SHED:
            shed(look, now=now)
        elif _waits_again(look, now):
            again.append(look["_id"])
    return again


def _waits_again(look: Look, now: datetime) -> bool:
    """Back to waiting, in the condition that nobody took it meanwhile; due at once until the queue has it."""
    done = looks().update_one(
        {"_id": look["_id"], "state": look["state"], "tries": look["tries"], "until": look["until"]},
        {"$set": {"state": str(LookState.WAITING), "until": now}},
    )
    return bool(done.matched_count)


def is_out_of_service(found: Camera) -> bool:
    """Whether the camera was retired or disabled since it was asked."""
    return bool(found.get("retired_at")) or not found.get("enabled", True)
