"""Founding, changing and closing a group, and the link by which neighbours join it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo.errors import DuplicateKeyError
from shapely.geometry import shape

from domain.alerts import area as areas
from domain.alerts.errors import AlertInvalid
from domain.cities import queries as cities
from domain.errors import Conflict
from domain.ids import link_token, token_hash
from domain.watch import queries
from domain.watch.errors import GroupInvalid, TooManyGroups
from domain.watch.queries import Group, Member, get, groups, members
from domain.watch.rules import SILENT_AFTER
from domain.watch.states import GroupRole, GroupStatus, Standing
from domain.watch.writing import give, put, stands, take, write

MOST_FOUNDED: Final = 3
MOST_M2: Final = 25e6
"""A group's area at most: more is no neighbourhood, and what is told to it would be told to a district."""
_LINK: Final = "watch"


def checked_area(geometry: Any, city: str) -> dict[str, Any]:
    """The area as it is kept, by the checks of an alert's (`domain/alerts/area.py`). Raises GroupInvalid."""
    if not isinstance(geometry, Mapping) or not isinstance(geometry.get("type"), str):
        raise GroupInvalid("no area", errors={"area": ["Must be a GeoJSON Polygon or MultiPolygon."]})
    try:
        found = areas.parse(geometry, cities.boundary(city))
    except AlertInvalid as error:
        said = next(iter(error.data["errors"].values()))
        raise GroupInvalid(error.detail, errors={"area": said}) from error
    if areas.square_metres(shape(found)) > MOST_M2:
        raise GroupInvalid("the area is too large", errors={"area": ["The area is larger than 25 km²."]})
    return found


def city_of(geometry: Any) -> str:
    """The city in which an area begins; raises GroupInvalid for none."""
    try:
        lon, lat = _first_corner(geometry["coordinates"])
        city = cities.city_at(float(lat), float(lon))
    except (KeyError, TypeError, ValueError, IndexError, RecursionError) as error:
        raise GroupInvalid("no area", errors={"area": ["Must be a GeoJSON Polygon or MultiPolygon."]}) from error
    if city is None:
        raise GroupInvalid("in no city", errors={"area": ["In no city that Amaan knows."]})
    return city


def _first_corner(coordinates: Any) -> Any:
    while isinstance(coordinates[0], list):
        coordinates = coordinates[0]
    return coordinates[0], coordinates[1]


def found(group_id: str, facts: Mapping[str, Any], *, by: str, fingerprint: str, now: datetime) -> tuple[Group, bool]:
    """(group, whether it is new): whoever founds it is its coordinator. The same id again is the same group; with
    another body it is a Conflict. `facts`: name, area, rules, moderation. Raises GroupInvalid, TooManyGroups.
    """
    held = groups().find_one({"_id": group_id})
    fresh = held is None
    if held is None:
        city = city_of(facts["area"])
        area = checked_area(facts["area"], city)
        mine = {"coordinator": by, "status": str(GroupStatus.ACTIVE)}
        if groups().count_documents(mine, limit=MOST_FOUNDED) >= MOST_FOUNDED:
            raise TooManyGroups("hand one of them over first", retry_after=60)
        held = {
            "_id": group_id,
            "city": city,
            "name": facts["name"],
            "area": area,
            "cells": areas.cells(area),
            "rules": facts["rules"],
            "rules_version": 1,
            "moderation": str(facts["moderation"]),
            "status": str(GroupStatus.ACTIVE),
            "coordinator": by,
            "link_generation": 0,
            "lead_due": now + SILENT_AFTER,
            "created_at": now,
            "placed_at": now,
            "changed_at": now,
            "fingerprint": fingerprint,
            "version": 1,
        }
        try:
            groups().insert_one(held)
        except DuplicateKeyError:
            held, fresh = get(group_id), False
    if held["fingerprint"] != fingerprint:
        raise Conflict("this key was used for another group", code="idempotency_conflict")
    if held["coordinator"] == by and held["status"] == GroupStatus.ACTIVE:
        give(by, held, GroupRole.COORDINATOR)
        leads = stands(GroupRole.COORDINATOR, Standing.MEMBER, rules_version=held["rules_version"])
        put(held, by, lambda _: leads, by=by, now=now)
    return held, fresh


def change(group: Group, facts: Mapping[str, Any], *, now: datetime) -> Group:
    """Change name, area, rules or moderation; new rules are asked of every member again.

    Raises GroupInvalid, GroupClosed, Conflict where somebody was quicker.
    """
    changes: dict[str, Any] = {name: facts[name] for name in ("name", "rules") if facts.get(name)}
    if facts.get("moderation"):
        changes["moderation"] = str(facts["moderation"])
    if facts.get("area"):
        changes["area"] = checked_area(facts["area"], group["city"])
        changes["cells"] = areas.cells(changes["area"])
        if changes["area"] != group["area"]:
            changes["placed_at"] = now  # it is a new group there (`settled.py`)
    if changes.get("rules") == group["rules"]:
        del changes["rules"]
    if "rules" not in changes:
        return write(group, changes, now)
    changes["rules_version"] = group["rules_version"] + 1
    return write(group, changes, now, events=["group.rules_changed"])


def renew_link(group: Group, secret: str, *, now: datetime) -> tuple[Group, str]:
    """(group, token): the link by which neighbours join at once; the one before it opens nothing any more."""
    generation = group["link_generation"] + 1
    token = link_token(secret, _LINK, group["_id"], generation)
    return write(group, {"link_generation": generation, "link_hash": token_hash(token)}, now), token


def close(group: Group, *, now: datetime) -> Group:
    """End a group: nobody acts for it any more. Its members hear of it, then their memberships go (`end_memberships`).
    Again is harmless.
    """
    if group["status"] == GroupStatus.ACTIVE:
        changes = {"status": str(GroupStatus.CLOSED), "closed_at": now, "lead_due": None, "succession": {}}
        group = write(group, changes, now, events=["group.closed"])
    for person in [*(row["person"] for row in queries.leaders(group["_id"])), group.get("liaison")]:
        if person:
            take(person, group)
    return group


def end_memberships(rows: Sequence[Member], *, keep: timedelta, now: datetime) -> None:
    """Nothing of these memberships stays but that the group is gone, for as long as a phone may have to learn of it."""
    gone = ("role", "by", "reason", "since", "joined_at", "level", "door", "rules_version", "by_sms", "invite_hash")
    members().update_many(
        {"_id": {"$in": [row["_id"] for row in rows]}},
        {
            "$set": {"standing": str(Standing.CLOSED), "changed_at": now, "ends_at": now + keep},
            "$unset": dict.fromkeys(gone, ""),
            "$inc": {"version": 1},
        },
    )
