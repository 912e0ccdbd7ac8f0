"""What may happen to a helpline request. Pure: a request and `now` come in, a Step comes out.

What time alone brings is in `timing.py`, how urgent it is in `questions.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from domain.helpline.errors import (
    AlreadyClaimed,
    ConsentNeeded,
    ContactStopped,
    NotWhomSheWants,
    NotYours,
    RequestClosed,
)
from domain.helpline.questions import HEAD_START, line_at
from domain.helpline.states import Danger, HelplineStatus, Outcome

Request = Mapping[str, Any]

HER: Final = "citizen"
SYSTEM: Final = "system"
"""Who did something, where it was no counsellor."""
UNCLAIMED_AFTER: Final = timedelta(seconds=60)
"""The supervisors hear of a request that nobody took so long; a transfer is kept as long for whom it is meant."""
SILENT_COUNSELLOR: Final = timedelta(minutes=5)
"""A counsellor who has it and is not there for so long loses it to the line."""
LOG_KEPT: Final = 100

Event = tuple[str, dict[str, str]]
"""Kind and ids of an event; the service gives it version, time and city."""


def event(kind: str, **ids: str) -> Event:
    """Something that others react to; ids only."""
    return kind, ids


@dataclass
class Step:
    """What becomes different in one write: fields set and taken away, a line of the log, events of ids."""

    sets: dict[str, Any] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    log: dict[str, Any] | None = None
    events: list[Event] = field(default_factory=list)
    push: dict[str, Any] = field(default_factory=dict)
    """List → what is added to its end."""
    by_time: bool = False
    """Nobody did anything: time alone has passed, so it is as idle as it was."""


def must_be_open(doc: Request) -> None:
    """Raise RequestClosed where it is over."""
    if doc["status"] == HelplineStatus.CLOSED:
        raise RequestClosed("it is over", current="closed")


def _of(doc: Request, counsellor: str) -> None:
    must_be_open(doc)
    if doc.get("counsellor") != counsellor:
        raise NotYours("another counsellor has it")


def claim(doc: Request, counsellor: str, now: datetime, *, gender: str = "female") -> Step | None:
    """The first one takes it whom she wants, or anybody where she is in danger now. Again by the same one is no change."""
    must_be_open(doc)
    if doc["status"] == HelplineStatus.CLAIMED:
        if doc.get("counsellor") == counsellor:
            return None
        raise AlreadyClaimed("another counsellor has it", current="claimed")
    if not suits(doc, gender) and doc["danger"] != Danger.NOW:
        raise NotWhomSheWants("she wants somebody else, and has not said yes to another", current="waiting")
    to = doc.get("transfer_to")
    if to and to != counsellor and now < doc["transfer_until"]:
        raise AlreadyClaimed("it is being handed to another counsellor", current="waiting")
    return Step(
        sets={
            "status": str(HelplineStatus.CLAIMED),
            "counsellor": counsellor,
            "claimed_at": now,
            "answered_at": doc.get("answered_at") or now,
            "due_at": now + SILENT_COUNSELLOR,
        },
        gone=("offered", "transfer_to", "transfer_until"),
        log={"kind": "claimed", "by": counsellor},
        events=[event("helpline.claimed", counsellor=counsellor)],
    )


def take_over(doc: Request, supervisor: str, now: datetime, *, why: Mapping[str, Any]) -> Step:
    """A supervisor has it from now on, whoever had it. `why`: the sealed reason."""
    must_be_open(doc)
    before = doc.get("counsellor") or ""
    return Step(
        sets={
            "status": str(HelplineStatus.CLAIMED),
            "counsellor": supervisor,
            "claimed_at": now,
            "answered_at": doc.get("answered_at") or now,
            "due_at": now + SILENT_COUNSELLOR,
        },
        gone=("offered", "transfer_to", "transfer_until"),
        push={"reasons": why},
        log={"kind": "taken_over", "by": supervisor, "from": before},
        events=[event("helpline.claimed", counsellor=supervisor, before=before)],
    )


def give_back(doc: Request, reason: str, now: datetime, *, by: str, to: str = "") -> Step:
    """Back to the line, with its old place; kept for `to` for a minute where it is a transfer to somebody. Who is told
    that nobody takes it is counted anew.
    """
    must_be_open(doc)
    kept: dict[str, Any] = {"transfer_to": to, "transfer_until": now + UNCLAIMED_AFTER} if to else {}
    return Step(
        sets={
            "status": str(HelplineStatus.WAITING),
            "due_at": now + UNCLAIMED_AFTER,
            "waiting_since": now,
            "told": 0,
            **kept,
        },
        gone=("counsellor", "claimed_at", "listening", *(() if to else ("transfer_to", "transfer_until"))),
        log={"kind": "returned", "by": by, "reason": reason, **({"to": to} if to else {})},
        events=[event("helpline.returned", reason=reason, **({"to": to} if to else {}))],
        by_time=by == SYSTEM,
    )


def returned_by(doc: Request, counsellor: str, reason: str, now: datetime, *, to: str = "") -> Step:
    """The counsellor gives it back, or hands it to another."""
    _of(doc, counsellor)
    return give_back(doc, reason, now, by=counsellor, to=to)


def close(doc: Request, outcome: Outcome, now: datetime, *, by: str) -> Step | None:
    """It is over. Again is no change. A counsellor closes what she has: raises NotYours for what another one has."""
    if doc["status"] == HelplineStatus.CLOSED:
        return None
    if by not in (HER, SYSTEM):
        _of(doc, by)
    return Step(
        sets={"status": str(HelplineStatus.CLOSED), "outcome": str(outcome), "closed_at": now},
        gone=("due_at", "offered", "listening", "transfer_to", "transfer_until"),
        log={"kind": "closed", "by": by},
        events=[event("helpline.closed")],
    )


def assess(doc: Request, danger: Danger, *, by: str, sealed: str | None = None) -> Step | None:
    """The five questions, or a counsellor's judgement. Answers of hers lower neither that nor that she is in danger now."""
    must_be_open(doc)
    order = list(HEAD_START)
    stands = doc.get("danger_by") == "counsellor" or doc["danger"] == Danger.NOW
    lowers = order.index(danger) > order.index(Danger(doc["danger"]))
    step = Step(log={"kind": "assessed", "by": by, "danger": str(danger)})
    if sealed:
        step.sets["sealed.answers"] = sealed
    if not (stands and lowers and by == "citizen"):
        step.sets |= {
            "danger": str(danger),
            "danger_by": "citizen" if by == "citizen" else "counsellor",
            "line_at": line_at(doc["asked_at"], danger),
        }
    return step


def listen(doc: Request, supervisor: str) -> Step | None:
    """A supervisor listens in; only where she said that one may."""
    must_be_open(doc)
    if "listen_in" not in doc.get("flags", []):
        raise ConsentNeeded("she has not said that somebody may listen in")
    if doc.get("listening") == supervisor:
        return None
    return Step(sets={"listening": supervisor}, log={"kind": "listening", "by": supervisor})


def expire_local(doc: Request, *, by: str) -> Step:
    """Her phone is asked to forget its copy."""
    return Step(log={"kind": "expire_local", "by": by}, events=[event("helpline.expire_local")])


def stop_contact(doc: Request) -> Step | None:
    """Nobody calls, writes or pushes any more until she comes back by herself."""
    if "stop_contact" in doc.get("flags", []):
        return None
    return Step(
        sets={"flags": [*doc.get("flags", []), "stop_contact"]},
        log={"kind": "contact_stopped", "by": "citizen"},
        events=[event("helpline.stopped")],
    )


def contact_again(doc: Request) -> Step | None:
    """She is back: she may be answered again."""
    if "stop_contact" not in doc.get("flags", []):
        return None
    left = [each for each in doc["flags"] if each != "stop_contact"]
    return Step(sets={"flags": left}, log={"kind": "contact_allowed", "by": "citizen"})


def prefer(doc: Request, wishes: Mapping[str, Any]) -> Step | None:
    """Whom she wants, what notifications pretend to be, whether a supervisor may listen in."""
    must_be_open(doc)
    step = Step()
    for name in ("wanted", "disguise"):
        if name in wishes and str(wishes[name]) != doc.get(name):
            step.sets[name] = str(wishes[name])
    if "wanted" in step.sets:
        step.gone = ("offered",)
        step.events.append(event("helpline.returned", reason="wanted"))
        if doc["status"] == HelplineStatus.WAITING:
            step.sets["due_at"] = doc["asked_at"]  # at once: who else is free is another question now
    flags = list(doc.get("flags", []))
    if wishes.get("listen_in") and "listen_in" not in flags:
        step.sets["flags"] = [*flags, "listen_in"]
    elif wishes.get("listen_in") is False and "listen_in" in flags:
        step.sets["flags"] = [each for each in flags if each != "listen_in"]
        step.gone = (*step.gone, "listening")
    return step if step.sets else None


def may_contact(doc: Request) -> None:
    """Raise ContactStopped where she said so, RequestClosed where it is over."""
    must_be_open(doc)
    if "stop_contact" in doc.get("flags", []):
        raise ContactStopped("she asked not to be contacted")


def suits(doc: Request, gender: str) -> bool:
    """Whether a counsellor of this gender is whom she wants."""
    wants = doc.get("wanted")
    return wants == "anyone" or gender == {"woman": "female", "man": "male"}.get(str(wants))
