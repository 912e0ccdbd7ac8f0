"""Founding, joining, leading, leaving and closing groups. Each change is one conditional write.

Who may act for a group is a role of the person (`domain/permissions.py`), given before the membership says so and taken
away before it: a step that dies between the two leaves nobody with power over a group that they do not lead, and the
same call again completes it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError
from shapely.geometry import shape

from domain.alerts import area as areas
from domain.alerts.errors import AlertInvalid
from domain.cities import queries as cities
from domain.errors import Conflict
from domain.ids import link_token, token_hash
from domain.people import queries as people
from domain.people import sign_in
from domain.watch import queries
from domain.watch.errors import (
    GroupClosed,
    GroupFull,
    GroupInvalid,
    LeadsTheGroup,
    MemberNotFound,
    RemovedFromGroup,
    RulesNotAccepted,
    TooManyGroups,
)
from domain.watch.queries import Group, Member, get, groups, member_id, members
from domain.watch.states import GroupRole, GroupStatus, Standing

MOST_FOUNDED: Final = 3
MOST_MEMBERS: Final = 2_000
MOST_M2: Final = 25e6
"""A group's area at most: more is no neighbourhood, and what is told to it would be told to a district."""
_LEADS: Final = frozenset({GroupRole.COORDINATOR, GroupRole.DEPUTY})
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
            "created_at": now,
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
        _give(by, held, GroupRole.COORDINATOR)
        _put(held, by, GroupRole.COORDINATOR, Standing.MEMBER, by=by, now=now)
    return held, fresh


def change(group: Group, facts: Mapping[str, Any], *, now: datetime) -> Group:
    """Change name, area, rules or moderation. Raises GroupInvalid, GroupClosed, Conflict where somebody was quicker."""
    changes: dict[str, Any] = {name: facts[name] for name in ("name", "rules") if facts.get(name)}
    if facts.get("moderation"):
        changes["moderation"] = str(facts["moderation"])
    if facts.get("area"):
        changes["area"] = checked_area(facts["area"], group["city"])
        changes["cells"] = areas.cells(changes["area"])
    if "rules" in changes:
        changes["rules_version"] = group["rules_version"] + 1
    return _write(group, changes, now)


def renew_link(group: Group, secret: str, *, now: datetime) -> tuple[Group, str]:
    """(group, token): the link by which neighbours join at once; the one before it opens nothing any more."""
    generation = group["link_generation"] + 1
    token = link_token(secret, _LINK, group["_id"], generation)
    return _write(group, {"link_generation": generation, "link_hash": token_hash(token)}, now), token


def _write(group: Group, changes: Mapping[str, Any], now: datetime) -> Group:
    if not changes:
        return group
    written = groups().find_one_and_update(
        {"_id": group["_id"], "version": group["version"], "status": str(GroupStatus.ACTIVE)},
        {"$set": {**changes, "changed_at": now}, "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )
    if written is None:
        current = get(group["_id"])
        if current["status"] == GroupStatus.CLOSED:
            raise GroupClosed("the group was closed", current=current["status"])
        raise Conflict("it changed in between", code="group_changed", current=current["version"])
    return written


def join(group: Group, person: str, *, rules_version: int, token: str = "", now: datetime) -> Member:
    """Accept the rules and join: at once by an invitation or the group's link, else as a request. Again is harmless.

    Raises RulesNotAccepted, RemovedFromGroup, GroupClosed, GroupFull.
    """
    _check_active(group)
    if rules_version != group["rules_version"]:
        said = ["Read and accept the rules as they stand now."]
        raise RulesNotAccepted("the rules are not accepted", errors={"rules_version": said})
    held = queries.membership(group["_id"], person)
    standing = Standing(held["standing"]) if held else None
    if standing == Standing.REMOVED:
        raise RemovedFromGroup("only the coordinator lets them in again")
    if held and standing == Standing.MEMBER:
        return held
    if queries.size(group["_id"]) >= MOST_MEMBERS:
        raise GroupFull("the group is full", retry_after=86_400)
    by_link = bool(token) and token_hash(token) == group.get("link_hash")
    into = Standing.MEMBER if by_link or standing == Standing.INVITED else Standing.REQUESTED
    return _put(group, person, GroupRole.MEMBER, into, by=person, now=now)


def invite(group: Group, phones: list[str], *, by: str, now: datetime) -> int:
    """Ask these numbers to join; who belongs or waits already is left as they are. Returns how many were asked."""
    _check_active(group)
    asked = 0
    for phone in dict.fromkeys(phones):
        person = str(sign_in.person_for(phone, language="ur", now=now, verified=False)["_id"])
        held = queries.membership(group["_id"], person)
        if held is None or held["standing"] == Standing.REMOVED:
            _put(group, person, GroupRole.MEMBER, Standing.INVITED, by=by, now=now)
            asked += 1
    return asked


def admit(group: Group, person: str, *, by: str, now: datetime) -> Member:
    """Let somebody in who asked. Again is harmless; raises MemberNotFound."""
    _check_active(group)
    held = _member(group, person)
    if held["standing"] in (Standing.REQUESTED, Standing.REMOVED):
        return _put(group, person, GroupRole.MEMBER, Standing.MEMBER, by=by, now=now)
    return held


def appoint(group: Group, person: str, role: GroupRole, *, by: str, now: datetime) -> Member:
    """Give a member a role. A new coordinator takes the place of the old one, who is a member from then on."""
    _check_active(group)
    held = _member(group, person)
    if held["standing"] != Standing.MEMBER:
        raise MemberNotFound("not a member")
    if group["coordinator"] == person and role != GroupRole.COORDINATOR:
        raise LeadsTheGroup("hand the group over first")
    if role == GroupRole.COORDINATOR:
        if group["coordinator"] != person:
            group = _write(group, {"coordinator": person}, now)
        for row in queries.leaders(group["_id"]):
            if row["person"] != person and row["role"] == GroupRole.COORDINATOR:
                _take(row["person"], group)
                _put(group, row["person"], GroupRole.MEMBER, Standing.MEMBER, by=by, now=now)
    if held["role"] != role:
        _take(person, group)
    if role in _LEADS:
        _give(person, group, role)
    return _put(group, person, role, Standing.MEMBER, by=by, now=now)


def leave(group: Group, person: str) -> None:
    """Go: nothing is kept of the membership. Raises LeadsTheGroup for the coordinator of an active group."""
    if group["coordinator"] == person and group["status"] == GroupStatus.ACTIVE:
        raise LeadsTheGroup("hand the group over, or close it")
    _take(person, group)
    kept = {"$ne": str(Standing.REMOVED)}  # else whoever was taken out came in again by the link
    members().delete_one({"_id": member_id(group["_id"], person), "standing": kept})


def remove(group: Group, person: str, *, by: str, reason: str, now: datetime) -> None:
    """Take a member out, refuse a request, or take an invitation back. Raises MemberNotFound, LeadsTheGroup."""
    if group["coordinator"] == person:
        raise LeadsTheGroup("hand the group over, or close it")
    _member(group, person)
    _take(person, group)
    _put(group, person, GroupRole.MEMBER, Standing.REMOVED, by=by, now=now, reason=reason)


def close(group: Group, *, now: datetime) -> Group:
    """End a group: its memberships go, and nobody acts for it any more. Again is harmless."""
    if group["status"] == GroupStatus.ACTIVE:
        group = _write(group, {"status": str(GroupStatus.CLOSED), "closed_at": now}, now)
    for row in queries.leaders(group["_id"]):
        _take(row["person"], group)
    members().delete_many({"group": group["_id"]})
    return group


def forget(person: str, *, now: datetime) -> int:
    """Somebody asked to be forgotten: their memberships go. A group that they led waits for the city to name another."""
    return members().delete_many({"person": person}).deleted_count


def exported(person: str, now: datetime) -> list[dict[str, Any]]:
    """Every membership of a person."""
    names = ("group", "role", "standing", "since")
    return [{name: row.get(name) for name in names} for row in queries.of_person(person)]


def _check_active(group: Group) -> None:
    if group["status"] != GroupStatus.ACTIVE:
        raise GroupClosed("the group was closed", current=group["status"])


def _member(group: Group, person: str) -> Member:
    held = queries.membership(group["_id"], person)
    if held is None:
        raise MemberNotFound("nobody of this group")
    return held


def _put(
    group: Group, person: str, role: GroupRole, standing: Standing, *, by: str, now: datetime, reason: str = ""
) -> Member:
    """How somebody stands from now on; the same again changes nothing."""
    wanted = {"role": str(role), "standing": str(standing), "rules_version": group["rules_version"], "by": by}
    key = member_id(group["_id"], person)
    held = members().find_one({"_id": key})
    if held and all(held.get(name) == value for name, value in wanted.items() if name != "by"):
        return held
    fixed = {"city": group["city"], "group": group["_id"], "person": person, "since": now}
    update = {"$set": {**wanted, "reason": reason, "changed_at": now}, "$setOnInsert": fixed}
    for _ in range(2):
        try:
            written = members().find_one_and_update(
                {"_id": key}, update, upsert=True, return_document=ReturnDocument.AFTER
            )
            return dict(written or {})
        except DuplicateKeyError:
            continue  # two at once: the other one made it
    return dict(members().find_one({"_id": key}) or {})


def _give(person: str, group: Group, role: GroupRole) -> None:
    # No city beside it: what a group gives is no role of the city's staff, and reaches this group alone.
    held = {"role": str(role), "city": "", "agency_id": "", "group_id": group["_id"]}
    people.collection().update_one({"_id": person}, {"$addToSet": {"roles": held}, "$inc": {"version": 1}})


def _take(person: str, group: Group) -> None:
    people.collection().update_one(
        {"_id": person, "roles.group_id": group["_id"]},
        {"$pull": {"roles": {"group_id": group["_id"]}}, "$inc": {"version": 1}},
    )
