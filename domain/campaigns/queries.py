"""Reads of campaigns. Each is served by `_id` or an index that `documents.py` declares."""

from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from domain.campaigns.documents import CampaignDoc
from domain.campaigns.errors import CampaignNotFound
from domain.campaigns.states import CampaignStatus

Campaign = dict[str, Any]


def campaigns() -> Collection[Campaign]:
    """The raw collection."""
    found: Collection[Campaign] = CampaignDoc._get_collection()
    return found


def get(campaign_id: str) -> Campaign:
    """The campaign as it is stored; raises CampaignNotFound."""
    found = campaigns().find_one({"_id": campaign_id})
    if found is None:
        raise CampaignNotFound("no such campaign")
    return found


def of_group(group: str, *, before: datetime | None, limit: int) -> list[Campaign]:
    """A group's campaigns, newest first; one more than `limit` where there are."""
    wanted = {"groups": group, "created_at": {"$lt": before} if before else {"$exists": True}}
    return list(campaigns().find(wanted).sort("created_at", -1).limit(limit + 1))


def under_way(by: str, *, limit: int) -> int:
    """How many of somebody's campaigns are under way."""
    return campaigns().count_documents({"by": by, "status": str(CampaignStatus.UNDER_WAY)}, limit=limit)


def due(*, now: datetime, limit: int) -> list[Campaign]:
    """Campaigns of which a message is to go out: {_id, due_at}."""
    return list(campaigns().find({"due_at": {"$lte": now}}, {"due_at": 1}).sort("due_at", 1).limit(limit))
