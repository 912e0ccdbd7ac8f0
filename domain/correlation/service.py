"""Finding and writing links: at once when either side arrives, readable from both."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from domain import geo
from domain.cameras.checks import group_of
from domain.cameras.queries import observations
from domain.correlation import rules
from domain.correlation.documents import LinkDoc
from domain.correlation.rules import Linked, Subject
from domain.ids import derived_id
from domain.incidents import service as incidents
from domain.incidents.draft import Draft
from domain.reports.queries import reports
from domain.reports.states import ReportStatus

NEIGHBOURS: Final = 3 * rules.KEPT
"""So many are compared at most, the latest: a blast with thousands of reports is clustered, not linked pair by pair."""

_OF_INCIDENT: Final = {
    "city": 1, "position": 1, "raised_at": 1, "category": 1, "flags": 1,
    "citizen.person": 1, "citizen.phone": 1, "citizen.device": 1, "correlations.other.id": 1, "correlations.score": 1,
}  # fmt: skip

_OF_REPORT: Final = {"city": 1, "position": 1, "at": 1, "category": 1, "author": 1, "status": 1}
_GONE: Final = frozenset({ReportStatus.REMOVED, ReportStatus.WITHDRAWN})
"""Reports that are linked with nothing that comes later."""


def links() -> Collection[dict[str, Any]]:
    """The raw collection of links."""
    found: Collection[dict[str, Any]] = LinkDoc._get_collection()
    return found


def link_incident(incident_id: str, *, now: datetime) -> int:
    """Link an incident with incidents and observations near it. Returns how many things speak for a link."""
    doc = incidents.get(incident_id)
    subject = _of_incident(doc)
    if subject is None:
        return 0
    near = [*_near_incidents(subject), *_near_observations(subject), *_near_reports(subject)]
    return _link(subject, near, now, known=doc)


def link_observation(observation_id: str, *, now: datetime) -> int:
    """Link an observation with the incidents and reports near it."""
    row = observations().find_one({"_id": observation_id})
    if row is None:
        return 0
    subject = _of_observation(row)
    return _link(subject, [*_near_incidents(subject), *_near_reports(subject)], now)


def link_asked(observation_id: str, report_ids: Sequence[str], *, now: datetime) -> int:
    """Link an observation with the reports for which its camera was asked, however many others are near."""
    row = observations().find_one({"_id": observation_id}) if report_ids else None
    if row is None:
        return 0
    rows = reports().find({"_id": {"$in": list(report_ids)}}, _OF_REPORT)
    return _link(_of_observation(row), [_of_report(each) for each in rows if each["status"] not in _GONE], now)


def relink_observation(observation_id: str, *, now: datetime) -> int:
    """A human has answered about it: its links get their new score, and those that too little speaks for now go."""
    row = observations().find_one({"_id": observation_id})
    if row is None:
        return 0
    subject = _of_observation(row)
    near = {other.id: other for other in (*_near_incidents(subject), *_near_reports(subject))}
    for held in list(links().find({"ends": observation_id})):
        other = near.get(next(each for each in held["ends"] if each != observation_id))
        if other is not None and rules.score(subject, other) is None:
            _unlink(subject, other, held["_id"], now)
    return _link(subject, near.values(), now)


def link_report(report_id: str, *, now: datetime) -> int:
    """Link what a neighbour saw with incidents, observations and other reports near it."""
    row = reports().find_one({"_id": report_id})
    if row is None or row["status"] in _GONE:
        return 0
    subject = _of_report(row)
    near = [*_near_incidents(subject), *_near_observations(subject), *_near_reports(subject)]
    return _link(subject, near, now)


def of(subject_id: str, *, limit: int = rules.KEPT) -> list[dict[str, Any]]:
    """The best links of a thing, from whichever side: [{other: {kind, id}, score, reasons}]."""
    rows = links().find({"ends": subject_id}).sort([("score", -1), ("_id", 1)]).limit(limit)
    return [
        {
            "other": row["b"] if row["a"]["id"] == subject_id else row["a"],
            "score": row["score"],
            "reasons": row["reasons"],
        }
        for row in rows
    ]


def forget(ids: Iterable[str]) -> int:
    """Remove the links of things that are no longer kept. An incident that shows one shows it until its next link."""
    wanted = list(ids)
    return links().delete_many({"ends": {"$in": wanted}}).deleted_count if wanted else 0


def _link(subject: Subject, others: Iterable[Subject], now: datetime, known: dict[str, Any] | None = None) -> int:
    made: list[tuple[Subject, Linked]] = [
        (other, linked) for other in others if (linked := rules.score(subject, other))
    ]
    made.sort(key=lambda each: (-each[1].score, each[0].id))
    best = made[: rules.KEPT]
    if best:
        _write(subject, best, now)
        _into_others(subject, best, now)
        if subject.kind == "incident":
            _merge_in(subject.id, [_shown(other, linked) for other, linked in best], now, known)
    return len(made)


def _write(one: Subject, best: Iterable[tuple[Subject, Linked]], now: datetime) -> None:
    """All links in one command. The id is made of both ends, so the other side's arrival writes the same ones."""
    operations = []
    for other, linked in best:
        a, b = sorted((one, other), key=lambda each: each.id)
        made = {
            "city": one.city,
            "a": {"kind": a.kind, "id": a.id},
            "b": {"kind": b.kind, "id": b.id},
            "ends": [a.id, b.id],
            "made_at": now,
        }
        update = {"$set": {"score": linked.score, "reasons": list(linked.reasons)}, "$setOnInsert": made}
        operations.append(UpdateOne({"_id": derived_id("lnk", a.id, b.id)}, update, upsert=True))
    try:
        links().bulk_write(operations, ordered=False)
    except BulkWriteError:
        links().bulk_write(operations, ordered=False)  # two upserts at once: the other one made it


def _shown(other: Subject, linked: Linked) -> dict[str, Any]:
    """A link as the incident at its other end carries it."""
    return {
        "other": {"kind": other.kind, "id": other.id},
        "score": linked.score,
        "reasons": list(linked.reasons),
    }


def _into_others(subject: Subject, best: Iterable[tuple[Subject, Linked]], now: datetime) -> None:
    """Bring the link into the incidents at the other ends: one command for all of them, each a write of its own.

    An incident that has this link already, or twenty better ones, is left as it is.
    """
    operations = []
    for other, linked in best:
        if other.kind != "incident":
            continue
        shown = _shown(subject, linked)
        if subject.id in other.linked:
            if other.linked[subject.id] != linked.score:
                _merge_in(other.id, [shown], now)
            continue
        last = f"correlations.{rules.KEPT - 1}"
        operations.append(
            UpdateOne(
                {
                    "_id": other.id,
                    "correlations.other.id": {"$ne": subject.id},
                    "$or": [{last: {"$exists": False}}, {f"{last}.score": {"$lt": linked.score}}],
                },
                {
                    "$push": {"correlations": {"$each": [shown], "$sort": {"score": -1}, "$slice": rules.KEPT}},
                    "$set": {"updated_at": now},
                    "$inc": {"version": 1},
                },
            )
        )
    if operations:
        incidents.incidents().bulk_write(operations, ordered=False)


def _merge_in(
    incident_id: str, links_of: list[dict[str, Any]], now: datetime, known: dict[str, Any] | None = None
) -> None:
    """Bring these links among the incident's best, in place of older ones to the same things."""

    def rule(draft: Draft) -> None:
        held = draft.doc.get("correlations") or []
        by_other = {each["other"]["id"]: each for each in (*held, *links_of)}
        best = sorted(by_other.values(), key=lambda each: (-each["score"], each["other"]["id"]))[: rules.KEPT]
        if best != held:
            draft.set("correlations", best)

    incidents.change(incident_id, rule, now=now, known=known)


def _unlink(subject: Subject, other: Subject, link_id: str, now: datetime) -> None:
    if other.kind == "incident":

        def rule(draft: Draft) -> None:
            held = draft.doc.get("correlations") or []
            if len(kept := [each for each in held if each["other"]["id"] != subject.id]) < len(held):
                draft.set("correlations", kept)

        incidents.change(other.id, rule, now=now)
    links().delete_one({"_id": link_id})


def _near_incidents(subject: Subject) -> Iterator[Subject]:
    rows = incidents.incidents().find(_near(subject, "raised_at"), _OF_INCIDENT)
    for doc in rows.sort("raised_at", -1).limit(NEIGHBOURS):
        found = _of_incident(doc)
        if found is not None:
            yield found


def _near_observations(subject: Subject) -> Iterator[Subject]:
    rows = observations().find(_near(subject, "at"), {"seen.detections": 0})
    for row in rows.sort("at", -1).limit(NEIGHBOURS):
        yield _of_observation(row)


def _near_reports(subject: Subject) -> Iterator[Subject]:
    rows = reports().find(_near(subject, "at"), _OF_REPORT)
    for row in rows.sort("at", -1).limit(NEIGHBOURS):
        if row["status"] not in _GONE:
            yield _of_report(row)


def _near(subject: Subject, when: str) -> dict[str, Any]:
    level, cells = geo.disk(subject.lat, subject.lon, rules.RADIUS_M)
    return {
        "city": subject.city,
        f"cells.r{level}": {"$in": cells},
        when: {"$gte": subject.at - rules.WITHIN, "$lte": subject.at + rules.WITHIN},
    }


def _of_incident(doc: Mapping[str, Any]) -> Subject | None:
    """None for one without a place, and for a practice, which is nobody's business but the citizen's."""
    position = doc.get("position")
    if not position or "practice" in (doc.get("flags") or []):
        return None
    citizen = doc.get("citizen") or {}
    return Subject(
        kind="incident",
        id=doc["_id"],
        city=doc["city"],
        lat=position["lat"],
        lon=position["lon"],
        at=doc["raised_at"],
        category=doc.get("category") or "",
        callers=frozenset(str(citizen[name]) for name in ("person", "phone", "device") if citizen.get(name)),
        linked={each["other"]["id"]: each["score"] for each in doc.get("correlations") or []},
    )


def _of_observation(row: Mapping[str, Any]) -> Subject:
    return Subject(
        kind="observation",
        id=row["_id"],
        city=row["city"],
        lat=row["position"]["lat"],
        lon=row["position"]["lon"],
        at=row["at"],
        findings={finding["kind"]: finding["confidence"] for finding in row.get("findings") or []},
        said=_said(row),
        people=((row.get("seen") or {}).get("summary") or {}).get("people_max") or 0,
    )


def _said(row: Mapping[str, Any]) -> dict[str, str]:
    checked = row.get("checked") or {}
    kinds = [finding["kind"] for finding in row.get("findings") or []]
    return {kind: checked[group]["said"] for kind in kinds if (group := group_of(kind)) in checked}


def _of_report(row: Mapping[str, Any]) -> Subject:
    return Subject(
        kind="report",
        id=row["_id"],
        city=row["city"],
        lat=row["position"]["lat"],
        lon=row["position"]["lon"],
        at=row["at"],
        category=row["category"],
        callers=frozenset({row["author"]}) if row.get("author") else frozenset(),
    )
