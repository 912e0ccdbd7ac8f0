"""A person's phones and their push addresses. An address belongs to one person at a time, and dies at logout."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.people import queries, rules

FID = "fid:"
"""How an installation id is told from a token where both stand in one list."""


@dataclass(frozen=True)
class DeviceFacts:
    """What a phone says of itself. `token` and `fid` are FCM's registration token and installation id."""

    id: str
    platform: str = "android"
    language: str = ""
    app_version: str = ""
    token: str = ""
    fid: str = ""
    label: str = ""


def addresses(device: dict[str, Any]) -> list[str]:
    """The push addresses of a stored device."""
    return [
        address for address in (device.get("token"), f"{FID}{device['fid']}" if device.get("fid") else None) if address
    ]


def unbinding(device: dict[str, Any]) -> dict[str, Any]:
    """Update operators that take a device's push address away, but for the list of addresses (`with_pulls`)."""
    at = f"devices.{device['id']}"
    return {"$unset": {f"{at}.token": "", f"{at}.fid": ""}, "$set": {f"{at}.session_id": ""}}


def with_pulls(update: dict[str, Any], bound: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Add the removal of these devices' addresses from the person's list of them."""
    gone = [address for device in bound for address in addresses(device)]
    return {**update, "$pull": {"device_tokens": {"$in": gone}}} if gone else update


def bind(person_id: str, session_id: str, facts: DeviceFacts, *, now: datetime) -> None:
    """Store a device as this session's. Its push address is taken from whoever had it before."""
    row = queries.collection().find_one({"_id": person_id}, {"devices": 1}) or {}
    held = row.get("devices") or {}
    before = held.get(facts.id)
    at = f"devices.{facts.id}"
    fresh = [address for address in (facts.token, f"{FID}{facts.fid}" if facts.fid else "") if address]
    stale = [address for address in addresses(before or {}) if address not in fresh and fresh]
    changes: dict[str, Any] = {
        f"{at}.id": facts.id,
        f"{at}.platform": facts.platform,
        f"{at}.app_version": facts.app_version,
        f"{at}.session_id": session_id,
        f"{at}.seen_at": now,
        "changed_at": now,
    }
    if facts.language:
        changes[f"{at}.language"] = facts.language
    if facts.token:
        changes[f"{at}.token"] = facts.token
    if facts.fid:
        changes[f"{at}.fid"] = facts.fid
    if fresh:
        changes[f"{at}.retired_at"] = None
    oldest = sorted(
        (other for other in held if other != facts.id),
        key=lambda other: held[other].get("seen_at") or now,
        reverse=True,
    )[rules.MAX_DEVICES - 1 :]
    dropped = [held[other] for other in oldest]
    if stale or dropped:
        gone = [*stale, *(address for device in dropped for address in addresses(device))]
        update: dict[str, Any] = {"$pull": {"device_tokens": {"$in": gone}}}
        if oldest:
            update["$unset"] = {f"devices.{other}": "" for other in oldest}
        queries.collection().update_one({"_id": person_id}, update)
    add: dict[str, Any] = {"$addToSet": {"device_tokens": {"$each": fresh}}} if fresh else {}
    queries.collection().update_one({"_id": person_id}, {"$set": changes, "$inc": {"version": 1}, **add})
    for address in fresh:
        take_away(address, now=now, but=(person_id, facts.id))


def take_away(address: str, *, now: datetime, but: tuple[str, str] | None = None, retired: bool = False) -> int:
    """Remove a push address wherever it stands, but for one (person, device); how many devices lost it."""
    lost = 0
    for row in list(queries.collection().find({"device_tokens": address}, {"devices": 1})):
        for device in (row.get("devices") or {}).values():
            if address not in addresses(device) or (row["_id"], device["id"]) == but:
                continue
            lost += _drop(row["_id"], device, address, now=now, retired=retired)
        if but is None or row["_id"] != but[0]:
            queries.collection().update_one({"_id": row["_id"]}, {"$pull": {"device_tokens": address}})
    return lost


def _drop(person_id: str, device: dict[str, Any], address: str, *, now: datetime, retired: bool) -> int:
    at = f"devices.{device['id']}"
    name, value = ("fid", address.removeprefix(FID)) if address.startswith(FID) else ("token", address)
    changes: dict[str, Any] = {"changed_at": now}
    if retired:
        changes[f"{at}.retired_at"] = now
    done = queries.collection().update_one(
        {"_id": person_id, f"{at}.{name}": value},
        {"$unset": {f"{at}.{name}": ""}, "$set": changes, "$inc": {"version": 1}},
    )
    return int(done.modified_count)
