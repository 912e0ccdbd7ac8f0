"""Who wants no more SMS: by their own word, or because the carrier says that they told it so. Push and calls go on.

Kept on the number itself, whoever it is of (`domain/lines`), and on whom it is known to be, so that a drill and a console
show it. Only a word from that number lifts it. Source: www.twilio.com/docs/messaging/tutorials/advanced-opt-out
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain.lines import service as lines
from domain.people.addresses import OPTED_OUT
from notifications.recipients import restore, retire

STOP_WORDS: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
"""What carriers take as an opt-out, and answer, by themselves."""
START_WORDS: Final = frozenset({"START", "YES", "UNSTOP"})
OUR_STOP_WORDS: Final = frozenset({"بند", "بند کرو", "بند کریں"})
"""The same in Urdu, which no carrier knows: these we answer."""
OUR_START_WORDS: Final = frozenset({"شروع", "شروع کرو", "شروع کریں"})


def stop(secret: str, phone: str, person: str | None, *, now: datetime) -> None:
    """A number said the word. `person` is whose it is, where we know."""
    who = {"kind": "person", "id": person, "of": ""} if person else None
    lines.opt_out(secret, phone, who, now=now)
    if who:
        retire(who, "sms", OPTED_OUT, tried_at=now)


def refused(secret: str, phone: str, recipient: Mapping[str, Any], *, now: datetime) -> None:
    """The carrier would not send: they told it to stop."""
    who = {name: recipient.get(name) or "" for name in ("kind", "id", "of")}
    lines.opt_out(secret, phone, who, now=now)
    retire(who, "sms", OPTED_OUT, tried_at=now)


def start(secret: str, phone: str, person: str | None, *, now: datetime) -> bool:
    """A number wants our SMS again. False: it never said otherwise, and nothing changed."""
    if not lines.opted_out(secret, phone):
        return False
    mine = [{"kind": "person", "id": person, "of": ""}] if person else []
    for who in [*mine, *lines.opt_in(secret, phone, now=now)]:
        restore(who, "sms", now=now)
    return True


def left_out(secret: str, phone: str, recipient: Mapping[str, Any], *, now: datetime) -> bool:
    """Whether an SMS to this number is not sent. A code to sign in with is: whoever asks for it waits for it, and the
    carrier decides.
    """
    if recipient["kind"] == "challenge" or not lines.opted_out(secret, phone):
        return False
    refused(secret, phone, recipient, now=now)  # so that it is known of this recipient too
    return True


def left_out_among(secret: str, phones: Mapping[str, str], *, now: datetime) -> set[str]:
    """The same of many people at once, with one read: id of a person → their number in, the ids that are left out."""
    out = lines.opted_out_among(secret, phones.values())
    found = {person for person, phone in phones.items() if phone in out}
    for person in found:
        refused(secret, phones[person], {"kind": "person", "id": person, "of": ""}, now=now)
    return found
