"""A patrol as somebody sees it in a list: pure. Who signed up is for those who ask for the patrol itself."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from domain.patrols.rules import place_status
from domain.patrols.states import PlaceStatus


def local(doc: Mapping[str, Any], zone: ZoneInfo) -> dict[str, str]:
    """Its times as a clock on the wall shows them."""
    begins, ends = doc["starts_at"].astimezone(zone), doc["ends_at"].astimezone(zone)
    return {
        "date": begins.date().isoformat(),
        "since": f"{begins:%H:%M}",
        "until": f"{ends:%H:%M}",
        "zone": str(zone),
    }


def row(doc: Mapping[str, Any], beat_name: str, person: str, zone: ZoneInfo) -> dict[str, Any]:
    """A patrol in a list; `mine` is how this person stands to it."""
    standing = [place_status(place) for place in doc["places"].values()]
    mine = doc["places"].get(person)
    names = ("group", "beat", "starts_at", "ends_at", "status", "capacity", "version")
    return {
        **{name: doc[name] for name in names},
        "id": doc["_id"],
        "beat_name": beat_name,
        "local": local(doc, zone),
        "taken": len(doc["places"]),
        "offered": standing.count(PlaceStatus.OFFERED),
        "missing": standing.count(PlaceStatus.MISSED),
        "mine": place_status(mine) if mine else None,
    }
