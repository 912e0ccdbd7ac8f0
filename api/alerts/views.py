"""An alert as it is shown: to everybody, and with what is staff's business."""

from collections.abc import Mapping
from typing import Any

from api.blueprint import Call
from domain.alerts import rules
from domain.deliveries.bulk import COUNTED


def row_view(alert: Mapping[str, Any]) -> dict[str, Any]:
    """An alert in a list."""
    headlines = {language: (alert["texts"].get(language) or {}).get("headline", "") for language in ("en", "ur")}
    return {
        "id": alert["_id"],
        **{name: alert.get(name) for name in ("city", "status", "msg_type", "category", "urgency", "severity")},
        **{name: alert.get(name) for name in ("certainty", "onset", "expires", "issued_at")},
        "life_critical": rules.is_life_critical(alert),
        "headline": headlines,
        "area_name": alert["area"].get("name") or {},
    }


def alert_view(alert: Mapping[str, Any], call: Call, *, staff: bool) -> dict[str, Any]:
    """One alert whole."""
    issued = alert.get("issued_at") is not None
    view = {
        **row_view(alert),
        "texts": {language: words for language, words in alert["texts"].items() if words},
        "area": alert["area"],
        "response": alert.get("response"),
        "references": list(alert.get("references") or []),
        "followed_by": alert.get("followed_by"),
        "cap_url": f"{call.services.settings.public_url}/cap/{alert['_id']}.xml" if issued else None,
        "version": alert["version"],
    }
    if staff:
        view |= {"source": alert.get("source"), "created_at": alert.get("created_at")}
        if issued and alert.get("broadcast"):
            view["progress"] = progress_view(alert)
    return view


def progress_view(alert: Mapping[str, Any]) -> dict[str, Any]:
    """How far the telling is."""
    broadcast, counts = alert["broadcast"], alert.get("progress") or {}
    return {
        **{name: int(counts.get(name, 0)) for name in COUNTED},
        "people": int(broadcast.get("people") or 0),
        "state": broadcast["state"],
        "told_at": broadcast.get("told_at"),
    }
