"""What may happen to a helpline request, and how the line is ordered. Pure: a request and `now` come in, a Step comes out.

The five questions are the Danger Assessment-5: Messing, Campbell and Snider, "Validation and adaptation of the danger
assessment-5: A brief intimate partner violence risk assessment", Journal of Advanced Nursing 73 (2017), 3220-3230.
Four or five yes: high danger; three: raised. The counsellor's judgement stands over it.
"""

from collections.abc import Iterable, Mapping, Sequence
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
from domain.helpline.states import Channel, Danger, HelplineStatus, Outcome

Request = Mapping[str, Any]

QUESTIONS: Final[Mapping[str, str]] = {
    "worse": "Has the physical violence increased in frequency or severity over the past year?",
    "weapon": "Has your partner or former partner ever used a weapon against you, or threatened you with one?",
    "capable": "Do you believe that your partner or former partner is capable of killing you?",
    "choked": "Has your partner or former partner ever tried to choke or strangle you?",
    "jealous": "Is your partner or former partner violently and constantly jealous of you?",
}
QUESTIONS_UR: Final[Mapping[str, str]] = {
    "worse": "کیا پچھلے ایک سال میں مار پیٹ زیادہ یا شدید ہوئی ہے؟",
    "weapon": "کیا ساتھی یا سابق ساتھی نے کبھی آپ پر ہتھیار استعمال کیا یا اس کی دھمکی دی؟",
    "capable": "کیا آپ سمجھتی ہیں کہ وہ آپ کو قتل کر سکتا ہے؟",
    "choked": "کیا اس نے کبھی آپ کا گلا دبانے کی کوشش کی؟",
    "jealous": "کیا وہ شدید اور مسلسل شک کرتا ہے؟",
}
"""Our translation, not a validated one: a counsellor asks in her own words."""
SOURCE: Final = "Danger Assessment-5: Messing, Campbell, Snider, Journal of Advanced Nursing 73 (2017), 3220-3230"
HEAD_START: Final[Mapping[Danger, timedelta]] = {
    Danger.NOW: timedelta(days=1),
    Danger.HIGH: timedelta(minutes=45),
    Danger.RAISED: timedelta(minutes=20),
    Danger.UNKNOWN: timedelta(minutes=5),
    Danger.USUAL: timedelta(0),
}
"""How much earlier than it came a request stands in the line. Time, not a rank: whoever waits long enough comes first in
the end, but for those who are in danger at this moment."""
UNCLAIMED_AFTER: Final = timedelta(seconds=60)
"""The supervisors hear of a request that nobody took so long, and again after as much."""
OFFER_OTHERS_AFTER: Final = timedelta(seconds=90)
"""So long a woman waits for a woman before whoever is free is offered to her."""
SILENT_COUNSELLOR: Final = timedelta(minutes=5)
"""A counsellor who has it and is not there for so long loses it to the line."""
LOG_KEPT: Final = 100
OPENING_FOR: Final = timedelta(minutes=30)


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


def level(answers: Mapping[str, bool]) -> Danger:
    """How many yes of the five questions; fewer than all five answered say nothing below `raised`."""
    yes = sum(answers.get(name) is True for name in QUESTIONS)
    if yes >= 4:
        return Danger.HIGH
    if yes == 3:
        return Danger.RAISED
    return Danger.USUAL if QUESTIONS.keys() <= answers.keys() else Danger.UNKNOWN


def line_at(asked_at: datetime, danger: Danger | str) -> datetime:
    """Where it stands in the line: whoever has the earliest comes first."""
    return asked_at - HEAD_START[Danger(danger)]


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


def take_over(doc: Request, supervisor: str, now: datetime) -> Step:
    """A supervisor has it from now on, whoever had it."""
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
        log={"kind": "taken_over", "by": supervisor, "from": before},
        events=[event("helpline.claimed", counsellor=supervisor, before=before)],
    )


def give_back(doc: Request, reason: str, now: datetime, *, by: str, to: str = "") -> Step:
    """Back to the line, with its old place; kept for `to` for a minute where it is a transfer to somebody."""
    must_be_open(doc)
    kept: dict[str, Any] = {"transfer_to": to, "transfer_until": now + UNCLAIMED_AFTER} if to else {}
    return Step(
        sets={"status": str(HelplineStatus.WAITING), "due_at": now + UNCLAIMED_AFTER, **kept},
        gone=("counsellor", "claimed_at", "listening", *(() if to else ("transfer_to", "transfer_until"))),
        log={"kind": "returned", "by": by, "reason": reason, **({"to": to} if to else {})},
        events=[event("helpline.returned", reason=reason, **({"to": to} if to else {}))],
    )


def returned_by(doc: Request, counsellor: str, reason: str, now: datetime, *, to: str = "") -> Step:
    """The counsellor gives it back, or hands it to another."""
    _of(doc, counsellor)
    return give_back(doc, reason, now, by=counsellor, to=to)


def close(doc: Request, outcome: Outcome, now: datetime, *, by: str) -> Step | None:
    """It is over. Again is no change."""
    if doc["status"] == HelplineStatus.CLOSED:
        return None
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


def overdue(doc: Request, now: datetime, *, free: Mapping[str, int], absent: bool) -> Step | None:
    """What a request needs whose time has come. `free`: counsellors available by gender; `absent`: hers is not there.

    Unclaimed: the supervisors hear, and whoever is free is offered. Claimed by somebody who is gone: back to the line.
    """
    if doc["status"] == HelplineStatus.CLOSED:
        return Step(gone=("due_at",))
    if doc["status"] == HelplineStatus.CLAIMED:
        if absent:
            return give_back(doc, "absent", now, by="system")
        return Step(sets={"due_at": now + SILENT_COUNSELLOR})
    step = Step(sets={"due_at": now + UNCLAIMED_AFTER}, events=[event("helpline.unclaimed")])
    offered = other_gender(doc, now, free)
    if offered and doc["channel"] != Channel.APP:
        step.sets["wanted"] = offered  # by SMS or telephone she cannot be asked: whoever is free answers
        step.log = {"kind": "others_offered", "by": "system"}
        step.events.append(event("helpline.returned", reason="others"))
    elif offered and doc.get("offered") != offered:
        step.sets["offered"] = offered
        step.log = {"kind": "others_offered", "by": "system"}
        step.events.append(event("helpline.offered"))
    return step


def other_gender(doc: Request, now: datetime, free: Mapping[str, int]) -> str:
    """Who is free instead of whom she wants; empty while there is no need, or nobody."""
    wants = doc.get("wanted")
    if wants == "anyone" or now - doc["asked_at"] < OFFER_OTHERS_AFTER:
        return ""
    mine = "female" if wants == "woman" else "male"
    others = sum(count for gender, count in free.items() if gender != mine)
    return "anyone" if not free.get(mine) and others else ""


def suits(doc: Request, gender: str) -> bool:
    """Whether a counsellor of this gender is whom she wants."""
    wants = doc.get("wanted")
    return wants == "anyone" or gender == {"woman": "female", "man": "male"}.get(str(wants))


USUAL_TALK: Final = timedelta(minutes=15)
"""How long a talk takes where there is no figure yet."""


def waiting_s(ahead: int, talks_s: Sequence[float], on_shift: int) -> int | None:
    """An honest guess of the seconds until she is answered: those before her and herself, by the mean talk of late,
    shared by who is on shift. None where nobody is: then nothing can be promised but the call-back.
    """
    if on_shift <= 0:
        return None
    mean = sum(talks_s) / len(talks_s) if talks_s else USUAL_TALK.total_seconds()
    return round((ahead + 1) * mean / on_shift) if ahead >= 0 else 0


def answered_within(rows: Iterable[tuple[datetime, datetime | None]], now: datetime) -> dict[str, Any]:
    """Figures of (asked, answered): how many, the share within 15 and 20 s (NENA-STA-020: 90 and 95 %), the median."""
    waits: list[float] = []
    open_ = 0
    for asked, answered in rows:
        if answered is None:
            open_ += 1
            waits.append((now - asked).total_seconds())
        else:
            waits.append((answered - asked).total_seconds())
    waits.sort()
    many = len(waits)
    return {
        "asked": many,
        "answered": many - open_,
        "within_15_s": round(sum(wait <= 15 for wait in waits) / many, 4) if many else None,
        "within_20_s": round(sum(wait <= 20 for wait in waits) / many, 4) if many else None,
        "median_s": round(waits[many // 2], 1) if many else None,
        "target": 0.9,
    }
