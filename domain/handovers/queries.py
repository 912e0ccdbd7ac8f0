"""Reads of handovers and desks. Each is served by `_id` or an index that `documents.py` declares."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pymongo.collection import Collection

from domain.handovers.documents import DeskDoc, HandoverDoc
from domain.handovers.errors import HandoverNotFound, WrongKey
from domain.ids import derived_id, token_hash

Handover = dict[str, Any]
Desk = dict[str, Any]
MOST: Final = 500
"""Requests in one answer, the newest; GeoReport v2 leaves the number to the server."""


def handovers() -> Collection[Handover]:
    """The raw collection."""
    found: Collection[Handover] = HandoverDoc._get_collection()
    return found


def desks() -> Collection[Desk]:
    """The raw collection of agencies' desks."""
    found: Collection[Desk] = DeskDoc._get_collection()
    return found


def handover_id(report: str, agency: str) -> str:
    """The one id of a report's handover to an agency."""
    return derived_id("srq", report, agency)


def desk_id(city: str, agency: str) -> str:
    """The one id of an agency's desk."""
    return derived_id("dsk", city, agency)


def get(handover: str) -> Handover:
    """The handover as it is stored; raises HandoverNotFound."""
    found = handovers().find_one({"_id": handover})
    if found is None:
        raise HandoverNotFound("no such request")
    return found


def by_token(token: str) -> Handover:
    """The handover that was given this token; raises HandoverNotFound."""
    found = handovers().find_one({"token": token}) if token else None
    if found is None:
        raise HandoverNotFound("no such token")
    return found


def some(ids: Sequence[str]) -> list[Handover]:
    """These, those that exist, the newest first."""
    return list(handovers().find({"_id": {"$in": list(ids)[:MOST]}}).sort("_id", 1))


def of_report(report: str) -> list[Handover]:
    """A report's handovers."""
    return list(handovers().find({"report": report}).limit(20))


def of_city(
    city: str, *, agency: str, since: datetime, until: datetime, codes: Sequence[str], statuses: Sequence[str]
) -> list[Handover]:
    """What was handed over in a city within a time, the newest first; `agency`, `codes` and `statuses` where not empty."""
    wanted: dict[str, Any] = {"city": city, "requested_at": {"$gte": since, "$lte": until}}
    if agency:
        wanted["agency"] = agency
    if codes:
        wanted["category"] = {"$in": list(codes)}
    if statuses:
        wanted["status"] = {"$in": list(statuses)}
    return list(handovers().find(wanted).sort("requested_at", -1).limit(MOST))


def of_group(group: str, *, before: datetime | None, limit: int) -> list[Handover]:
    """What a group's members reported and an agency has, the latest change first; one more than `limit` where there are."""
    wanted = {"groups": group, "updated_at": {"$lt": before} if before else {"$exists": True}}
    return list(handovers().find(wanted).sort("updated_at", -1).limit(limit + 1))


def desks_of(city: str) -> list[Desk]:
    """The agencies of a city that take handovers."""
    return list(desks().find({"city": city}).sort("agency", 1).limit(100))


def desk_of(key: str) -> Desk:
    """The desk that this key opens; raises WrongKey."""
    found = desks().find_one({"key_hash": token_hash(key)}) if key else None
    if found is None:
        raise WrongKey("the api_key is missing or opens nothing here")
    return found
