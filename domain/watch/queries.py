"""Reads of groups and memberships. Each is served by `_id` or an index that `documents.py` declares."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import shapely
from pymongo.collection import Collection
from shapely.geometry import shape

from domain import geo
from domain.alerts import area as areas
from domain.alerts.errors import UnknownGroup
from domain.ids import derived_id
from domain.watch.documents import GroupDoc, MemberDoc
from domain.watch.errors import GroupNotFound
from domain.watch.states import GroupRole, GroupStatus, Standing

Group = dict[str, Any]
Member = dict[str, Any]

MOST_OF_A_PERSON: Final = 50
MOST_JOINED: Final = 100
"""Groups of one person that are read."""


def groups() -> Collection[Group]:
    """The raw collection."""
    found: Collection[Group] = GroupDoc._get_collection()
    return found


def members() -> Collection[Member]:
    """The raw collection of memberships."""
    found: Collection[Member] = MemberDoc._get_collection()
    return found


def member_id(group_id: str, person: str) -> str:
    """The one id of a person's membership of a group."""
    return derived_id("mbr", group_id, person)


def get(group_id: str) -> Group:
    """The group as it is stored; raises GroupNotFound."""
    found = groups().find_one({"_id": group_id})
    if found is None:
        raise GroupNotFound("no such group")
    return found


def some(group_ids: Sequence[str]) -> list[Group]:
    """These groups, those that exist, by id."""
    return list(groups().find({"_id": {"$in": list(group_ids)}}).sort("_id", 1))


def membership(group_id: str, person: str) -> Member | None:
    """How a person stands to a group; None where they have nothing to do with it."""
    return members().find_one({"_id": member_id(group_id, person)})


def is_member(group_id: str, person: str) -> bool:
    """Whether somebody belongs to a group."""
    return (membership(group_id, person) or {}).get("standing") == Standing.MEMBER


def of_person(person: str) -> list[Member]:
    """Somebody's memberships, then the latest invitations, requests and ends, each the latest change first: however many
    groups invite somebody, they keep those to which they belong.
    """
    belongs = {"person": person, "standing": str(Standing.MEMBER)}
    others = {"person": person, "standing": {"$ne": str(Standing.MEMBER)}}
    return [
        *members().find(belongs).sort("changed_at", -1).limit(MOST_JOINED),
        *members().find(others).sort("changed_at", -1).limit(MOST_OF_A_PERSON),
    ]


def joined(person: str) -> list[str]:
    """Ids of the groups to which somebody belongs."""
    return [row["group"] for row in of_person(person) if row["standing"] == Standing.MEMBER]


def members_of(group_id: str, standing: Standing, *, after: str, limit: int) -> list[Member]:
    """Some of those who stand so to a group, by the membership's id."""
    wanted = {"group": group_id, "standing": str(standing), "_id": {"$gt": after}}
    return list(members().find(wanted).sort("_id", 1).limit(limit))


def invited_by(token_hash: str) -> Member | None:
    """The membership of the page with this token (hashed); None where it is over."""
    return members().find_one({"invite_hash": token_hash})


def longest_members(group_id: str, *, limit: int) -> list[Member]:
    """The members of longest standing, the first of them first."""
    wanted = {"group": group_id, "standing": str(Standing.MEMBER)}
    return list(members().find(wanted).sort("since", 1).limit(limit))


def heirs(group_id: str, *, limit: int = 40) -> list[Member]:
    """Who may follow a group's coordinator: its deputies, and the members of longest standing."""
    longest = longest_members(group_id, limit=limit)
    known = {row["_id"] for row in longest}
    return [*longest, *(row for row in leaders(group_id) if row["_id"] not in known)]


def without_a_lead(*, now: datetime, limit: int = 100) -> list[Group]:
    """Groups of which it is time to look whether somebody leads them."""
    return list(groups().find({"lead_due": {"$lte": now}}).sort("lead_due", 1).limit(limit))


def leaders(group_id: str) -> list[Member]:
    """The coordinator and the deputies of a group."""
    leads = {"$in": [str(GroupRole.COORDINATOR), str(GroupRole.DEPUTY)]}
    return list(members().find({"group": group_id, "standing": str(Standing.MEMBER), "role": leads}))


def size(group_id: str) -> int:
    """How many belong to a group."""
    return members().count_documents({"group": group_id, "standing": str(Standing.MEMBER)})


def at(city: str, lat: float, lon: float) -> list[Group]:
    """The active groups in whose area a point lies."""
    rows = groups().find({"city": city, "cells": geo.cells(lat, lon).r7, "status": str(GroupStatus.ACTIVE)})
    point = shapely.Point(lon, lat)
    return [row for row in rows if shapely.intersects(shape(row["area"]), point)]


def around(city: str, lat: float, lon: float, *, limit: int = 20) -> list[Group]:
    """Active groups whose area touches the r7 cell (about 5 km²) of a point."""
    wanted = {"city": city, "cells": geo.cells(lat, lon).r7, "status": str(GroupStatus.ACTIVE)}
    return list(groups().find(wanted).sort("_id", 1).limit(limit))


def area_of(city: str, group_ids: Sequence[str]) -> dict[str, Any]:
    """The area of these groups of a city together, as GeoJSON: what an alert to groups has. Raises UnknownGroup."""
    found = {row["_id"]: row for row in some(group_ids)}
    wrong = [
        each
        for each in group_ids
        if each not in found or found[each]["city"] != city or found[each]["status"] != GroupStatus.ACTIVE
    ]
    if wrong:
        raise UnknownGroup(
            "no such watch group", errors={"area.groups": [f"No such group: {each}." for each in wrong[:5]]}
        )
    whole = shapely.union_all([shape(row["area"]) for row in found.values()])
    return areas.to_geojson(whole)
