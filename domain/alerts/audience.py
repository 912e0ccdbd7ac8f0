"""Who hears a public alert: those who follow a place of its area, found page by page by their cells."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.alerts import broadcasts, rules, service
from domain.alerts.area import Inside
from domain.alerts.broadcasts import Broadcast, Finder, Page
from domain.alerts.following import city_key
from domain.alerts.queries import Alert, alerts, page_of_people
from domain.alerts.states import AlertStatus


def finder(alert: Alert) -> Finder:
    """Pages of those who follow a place in the alert's areas, by their id."""
    inside = Inside(alert["geometries"])

    def page(after: str, limit: int) -> Page | None:
        rows = page_of_people(alert["keys"], after=after, limit=limit)
        return Page([row["_id"] for row in rows if _hears(row, alert, inside)], rows[-1]["_id"]) if rows else None

    return page


def _hears(row: Mapping[str, Any], alert: Alert, inside: Inside) -> bool:
    """The keys find some who are near and not inside: here it is asked as finely as their places are known."""
    city = city_key(alert["city"])
    if city in alert["keys"] and city in (row.get("alert_cells") or []):
        return True
    settings = row.get("alert_settings") or {}
    if settings.get("follow_device") and row.get("alert_device_cell") in alert["cells"]:
        return True
    return any(inside(area["cell"]) for area in settings.get("areas") or [])


def _is_over(alert: Alert, now: datetime) -> bool:
    return alert["status"] != AlertStatus.ISSUED or bool(alert["expires"] <= now)


def _begun(alert: Alert, now: datetime) -> None:
    service.end_predecessors(alert, now=now)


broadcasts.register("alt", Broadcast(alerts, finder, _is_over, "alert_issued", rules.is_life_critical, _begun))
