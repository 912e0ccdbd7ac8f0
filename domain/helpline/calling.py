"""Calling her back: only inside the times that she named, only by the counsellor who has her, and never after she said no.

The counsellor's phone rings first; her number is dialled by the system and shown to nobody. Each call is a delivery that
is worth nothing once the safe time is over, so that one which waited somewhere does not ring later.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from domain.cities import queries as cities
from domain.helpline import rules, safe_times
from domain.helpline.errors import CallNotSafe, NoCall, NumberMissing
from domain.helpline.filing import must_have
from domain.helpline.rules import Request, Step, event
from domain.helpline.service import change, opened
from domain.helpline.states import HelplineStatus
from domain.ids import link_token
from domain.vault.service import Box

RINGS_FOR: Final = timedelta(seconds=90)
CALL_LASTS: Final = timedelta(hours=2)
"""A call that began longer ago is over."""
CALLED_BACK_WITHIN: Final = timedelta(minutes=30)
"""Whoever calls the helpline may be called back so long: she has the phone in her hand."""


def room_of(secret: str, request_id: str, call_id: str) -> str:
    """The name of the conference of one call: nobody can guess it."""
    return f"hc-{link_token(secret, 'helpline-call', f'{request_id}:{call_id}')}"


def safe_for(doc: Request, box: Box, *, now: datetime) -> tuple[timedelta, str | None]:
    """For how long a call may still ring her now, and the codeword. Raises ContactStopped, RequestClosed, NumberMissing,
    and CallNotSafe with the next time at which it is.
    """
    rules.may_contact(doc)
    told = opened(doc, box, ["phone", "safe_to_call", "codeword"])
    if "phone" not in told:
        raise NumberMissing("she gave no number")
    windows, zone = told.get("safe_to_call") or [], cities.current(doc["city"]).zone
    until = safe_times.safe_until(windows, zone, now)
    if until is None:
        at = safe_times.next_safe(windows, zone, now)
        raise CallNotSafe("it is not one of her safe times", next_at=at.isoformat() if at else None)
    return min(until - now, RINGS_FOR), told.get("codeword")


def begin(doc: Request, box: Box, *, by: str, call_id: str, now: datetime) -> str | None:
    """The counsellor wants to call; her own phone rings. Returns the codeword that she says first."""
    must_have(doc, by)
    _, codeword = safe_for(doc, box, now=now)

    def rule(found: Request) -> Step | None:
        if any(each.get("call") == call_id for each in found["log"]):
            return None
        return Step(
            log={"kind": "called", "by": by, "call": call_id},
            events=[event("helpline.call", counsellor=by, call=call_id)],
        )

    change(doc["_id"], rule, now=now)
    return codeword


def listen(request_id: str, *, by: str, now: datetime) -> dict[str, Any]:
    """A supervisor wants to hear the call that goes on, where she said that one may; the supervisor's own phone rings.
    Raises ConsentNeeded, NoCall.
    """

    def rule(found: Request) -> Step | None:
        step = rules.listen(found, by) or Step()
        rung = [each for each in found["log"] if each.get("rung") and now - each["at"] < CALL_LASTS]
        if found["status"] != HelplineStatus.CLAIMED or not rung:
            raise NoCall("no call goes on")
        step.log = {"kind": "listening_call", "by": by}
        step.events.append(event("helpline.listen_call", supervisor=by, call=rung[-1]["rung"]))
        return step

    return change(request_id, rule, now=now)


def may_hear(doc: Request, supervisor: str) -> bool:
    """Whether she still allows it, and this is who listens."""
    return doc.get("listening") == supervisor and "listen_in" in doc.get("flags", [])


def joined(doc: Request, box: Box, *, by: str, call_id: str, now: datetime) -> dict[str, Any]:
    """The counsellor is on the line: now her phone is rung, if it is still safe."""
    must_have(doc, by)
    safe_for(doc, box, now=now)

    def rule(found: Request) -> Step | None:
        if any(each.get("rung") == call_id for each in found["log"]):
            return None
        return Step(
            log={"kind": "rung", "by": by, "rung": call_id}, events=[event("helpline.call_joined", call=call_id)]
        )

    return change(doc["_id"], rule, now=now)
