"""The line of those who wait: who is next, how many stand before her, and for how long, honestly."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from domain.helpline import figures as counted
from domain.helpline.rules import Request
from domain.helpline.service import requests
from domain.helpline.shifts import counsellors
from domain.helpline.states import CounsellorState, HelplineStatus

TALKS_LOOKED_AT: Final = 50
_ROW: Final = dict.fromkeys(
    (
        *("city", "channel", "mode", "language", "status", "version", "anonymous", "wanted", "offered", "danger"),
        *("line_at", "asked_at", "answered_at", "claimed_at", "closed_at", "counsellor", "flags", "outcome", "sos"),
        *("case", "transfer_to", "transfer_until", "earlier"),
    ),
    1,
)
"""What may be shown of a request that nobody has opened: nothing that she told."""


def waiting(city: str, *, after: tuple[datetime, str] | None, limit: int) -> list[dict[str, Any]]:
    """Who waits, in the order of the line. `after`: (line_at, id) of the last one seen.

    Sorted by `line_at` alone, as the index is; those of the same millisecond are put in order here.
    """
    condition: dict[str, Any] = {"city": city, "status": str(HelplineStatus.WAITING)}
    if after:
        condition["line_at"] = {"$gte": after[0]}
    most = limit + 1
    while True:
        rows = list(requests().find(condition, _ROW).sort("line_at", 1).limit(most))
        found = sorted(
            (row for row in rows if after is None or (row["line_at"], row["_id"]) > after),
            key=lambda row: (row["line_at"], row["_id"]),
        )
        if len(rows) < most or (len(found) > limit and found[limit]["line_at"] > found[limit - 1]["line_at"]):
            return found[:limit]
        most *= 4  # so many came in one millisecond that the page might cut them in the middle


def ahead(doc: Request) -> int:
    """How many stand before her; -1 where she does not wait."""
    if doc["status"] != HelplineStatus.WAITING:
        return -1
    condition = {"city": doc["city"], "status": str(HelplineStatus.WAITING), "line_at": {"$lt": doc["line_at"]}}
    return _count(condition)


def free(city: str) -> dict[str, int]:
    """How many counsellors are available, by gender (empty for unsaid)."""
    found: dict[str, int] = {}
    for row in counsellors().find({"city": city, "state": str(CounsellorState.AVAILABLE)}, {"gender": 1}):
        found[row.get("gender") or ""] = found.get(row.get("gender") or "", 0) + 1
    return found


def place(doc: Request, *, now: datetime) -> dict[str, Any]:
    """Her place: {position, waiting_s, staffed}. `position` 1 is next; `waiting_s` null where nobody is on shift."""
    before = ahead(doc)
    if before < 0:
        return {"position": None, "waiting_s": None, "staffed": None}
    on_shift = sum(free(doc["city"]).values())
    guess = counted.waiting_s(before, list(_talks(doc["city"], now)), on_shift)
    return {"position": before + 1, "waiting_s": guess, "staffed": on_shift > 0}


def _talks(city: str, now: datetime) -> Iterator[float]:
    """How long the latest talks of the last day took, in seconds."""
    rows = (
        requests()
        .find({"city": city, "closed_at": {"$gt": now - timedelta(days=1)}}, {"answered_at": 1, "closed_at": 1})
        .sort("closed_at", -1)
        .limit(TALKS_LOOKED_AT)
    )
    for row in rows:
        if row.get("answered_at"):
            yield (row["closed_at"] - row["answered_at"]).total_seconds()


def figures(city: str, *, since: datetime, until: datetime, now: datetime) -> Mapping[str, Any]:
    """How quickly who asked in a time was answered (`figures.answered_within`)."""
    rows = requests().find({"city": city, "asked_at": {"$gte": since, "$lt": until}}, {"asked_at": 1, "answered_at": 1})
    return counted.answered_within(((row["asked_at"], row.get("answered_at")) for row in rows), now)


def due(*, now: datetime, limit: int) -> list[dict[str, Any]]:
    """Requests whose time has come, oldest first."""
    rows = requests().find({"due_at": {"$lte": now}}, {"city": 1, "due_at": 1, "counsellor": 1, "status": 1})
    return list(rows.sort("due_at", 1).limit(limit))


def of_counsellor(
    person_id: str, status: HelplineStatus = HelplineStatus.CLAIMED, *, limit: int = 100
) -> list[dict[str, Any]]:
    """What a counsellor has now."""
    return list(requests().find({"counsellor": person_id, "status": str(status)}, _ROW).limit(limit))


def old(city: str, *, kept: timedelta, now: datetime) -> Iterator[dict[str, Any]]:
    """Closed requests that were kept long enough: {_id, case}, oldest first."""
    condition = {"city": city, "closed_at": {"$lt": now - kept}, "erased_at": None}
    yield from requests().find(condition, {"case": 1}).sort("closed_at", 1)


def of_person(person_ref: str, *, limit: int) -> list[dict[str, Any]]:
    """A person's own requests, newest first; by the keyed hash of the person."""
    rows = requests().find({"person_ref": person_ref}, sort=[("asked_at", -1)])
    return [row for row in rows.limit(limit) if not row.get("erased_at")]


def length(city: str) -> int:
    """How many wait."""
    return _count({"city": city, "status": str(HelplineStatus.WAITING)})


def _count(condition: Mapping[str, Any]) -> int:
    """By the store's own `count`, which reads the index; the driver's `count_documents` is an aggregation."""
    asked = requests()
    return int(asked.database.command("count", asked.name, query=condition)["n"])


def versions(ids: Sequence[str]) -> dict[str, int]:
    """The versions of these requests."""
    return {row["_id"]: row["version"] for row in requests().find({"_id": {"$in": list(ids)}}, {"version": 1})}


def open_of_phone(phone_ref: str) -> dict[str, Any] | None:
    """The newest request of a number that goes on; by the keyed hash of the number."""
    for row in requests().find({"phone_ref": phone_ref, "channel": "sms"}, sort=[("asked_at", -1)]).limit(5):
        if row["status"] != HelplineStatus.CLOSED and not row.get("erased_at"):
            return row
    return None
