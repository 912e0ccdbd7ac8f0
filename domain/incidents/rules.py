"""What may happen to an incident as a whole. Pure: a Draft comes in, decisions go into it, wrong steps raise.

What happens to one service's slot (offers, acceptance, the ladder) is in `domain/dispatch/rules.py`.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from domain.errors import Conflict, Invalid
from domain.incidents.draft import Draft
from domain.incidents.projection import citizen_view, frozen_as_it_is, frozen_by_cancel, is_quiet
from domain.incidents.states import ASKED, HOLDING, AssignmentStatus, IncidentStatus, Resolution, SlotStatus

LATE_AFTER = timedelta(minutes=15)
POSITIONS_AFTER_CANCEL = timedelta(minutes=30)
MESSAGES_KEPT = 100
LINKS_OVER_KEPT = 50
NOTES_CHARS = 4000
SEVERITIES = ("Minor", "Unknown", "Moderate", "Severe", "Extreme")
"""Least first. What nobody can judge yet stands above what is known to be minor."""
RANKED_FLAGS: Mapping[str, float] = {"duress": 3.0, "unanswered": 1.0, "late": 0.25}


def rank(doc: Mapping[str, Any]) -> float:
    """How far up an incident stands in the control room's list; it orders, and decides nothing.

    Severity (0–4), trust (0–1; 0.5 until it is known), and what nobody may overlook on top: duress, a responder in
    need, an SOS that the whole ladder left unanswered, one that came late.
    """
    points = float(SEVERITIES.index(doc["severity"])) if doc["severity"] in SEVERITIES else 0.0
    points += float((doc.get("trust") or {}).get("score", 0.5))
    points += sum(extra for flag, extra in RANKED_FLAGS.items() if flag in doc["flags"])
    if any(each.get("mayday") for each in (doc.get("assignments") or {}).values()):
        points += 3.0
    return round(points, 3)


def is_late(captured_at: datetime | None, sent_at: datetime | None) -> bool:
    """Whether an SOS is older than 15 minutes, by the phone's own clock only (Sent-At − captured_at).

    A clock that is wrong by days is wrong in both, so the difference holds; with either missing nothing is claimed.
    """
    return bool(captured_at and sent_at and sent_at - captured_at > LATE_AFTER)


def check_open(draft: Draft) -> None:
    """Raise Conflict unless the incident is still going on."""
    if draft.doc["status"] == IncidentStatus.CLOSED:
        raise Conflict("the incident is closed", code="incident_closed", current="closed")


def close(draft: Draft, resolution: Resolution, *, by: str | None, reason: str = "") -> None:
    """End it: every slot is cleared, every unit that was asked or came is let go and told."""
    check_open(draft)
    released = []
    for assignment_id, assignment in (draft.doc.get("assignments") or {}).items():
        status = AssignmentStatus(assignment["status"])
        if status in ASKED or status in HOLDING:
            draft.set(f"assignments.{assignment_id}.status", str(AssignmentStatus.WITHDRAWN))
            draft.set(f"assignments.{assignment_id}.ended_at", draft.now)
            released.append(assignment_id)
    for service in draft.doc.get("slots") or {}:
        draft.set(f"slots.{service}.status", str(SlotStatus.CLEARED))
        draft.set(f"slots.{service}.due_at", None)
    draft.set("status", str(IncidentStatus.CLOSED))
    draft.set("resolution", str(resolution))
    draft.set("closed_at", draft.now)
    draft.set("kept_since", draft.now)
    draft.entry("closed", by=by, resolution=str(resolution), **({"reason": reason} if reason else {}))
    draft.event("incident.closed")
    if released:
        draft.event("assignment.withdrawn", assignments=released, reason="closed")


def cancel(draft: Draft, *, by: str | None, not_waiting: Collection[str] = ()) -> None:
    """The safe PIN: closed for everybody; a second cancel changes nothing.

    After a duress PIN the phone is answered the same, but nothing is closed: a safe PIN may be forced as well, so the
    control room decides. Nor is it while others wait for the same help, whose SOS were merged into this one (all but
    `not_waiting`): it is over for this phone alone, and theirs show what goes on, whichever PIN it was.
    """
    if not citizen_cancelled(draft.doc):
        _hide_from_citizen(draft)
    elif "duress" not in draft.doc["flags"]:
        return
    if "duress" in draft.doc["flags"]:
        if not _has_entry(draft.doc, "safe_pin_after_duress"):
            draft.entry("safe_pin_after_duress", by=by)
    elif draft.doc["status"] != IncidentStatus.CLOSED:
        if set(draft.doc.get("merged_here") or ()) - set(not_waiting):
            draft.entry("cancelled_while_others_wait", by=by)
        else:
            close(draft, Resolution.CANCELLED_BY_CITIZEN, by=by)


def duress(draft: Draft, *, by: str | None, hide: bool = True) -> None:
    """The duress PIN: to the phone the same as `cancel`; to everybody else the incident rises, silently.

    A practice stays one. Without `hide` the phone was told no (too many wrong PINs) and goes on seeing its SOS; one that
    help comes to by another incident stays merged then, since the phone sees that one go on.
    """
    if hide and not citizen_cancelled(draft.doc):
        _hide_from_citizen(draft)
    if "practice" in draft.doc["flags"] or "duress" in draft.doc["flags"]:
        return
    _raise(draft)
    draft.entry("duress", by=by)
    draft.event("incident.duress")
    if draft.doc["status"] == IncidentStatus.CLOSED and citizen_cancelled(draft.doc):
        draft.unset("merged_into")  # it goes on by itself from here
        reopen(draft, by=by, reason="duress")


def hold_still(draft: Draft, into: dict[str, Any] | None) -> None:
    """Too many wrong PINs on an SOS that is over for its phone: it stays so there, whichever PIN comes next. `into` is the
    incident that it was merged into. Before `duress`, which may start it again behind that view.
    """
    if citizen_cancelled(draft.doc) or "practice" in draft.doc["flags"]:
        return
    if citizen_view(draft.doc, draft.now, into)["status"] == IncidentStatus.CLOSED:
        version = draft.next_version
        view = frozen_as_it_is(draft.doc, draft.now, version, into)
        draft.set("citizen.cancel", {"at": draft.now, "version": version, "view": view})


def tried_on_merged(draft: Draft, merged: str, *, by: str | None, forced: bool) -> None:
    """Too many wrong PINs on an SOS that was merged into this one: said here too, by one write whichever PIN it was, since
    the phone sees this one's version. A duress PIN among them raises this one as well: help comes by it.
    """
    draft.entry("wrong_pin", merged=merged)
    if forced and "duress" not in draft.doc["flags"]:
        _raise(draft)
        draft.entry("duress", by=by, merged=merged)


def _raise(draft: Draft) -> None:
    draft.flag("duress")
    draft.flag("silent")
    draft.set("severity", "Extreme")
    draft.set("urgency", "Immediate")


def _has_entry(doc: dict[str, Any], kind: str) -> bool:
    return any(entry["kind"] == kind for entry in doc.get("timeline") or [])


def _hide_from_citizen(draft: Draft) -> None:
    """From here on the citizen's view stands still (`citizen.cancel`), whichever PIN it was."""
    version = draft.next_version
    view = frozen_by_cancel(draft.doc, draft.now, version)
    draft.set("citizen.cancel", {"at": draft.now, "version": version, "view": view})


def citizen_cancelled(doc: dict[str, Any]) -> bool:
    """Whether the phone was told that its SOS is cancelled."""
    return bool((doc.get("citizen") or {}).get("cancel"))


def takes_positions(doc: dict[str, Any], now: datetime) -> bool:
    """Whether positions are still kept: while open, and for 30 minutes after any cancel or close."""
    cancelled = (doc.get("citizen") or {}).get("cancel")
    ended = cancelled["at"] if cancelled else doc.get("closed_at")
    return ended is None or now - ended <= POSITIONS_AFTER_CANCEL


def reopen(draft: Draft, *, by: str | None, reason: str) -> None:
    """Start again: every slot is open, its ladder starts from the first rung and is not paused; a merge is undone."""
    if draft.doc["status"] != IncidentStatus.CLOSED:
        raise Conflict("only a closed incident is reopened", code="wrong_transition", current=draft.doc["status"])
    if not reason.strip():
        raise Invalid("a reason is needed", errors={"reason": ["say why"]})
    if draft.doc.get("anonymised_at"):  # nobody is left to help, and no place to come to
        raise Conflict("its time is over and it was forgotten", code="forgotten")
    draft.set("status", str(IncidentStatus.OPEN))
    draft.unset("resolution")
    draft.unset("closed_at")
    draft.unset("kept_since")
    draft.unset("ends_at")  # its end, if it had begun, goes no further
    if draft.doc.get("merged_into"):
        draft.unset("merged_into")
    draft.unflag("unanswered")
    for service in draft.doc.get("slots") or {}:
        draft.set(f"slots.{service}.paused", False)
        draft.unset(f"slots.{service}.paused_until")
        open_slot(draft, service)
    draft.entry("reopened", by=by, reason=reason)
    draft.event("incident.reopened")


def open_slot(draft: Draft, service: str) -> None:
    """Open a slot again: nobody has it, and its ladder begins now in a new round, so that everybody may be asked anew."""
    draft.set(f"slots.{service}.status", str(SlotStatus.OPEN))
    draft.set(f"slots.{service}.assignment", None)
    draft.set(f"slots.{service}.rung", -1)
    draft.set(f"slots.{service}.round", draft.doc["slots"][service]["round"] + 1)
    draft.set(f"slots.{service}.due_at", draft.now)


def merge(draft: Draft, target: dict[str, Any], *, by: str) -> None:
    """Point at another incident of the same happening and close as its duplicate. Undone by `unmerge`."""
    if draft.doc["_id"] == target["_id"]:
        raise Invalid("an incident cannot be merged into itself", errors={"into": ["is the same incident"]})
    if target.get("merged_into"):
        raise Conflict("that incident is merged itself", code="merged_already", into=target["merged_into"])
    if target["status"] == IncidentStatus.CLOSED:  # nobody comes by that one, so nobody would come at all
        raise Conflict(
            "that incident is closed: reopen it, or resolve this one", code="incident_closed", current="closed"
        )
    if draft.doc["city"] != target["city"]:
        raise Conflict("the incidents are of two cities", code="other_city")
    close(draft, Resolution.DUPLICATE, by=by)
    draft.set("merged_into", target["_id"])
    draft.entry("merged", by=by, into=target["_id"])


def take_over(draft: Draft, merged: dict[str, Any], *, by: str) -> None:
    """The other side of a merge: what was asked for there, and nobody has done yet, is asked for here."""
    if merged["_id"] in (draft.doc.get("merged_here") or ()):
        return
    assignments = (merged.get("assignments") or {}).values()
    done = {each["service"] for each in assignments if each["status"] == AssignmentStatus.CLEARED}
    missing = sorted((merged.get("slots") or {}).keys() - done - (draft.doc.get("slots") or {}).keys())
    if draft.doc["status"] == IncidentStatus.CLOSED:
        missing = []
    for service in missing:
        draft.set(f"slots.{service}", new_slot(service, draft.now))
    held = draft.doc.get("merged_here") or []
    draft.set("merged_here", [*held, merged["_id"]])
    if "duress" in merged["flags"] and "duress" not in draft.doc["flags"]:
        _raise(draft)  # a safe PIN on this one does not end that
        draft.entry("duress", by=by, merged=merged["_id"])
    draft.entry("merged_here", by=by, merged=merged["_id"], **({"services": missing} if missing else {}))
    if missing:
        draft.event("incident.facts_added")


def unmerge(draft: Draft, *, by: str, reason: str) -> None:
    """Take a merge back: the incident goes on by itself."""
    if not draft.doc.get("merged_into"):
        raise Conflict("the incident is not merged", code="not_merged", current=draft.doc["status"])
    draft.unset("merged_into")
    reopen(draft, by=by, reason=reason)


def learn(draft: Draft, facts: dict[str, Any]) -> None:
    """A retry brought facts that the first send did not have: keep all of them, use the fresher position."""
    changed = {}
    position = facts.get("position")
    current = draft.doc.get("position") or {}
    if position and _is_fresher(position, current):
        draft.set("position", position)
        draft.set("cells", facts["cells"])
        changed["position"] = True
    for name in ("phone", "battery_pct", "device", "person", "language"):
        value = facts.get(name)
        known = (draft.doc.get("citizen") or {}).get(name)
        if value is not None and (known in (None, "") or (name == "battery_pct" and known != value)):
            draft.set(f"citizen.{name}", value)
            changed[name] = True
    note, noted = facts.get("note"), (draft.doc.get("citizen") or {}).get("note") or ""
    if note and note not in noted:
        joined = note if noted in note else f"{noted}\n{note}"
        draft.set("citizen.note", joined.strip()[-NOTES_CHARS:])
        changed["note"] = True
    category = facts.get("category")
    if category and not (draft.doc.get("citizen") or {}).get("category_given"):
        if category["category"] != draft.doc["category"]:
            for name, value in category.items():
                draft.set(name, value)
            changed["category"] = True
        draft.set("citizen.category_given", True)
    practice = "practice" in draft.doc["flags"]
    for service in () if practice else facts.get("services") or ():
        if service not in (draft.doc.get("slots") or {}) and draft.doc["status"] != IncidentStatus.CLOSED:
            draft.set(f"slots.{service}", new_slot(service, draft.now))
            changed["services"] = True
    if facts.get("silent") and not is_quiet(draft.doc):  # by what she chose: duress sets the flag, and must not show
        draft.flag("silent")
        draft.set("citizen.silent", True)
        changed["silent"] = True
    if changed:
        draft.entry("facts_added", what=sorted(changed))
        if not practice:
            draft.event("incident.facts_added")


def _is_fresher(position: dict[str, Any], current: dict[str, Any]) -> bool:
    """By the phone's own times. One that lies ahead of us counts as of when it came: a clock that ran days ahead, and was
    set right, must not hold the place where she was.
    """
    if not current:
        return True
    new, old = _known_by(position), _known_by(current)
    same_place = (position["lat"], position["lon"]) == (current["lat"], current["lon"])
    return not same_place and (old is None or new is None or new > old)


def _known_by(position: dict[str, Any]) -> tuple[datetime, datetime] | None:
    """When a position was known at the latest, and, among those that came at once, what the phone says."""
    captured_at, received_at = position.get("captured_at"), position.get("received_at")
    return (min(captured_at, received_at or captured_at), captured_at) if captured_at else None


def new_slot(service: str, now: datetime) -> dict[str, Any]:
    """A slot whose ladder begins now: by its event at once, by `due_at` when the event was lost."""
    return {
        "service": service,
        "status": str(SlotStatus.OPEN),
        "assignment": None,
        "rung": -1,
        "round": 0,
        "paused": False,
        "opened_at": now,
        "due_at": now + timedelta(seconds=3),
    }


def move(draft: Draft, position: dict[str, Any], cells: dict[str, str]) -> None:
    """A position that is fresher than the one that stands. Nothing is written for an older one, or after the end."""
    if draft.doc["status"] != IncidentStatus.CLOSED and _is_fresher(position, draft.doc.get("position") or {}):
        draft.set("position", position)
        draft.set("cells", cells)


def say(draft: Draft, message: dict[str, Any]) -> None:
    """A message between citizen and control room, kept with the citizen; the timeline names it without its words.

    The same id again is the same message. Raises Conflict once the phone was told that it is over.
    """
    citizen = draft.doc.get("citizen") or {}
    held = list(citizen.get("messages") or [])
    if is_repeated(held, message):
        return
    if citizen_cancelled(draft.doc):
        raise Conflict("the incident is closed", code="incident_closed", current="closed")
    if "practice" not in draft.doc["flags"]:
        check_open(draft)
    draft.set("citizen.messages", [*held, message][-MESSAGES_KEPT:])
    draft.entry("message", by=message["by"], message=message["id"])
    if "practice" not in draft.doc["flags"]:
        draft.event("incident.message", message=message["id"])


def is_repeated(held: list[dict[str, Any]], words: dict[str, Any]) -> bool:
    """Whether these words were said already under their id. Other words under it are a Conflict."""
    same = next((each for each in held if each["id"] == words["id"]), None)
    if same is not None and same["text"] != words["text"]:
        raise Conflict("this key was used for other words", code="idempotency_conflict")
    return same is not None


def take_links_back(draft: Draft) -> None:
    """Every live page ends at once: the share link and each guardian's. Links of assignments go on.

    The newest that are over still say so; older ones are forgotten, since a document has an end.
    """
    pages, others = [], []
    for link in draft.doc.get("links") or []:
        if link["kind"] in {"share", "guardian"}:
            pages.append({**link, "revoked": True})
        else:
            others.append(link)
    draft.set("links", [*others, *pages[-LINKS_OVER_KEPT:]])
    draft.set("share_generation", int(draft.doc.get("share_generation") or 0) + 1)
