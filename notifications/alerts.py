"""What a public alert says on a phone: its headline, where, and what to do. Everybody who reads one language reads the
same, and a stranger may read it too: it is public.
"""

from typing import Any

from domain.alerts import queries, rules
from domain.alerts.states import AlertStatus, MsgType
from domain.deliveries.service import Delivery
from domain.deliveries.states import Suppressed
from notifications.recipients import Reached
from runtime.settings import Settings

READ = "alert as read"
"""Where a delivery in memory keeps the alert that this step has read; never stored."""


def _alert(delivery: Delivery) -> dict[str, Any]:
    if READ not in delivery:
        delivery[READ] = queries.get(delivery["subject"])
    found: dict[str, Any] = delivery[READ]
    return found


def issued(delivery: Delivery, reached: Reached, settings: Settings) -> dict[str, str]:
    """The words of an alert in the person's language. `variant`: an update, or a cancel."""
    alert = _alert(delivery)
    language = reached.language
    names = alert["area"].get("name") or {}
    return {
        "variant": _VARIANTS.get(alert["msg_type"], ""),
        "headline": rules.in_language(alert["texts"], language, "headline"),
        "instruction": rules.in_language(alert["texts"], language, "instruction"),
        "area": names.get(language.split("-")[0]) or names.get("en") or "",
        "alert_id": alert["_id"],
    }


_VARIANTS = {str(MsgType.UPDATE): "update", str(MsgType.CANCEL): "over"}


def overtaken(delivery: Delivery) -> str:
    """Why an alert need not be sent any more: another came in its place, or it was cancelled."""
    status = _alert(delivery)["status"]
    if status == AlertStatus.SUPERSEDED:
        return str(Suppressed.SUPERSEDED)
    return str(Suppressed.OVER) if status == AlertStatus.CANCELLED else ""
