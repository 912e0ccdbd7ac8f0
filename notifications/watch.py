"""What a watch group's members are told: that there is news of their streets. What it is, the app asks for itself; only an
SMS, to whoever has no app, says it.
"""

from typing import Final

from domain.alerts import rules
from domain.cities import queries as cities
from domain.deliveries.service import Delivery
from domain.deliveries.states import Suppressed
from domain.errors import NotFound
from domain.reports import queries
from domain.reports.categories import CATEGORIES
from domain.reports.states import ReportStatus
from domain.watch_alerts import queries as watch_alerts
from domain.watch_alerts.states import WatchAlertStatus
from notifications.recipients import Reached
from runtime.settings import Settings

SEEN: Final = "SEEN"
"""With this whoever has no app answers a group's alert by SMS."""
SEEN_WORDS: Final = frozenset({SEEN, "DEKHA", "DEKH LIA", "DEKH LIYA", "دیکھ لیا", "دیکھ لی", "دیکھا"})
"""And so does who writes it in Urdu."""


def alert(delivery: Delivery, reached: Reached, settings: Settings) -> dict[str, str]:
    """The ids, for the app; for an SMS what it is and about where, by the place that everybody is shown."""
    doc = queries.get(delivery["subject"])
    place = doc["public"]
    return {
        "group_id": delivery["refs"]["group"],
        "alert_id": doc["_id"],
        "category": CATEGORIES[doc["category"]].names.in_language(reached.language),
        "area": cities.area_name(doc["city"], place["lat"], place["lon"], reached.language),
    }


def overtaken(delivery: Delivery) -> str:
    """Nobody hears of a report that was taken out, or back."""
    try:
        status = queries.get(delivery["subject"])["status"]
    except NotFound:
        return str(Suppressed.OVER)
    return "" if status == ReportStatus.PUBLISHED else str(Suppressed.OVER)


def warning(delivery: Delivery, reached: Reached, settings: Settings) -> dict[str, str]:
    """A group's own alert, in the person's language where it was written in it."""
    doc = watch_alerts.get(delivery["subject"])
    return {
        "variant": "urgent" if doc["urgent"] else "",
        "group_id": delivery["refs"].get("group") or "",
        "alert_id": doc["_id"],
        "headline": rules.in_language(doc["texts"], reached.language, "headline"),
        "instruction": rules.in_language(doc["texts"], reached.language, "instruction"),
    }


def warning_overtaken(delivery: Delivery) -> str:
    """Nobody hears of an alert that was withdrawn."""
    try:
        status = watch_alerts.get(delivery["subject"])["status"]
    except NotFound:
        return str(Suppressed.OVER)
    return "" if status == WatchAlertStatus.ISSUED else str(Suppressed.OVER)
