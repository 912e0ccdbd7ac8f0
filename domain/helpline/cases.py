"""Casework: several requests of one survivor, by her choice; referrals with her consent; follow-ups; police and court.

A case is opened by the counsellor who has a request, and another request joins it only with her consent, which is
recorded. What is written in it is sealed with the case's own key; erasing her last request in it destroys that too.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.helpline import service as helpline
from domain.helpline.documents import HelplineCaseDoc
from domain.helpline.errors import CaseNotFound, RequestClosed, TooBusy
from domain.helpline.rules import Step
from domain.helpline.states import Consent, HelplineStatus, Outcome, Stage, Track
from domain.ids import derived_id
from domain.vault.service import Vault

Case = dict[str, Any]
Rule = Callable[[Case], dict[str, Any] | None]

_TRIES: Final = 12


def cases() -> Collection[Case]:
    """The raw collection."""
    found: Collection[Case] = HelplineCaseDoc._get_collection()
    return found


def get(case_id: str) -> Case:
    """The case; raises CaseNotFound."""
    found = cases().find_one({"_id": case_id})
    if found is None or found.get("erased_at"):
        raise CaseNotFound("no such case")
    return found


def open_for(request: Mapping[str, Any], vault: Vault, *, by: str, how: Consent, now: datetime) -> Case:
    """The case of a request; opened now where there is none. Again is the same case."""
    case_id = request.get("case") or derived_id("cas", str(request["_id"]))
    vault.make(case_id, request["city"], now=now)
    made: Case = {
        "_id": case_id,
        "city": request["city"],
        "status": "open",
        "version": 1,
        "opened_at": now,
        "updated_at": now,
        "requests": [request["_id"]],
        "counsellor": request.get("counsellor") if by == "citizen" else by,
        "consents": [{"at": now, "by": by, "how": str(how), "what": "case"}],
        "referrals": [],
        "follow_ups": [],
        "stages": [],
    }
    try:
        cases().insert_one(made)
    except DuplicateKeyError:
        made = get(case_id)
    _let_know(request["_id"], case_id, now=now)
    return made


def join(case_id: str, request_id: str, *, by: str, how: Consent, now: datetime) -> Case:
    """Another request of hers belongs to it, by her choice."""
    helpline.get(request_id)

    def rule(doc: Case) -> dict[str, Any] | None:
        if request_id in doc["requests"]:
            return None
        consent = {"at": now, "by": by, "how": str(how), "what": f"request {request_id}"}
        return {"$push": {"requests": {"$each": [request_id]}, "consents": {"$each": [consent]}}}

    after = change(case_id, rule, now=now)
    _let_know(request_id, case_id, now=now)
    return after


def _let_know(request_id: str, case_id: str, *, now: datetime) -> None:
    helpline.change(
        request_id, lambda doc: None if doc.get("case") == case_id else Step(sets={"case": case_id}), now=now
    )


def change(case_id: str, rule: Rule, *, now: datetime) -> Case:
    """Write what a rule decides, on the condition that nothing changed meanwhile."""
    for _ in range(_TRIES):
        doc = get(case_id)
        update = rule(doc)
        if update is None:
            return doc
        update = outbox.merge(update, {"$set": {"updated_at": now}, "$inc": {"version": 1}})
        written = cases().find_one_and_update(
            {"_id": case_id, "version": doc["version"]}, update, return_document=ReturnDocument.AFTER
        )
        if written is not None:
            return written
    raise TooBusy("it kept changing")


def _entry(
    doc: Case, part: str, text: str, vault: Vault, *, by: str, key: str, now: datetime, **facts: Any
) -> dict[str, Any]:
    entry_id = derived_id("cen", doc["_id"], part, by, key)
    sealed = {"sealed": vault.box(doc["_id"]).seal(f"{part}:{entry_id}", text)} if text else {}
    return {"id": entry_id, "at": now, "by": by, **facts, **sealed}


def _add(case_id: str, kind: str, entry: dict[str, Any], *, now: datetime, **also: dict[str, Any]) -> Case:
    def rule(doc: Case) -> dict[str, Any] | None:
        if doc["status"] != "open":
            raise RequestClosed("the case is closed", current="closed")
        if any(each["id"] == entry["id"] for each in doc[kind]):
            return None
        pushed = {name: {"$each": [value]} for name, value in also.items()}
        return {"$push": {kind: {"$each": [entry]}, **pushed}, "$set": _due([*doc[kind], entry], kind)}

    return change(case_id, rule, now=now)


def _due(entries: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    open_ = [each["due_at"] for each in entries if kind == "follow_ups" and not each.get("done_at")]
    return {"due_at": min(open_)} if open_ else {}


def refer(
    doc: Case, entry: Mapping[str, Any], note: str, vault: Vault, *, how: Consent, by: str, key: str, now: datetime
) -> Case:
    """Refer her, with her consent: what may be shared is the note, and nothing else goes along."""
    made = _entry(
        doc, "referrals", note, vault, by=by, key=key, now=now,
        to=entry["id"], kind=str(entry["kind"]), consent=str(how),
    )  # fmt: skip
    consent = {"at": now, "by": by, "how": str(how), "what": f"referral {entry['id']}"}
    return _add(doc["_id"], "referrals", made, now=now, consents=consent)


def follow_up(doc: Case, due_at: datetime, note: str, vault: Vault, *, by: str, key: str, now: datetime) -> Case:
    """Something to look after at a time; whoever is on shift hears of it then."""
    made = _entry(doc, "follow_ups", note, vault, by=by, key=key, now=now, due_at=due_at)
    return _add(doc["_id"], "follow_ups", made, now=now)


def done(case_id: str, follow_up_id: str, *, by: str, now: datetime) -> Case:
    """A follow-up is done. Again is no change; raises CaseNotFound for one that is not there."""

    def rule(doc: Case) -> dict[str, Any] | None:
        found = next((each for each in doc["follow_ups"] if each["id"] == follow_up_id), None)
        if found is None:
            raise CaseNotFound("no such follow-up")
        if found.get("done_at"):
            return None
        left = [
            {**each, "done_at": now, "done_by": by} if each["id"] == follow_up_id else each
            for each in doc["follow_ups"]
        ]
        due = _due(left, "follow_ups")
        update: dict[str, Any] = {"$set": {"follow_ups": left, **due}}
        return update if due else update | {"$unset": {"due_at": ""}}

    return change(case_id, rule, now=now)


def stage(
    doc: Case, track: Track, reached: Stage, note: str, vault: Vault, *, by: str, key: str, now: datetime
) -> Case:
    """How far the police or a court has come; number, station and dates are in the sealed note."""
    made = _entry(doc, "stages", note, vault, by=by, key=key, now=now, track=str(track), stage=str(reached))
    return _add(doc["_id"], "stages", made, now=now)


def hand_over(doc: Case, to: str, note: str, vault: Vault, *, by: str, key: str, now: datetime) -> Case:
    """Another counsellor does the casework from now on; the note is kept with the follow-ups, done already."""
    made = _entry(doc, "follow_ups", note, vault, by=by, key=key, now=now, due_at=now, done_at=now)

    def rule(found: Case) -> dict[str, Any] | None:
        if found.get("counsellor") == to:
            return None
        return {"$set": {"counsellor": to}, "$push": {"follow_ups": {"$each": [made]}}}

    return change(doc["_id"], rule, now=now)


def close(case_id: str, outcome: Outcome, *, now: datetime) -> Case:
    """It is over. Again is no change."""

    def rule(doc: Case) -> dict[str, Any] | None:
        if doc["status"] != "open":
            return None
        return {"$set": {"status": "closed", "outcome": str(outcome), "closed_at": now}, "$unset": {"due_at": ""}}

    return change(case_id, rule, now=now)


def remind(case_id: str, *, now: datetime) -> Case:
    """A follow-up is due: whoever is on shift hears, once; it stays open until somebody says that it is done."""

    def rule(doc: Case) -> dict[str, Any] | None:
        if doc.get("due_at") is None or doc["due_at"] > now:
            return None
        later = [each["due_at"] for each in doc["follow_ups"] if not each.get("done_at") and each["due_at"] > now]
        event = outbox.event("helpline.follow_up", case_id, version=doc["version"] + 1, now=now, city=doc["city"])
        update = outbox.pending([event], now)
        return outbox.merge(update, {"$set": {"due_at": min(later)}} if later else {"$unset": {"due_at": ""}})

    return change(case_id, rule, now=now)


def due(*, now: datetime, limit: int) -> list[str]:
    """Cases of which a follow-up is due."""
    return [row["_id"] for row in cases().find({"due_at": {"$lte": now}}, {"_id": 1}).sort("due_at", 1).limit(limit)]


def readable_by(doc: Case, person_id: str) -> bool:
    """Whether this counsellor does the casework, or has one of its requests now."""
    if doc["status"] == "open" and doc.get("counsellor") == person_id:
        return True
    rows = helpline.requests().find({"_id": {"$in": doc["requests"]}}, {"counsellor": 1, "status": 1})
    return any(row.get("counsellor") == person_id and row["status"] == HelplineStatus.CLAIMED for row in rows)


def forget(request: Mapping[str, Any], vault: Vault, *, now: datetime) -> None:
    """A request was erased: it leaves its case, and with the last one the case's key is destroyed."""
    for row in cases().find({"requests": request["_id"]}, {"_id": 1}):
        _leave(row["_id"], request["_id"], vault, now=now)


def _leave(case_id: str, request_id: str, vault: Vault, *, now: datetime) -> None:
    """Whoever takes the last request out ends the case for good, however many leave or join at once. The last one stays
    named until the key is destroyed, so that a run which dies in between is done again.
    """
    gone = dict.fromkeys(("referrals", "follow_ups", "stages", "consents", "due_at"), "")
    for _ in range(_TRIES):
        doc = cases().find_one({"_id": case_id})
        if doc is None or request_id not in doc["requests"]:
            return
        left = [each for each in doc["requests"] if each != request_id]
        update: dict[str, Any] = {"$set": {"requests": left}} if left else {"$set": {"erased_at": now}, "$unset": gone}
        update["$inc"] = {"version": 1}
        if cases().update_one({"_id": case_id, "version": doc["version"]}, update).modified_count:
            if not left:  # nobody joins it any more
                vault.destroy(case_id, now=now)
                cases().update_one({"_id": case_id}, {"$set": {"requests": []}})
            return
    raise TooBusy("it kept changing")


def view(doc: Case, vault: Vault) -> dict[str, Any]:
    """A case opened."""
    box = vault.box(doc["_id"])

    def shown(kind: str) -> list[dict[str, Any]]:
        return [
            {
                **{name: value for name, value in each.items() if name != "sealed"},
                "note": box.open(f"{kind}:{each['id']}", each["sealed"]) if each.get("sealed") else None,
            }
            for each in doc[kind]
        ]

    return {
        "id": doc["_id"],
        **{
            name: doc.get(name)
            for name in ("city", "status", "version", "opened_at", "closed_at", "outcome", "counsellor")
        },
        **{name: doc[name] for name in ("requests", "consents")},
        **{kind: shown(kind) for kind in ("referrals", "follow_ups", "stages")},
    }
