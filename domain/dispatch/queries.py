"""Who can be asked. Live positions propose, the units' documents decide."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from domain import geo
from domain.dispatch.documents import UnitDoc
from domain.dispatch.errors import AssignmentNotFound, UnitNotFound
from domain.dispatch.rules import Asked, link_for
from domain.dispatch.states import UnitStatus
from domain.ids import token_hash
from domain.incidents import service as incidents
from domain.incidents.states import ASKED, HOLDING, IncidentStatus
from domain.ports import Positions, PositionsUnavailable

POSITION_MAX_AGE_S = 900.0
"""A live position older than this says little; the document's last known place is used then."""
_SPARE = 12

Unit = dict[str, Any]


def units() -> Collection[Unit]:
    """The raw collection of units."""
    found: Collection[Unit] = UnitDoc._get_collection()
    return found


def unit(unit_id: str) -> Unit:
    """One unit; raises UnitNotFound."""
    found = units().find_one({"_id": unit_id})
    if found is None:
        raise UnitNotFound("no such unit")
    return found


def unit_of(person: str) -> Unit | None:
    """The unit that a responder is on now."""
    return units().find_one({"responders": person})


def nearest(
    city: str,
    service: str,
    place: tuple[float, float] | None,
    *,
    radius_m: float,
    k: int,
    positions: Positions,
    now: datetime,
    skills: Sequence[str] = (),
    leave_out: Iterable[str] = (),
    citizen: str | None = None,
) -> list[Asked]:
    """The `k` best available units of a service within `radius_m`: by skill, then by distance.

    Without a place the order is by id, since nothing better is known. Units in `leave_out` were asked already; one on
    which `citizen` is alone cannot come to her.
    """
    if place is None:
        return on_duty(city, service, k=k, leave_out=leave_out, citizen=citizen)
    known = set(leave_out)
    metres = _live(city, service, place, radius_m=radius_m, limit=k + len(known) + _SPARE, positions=positions, now=now)
    found = _of_others(_available(city, service, [unit_id for unit_id in metres if unit_id not in known]), citizen)
    if len(found) < k:
        further = _by_cells(city, service, place, radius_m, known | {row["_id"] for row in found})
        found += _of_others(further, citizen)
    asked = [
        (len(set(skills) - set(row.get("skills") or [])), metre, row)
        for row in found
        if (metre := metres.get(row["_id"], _document_distance(row, place))) is not None and metre <= radius_m
    ]
    asked.sort(key=lambda each: (each[0], each[1], each[2]["_id"]))
    return [_asked(row, metre) for _, metre, row in asked[:k]]


def on_duty(
    city: str, service: str, *, k: int, leave_out: Iterable[str] = (), citizen: str | None = None
) -> list[Asked]:
    """Everybody of a service who is on duty in the city and not taken, busy ones too, at most `k`."""
    rows = units().find(
        {
            "city": city,
            "status": {"$in": [str(UnitStatus.AVAILABLE), str(UnitStatus.BUSY)]},
            "services": service,
            "lease": None,
            "_id": {"$nin": list(leave_out)},
        }
    )
    return [_asked(row, None) for row in _of_others(rows.limit(k + 1), citizen)[:k]]


def _of_others(rows: Iterable[Unit], citizen: str | None) -> list[Unit]:
    return [row for row in rows if citizen is None or row.get("responders") != [citizen]]


def _live(
    city: str,
    service: str,
    place: tuple[float, float],
    *,
    radius_m: float,
    limit: int,
    positions: Positions,
    now: datetime,
) -> dict[str, float]:
    try:
        candidates = positions.nearest(
            city,
            service,
            *place,
            radius_m=radius_m,
            limit=limit,
            now=now,
            max_age_s=POSITION_MAX_AGE_S,
        )
    except PositionsUnavailable:
        return {}
    return {candidate.unit_id: candidate.distance_m for candidate in candidates}


def _available(city: str, service: str, ids: list[str]) -> list[Unit]:
    if not ids:
        return []
    condition = {"_id": {"$in": ids}, "city": city, "status": str(UnitStatus.AVAILABLE), "services": service}
    return list(units().find({**condition, "lease": None}))


def _by_cells(city: str, service: str, place: tuple[float, float], radius_m: float, leave_out: set[str]) -> list[Unit]:
    """Units by their documents' last known cells: what is left when Redis has forgotten."""
    level, cells = geo.disk(*place, min(max(radius_m, 1000.0), geo.MAX_RADIUS_M))
    condition = {"city": city, "status": str(UnitStatus.AVAILABLE), f"cells.r{level}": {"$in": cells}}
    rows = units().find({**condition, "services": service, "lease": None})
    return [row for row in rows if row["_id"] not in leave_out]


def _document_distance(row: Unit, place: tuple[float, float]) -> float | None:
    position = row.get("position") or {}
    if "lat" not in position:
        return None
    return geo.distance_m(*place, position["lat"], position["lon"])


def _asked(row: Unit, metre: float | None) -> Asked:
    return Asked(unit_id=row["_id"], agency=row.get("agency") or "", distance_m=metre, position=row.get("position"))


def incident_of(assignment_id: str, *, secret: str) -> dict[str, Any]:
    """The incident that an assignment belongs to, found by its link's hash; raises AssignmentNotFound."""
    hashed = token_hash(link_for(secret, assignment_id))
    found = incidents.incidents().find_one({"links.h": hashed})
    if found is None:
        raise AssignmentNotFound("no such assignment")
    return found


def of_unit(unit_id: str, *, limit: int = 8) -> list[tuple[dict[str, Any], str]]:
    """(incident, assignment) of what a unit holds, then of what it is asked, in incidents that go on, newest first."""
    rows = incidents.incidents().find(
        {"asked_units": unit_id, "status": {"$in": [str(each) for each in IncidentStatus if each != "closed"]}}
    )
    found = [
        (assignment["status"] in HOLDING, assignment["offered_at"], doc, assignment_id)
        for doc in rows.limit(200)
        for assignment_id, assignment in doc["assignments"].items()
        if assignment["unit"] == unit_id and (assignment["status"] in ASKED or assignment["status"] in HOLDING)
    ]
    found.sort(key=lambda each: (each[0], each[1], each[3]), reverse=True)
    return [(doc, assignment_id) for _, _, doc, assignment_id in found[:limit]]


def changed_for(unit_id: str, since: datetime) -> Iterator[dict[str, Any]]:
    """Incidents that ever asked a unit and changed after a time, oldest change first, one at a time."""
    rows = incidents.incidents().find({"asked_units": unit_id, "updated_at": {"$gt": since}}, {"timeline": 0})
    return iter(rows.sort("updated_at", 1).batch_size(50))
