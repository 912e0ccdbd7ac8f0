"""Which cluster a report belongs to, also when thousands of one happening come at the same moment.

Nobody waits for anybody: whoever finds no cluster makes one, and only then looks around once more. Of two that were made at
the same time at least one maker sees the other's, since each wrote before it looked; it makes the later one part of the
earlier. Which is the earlier is the same for all who look: a cluster that is believed before one that is not (it may have
been acted on), then the smaller id. Making one part of another is a conditional write on the one that ends, so no two end
in each other. Should a maker die between writing and looking, whoever comes next and finds both does it.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain import geo
from domain.clusters import queries
from domain.clusters.errors import ClusterNotFound
from domain.clusters.queries import Cluster, clusters
from domain.ids import derived_id, new_id
from domain.reports import likeness
from domain.reports.queries import reports, voices
from domain.reports.rules import Voice
from domain.reports.states import ReportStatus

MANY: Final = 20
AGAIN: Final = timedelta(seconds=1)
"""A cluster that grows is weighed so often."""


def assign(doc: Mapping[str, Any], *, now: datetime) -> str:
    """The id of the cluster that holds this report; a new one where none does. The report need not be stored yet."""
    if found := _hold(doc, _near(doc), now):
        return found
    made = _begin(doc, now)
    around = [each for each in _near(doc) if each["_id"] != made["_id"]]
    return _hold(doc, [made, *around], now) or str(made["_id"])


def _hold(doc: Mapping[str, Any], near: list[Cluster], now: datetime) -> str | None:
    """The best of those that hold it. Where several do that are one with each other, they become one."""
    good = [each for each in near if likeness.joins(doc, each)]
    if not good:
        return None
    first = min(good, key=_rank)
    ones = [each for each in good if each is first or likeness.joins(first, each)]
    return join(ones, now=now)


def _near(doc: Mapping[str, Any]) -> list[Cluster]:
    here = doc["public"]
    return queries.near(doc["city"], doc["category"], here["lat"], here["lon"], doc["at"])


def _rank(doc: Cluster) -> tuple[bool, str]:
    return not doc.get("believed_at"), doc["_id"]


def join(ones: Iterable[Cluster], *, now: datetime) -> str:
    """Make these clusters one; the id of it. Again is harmless."""
    first, *others = sorted(ones, key=_rank)
    for other in others:
        condition: dict[str, Any] = {"_id": other["_id"], "into": None}
        if not first.get("believed_at"):
            condition["believed_at"] = None  # it was believed meanwhile: then the other way round, by whoever is next
        ended = clusters().update_one(condition, {"$set": {"into": first["_id"]}, "$unset": {"weigh_due": ""}})
        if ended.matched_count or clusters().find_one({"_id": other["_id"], "into": first["_id"]}, {"_id": 1}):
            _take_in(first["_id"], other["_id"], now)
    return str(first["_id"])


def _take_in(first: str, other: str, now: datetime) -> None:
    held = clusters().find_one({"_id": other}, {"parts_of_it": 1, "groups": 1, "looked_for": 1}) or {}
    clusters().update_one(
        {"_id": first},
        {
            "$addToSet": {
                "parts_of_it": {"$each": [other, *(held.get("parts_of_it") or [])]},
                "groups": {"$each": held.get("groups") or []},
                "looked_for": {"$each": held.get("looked_for") or []},
            },
            "$set": {"weigh_due": now},
            "$inc": {"version": 1},
        },
    )


def _begin(doc: Mapping[str, Any], now: datetime) -> Cluster:
    here = doc["public"]
    cells = geo.cells(here["lat"], here["lon"])
    made: Cluster = {
        "_id": new_id("clu", now),
        "city": doc["city"],
        "category": doc["category"],
        "public": dict(here),
        "position": {name: doc["position"][name] for name in ("lat", "lon")},
        "cells": {"r5": cells.r5, "r7": cells.r7, "r9": cells.r9},
        "at": doc["at"],
        "first": doc["_id"],
        "parts_of_it": [],
        "groups": [],
        "told": [],
        "reports": 0,
        "made_at": now,
        "version": 1,
    }
    clusters().insert_one(made)
    return made


def current(cluster_id: str, *, now: datetime) -> Cluster:
    """The whole that a cluster is part of. One whose maker died before it had looked around is made part of it here."""
    found = queries.root(cluster_id)
    if found["_id"] != cluster_id and cluster_id not in found["parts_of_it"]:
        _take_in(found["_id"], cluster_id, now)
    twins = [each for each in _near(found) if each["_id"] != found["_id"] and likeness.joins(found, each)]
    return queries.root(join([found, *twins], now=now)) if twins else found


def say(cluster_id: str, city: str, voice: Voice, *, now: datetime) -> None:
    """Somebody reported, confirmed or denied it: one voice of a person, their last word. It is weighed by the sweeper."""
    said = {
        "stand": str(voice.stand), "metres": voice.metres, "made": voice.made, "device": voice.device,
        "address": voice.address, "helped": voice.helped, "false_alarms": voice.false_alarms, "at": now,
    }  # fmt: skip
    fixed = {"city": city, "report": cluster_id, "person": voice.person}
    for _ in range(2):
        try:
            key = {"_id": derived_id("voi", cluster_id, voice.person)}
            voices().update_one(key, {"$set": said, "$setOnInsert": fixed}, upsert=True)
            break
        except DuplicateKeyError:
            continue  # two at once: the other one made it
    clusters().update_one({"_id": cluster_id}, {"$set": {"weigh_due": now}})


def unsay(cluster_id: str, person: str, *, now: datetime) -> None:
    """Somebody's report of it was taken back or out: what it said is no voice any more. What else they say of it, by another
    report or of somebody else's, is. Again is harmless.
    """
    key = {"_id": derived_id("voi", cluster_id, person)}
    if voices().find_one(key, {"_id": 1}) is None:
        return
    said = [row["report"] for row in voices().find({"person": person}, {"report": 1})]
    if reports().find_one({"_id": {"$in": said}, "cluster": cluster_id}, {"_id": 1}):
        return
    shown = {"cluster": cluster_id, "author": person, "status": str(ReportStatus.PUBLISHED)}
    if reports().find_one(shown, {"_id": 1}) is None:
        voices().delete_one(key)
        again(cluster_id, now=now)


def first_of_many(cluster_id: str) -> str | None:
    """The report that began a cluster which has MANY already: the one to offer to whoever comes next; else None."""
    found = clusters().find_one({"_id": cluster_id}, {"first": 1, "reports": 1}) or {}
    return found["first"] if (found.get("reports") or 0) > MANY else None


def believed(cluster_id: str, *, now: datetime) -> Cluster:
    """A report of it was believed: so is the cluster, and it ends in no other any more. Again is harmless."""
    whole = current(cluster_id, now=now)
    fresh = {"$set": {"believed_at": now}, "$inc": {"version": 1}}
    clusters().update_one({"_id": whole["_id"], "believed_at": None, "into": None}, fresh)
    return queries.root(whole["_id"])


def asks_cameras_by(cluster_id: str, report_id: str) -> bool:
    """Whether cameras are asked about this report: about one of a cluster they are. Again says the same."""
    whole = _whole(cluster_id)
    if whole is None:
        return True  # its cluster is no longer kept: it stands alone
    free = {"_id": whole, "$or": [{"looked_for.0": {"$exists": False}}, {"looked_for": report_id}]}
    return bool(clusters().update_one(free, {"$addToSet": {"looked_for": report_id}}).matched_count)


def again(cluster_id: str, *, now: datetime) -> None:
    """Something of it changed: the sweeper weighs it anew."""
    clusters().update_one({"_id": _whole(cluster_id)}, {"$set": {"weigh_due": now}})


def take_to_weigh(cluster_id: str, *, due: datetime) -> Cluster:
    """The whole as it is when somebody begins to weigh it, with the number of that; should they die, it is due again then."""
    took = {"$set": {"weigh_due": due}, "$inc": {"weighings": 1}}
    found = clusters().find_one_and_update({"_id": cluster_id}, took, return_document=ReturnDocument.AFTER)
    if found is None:
        raise ClusterNotFound("no such cluster")
    return found


def _whole(cluster_id: str) -> str | None:
    """The id of the whole that it is part of; None where one of them is no longer kept."""
    with suppress(ClusterNotFound):
        return str(queries.root(cluster_id)["_id"])
    return None


def has_incident(cluster_id: str, incident: str) -> None:
    """This incident came of it."""
    update = {"$set": {"incident": incident}, "$inc": {"version": 1}}
    clusters().update_one({"_id": cluster_id, "incident": {"$ne": incident}}, update)


def forget(report: Mapping[str, Any]) -> None:
    """The report that began a cluster is no longer kept: nor is where its author stood, but for what the public saw. One about
    which cameras were asked makes room for another.
    """
    if report.get("look_at") and report.get("cluster"):
        clusters().update_one({"_id": _whole(report["cluster"])}, {"$pull": {"looked_for": report["_id"]}})
    if report.get("cluster") and report.get("public"):
        here = {name: report["public"][name] for name in ("lat", "lon")}
        clusters().update_one({"_id": report["cluster"], "first": report["_id"]}, {"$set": {"position": here}})


def ids(doc: Cluster) -> list[str]:
    """The ids under which reports and voices of a whole are kept."""
    return [doc["_id"], *doc["parts_of_it"]]


def size(doc: Cluster) -> int:
    """How many reports it has that others may read."""
    return reports().count_documents({"cluster": {"$in": ids(doc)}, "status": str(ReportStatus.PUBLISHED)})
