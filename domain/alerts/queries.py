"""Reading alerts, their batches and what feeds brought."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo.collection import Collection

from domain.alerts.documents import AlertDoc, BatchDoc, FeedDoc, InboundDoc
from domain.alerts.errors import AlertNotFound
from domain.alerts.states import AlertStatus, BatchState, MsgType
from domain.people.documents import PersonDoc

Alert = dict[str, Any]
Batch = dict[str, Any]

PUBLISHED_FOR = timedelta(days=7)
"""How long an alert stays in the public feed after it was issued."""


def alerts() -> Collection[Alert]:
    """The raw collection."""
    found: Collection[Alert] = AlertDoc._get_collection()
    return found


def batches() -> Collection[Batch]:
    """The raw collection of batches."""
    found: Collection[Batch] = BatchDoc._get_collection()
    return found


def feeds() -> Collection[dict[str, Any]]:
    """The raw collection of feeds."""
    found: Collection[dict[str, Any]] = FeedDoc._get_collection()
    return found


def inbound() -> Collection[dict[str, Any]]:
    """The raw collection of what feeds brought."""
    found: Collection[dict[str, Any]] = InboundDoc._get_collection()
    return found


def get(alert_id: str) -> Alert:
    """One alert; raises AlertNotFound."""
    found = alerts().find_one({"_id": alert_id})
    if found is None:
        raise AlertNotFound("no such alert")
    return found


def some(alert_ids: Sequence[str]) -> list[Alert]:
    """These alerts, those that exist, oldest first."""
    return sorted(alerts().find({"_id": {"$in": list(alert_ids)}}), key=lambda alert: str(alert["_id"]))


def in_force(city: str, *, now: datetime, limit: int = 200) -> list[Alert]:
    """The alerts of a city on which people should act now, the one that ends first first."""
    wanted = {"city": city, "status": str(AlertStatus.ISSUED), "expires": {"$gt": now}}
    found = alerts().find(wanted).sort("expires", 1).limit(limit)
    return [alert for alert in found if alert["msg_type"] != MsgType.CANCEL]


def published(city: str, *, now: datetime, limit: int = 100) -> list[Alert]:
    """What was issued in a city of late, cancels and what they ended too, newest first."""
    wanted = {"city": city, "issued_at": {"$gt": now - PUBLISHED_FOR}}
    return list(alerts().find(wanted).sort("issued_at", -1).limit(limit))


def listed(city: str, *, before: datetime | None, limit: int, status: str | None = None) -> list[Alert]:
    """A city's alerts, drafts too, newest first, those made before a time; one more than `limit` where there are."""
    wanted: dict[str, Any] = {"city": city}
    wanted["created_at"] = {"$lt": before} if before else {"$exists": True}
    if status:
        wanted["status"] = status
    return list(alerts().find(wanted).sort("created_at", -1).limit(limit + 1))


def page_of_people(keys: Sequence[str], *, after: str, limit: int) -> list[dict[str, Any]]:
    """`{_id, alert_cells, alert_settings, alert_device_cell}` of people who follow one of these keys, by id."""
    wanted: dict[str, Any] = {"alert_cells": {"$in": list(keys)}, "_id": {"$gt": after}}
    fields = {"alert_cells": 1, "alert_settings": 1, "alert_device_cell": 1}
    return list(PersonDoc._get_collection().find(wanted, fields).sort("_id", 1).limit(limit))


def batches_of(alert_id: str) -> list[Batch]:
    """The batches of an alert in order, without their people."""
    return list(batches().find({"alert": alert_id}, {"people": 0}).sort("number", 1))


def behind(batch_id: str) -> list[str]:
    """The batch of the same alert that comes after this one, where nobody has tried it yet; at most one."""
    batch = batches().find_one({"_id": batch_id}, {"alert": 1, "number": 1})
    if batch is None:
        return []
    rows = batches().find({"alert": batch["alert"], "number": batch["number"] + 1}, {"state": 1})
    return [row["_id"] for row in rows if row["state"] == BatchState.WAITING]


def due_batches(*, now: datetime, limit: int) -> list[Batch]:
    """Batches that somebody must see to: never begun, their worker died, or something is to be tried again."""
    rows = batches().find({"due": {"$lte": now}}, {"hints": 1, "due": 1})
    return list(rows.sort("due", 1).limit(limit))


def due_counts(*, now: datetime, limit: int) -> list[Batch]:
    """Batches whose receipts are to be counted again."""
    rows = batches().find({"count_due": {"$lte": now}}, {"people": 0})
    return list(rows.sort("count_due", 1).limit(limit))


def brought(city: str, *, limit: int = 50) -> list[dict[str, Any]]:
    """What a city's feeds brought of late, newest first."""
    return list(inbound().find({"city": city}).sort("at", -1).limit(limit))


def feeds_of(city: str) -> list[dict[str, Any]]:
    """How a city's feeds fare."""
    return list(feeds().find({"city": city, "feed": {"$exists": True}}).sort("feed", 1))


def due_feeds(*, now: datetime, limit: int) -> list[dict[str, Any]]:
    """Feeds that are to be asked again."""
    return list(feeds().find({"due": {"$lte": now}}).sort("due", 1).limit(limit))
