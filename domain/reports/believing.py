"""What is said of a report by others, and whether it is believed. Each is one conditional write with its event."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from domain import geo
from domain.cities import queries as cities
from domain.clusters import service as clusters
from domain.ids import derived_id
from domain.reports import look_rules, queries, rules
from domain.reports.categories import CATEGORIES
from domain.reports.changing import change, check_shown
from domain.reports.errors import NoEmergency, OwnReport
from domain.reports.queries import Report, get, voices
from domain.reports.rules import Voice
from domain.reports.states import ReportStatus, Stand
from domain.reports.voices import author_of, voice_of
from domain.watch import sanctions

BY_RULE: Final = "rule"
LOOK: Final = "report.worth_a_look"
"""The event by which cameras are asked."""
UNPLACED_M: Final = 300.0
"""How far away a voice counts that comes without a place, by SMS: its member lives in the group's area."""
_SHOWN: Final = frozenset({ReportStatus.PUBLISHED})


def speak(
    report_id: str,
    person: str,
    stand: Stand,
    *,
    session: str,
    lat: float | None = None,
    lon: float | None = None,
    address: str = "",
    now: datetime,
) -> Report:
    """Confirm or deny somebody else's report; a later word takes the place of one's earlier. `address`: `origin.hashed`.

    Raises OwnReport, ReportOver, and Muted while a moderator has taken their voice.
    """
    doc = get(report_id)
    if doc["author"] == person:
        raise OwnReport("it is your own")
    sanctions.check_voice(person, doc["city"], doc["groups"], now=now)
    check_shown(doc)
    # From the public place: with the exact one, whoever speaks from several places could work it out from the score.
    metres = UNPLACED_M
    if lat is not None and lon is not None:
        metres = geo.distance_m(lat, lon, doc["public"]["lat"], doc["public"]["lon"])
    voice = voice_of(person, session, stand, round(metres, 1), address=address)
    said = {
        "stand": str(stand), "metres": voice.metres, "made": voice.made, "device": voice.device,
        "address": voice.address, "helped": voice.helped, "false_alarms": voice.false_alarms, "at": now,
    }  # fmt: skip
    fixed = {"city": doc["city"], "report": report_id, "person": person}
    key = {"_id": derived_id("voi", report_id, person)}
    for _ in range(2):
        try:
            voices().update_one(key, {"$set": said, "$setOnInsert": fixed}, upsert=True)
            break
        except DuplicateKeyError:
            continue  # two at once: the other one made it
    if doc.get("cluster"):
        clusters.say(doc["cluster"], doc["city"], voice, now=now)
    return weigh(report_id, now=now)


def weigh(report_id: str, *, now: datetime) -> Report:
    """Count what is said of a report anew; one that is believed for the first time is an event. Again is harmless."""

    def rule(doc: Report) -> Mapping[str, Any]:
        heard, author = queries.voices_of(report_id), author_of(doc)
        belief = rules.believe([author, *heard], now=now, seen=seen_of(doc))
        counted = {
            "score": belief.score,
            "voices": belief.voices,
            "parts": belief.parts,
            "confirmed": sum(each.stand == Stand.CONFIRM for each in heard),
            "denied": sum(each.stand == Stand.DENY for each in heard),
        }
        made: dict[str, Any] = {name: value for name, value in counted.items() if doc.get(name) != value}
        if belief.holds and not doc.get("believed_at") and doc["status"] in _SHOWN:
            made |= {"believed_at": now, "believed_by": BY_RULE, "events": ["report.believed"]}
        if asks_cameras(doc, author, belief, now=now):
            made |= {"look_at": now, "events": [*made.get("events", ()), LOOK]}
        return made

    return change(report_id, rule, now=now)


def seen_of(doc: Report) -> float:
    """What cameras saw of it, as a weight."""
    return look_rules.share((doc.get("sights") or {}).values(), CATEGORIES[doc["category"]].incident)


def may_be_looked_at(doc: Report, *, now: datetime) -> bool:
    """Whether its kind, its city and its neighbours allow that cameras are asked before it is believed."""
    allowed = cities.current(doc["city"]).report_looks
    kind, flags = CATEGORIES[doc["category"]], doc["flags"].values()
    return look_rules.may_be_looked_at(kind, allowed, flags, at=doc["at"], now=now)


def asks_cameras(doc: Report, author: Voice, belief: rules.Belief, *, now: datetime) -> bool:
    """Whether cameras are asked about a report because of what is said of it: once, and before it is believed. From then on
    its incident asks them.
    """
    if doc.get("look_at") or doc.get("believed_at") or belief.holds or doc["status"] not in _SHOWN:
        return False
    return look_rules.is_worth_a_look(belief, author, now=now) and may_be_looked_at(doc, now=now)


def look_by_rule(report_id: str, belief: rules.Belief, *, now: datetime) -> Report:
    """What is said of its cluster is enough for cameras to be asked about it. Again is harmless."""

    def rule(doc: Report) -> Mapping[str, Any]:
        if doc.get("look_at") or not asks_cameras(doc, author_of(doc), belief, now=now):
            return {}
        return {"look_at": now, "events": [LOOK]}

    return change(report_id, rule, now=now)


def believe_by_rule(report_id: str, *, now: datetime) -> Report:
    """What is said of its cluster is enough for it to be believed. Again is harmless; nothing where it is not published."""

    def rule(doc: Report) -> Mapping[str, Any]:
        if doc.get("believed_at") or doc["status"] not in _SHOWN:
            return {}
        return {"believed_at": now, "believed_by": BY_RULE, "events": ["report.believed"]}

    return change(report_id, rule, now=now)


def believe(report_id: str, *, by: str, now: datetime) -> Report:
    """Somebody who may says that it is so: units are sent as to an SOS, the group is told. Again is harmless.

    Raises ReportOver, NoEmergency.
    """

    def rule(doc: Report) -> Mapping[str, Any]:
        if doc.get("believed_at"):
            return {}
        check_shown(doc)
        if not CATEGORIES[doc["category"]].incident:
            raise NoEmergency("nobody is sent to this")
        return {"believed_at": now, "believed_by": by, "events": ["report.believed"]}

    return change(report_id, rule, now=now)
