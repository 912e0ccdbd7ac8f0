"""Whether a plate is still looked for. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.watchlists.states import Closed, EntryStatus


def why_over(entry: Mapping[str, Any], now: datetime) -> Closed | None:
    """Why nobody looks for it any more; None while somebody does. `entry` is empty where it is no longer kept."""
    if not entry:
        return Closed.ENTRY_GONE
    if entry["status"] != EntryStatus.ACTIVE:
        return Closed.ENTRY_ENDED
    return Closed.ENTRY_EXPIRED if entry["expires_at"] <= now else None
