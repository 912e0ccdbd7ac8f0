"""A change to an incident while it is being decided: pure, so that rules can be tested as tables.

A rule takes a Draft, looks at `draft.doc` and says what becomes different. The service turns the Draft into one
conditional write. `doc` always shows the incident as it will be after the write, and the draft never touches the
document that it was made from.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain import outbox
from domain.incidents.states import IncidentStatus, SlotStatus, incident_status

TIMELINE_KEPT = 200


def timer_of(slot: Mapping[str, Any]) -> datetime | None:
    """When a slot's ladder moves by itself: its own time, or the end of the pause that an operator made."""
    timer: datetime | None = slot.get("paused_until") if slot.get("paused") else slot.get("due_at")
    return timer


class Draft:
    """What a rule has decided so far about one incident, at `now`."""

    def __init__(self, doc: Mapping[str, Any], now: datetime) -> None:
        self.now = now
        self.doc: dict[str, Any] = dict(doc)
        self._touched: set[str] = set()
        self._entries: list[dict[str, Any]] = []
        self._events: list[outbox.Event] = []

    @property
    def next_version(self) -> int:
        """The version that the document has after this change."""
        return int(self.doc["version"]) + 1

    @property
    def empty(self) -> bool:
        """True when nothing was decided: no write is needed."""
        return not (self._touched or self._entries or self._events)

    def set(self, path: str, value: Any) -> None:
        """`path` is dotted, through maps only."""
        self._touched.add(path)
        *parents, last = path.split(".")
        self._map_at(parents)[last] = value

    def unset(self, path: str) -> None:
        """Take a field away."""
        self._touched.add(path)
        *parents, last = path.split(".")
        self._map_at(parents).pop(last, None)

    def _map_at(self, parents: list[str]) -> dict[str, Any]:
        """The map that holds a path's last name, copied on the way so that the original stays as it was."""
        here = self.doc
        for name in parents:
            here[name] = dict(here.get(name) or {})
            here = here[name]
        return here

    def flag(self, name: str) -> None:
        """Add a flag once."""
        if name not in self.doc.get("flags", []):
            self.set("flags", [*self.doc.get("flags", []), name])

    def unflag(self, name: str) -> None:
        """Take a flag away if it is there."""
        if name in self.doc.get("flags", []):
            self.set("flags", [flag for flag in self.doc["flags"] if flag != name])

    def entry(self, kind: str, *, by: str | None = None, **ids: Any) -> None:
        """A line of the timeline: what happened, who did it, and ids."""
        entry = {"at": self.now, "kind": kind, **ids}
        if by:
            entry["by"] = by
        self._entries.append(entry)

    def event(self, kind: str, **ids: Any) -> None:
        """Something that others react to; ids only."""
        made = outbox.event(
            kind, self.doc["_id"], version=self.next_version, now=self.now, city=self.doc["city"], **ids
        )
        self._events.append(made)

    def settle(self) -> None:
        """Bring what follows from the slots up to date: the incident's status, its next timer, its milestones."""
        slots: Mapping[str, Mapping[str, Any]] = self.doc.get("slots") or {}
        if self.doc["status"] != IncidentStatus.CLOSED:
            status = incident_status(SlotStatus(slot["status"]) for slot in slots.values())
            if status != self.doc["status"]:
                self.set("status", str(status))
            if status != IncidentStatus.OPEN and f"{status}_at" not in (self.doc.get("milestones") or {}):
                self.set(f"milestones.{status}_at", self.now)
        due = [timer for slot in slots.values() if (timer := timer_of(slot))]
        if self.doc["status"] == IncidentStatus.CLOSED:
            due = []
        if due and min(due) != self.doc.get("ladder_due"):
            self.set("ladder_due", min(due))
        elif not due and self.doc.get("ladder_due") is not None:
            self.unset("ladder_due")

    def overflow(self) -> list[dict[str, Any]]:
        """Timeline entries that this change pushes out of the document; keep them elsewhere before the write."""
        timeline = self.doc.get("timeline") or []
        surplus = len(timeline) + len(self._entries) - TIMELINE_KEPT
        return list(timeline[:surplus]) if surplus > 0 else []

    def _changes(self) -> tuple[dict[str, Any], list[str]]:
        """(what is set, what is unset), without paths below another that changes too: a store refuses both at once."""
        kept: dict[str, Any] = {}
        gone = []
        for path in sorted(self._touched):
            *parents, last = path.split(".")
            if any(".".join(parents[:depth]) in self._touched for depth in range(1, len(parents) + 1)):
                continue
            here = self._map_at(parents)
            if last in here:
                kept[path] = here[last]
            else:
                gone.append(path)
        return kept, gone

    def operators(self) -> dict[str, Any]:
        """The update document of the one write; the caller adds the condition."""
        self.settle()
        seq = int(self.doc.get("timeline_seq") or 0)
        entries = [{**entry, "seq": seq + index} for index, entry in enumerate(self._entries, start=1)]
        kept, gone = self._changes()
        update: dict[str, Any] = {
            "$set": {**kept, "updated_at": self.now},
            "$inc": {"version": 1, "timeline_seq": len(entries)},
        }
        if gone:
            update["$unset"] = dict.fromkeys(gone, "")
        if entries:
            update["$push"] = {"timeline": {"$each": entries, "$slice": -TIMELINE_KEPT}}
        if self._events:
            update = outbox.merge(update, outbox.pending(self._events, self.now))
        return update
