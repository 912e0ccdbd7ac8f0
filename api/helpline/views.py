"""A helpline request as each of the two may see it."""

from datetime import datetime
from typing import Any

from api.services import services
from domain.cities import queries as cities
from domain.helpline import chat, line, rules, safe_times
from domain.helpline import service as helpline
from domain.helpline.states import HelplineStatus
from domain.incidents import service as incidents
from domain.vault.service import Box
from runtime.vault import vault

_ROW = (
    "city", "status", "mode", "channel", "language", "version", "anonymous", "wanted", "danger", "asked_at",
    "claimed_at", "counsellor", "outcome",
)  # fmt: skip


def _weekly(windows: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    """The windows that she named; what follows from a call of hers is not one."""
    return [window for window in windows if "days" in window] if windows else windows


def her_view(doc: dict[str, Any], box: Box, *, now: datetime, secret: str = "") -> dict[str, Any]:
    """What her phone shows. With `secret` it may open the SOS that it became: for her own phone alone."""
    flags = doc.get("flags", [])
    windows = helpline.opened(doc, box, ["safe_to_call"]).get("safe_to_call")
    theirs = (doc.get("seen") or {}).get("counsellor") or {}
    return {
        "id": doc["_id"],
        **{
            name: doc.get(name) for name in ("status", "outcome", "mode", "channel", "language", "version", "anonymous")
        },
        **{name: doc.get(name) for name in ("wanted", "offered", "disguise", "asked_at", "updated_at", "closed_at")},
        **line.place(doc, now=now),
        "answered": doc["status"] == HelplineStatus.CLAIMED,
        "last_seq": chat.last_seq(doc["_id"]),
        "theirs": {"received": theirs.get("received", 0), "seen": theirs.get("seen", 0)},
        "safe_to_call": _weekly(windows),
        "call_from": safe_times.next_safe(windows, cities.current(doc["city"]).zone, now) if windows else None,
        "contact_stopped": "stop_contact" in flags,
        "listen_in": "listen_in" in flags,
        "listened": bool(doc.get("listening")),
        "sos_id": doc.get("sos"),
        "sos_token": incidents.sos_token(secret, doc["sos"]) if secret and doc.get("sos") else None,
        "case_id": doc.get("case"),
    }


def row_view(doc: dict[str, Any], *, gender: str | None = None) -> dict[str, Any]:
    """That it exists, and what the line must know: nothing that she told."""
    suits = {} if gender is None else {"suits": rules.suits(doc, gender)}
    return {"id": doc["_id"], **{name: doc.get(name) for name in _ROW}, **suits}


def file_view(doc: dict[str, Any], box: Box, *, now: datetime) -> dict[str, Any]:
    """A request opened. Her number is not in it: the system calls, and only when it is safe."""
    told = helpline.opened(doc, box)
    windows = told.get("safe_to_call") or []
    zone = cities.current(doc["city"]).zone
    stopped = "stop_contact" in doc.get("flags", [])
    return {
        "request": row_view(doc),
        **{name: told.get(name) for name in ("person", "name", "codeword", "position", "answers")},
        "safe_to_call": _weekly(windows),
        "callable_now": "phone" in told and not stopped and safe_times.is_safe(windows, zone, now),
        "call_from": safe_times.next_safe(windows, zone, now) if windows else None,
        "contact_stopped": stopped,
        "notes": [
            {
                "id": each["id"],
                "at": each["at"],
                "by": each["by"],
                "text": box.open(f"note:{each['id']}", each["sealed"]),
            }
            for each in doc.get("notes") or []
        ],
        "reasons": [
            {
                **{name: each[name] for name in ("at", "by", "ground")},
                "reason": box.open(f"reason:{each['id']}", each["sealed"]),
            }
            for each in doc.get("reasons") or []
        ],
        "last_seq": chat.last_seq(doc["_id"]),
        "earlier": doc.get("earlier"),
        "sos_id": doc.get("sos"),
        "case_id": doc.get("case"),
    }


def exported(person_id: str, now: datetime) -> list[dict[str, Any]]:
    """A person's own requests for the export of everything: that there were, and where her copy of each is."""
    rows = line.of_person(vault(services().settings).index("person", person_id), limit=1000)
    return [
        {"id": row["_id"], "asked_at": row["asked_at"], "status": row["status"],
         "copy": f"/v1/helpline/requests/{row['_id']}/export"}
        for row in rows
    ]  # fmt: skip
