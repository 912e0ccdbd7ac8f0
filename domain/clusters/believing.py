"""How far a cluster is believed: all that its reports' authors and those who spoke of them say, one voice a person.

A report of one author is believed once others confirm it (`domain/reports/believing.py`); a blast has a thousand authors
and nobody who confirms. Its first published report is believed in the place of all, so that one incident comes of it, and
one alert.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from domain import geo
from domain.clusters import queries, service
from domain.clusters.queries import Cluster, clusters
from domain.reports import believing, likeness, look_rules, rules
from domain.reports.queries import reports, some, voices_of_any
from domain.reports.states import ReportStatus, Stand
from domain.reports.voices import author_of

AT_ONCE: Final = 20
"""So many voices are weighed as each comes; from then on once a second."""
TAKES: Final = timedelta(seconds=30)
_REACH_SHARE: Final = 0.4
_OVER: Final = frozenset({ReportStatus.REMOVED, ReportStatus.WITHDRAWN})


def heard(doc: Mapping[str, Any], *, now: datetime) -> Cluster | None:
    """A published report is a voice for its cluster, from where its author stood; None for one that is not. One that was
    taken back or out is none any more; one that is held stays it until a human has read it. Again is harmless.
    """
    if doc["status"] in _OVER and doc.get("cluster"):
        service.unsay(doc["cluster"], doc["author"], now=now)
    whole = queries.whole(doc) if doc["status"] == ReportStatus.PUBLISHED else None
    if whole is None:
        return None
    service.say(doc["cluster"], doc["city"], author_of(doc, metres_from(whole, doc["public"])), now=now)
    fresh = clusters().update_one({"_id": whole["_id"]}, {"$addToSet": {"groups": {"$each": doc["groups"]}}})
    if fresh.modified_count:
        whole = queries.get(whole["_id"])
    weighed = whole.get("weighed_at")
    if whole["reports"] <= AT_ONCE or weighed is None or now - weighed >= service.AGAIN:
        return weigh(whole["_id"], now=now)
    return whole


def metres_from(doc: Cluster, place: Mapping[str, float]) -> float:
    """How far somebody is from what happened, as a voice is weighed: a blast is heard farther than a quarrel."""
    metres = geo.distance_m(place["lat"], place["lon"], doc["public"]["lat"], doc["public"]["lon"])
    half = max(rules.HALF_M, _REACH_SHARE * likeness.spread(doc["category"]).reach_m)
    return round(metres * rules.HALF_M / half, 1)


def told(cluster_id: str, groups: Sequence[str]) -> None:
    """The members of these groups were told."""
    clusters().update_one({"_id": cluster_id}, {"$addToSet": {"told": {"$each": list(groups)}}})


def weigh(cluster_id: str, *, now: datetime) -> Cluster:
    """Count what is said of a cluster anew, and believe it when that is enough. Again is harmless; of two at once, the count
    of the one that began later stands.

    `just_changed` beside it: the reports whose events wait since.
    """
    mine = now + TAKES
    whole = service.take_to_weigh(service.current(cluster_id, now=now)["_id"], due=mine)
    own = service.ids(whole)
    clusters().update_many({"_id": {"$in": own[1:]}}, {"$set": {"weigh_due": mine}})
    said = voices_of_any(own)
    belief = rules.believe(said, now=now, seen=_seen(whole))
    count = service.size(whole)
    believed = _believe(own, now) if belief.holds and not whole.get("believed_at") else None
    asked = _ask_cameras(own, belief, now) if not whole.get("looked_for") else None
    counted: dict[str, Any] = {
        "reports": count,
        "score": belief.score,
        "voices": belief.voices,
        "parts": belief.parts,
        "confirmed": sum(each.stand == Stand.CONFIRM for each in said),
        "denied": sum(each.stand == Stand.DENY for each in said),
    }
    changed = any(whole.get(name) != value for name, value in counted.items())
    counted |= {"weighed_at": now}
    last = {"_id": whole["_id"], "weighings": whole["weighings"]}  # who began later read later: theirs stands
    if clusters().update_one(last, {"$set": counted, **({"$inc": {"version": 1}} if changed else {})}).matched_count:
        # What came while this was counted is due still: its time is another.
        clusters().update_one(last | {"weigh_due": mine}, {"$unset": {"weigh_due": ""}})
        clusters().update_many({"_id": {"$in": own[1:]}, "weigh_due": mine}, {"$unset": {"weigh_due": ""}})
    return queries.get(whole["_id"]) | {"just_changed": sorted({each for each in (believed, asked) if each})}


def _first(own: list[str], **more: Any) -> str | None:
    wanted = {"cluster": {"$in": own}, "status": str(ReportStatus.PUBLISHED), **more}
    found = reports().find_one(wanted, {"_id": 1}, sort=[("created_at", 1)])
    return str(found["_id"]) if found else None


def _ask_cameras(own: list[str], belief: rules.Belief, now: datetime) -> str | None:
    """Cameras are asked about one of its published reports in the place of all, once enough is said: the first, or where none
    had that in view the next. The report's id.
    """
    first = _first(own, look_at=None) if belief.voices >= look_rules.VOICES and not belief.holds else None
    if first is None or believing.look_by_rule(first, belief, now=now).get("look_at") != now:
        return None
    return first


def _seen(whole: Cluster) -> float:
    """What cameras saw of it, as a weight."""
    asked = some(whole["looked_for"]) if whole.get("looked_for") else []
    return max((believing.seen_of(each) for each in asked if each["status"] == ReportStatus.PUBLISHED), default=0.0)


def _believe(own: list[str], now: datetime) -> str | None:
    """Its first published report is believed by rule; the event of that does the rest. The report's id."""
    first = _first(own)
    if first is not None:
        believing.believe_by_rule(first, now=now)
    return first
