"""Where somebody may be referred: the entries of `cities/shared/referrals.toml`, with what the city knows of their number."""

import tomllib
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from domain.cities import queries as cities
from domain.cities.hours import is_open
from domain.cities.presets import PRESETS
from domain.helpline.errors import ReferralUnknown
from domain.helpline.states import ReferralKind

FILE: Final = PRESETS / "shared" / "referrals.toml"


@lru_cache(maxsize=2)
def _entries(file: Path = FILE) -> tuple[dict[str, Any], ...]:
    found = tomllib.loads(file.read_text(encoding="utf-8"))["referrals"]
    for entry in found:
        entry["kind"] = ReferralKind(entry["kind"])
    return tuple(found)


def listed(city: str, *, kind: ReferralKind | None, now: datetime) -> list[dict[str, Any]]:
    """The entries for a city: names, number, region, hours (`open` null where no source says), last look, verified."""
    config = cities.current(city)
    numbers = {line.number: line for line in config.helplines}
    found = []
    for entry in _entries():
        line = numbers.get(entry["number"])
        if line is None or (entry["cities"] and city not in entry["cities"]) or kind not in (None, entry["kind"]):
            continue
        found.append(
            {
                "id": entry["id"],
                "kind": entry["kind"],
                "names": {"en": entry["name_en"], "ur": entry["name_ur"]},
                "number": line.number,
                "region": line.region,
                "open": is_open(line.hours, config, now),
                "fallback": line.fallback or None,
                "source": line.source,
                "last_verified": line.last_verified,
                "verified": line.verified and not entry["place"],
            }
        )
    return found


def get(city: str, entry_id: str, *, now: datetime) -> dict[str, Any]:
    """One entry; raises ReferralUnknown."""
    for entry in listed(city, kind=None, now=now):
        if entry["id"] == entry_id:
            return entry
    raise ReferralUnknown("not in this city's directory", errors={"to": ["See /v1/helpline/referrals."]})
