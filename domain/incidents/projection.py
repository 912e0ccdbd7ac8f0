"""What a citizen sees of an incident: one pure function, which does not know of duress.

Body, ETag, event stream, sync, pushes, live pages and export are all made from `citizen_view`. When the phone cancels,
with either PIN, the view of that moment is closed and kept in the document (`frozen_by_cancel`); from then on it is all
that is ever shown, whatever the incident does behind it. So it is, as it stands, where too many PINs are tried on what
is over (`frozen_as_it_is`). A practice has no incident behind it: its story is told by the clock.

How loud her phone may be is part of the view as well: what she chose (`is_quiet`), not the flags, which duress changes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from domain.incidents.states import HOLDING, IncidentStatus, Resolution, SlotStatus

View = dict[str, Any]

MESSAGES_SHOWN: Final = 20
MESSAGE_BYTES: Final = 4000
"""What messages may take of an answer that has to stay under 8 KiB on a bad network; the rest has its own route."""

PRACTICE: Final = (
    (timedelta(seconds=0), IncidentStatus.OPEN),
    (timedelta(seconds=5), IncidentStatus.ACKNOWLEDGED),
    (timedelta(seconds=12), IncidentStatus.EN_ROUTE),
    (timedelta(seconds=25), IncidentStatus.ON_SCENE),
    (timedelta(seconds=40), IncidentStatus.CLOSED),
)
"""How a practice goes on, by the time since it was raised."""


def citizen_view(doc: Mapping[str, Any], now: datetime, into: Mapping[str, Any] | None = None) -> View:
    """The SOS as its citizen sees it, times as times. Its `version` is the ETag and the id in the event stream.

    `into` is the incident that it was merged into: help comes by that one, so that is what is shown.
    """
    cancelled = (doc.get("citizen") or {}).get("cancel")
    if cancelled:
        return dict(cancelled["view"])
    if "practice" in doc["flags"]:
        return _practice(doc, now)
    return _merged(doc, into, now) if into else _live(doc)


def is_quiet(doc: Mapping[str, Any]) -> bool:
    """Whether her phone makes no sound for this SOS: as she asked when she raised it, or in a later send of it."""
    return bool((doc.get("citizen") or {}).get("silent"))


def stands_still(doc: Mapping[str, Any], into: Mapping[str, Any] | None = None) -> bool:
    """Whether her phone was told that it is over: of this SOS, or of the one of hers that it was merged into."""
    cancelled = (doc.get("citizen") or {}).get("cancel")
    return bool(cancelled or (into and _is_of_the_same(doc, into) and stands_still(into)))


def _is_of_the_same(doc: Mapping[str, Any], into: Mapping[str, Any]) -> bool:
    person = (doc.get("citizen") or {}).get("person")
    return person is not None and (into.get("citizen") or {}).get("person") == person


def _merged(doc: Mapping[str, Any], into: Mapping[str, Any], now: datetime) -> View:
    """What shows of the other one: all that goes on there; of one's own, what its citizen sees of it."""
    shown = ("status", "resolution", "closed_at", "services", "unfilled")
    theirs = citizen_view(into, now) if _is_of_the_same(doc, into) else _live(into)
    return (
        _common(doc)
        | {name: theirs[name] for name in shown}
        | {
            "version": doc["version"] + theirs["version"],
            "updated_at": max(doc["updated_at"], theirs["updated_at"]),
        }
    )


def frozen_by_cancel(doc: Mapping[str, Any], now: datetime, version: int) -> View:
    """The view that stays after a cancel: closed, whichever PIN it was."""
    view = citizen_view(doc, now)
    if view["status"] != IncidentStatus.CLOSED or doc.get("merged_into"):  # the phone saw the other one go on
        services = [_slot(slot["service"], SlotStatus.CLEARED) for slot in view["services"]]
        view |= {
            "status": str(IncidentStatus.CLOSED),
            "resolution": str(Resolution.CANCELLED_BY_CITIZEN),
            "closed_at": now,
            "services": services,
            "unfilled": [],
        }
    return view | {"version": version, "updated_at": now}


def frozen_as_it_is(doc: Mapping[str, Any], now: datetime, version: int, into: Mapping[str, Any] | None = None) -> View:
    """The view as it is, to stay: of an SOS that is over already."""
    view = citizen_view(doc, now, into)
    return view | {"version": view["version"] + version - doc["version"], "updated_at": now}


def _live(doc: Mapping[str, Any]) -> View:
    slots = doc.get("slots") or {}
    closed = doc["status"] == IncidentStatus.CLOSED
    return _common(doc) | {
        "status": doc["status"],
        "resolution": doc.get("resolution"),
        "version": doc["version"],
        "updated_at": doc["updated_at"],
        "closed_at": doc.get("closed_at"),
        "services": [_slot_of(doc, service, slot) for service, slot in slots.items()],
        "unfilled": [] if closed else [name for name, slot in slots.items() if slot["status"] == SlotStatus.OPEN],
    }


def _practice(doc: Mapping[str, Any], now: datetime) -> View:
    elapsed = now - doc["received_at"]
    step = max(number for number, (after, _) in enumerate(PRACTICE) if number == 0 or after <= elapsed)
    after, status = PRACTICE[step]
    closed = status == IncidentStatus.CLOSED
    asked = (doc.get("citizen") or {}).get("services") or []
    slot = SlotStatus.CLEARED if closed else SlotStatus(str(status))
    return _common(doc) | {
        "status": str(status),
        "resolution": str(Resolution.HELPED) if closed else None,
        "version": doc["version"] + step,
        "updated_at": max(doc["updated_at"], doc["received_at"] + after),
        "closed_at": doc["received_at"] + after if closed else None,
        "services": [_slot(service, slot) for service in asked],
        "unfilled": list(asked) if status == IncidentStatus.OPEN else [],
    }


def _common(doc: Mapping[str, Any]) -> View:
    citizen = doc.get("citizen") or {}
    return {
        "id": doc["_id"],
        "status": "",
        "resolution": None,
        "version": 0,
        # Of what the helpline raised her phone says nothing: whoever holds it need not know whom she asked for help.
        "category": "unspecified" if doc.get("channel") == "helpline" else doc["category"],
        "raised_at": doc["raised_at"],
        "updated_at": doc["updated_at"],
        "closed_at": None,
        "practice": "practice" in doc["flags"],
        "silent": is_quiet(doc),
        "position": _position(doc.get("position")),
        "services": [],
        "unfilled": [],
        "messages": [
            {name: message[name] for name in ("id", "at", "from", "text")}
            for message in newest_messages(citizen.get("messages") or [])
        ],
    }


def newest_messages(messages: Sequence[Mapping[str, Any]], *, most: int = MESSAGES_SHOWN) -> list[Mapping[str, Any]]:
    """The newest that fit, in their order."""
    shown: list[Mapping[str, Any]] = []
    size = 0
    for message in reversed(messages[-most:]):
        size += len(message["text"].encode()) + 120
        if size > MESSAGE_BYTES and shown:
            break
        shown.append(message)
    return shown[::-1]


def _position(position: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not position:
        return None
    return {name: position.get(name) for name in ("lat", "lon", "accuracy_m", "captured_at", "received_at")}


def _slot(service: str, status: SlotStatus) -> dict[str, Any]:
    return {"service": service, "status": str(status), "agency": None, "distance_m": None, "since": None}


def _slot_of(doc: Mapping[str, Any], service: str, slot: Mapping[str, Any]) -> dict[str, Any]:
    """Who comes: the agency and how far the unit was when it was asked; no names."""
    view = _slot(service, SlotStatus(slot["status"]))
    assignment = (doc.get("assignments") or {}).get(slot.get("assignment") or "")
    if assignment and assignment["status"] in HOLDING:
        since = assignment.get(f"{assignment['status']}_at")
        view |= {"agency": assignment["agency"], "distance_m": assignment.get("distance_m"), "since": since}
    return view
