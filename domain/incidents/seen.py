"""What a citizen sees, with what has to be read for it: of a merged SOS the incident that help comes by."""

from datetime import datetime
from typing import Final

from domain.incidents.projection import View, citizen_view
from domain.incidents.service import Incident, incidents

_HOPS: Final = 5
"""Merges of merges that are followed; the control room makes one, seldom two."""


def by_citizen(doc: Incident, now: datetime) -> View:
    """The citizen's view. One read more for a merged SOS, none else."""
    return citizen_view(doc, now, merged_into(doc))


def merged_here(doc: Incident) -> list[Incident]:
    """The incidents whose citizens see this one go on in place of their own: those merged into it, and into those."""
    found: dict[str, Incident] = {}
    wanted, into = list(doc.get("merged_here") or []), [doc["_id"]]
    for _ in range(_HOPS):
        if not wanted:
            break
        rows = [row for row in incidents().find({"_id": {"$in": wanted}}) if row.get("merged_into") in into]
        found |= {row["_id"]: row for row in rows}
        into = [row["_id"] for row in rows]
        wanted = [each for row in rows for each in row.get("merged_here") or [] if each not in found]
    return list(found.values())


def merged_into(doc: Incident) -> Incident | None:
    """The incident that stands at the end of a merge; None for one that stands by itself."""
    found = None
    wanted = doc.get("merged_into")
    for _ in range(_HOPS):
        if not wanted:
            break
        found = incidents().find_one({"_id": wanted}) or found
        wanted = (found or {}).get("merged_into")
    return found
