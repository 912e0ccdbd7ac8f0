"""A coordinator who falls silent is succeeded by rule (`rules.py`): found by a due time, asked, and told.

Each step is one conditional write with its event, so that two sweepers do no harm.
"""

from datetime import datetime
from typing import Any

from domain.errors import Conflict
from domain.people import queries as people
from domain.watch import leading, queries
from domain.watch.errors import GroupClosed, SuccessionOver
from domain.watch.queries import Group
from domain.watch.rules import Heir, Next, is_silent, look
from domain.watch.states import GroupRole
from domain.watch.writing import check_active, write

_EVENTS = {Next.WARN: "group.silent", Next.ASK: "group.successor_asked", Next.NOBODY: "group.leaderless"}


def last_seen(ids: list[str]) -> dict[str, datetime | None]:
    """When these people last used the app; who is gone is left out."""
    rows = people.collection().find({"_id": {"$in": ids}, "erased_at": None}, {"sessions": 1})
    found: dict[str, datetime | None] = {}
    for row in rows:
        seen = [each.get("seen_at") or each["created_at"] for each in (row.get("sessions") or {}).values()]
        found[row["_id"]] = max(seen, default=None)
    return found


def step(group: Group, *, now: datetime) -> Group | None:
    """Do what is due for a group; None where somebody else did, or it was closed."""
    held: dict[str, Any] = group.get("succession") or {}
    coordinator = group["coordinator"]
    rows = [row for row in queries.heirs(group["_id"]) if row["person"] != coordinator]
    seen = last_seen([coordinator, *(row["person"] for row in rows)])
    heirs = [Heir(row["person"], row["role"], row["since"], seen.get(row["person"])) for row in rows]
    found = look(held, seen.get(coordinator), heirs, now=now)
    tried = [*(held.get("tried") or []), found.person]
    after: dict[Next, dict[str, Any]] = {
        Next.WAIT: {},
        Next.WARN: {"warned_at": now, "tried": []},
        Next.ASK: {**held, "asked": found.person, "tried": tried},
        Next.NOBODY: {},
    }
    event = _EVENTS.get(found.next)
    changes = {"succession": after[found.next], "lead_due": found.due}
    try:
        return write(group, changes, now, events=[event] if event else [])
    except (Conflict, GroupClosed):
        return None


def answer(group: Group, person: str, *, accept: bool, now: datetime) -> Group:
    """Whoever was asked says whether they lead the group from now on. Again is harmless. Raises SuccessionOver."""
    check_active(group)
    held = group.get("succession") or {}
    if accept and group["coordinator"] == person:
        return group
    came_back = not is_silent(last_seen([group["coordinator"]]).get(group["coordinator"]), now)
    if held.get("asked") != person or came_back:
        raise SuccessionOver("nobody asks you now", current="over")
    if accept:
        leading.appoint(group, person, GroupRole.COORDINATOR, by=person, now=now)
        return queries.get(group["_id"])
    return write(group, {"succession": {**held, "asked": ""}, "lead_due": now}, now)
