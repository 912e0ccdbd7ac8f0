"""What is said of a report by others, and whether it is believed. Each is one conditional write with its event."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from domain import geo
from domain.clusters import service as clusters
from domain.ids import derived_id
from domain.reports import queries, rules
from domain.reports.categories import CATEGORIES
from domain.reports.changing import change, check_shown
from domain.reports.errors import NoEmergency, OwnReport
from domain.reports.queries import Report, get, voices
from domain.reports.states import ReportStatus, Stand
from domain.reports.voices import voice_of
from domain.watch import sanctions

BY_RULE: Final = "rule"
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
    now: datetime,
) -> Report:
    """Confirm or deny somebody else's report; a later word takes the place of one's earlier.

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
    voice = voice_of(person, session, stand, round(metres, 1))
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
        heard = queries.voices_of(report_id)
        author = voice_of(doc["author"], "", Stand.CONFIRM, 0.0)
        author = replace(author, device=doc.get("author_device") or "")
        belief = rules.believe([author, *heard], now=now)
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
        return made

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
