"""A report as somebody sees it: pure. The exact place, the author and what a human decided are for few."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.reports import wording
from domain.reports.categories import CATEGORIES
from domain.reports.states import Anonymity, ReportStatus


@dataclass(frozen=True)
class Eyes:
    """Who looks: whose report it is, whether they belong to its groups, moderate it, or may see exact places."""

    author: bool = False
    member: bool = False
    moderates: bool = False
    exact: bool = False
    language: str = "ur"


def may_see(doc: Mapping[str, Any], eyes: Eyes) -> bool:
    """What is published is everybody's; all else is the author's and the moderators'."""
    return doc["status"] == ReportStatus.PUBLISHED or eyes.author or eyes.moderates or eyes.exact


def names_author(doc: Mapping[str, Any], eyes: Eyes) -> bool:
    """Whether the author's name may be read."""
    if eyes.author or eyes.exact:
        return True
    if doc["anonymous"] == Anonymity.NOBODY:
        return eyes.member or eyes.moderates
    return doc["anonymous"] == Anonymity.MEMBERS and eyes.moderates


def row(doc: Mapping[str, Any], language: str) -> dict[str, Any]:
    """A report in a list."""
    return {
        "id": doc["_id"],
        "category": doc["category"],
        "name": CATEGORIES[doc["category"]].names.in_language(language),
        "status": doc["status"],
        "place": dict(doc["public"]),
        "cell": (doc.get("shown") or doc["cells"])["r9"],
        "at": doc["at"],
        "score": doc["score"],
        "confirmed": doc["confirmed"],
        "denied": doc["denied"],
        "believed": bool(doc.get("believed_at")),
        "version": doc["version"],
    }


def _shows_looks(doc: Mapping[str, Any], eyes: Eyes) -> bool:
    """How somebody looks is for those who respond; neighbours read it once there is enough of it, and what they did."""
    needed = CATEGORIES[doc["category"]].looks
    return eyes.author or eyes.exact or wording.shows_looks(doc["note"], doc.get("looks") or [], needed=needed)


def _nudges(doc: Mapping[str, Any]) -> list[str]:
    needed = CATEGORIES[doc["category"]].looks
    return [str(each) for each in wording.nudges(doc["note"], doc.get("looks") or [], needed=needed)]


def _file(each: Mapping[str, Any], known: bool) -> dict[str, Any]:
    return {"id": each["id"], "type": each["type"], "size": each["size"], "ready": known or bool(each.get("redacted"))}


def _appeal(doc: Mapping[str, Any]) -> dict[str, Any] | None:
    held = doc.get("appeal") or {}
    names = ("reason", "at", "upheld", "answer", "answered_at")
    return {name: held.get(name) for name in names} if held else None


def view(doc: Mapping[str, Any], eyes: Eyes, *, author_name: str = "") -> dict[str, Any]:
    """The whole of it, as far as these eyes may see."""
    known = eyes.author or eyes.moderates or eyes.exact
    shown = row(doc, eyes.language) | {
        "city": doc["city"],
        "groups": list(doc["groups"]),
        "note": doc["note"],
        "looks": list(doc.get("looks") or []) if _shows_looks(doc, eyes) else [],
        "nudges": _nudges(doc) if eyes.author else None,
        "appeal": _appeal(doc) if known else None,
        "expires_at": doc.get("expires_at"),
        "author_name": author_name if names_author(doc, eyes) and author_name else None,
        "mine": eyes.author,
        "received_at": doc["created_at"],
        "offline": bool(doc.get("offline")),
        "edited_at": doc["worded_at"] if doc["history"] else None,
        "voices": doc["voices"],
        "parts": dict(doc["parts"]),
        "same_as": list(doc.get("same_as") or []),
        "handover": doc.get("handover") or None,
        "history": list(doc["history"])[-3:] if known else [],
        "photo": bool(doc.get("photo")),
        "media": [_file(each, known) for each in doc.get("media") or [] if known or each.get("shown")],
        "reasons": list(doc.get("reasons") or []) if known else None,
        "decision": doc.get("decision") if known else None,
    }
    if eyes.exact or eyes.author:
        shown["position"] = dict(doc["position"])
    if eyes.exact:
        shown["incident_id"] = doc.get("incident")
    return shown
