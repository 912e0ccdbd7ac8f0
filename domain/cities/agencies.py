"""A city's agencies, one at a time. They are part of the city's configuration, so each change is a new version of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.cities import queries, service
from domain.cities.atlas import directory
from domain.cities.config import Agency
from domain.cities.errors import UnknownAgency, UnknownCity
from domain.cities.presets import preset_paths, read_preset


def get(city: str, agency_id: str) -> Agency:
    """One agency; raises UnknownCity, UnknownAgency."""
    found = queries.current(city).agencies.get(agency_id)
    if found is None:
        raise UnknownAgency("no such agency in this city")
    return found


def standing(city: str) -> tuple[dict[str, Any], int]:
    """(body, version) of the newest configuration; version 0 for a preset that was not loaded yet."""
    stored = queries.latest(city)
    if stored is not None:
        return stored["body"], int(stored["version"])
    path = preset_paths(directory()).get(city)
    if path is None:
        raise UnknownCity("no such city")
    return read_preset(path), 0


def put(city: str, table: Mapping[str, Any], *, by: str, reason: str, now: datetime) -> tuple[Agency, bool]:
    """(agency, whether it is new). `table` has the keys of `[[agencies]]` in a preset; what it leaves out stays.

    Raises BadCity naming the key, CityChanged in a race.
    """
    body, version = standing(city)
    agencies = [dict(each) for each in body["agencies"]]
    known = next((each for each in agencies if each["id"] == table["id"]), None)
    if known is None:
        agencies.append(dict(table))
    else:
        known.update(table)
    config = service.change({**body, "agencies": agencies}, expected_version=version, now=now, by=by, reason=reason)
    return config.agencies[table["id"]], known is None
