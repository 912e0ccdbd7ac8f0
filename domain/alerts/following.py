"""Which alerts a person hears: those for the areas that they chose, for their home city, and, if they allow it, for where
their phone was last.

A chosen place is kept as its H3 cell of about 0.1 km², a phone's as the one of about 5 km²; the positions themselves are
not kept. `alert_cells` has what recipients are found by: of each place the cells of 5 km² and 250 km² (an alert asks by
whichever keeps the question short), and `city:<id>` for whole-city alerts. Nobody is asked before a home city's alerts: who
lives there may turn them off.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import h3

from domain.alerts.area import RESOLUTION, WIDE
from domain.errors import Conflict, NotFound
from domain.people import queries as people

MAX_AREAS: Final = 5
PLACE_RESOLUTION: Final = 9
DEFAULT: Final[Mapping[str, Any]] = {"areas": [], "whole_city": True, "follow_device": False}
_TRIES: Final = 8


def city_key(city: str) -> str:
    """What somebody who follows a whole city has among their cells."""
    return f"city:{city}"


def cell_of(lat: float, lon: float, resolution: int = PLACE_RESOLUTION) -> str:
    """The H3 cell of a position."""
    return str(h3.latlng_to_cell(lat, lon, resolution))


def keys_of(settings: Mapping[str, Any], city: str, device_cell: str | None) -> list[str]:
    """What somebody with these settings is found by, sorted."""
    cells = [area["cell"] for area in settings.get("areas") or []]
    if device_cell and settings.get("follow_device"):
        cells.append(device_cell)
    keys = {coarse(cell, resolution) for cell in cells for resolution in (RESOLUTION, WIDE)}
    if city and settings.get("whole_city", True):
        keys.add(city_key(city))
    return sorted(keys)


def coarse(cell: str, resolution: int = RESOLUTION) -> str:
    """The larger cell, by the centre: a parent does not quite cover its children, and areas' cells are found by overlap."""
    lat, lon = h3.cell_to_latlng(cell)
    return cell_of(lat, lon, resolution)


def settings_of(person_id: str) -> dict[str, Any]:
    """A person's choices: {areas: [{label, cell}], whole_city, follow_device}."""
    row = people.collection().find_one({"_id": person_id}, {"alert_settings": 1}) or {}
    return {**DEFAULT, **(row.get("alert_settings") or {})}


class Followed(NamedTuple):
    """What somebody follows: their places' cells, what they are found by, and where their phone was last."""

    cells: tuple[str, ...]
    keys: frozenset[str]
    device_cell: str | None


def of(person_id: str) -> Followed:
    """What a person follows."""
    fields = {"alert_settings": 1, "alert_cells": 1, "alert_device_cell": 1}
    row = people.collection().find_one({"_id": person_id}, fields) or {}
    areas = (row.get("alert_settings") or {}).get("areas") or []
    keys = frozenset(row.get("alert_cells") or [])
    return Followed(tuple(area["cell"] for area in areas), keys, row.get("alert_device_cell"))


def exported(person_id: str, now: datetime) -> Any:
    """What is kept about a person's alerts, for their export."""
    row = people.collection().find_one({"_id": person_id}, {"alert_settings": 1, "alert_device_cell": 1}) or {}
    return {"settings": row.get("alert_settings") or {}, "device_cell": row.get("alert_device_cell")}


def follow(person_id: str, changes: Mapping[str, Any], *, now: datetime) -> None:
    """Set what is given of {areas: [{label, lat, lon}], whole_city, follow_device}; what is left out stays.

    Who no longer lets their phone be followed has its place forgotten.
    """
    given = dict(changes)
    if "areas" in given:
        given["areas"] = [
            {"label": each["label"], "cell": cell_of(each["lat"], each["lon"])} for each in given["areas"][:MAX_AREAS]
        ]
    _change(person_id, given, now=now)


def seen_at(person_id: str, lat: float, lon: float, *, now: datetime) -> None:
    """A phone says where it is, roughly. Kept only for whoever allowed it."""
    _change(person_id, {}, device_cell=cell_of(lat, lon, RESOLUTION), now=now)


def refresh(person_id: str, *, now: datetime) -> None:
    """The person's home city may have changed."""
    _change(person_id, {}, now=now)


def _change(person_id: str, given: Mapping[str, Any], *, now: datetime, device_cell: str | None = None) -> None:
    """One conditional write: whoever changed the person in between is read again."""
    fields = {"alert_settings": 1, "alert_device_cell": 1, "city": 1, "version": 1, "erased_at": 1, "alert_cells": 1}
    for _ in range(_TRIES):
        row = people.collection().find_one({"_id": person_id}, fields)
        if row is None or row.get("erased_at"):
            raise NotFound("no such person")
        settings = {**(row.get("alert_settings") or {}), **given}
        cell = device_cell or row.get("alert_device_cell")
        if not settings.get("follow_device"):
            cell = None
        keys = keys_of(settings, row.get("city") or "", cell)
        if keys == (row.get("alert_cells") or []) and not given and cell == row.get("alert_device_cell"):
            return
        update: dict[str, Any] = {
            "$set": {"alert_settings": settings, "alert_cells": keys, "changed_at": now},
            "$inc": {"version": 1},
        }
        if cell:
            update["$set"]["alert_device_cell"] = cell
        else:
            update["$unset"] = {"alert_device_cell": ""}
        done = people.collection().update_one({"_id": person_id, "version": row["version"]}, update)
        if done.matched_count:
            return
    raise Conflict("somebody else changes this person now")
