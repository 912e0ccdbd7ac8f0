"""Changes to helpline requests. Each is one conditional write; what she told is sealed before it is written."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.errors import Conflict
from domain.helpline import questions, rules, safe_times
from domain.helpline.documents import HelplineMessageDoc, HelplineRequestDoc
from domain.helpline.errors import RequestNotFound, TooBusy, WindowsInvalid
from domain.helpline.rules import Request, Step
from domain.helpline.states import Channel, Danger, Disguise, HelplineStatus, Mode, Wanted
from domain.ids import derived_id, link_token, new_id
from domain.vault.service import Box, Vault

_TRIES: Final = 12
SEALED: Final = ("person", "phone", "name", "push", "codeword", "safe_to_call", "position", "answers")

Rule = Callable[[Request], Step | None]


class KeyUsedOtherwise(Conflict):
    """The Idempotency-Key was used for another body."""

    code = "idempotency_conflict"


@dataclass(frozen=True)
class Asked:
    """What somebody asks the helpline, whichever way it came. `owner` is whose key it is; `told` is what gets sealed:
    person, phone, name, push, codeword, position ({lat, lon, …}), safe_to_call (windows); all optional.
    """

    city: str
    channel: Channel = Channel.APP
    mode: Mode = Mode.CHAT
    language: str = "ur"
    wanted: Wanted = Wanted.WOMAN
    disguise: Disguise = Disguise.PLAIN
    danger: Danger = Danger.UNKNOWN
    anonymous: bool = False
    listen_in: bool = False
    owner: str = ""
    key: str = ""
    fingerprint: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)


def requests() -> Collection[dict[str, Any]]:
    """The raw collection."""
    found: Collection[dict[str, Any]] = HelplineRequestDoc._get_collection()
    return found


def messages() -> Collection[dict[str, Any]]:
    """The raw collection of messages."""
    found: Collection[dict[str, Any]] = HelplineMessageDoc._get_collection()
    return found


def token(secret: str, request_id: str) -> str:
    """Opens this one request to the phone that made it, whoever it is: 120 bits, never stored."""
    return link_token(secret, "helpline", request_id, 0) + link_token(secret, "helpline", request_id, 1)


def packed(value: Any) -> str:
    """What a sealed field holds: text as it is, anything else as JSON."""
    return (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    )


def ask(asked: Asked, vault: Vault, *, now: datetime) -> tuple[dict[str, Any], bool]:
    """Store a request: one write with its place in the line and its event. A retry meets the first one.

    Raises WindowsInvalid for a call-back without number or safe time, KeyUsedOtherwise for a key with another body.
    """
    told = {name: value for name, value in asked.told.items() if value not in (None, "", [])}
    if asked.anonymous:
        told.pop("person", None)
        told.pop("name", None)
    problem = safe_times.windows_problem(asked.mode, told.get("safe_to_call", []), has_phone="phone" in told)
    if problem:
        raise WindowsInvalid(problem, errors={"safe_to_call": [problem]})
    request_id = derived_id("hlp", asked.owner, asked.key) if asked.key else new_id("hlp", now)
    held = requests().find_one({"_id": request_id})
    if held is not None:
        return _same(held, asked, vault), False
    box = vault.make(request_id, asked.city, now=now)
    doc: dict[str, Any] = {
        "_id": request_id,
        "city": asked.city,
        "channel": str(asked.channel),
        "mode": str(asked.mode),
        "language": asked.language,
        "status": str(HelplineStatus.WAITING),
        "version": 1,
        "anonymous": asked.anonymous,
        "wanted": str(asked.wanted),
        "disguise": str(asked.disguise),
        "danger": str(asked.danger),
        "danger_by": "citizen",
        "asked_at": now,
        "line_at": questions.line_at(now, asked.danger),
        "updated_at": now,
        "active_at": now,
        "waiting_since": now,
        "told": 0,
        "due_at": now + rules.UNCLAIMED_AFTER,
        "flags": ["listen_in"] if asked.listen_in else [],
        "sealed": {name: box.seal(name, packed(value)) for name, value in told.items()},
        "notes": [],
        "seen": {},
        "log": [{"at": now, "kind": "asked", "by": "citizen"}],
    }
    if asked.fingerprint:
        doc["fingerprint"] = vault.index("fingerprint", asked.fingerprint)
    if "person" in told:
        doc["person_ref"] = vault.index("person", told["person"])
    if "phone" in told:
        doc["phone_ref"] = vault.index("phone", told["phone"])
    event = outbox.event("helpline.asked", request_id, version=1, now=now, city=asked.city)
    try:
        requests().insert_one(doc | outbox.fields([event], now))
    except DuplicateKeyError:
        return _same(get(request_id), asked, vault), False
    return doc, True


def _same(held: dict[str, Any], asked: Asked, vault: Vault) -> dict[str, Any]:
    mine = vault.index("fingerprint", asked.fingerprint) if asked.fingerprint else None
    if mine and held.get("fingerprint") not in (None, mine):
        raise KeyUsedOtherwise("the key was used for another request")
    return held


def get(request_id: str) -> dict[str, Any]:
    """The request as it is stored; raises RequestNotFound."""
    found = requests().find_one({"_id": request_id})
    if found is None or found.get("erased_at"):
        raise RequestNotFound("no such request")
    return found


def change(request_id: str, rule: Rule, *, now: datetime) -> dict[str, Any]:
    """Let a pure rule decide and write its Step, on the condition that nothing changed meanwhile."""
    for _ in range(_TRIES):
        doc = get(request_id)
        step = rule(doc)
        if step is None:
            return doc
        written = requests().find_one_and_update(
            {"_id": request_id, "version": doc["version"], "erased_at": None},
            _operators(doc, step, now),
            return_document=ReturnDocument.AFTER,
        )
        if written is not None:
            return written
    raise TooBusy("it kept changing")


def _operators(doc: Request, step: Step, now: datetime) -> dict[str, Any]:
    update: dict[str, Any] = {"$set": {**step.sets, "updated_at": now}, "$inc": {"version": 1}}
    if not step.by_time:
        update["$set"]["active_at"] = now
    if gone := [name for name in step.gone if name in doc]:
        update["$unset"] = dict.fromkeys(gone, "")
    pushed: dict[str, Any] = {name: {"$each": [value]} for name, value in step.push.items()}
    if step.log:
        pushed["log"] = {"$each": [{"at": now, **step.log}], "$slice": -rules.LOG_KEPT}
    if pushed:
        update["$push"] = pushed
    if step.events:
        made = [
            outbox.event(kind, doc["_id"], version=doc["version"] + 1, now=now, city=doc["city"], **ids)
            for kind, ids in step.events
        ]
        update = outbox.merge(update, outbox.pending(made, now))
    return update


def opened(doc: Request, box: Box, names: Sequence[str] = SEALED) -> dict[str, Any]:
    """Sealed fields in clear, those that are there; JSON where it was packed."""
    found: dict[str, Any] = {}
    for name in names:
        if sealed := (doc.get("sealed") or {}).get(name):
            text = box.open(name, sealed)
            found[name] = json.loads(text) if name in {"safe_to_call", "position", "answers"} else text
    return found


def told_again(request_id: str, told: Mapping[str, Any], vault: Vault, *, now: datetime) -> dict[str, Any]:
    """What she changes later: number, times, codeword, place. Sealed as the first was."""
    box = vault.box(request_id)
    sets = {f"sealed.{name}": box.seal(name, packed(value)) for name, value in told.items()}
    if "phone" in told:
        sets["phone_ref"] = vault.index("phone", str(told["phone"]))

    def rule(doc: Request) -> Step:
        return Step(sets=dict(sets), log={"kind": "changed", "by": "citizen"})

    return change(request_id, rule, now=now)


def erase(request_id: str, vault: Vault, *, now: datetime) -> bool:
    """Destroy the key, then take away what it sealed. Twice is no error. True when there was something.

    The key goes first: from then on nothing can be read, whatever dies in between.
    """
    doc = requests().find_one({"_id": request_id})
    if doc is None:
        return False
    vault.destroy(request_id, now=now)
    messages().delete_many({"request": request_id})
    if doc.get("erased_at"):
        return False
    gone = (
        "sealed",
        "notes",
        "reasons",
        "person_ref",
        "phone_ref",
        "word_ref",
        "due_at",
        "offered",
        "earlier",
        "fingerprint",
    )
    event = outbox.event("helpline.erased", request_id, version=doc["version"] + 1, now=now, city=doc["city"])
    requests().update_one(
        {"_id": request_id, "erased_at": None},
        outbox.merge(
            {
                "$set": {"erased_at": now, "updated_at": now, "status": str(HelplineStatus.CLOSED)},
                "$unset": dict.fromkeys(gone, ""),
                "$inc": {"version": 1},
            },
            outbox.pending([event], now),
        ),
    )
    return True
