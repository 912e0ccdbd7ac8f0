"""Reads of searches for a face. Imports nothing of questions to humans, which ask here whether there is something to see."""

from typing import Any

from pymongo.collection import Collection

from domain.faces.documents import FaceSearchDoc
from domain.faces.errors import SearchNotFound
from domain.faces.states import SearchState

Search = dict[str, Any]


def searches() -> Collection[Search]:
    """The raw collection."""
    found: Collection[Search] = FaceSearchDoc._get_collection()
    return found


def get(search_id: str) -> Search:
    """One search; raises SearchNotFound."""
    found = searches().find_one({"_id": search_id})
    if found is None:
        raise SearchNotFound("no such search")
    return found


def of_incident(incident_id: str, *, limit: int) -> list[Search]:
    """An incident's searches, newest first."""
    return list(searches().find({"incident": incident_id}).sort("at", -1).limit(limit))


def has_lead(search_id: str, lead_id: str) -> bool:
    """Whether the search goes on, and that lead is among its best."""
    going = {"_id": search_id, "state": str(SearchState.ALLOWED), "leads.id": lead_id}
    return searches().find_one(going, {"_id": 1}) is not None
