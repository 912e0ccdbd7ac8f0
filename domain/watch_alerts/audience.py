"""Who hears an alert of watch groups: their members, found group by group. Of one that is about a circle, those of whom we
know places and who have none in it are left out; of whom we know nothing is told rather than not.
"""

from collections.abc import Sequence
from typing import Any, Final

from domain.alerts import broadcasts
from domain.alerts.area import RESOLUTION, Inside, cells
from domain.alerts.broadcasts import Broadcast, Finder, Page
from domain.people import queries as people
from domain.watch.queries import member_id, members, members_of
from domain.watch.states import Standing
from domain.watch_alerts import queries, service
from domain.watch_alerts.queries import WatchAlert

_BEHIND: Final = "|"
"""In a cursor: behind the number of the group."""


def finder(alert: WatchAlert) -> Finder:
    """Pages of members, one group after the other; who belongs to several is in the first one's. Not whoever issued it."""
    ids, near = alert["groups"], _Near(alert["around"]) if alert.get("around") else None

    def page(after: str, limit: int) -> Page | None:
        number, _, last = after.partition(_BEHIND)
        for at in range(int(number or 0), len(ids)):
            rows = members_of(ids[at], Standing.MEMBER, after=last, limit=limit)
            if rows:
                found = [row["person"] for row in rows if row["person"] != alert["by"]]
                told = _in_any(found, ids[:at])
                hear = [each for each in found if each not in told]
                return Page(near.of(hear) if near else hear, f"{at}{_BEHIND}{rows[-1]['_id']}", {"group": ids[at]})
            last = ""
        return None

    return page


def _in_any(found: Sequence[str], group_ids: Sequence[str]) -> set[str]:
    if not group_ids:
        return set()
    keys = [member_id(group, person) for group in group_ids for person in found]
    rows = members().find({"_id": {"$in": keys}, "standing": str(Standing.MEMBER)}, {"person": 1})
    return {row["person"] for row in rows}


class _Near:
    """Who may be in a circle, by the places that people chose and, where they allow it, their phone's last cell."""

    def __init__(self, around: dict[str, float]) -> None:
        polygon = queries.circle(around["lat"], around["lon"], around["radius_m"])
        self._inside = Inside([polygon])
        self._cells = frozenset(cells(polygon, RESOLUTION))

    def of(self, person_ids: Sequence[str]) -> list[str]:
        """Those of them who may be."""
        fields = {"alert_settings": 1, "alert_device_cell": 1}
        rows = {row["_id"]: row for row in people.collection().find({"_id": {"$in": list(person_ids)}}, fields)}
        return [each for each in person_ids if self._may_be(rows.get(each) or {})]

    def _may_be(self, row: dict[str, Any]) -> bool:
        places = [area["cell"] for area in (row.get("alert_settings") or {}).get("areas") or []]
        device = row.get("alert_device_cell")
        if not places and not device:
            return True
        return device in self._cells or any(self._inside(cell) for cell in places)


broadcasts.register(
    "wal",
    Broadcast(
        queries.watch_alerts,
        finder,
        service.is_over,
        service.PURPOSE,
        lambda alert: bool(alert["urgent"]),
    ),
)
