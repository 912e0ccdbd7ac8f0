"""The talk: messages in one order, sealed, and how far each side has got.

A message takes the place after the last one by inserting it: (request, seq) is unique, so when two come at once one of
them tries the next place. Whoever has read up to n asks for what comes after n, and misses nothing. The event that tells
the other side is inside the message, so both are stored in one write.
"""

import random
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.helpline import rules
from domain.helpline.errors import NotYours, RequestNotFound, TooBusy, TooLongForSms
from domain.helpline.rules import Request
from domain.helpline.service import change, messages, requests
from domain.helpline.states import Channel, Side
from domain.ids import derived_id
from domain.vault.service import Box

Message = dict[str, Any]

_TRIES: Final = 40
KINDS: Final = frozenset({"text", "media"})
"""What of a message's kind stands in clear; the name of a quick reply is sealed."""
SMS_CHARS: Final = 110
"""Of Urdu: two joined segments have 134, and the reference needs some."""
QUICK: Final[Mapping[str, Mapping[str, str]]] = {
    "are_you_safe": {"en": "Are you safe to write now?", "ur": "کیا آپ ابھی محفوظ طریقے سے لکھ سکتی ہیں؟"},
    "safe": {"en": "I am safe now.", "ur": "میں ابھی محفوظ ہوں۔"},
    "not_safe": {"en": "Not now.", "ur": "ابھی نہیں۔"},
    "yes": {"en": "Yes.", "ur": "جی ہاں۔"},
    "no": {"en": "No.", "ur": "نہیں۔"},
    "wait": {"en": "Please wait a moment.", "ur": "براہِ کرم ایک لمحہ انتظار کریں۔"},
    "call_later": {"en": "Call me later.", "ur": "مجھے بعد میں فون کریں۔"},
    "i_am_here": {"en": "I am here. Take your time.", "ur": "میں یہاں ہوں۔ آرام سے لکھیں۔"},
}
"""Replies of one tap, for whoever cannot type long: name → text by language."""


def message_id(request_id: str, side: Side, key: str) -> str:
    """The id of the message that this key makes."""
    return derived_id("hms", request_id, side, key)


def last_seq(request_id: str) -> int:
    """The place of the newest message; 0 where there is none."""
    last = messages().find_one({"request": request_id}, {"seq": 1}, sort=[("seq", -1)])
    return int(last["seq"]) if last else 0


def write(
    doc: Request, box: Box, text: str, *, side: Side, by: str, key: str, now: datetime, kind: str = "text",
    media: Mapping[str, Any] | None = None,
) -> tuple[Message, bool]:  # fmt: skip
    """Store a message and what follows from it. The same key is the same message. Raises what `rules.may_contact` does
    for a counsellor, RequestClosed for both.
    """
    if side == Side.COUNSELLOR:
        rules.may_contact(doc)
        if doc.get("counsellor") != by:
            raise NotYours("another counsellor has it")
        if doc["channel"] == Channel.SMS and not 0 < len(text) <= SMS_CHARS:
            raise TooLongForSms(
                "shorter", errors={"text": [f"A text of at most {SMS_CHARS} characters: she reads it as an SMS."]}
            )
    else:
        rules.must_be_open(doc)
    found_id = message_id(doc["_id"], side, key)
    for attempt in range(_TRIES):
        if held := messages().find_one({"_id": found_id}):
            return held, False
        made: Message = {
            "_id": found_id,
            "city": doc["city"],
            "request": doc["_id"],
            "seq": last_seq(doc["_id"]) + 1,
            "at": now,
            "side": str(side),
            "kind": kind if kind in KINDS else "text",
            "sealed": box.seal(f"message:{found_id}", text),
        }
        if kind not in KINDS:
            made["quick"] = box.seal(f"quick:{found_id}", kind)  # which reply it was is what she said
        if side == Side.COUNSELLOR:
            made["by"] = by
        if media:
            made["media"] = dict(media)
        told = outbox.event(
            "helpline.message", found_id, version=1, now=now, city=doc["city"], request=doc["_id"], side=str(side)
        )
        try:
            messages().insert_one(made | outbox.fields([told], now))
        except DuplicateKeyError:
            time.sleep(random.uniform(0, 0.002 * (attempt + 1)))
            continue
        if not _mark(doc["_id"], side, now) and _erased_meanwhile(doc["_id"]):
            raise RequestNotFound("erased meanwhile")
        return made, True
    raise TooBusy("so many write at once that no place was free")


def _erased_meanwhile(request_id: str) -> bool:
    """Take away what was written while the request was being erased: nobody can read it, and it should not lie about.
    True where it was erased.
    """
    held = requests().find_one({"_id": request_id}, {"erased_at": 1})
    if held is not None and not held.get("erased_at"):
        return False
    messages().delete_many({"request": request_id})
    return True


def _mark(request_id: str, side: Side, now: datetime) -> bool:
    """Whoever writes is there: the request's ETag moves, and its counsellor's silence is counted anew. False once it is
    over.
    """
    update: dict[str, Any] = {"$inc": {"version": 1}, "$set": {"updated_at": now, "active_at": now}}
    if side == Side.COUNSELLOR:
        update["$set"]["due_at"] = now + rules.SILENT_COUNSELLOR
    return requests().update_one({"_id": request_id, "status": {"$ne": "closed"}}, update).matched_count == 1


def after(request_id: str, seq: int, *, limit: int) -> list[Message]:
    """Messages after a place, oldest first."""
    return list(messages().find({"request": request_id, "seq": {"$gt": seq}}).sort("seq", 1).limit(limit))


def view(message: Message, box: Box) -> dict[str, Any]:
    """A message as both sides see it: who wrote, not by name."""
    return {
        "id": message["_id"],
        "seq": message["seq"],
        "at": message["at"],
        "from": message["side"],
        "kind": box.open(f"quick:{message['_id']}", message["quick"]) if message.get("quick") else message["kind"],
        "text": box.open(f"message:{message['_id']}", message["sealed"]),
        "media": (message.get("media") or {}).get("type"),
    }


def got(request_id: str, side: Side, *, received: int = 0, seen: int = 0, now: datetime) -> dict[str, Any]:
    """Receipts: up to which message a side has received and seen. They only go forward, and never past what there is."""
    newest = last_seq(request_id)
    seen = min(seen, newest)
    received = max(min(received, newest), seen)

    def rule(doc: Request) -> rules.Step | None:
        held = (doc.get("seen") or {}).get(str(side)) or {}
        sets = {
            f"seen.{side}.{name}": value
            for name, value in (("received", received), ("seen", seen))
            if value > held.get(name, 0)
        }
        return rules.Step(sets=sets) if sets else None

    return change(request_id, rule, now=now)


def media_of(request_id: str) -> list[str]:
    """Names of the stored bytes of a talk: each message has its own, since each is sealed for itself."""
    rows = messages().find({"request": request_id}, {"media": 1})
    return [row["media"]["sha256"] for row in rows if row.get("media")]


def with_media(request_id: str, message_id: str) -> Message | None:
    """The message of a talk that has something to see or hear."""
    held = messages().find_one({"_id": message_id})
    return held if held and held["request"] == request_id and held.get("media") else None
