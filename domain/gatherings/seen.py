"""A gathering as somebody sees it: pure. Who comes is told in numbers."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from domain.gatherings.rules import who
from domain.gatherings.states import Coming
from domain.patrols.seen import local


def view(doc: Mapping[str, Any], person: str, zone: ZoneInfo) -> dict[str, Any]:
    """A gathering; `mine` is what this person answered."""
    names = ("group", "kind", "title", "place", "starts_at", "ends_at", "status", "capacity", "sequence", "version")
    return {
        **{name: doc[name] for name in names},
        "id": doc["_id"],
        "note": doc.get("note"),
        "reason": doc.get("reason"),
        "local": local(doc, zone),
        "going": len(who(doc, Coming.GOING)),
        "maybe": len(who(doc, Coming.MAYBE)),
        "mine": (doc["answers"].get(person) or {}).get("answer"),
    }
