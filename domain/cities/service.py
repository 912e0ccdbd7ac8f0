"""Changes to cities. Every change is a new version with who, when and why; what was stays as it was."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from domain.audit import chain as audit
from domain.cities import queries
from domain.cities.atlas import read_sheet
from domain.cities.config import CityConfig
from domain.cities.errors import CityChanged
from domain.cities.presets import read_preset
from domain.cities.queries import current
from domain.cities.rules import parse
from domain.errors import Invalid

__all__ = ["PRESET", "change", "current", "digest", "is_intact", "load_preset"]


PRESET: Final = "preset"
"""Who changed a city when it was its own preset."""


def load_preset(
    path: Path, *, now: datetime, by: str = PRESET, reason: str = "preset loaded", replace: bool = False
) -> CityConfig:
    """Make a preset the city's newest version; the same preset again changes nothing.

    What somebody has changed since stays, so that an upgrade takes nothing back, unless `replace`. The boundary and
    places are checked too. Raises BadCity naming the file and the key, CityChanged in a race.
    """
    read_sheet(path)
    body = read_preset(path)
    stored = queries.latest(body["id"])
    if stored is not None and (stored["body"] == body or (stored["by"] != PRESET and not replace)):
        return parse(stored["body"], f"city_config of {stored['city']}", version=stored["version"])
    return change(body, expected_version=stored["version"] if stored else 0, now=now, by=by, reason=reason)


def change(body: Mapping[str, Any], *, expected_version: int, now: datetime, by: str, reason: str) -> CityConfig:
    """Store a complete configuration as the version after `expected_version` (0: there is none yet), and audit it.

    Raises BadCity naming the key, Invalid without a reason, CityChanged with the version that stands.
    """
    if not reason.strip() or not by.strip():
        raise Invalid("a reason is needed", errors={"reason": ["say who and why"]})
    number = expected_version + 1
    config = parse(body, str(body.get("id", "city")), version=number)
    stored = queries.latest(config.id)
    standing = int(stored["version"]) if stored else 0
    if standing != expected_version:
        raise CityChanged("the city has another version", current=standing)
    previous = stored["digest"] if stored else ""
    try:
        queries.city_configs().insert_one(
            {
                "_id": f"cty_{config.id}_{number:06d}",
                "city": config.id,
                "version": number,
                "body": dict(body),
                "digest": digest(body, previous),
                "previous": previous,
                "at": now,
                "by": by,
                "reason": reason,
            }
        )
    except DuplicateKeyError as error:
        raise CityChanged("somebody else changed the city", current=number) from error
    queries.forget(config.id)
    audit.append(config.id, by, "city.changed", f"cty_{config.id}_{number:06d}", now=now)
    return config


def digest(body: Mapping[str, Any], previous: str) -> str:
    """SHA-256 over a version's body, in canonical JSON, and the digest before it; lower-case hexadecimal."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def is_intact(city: str) -> bool:
    """Whether every stored version still fits the one before it; False where one was edited or taken out."""
    previous, expected = "", 1
    for stored in queries.city_configs().find({"city": city}, sort=[("version", 1)]):
        fits = stored["version"] == expected and stored["previous"] == previous
        if not fits or stored["digest"] != digest(stored["body"], previous):
            return False
        previous, expected = stored["digest"], expected + 1
    return True
