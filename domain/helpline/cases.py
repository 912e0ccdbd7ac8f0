"""Cases: several requests of one survivor, by her choice. `casework.py` writes in them, `joining.py` makes two one.

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
from domain.helpline.errors import CaseNotFound, RequestNotFound, TooBusy
from domain.helpline.rules import Step
from domain.helpline.states import Consent, HelplineStatus
from domain.ids import derived_id
from domain.vault.service import Vault

Case = dict[str, Any]
Rule = Callable[[Case], dict[str, Any] | None]

_TRIES: Final = 12
ENTRIES: Final = ("referrals", "follow_ups", "stages")
"""What is done for her: lists of {id, at, by, …, sealed}."""


def cases() -> Collection[Case]:
    """The raw collection."""
    found: Collection[Case] = HelplineCaseDoc._get_collection()
    return found


def get(case_id: str) -> Case:
    """The case, or the one that it is a part of; raises CaseNotFound."""
    found = cases().find_one({"_id": case_id})
    while found is not None and found.get("merged_into"):  # always an older one: it ends
        found = cases().find_one({"_id": found["merged_into"]})
    if found is None or found.get("erased_at"):
        raise CaseNotFound("no such case")
    return found


def of_request(request: Mapping[str, Any]) -> list[Case]:
    """Every case that a request belongs to, oldest first: one, whatever was joined to what."""
    ids = [request["case"]] if request.get("case") else []
    ids += [row["_id"] for row in cases().find({"requests": request["_id"]}, {"_id": 1})]
    found: dict[str, Case] = {}
    for case_id in ids:
        try:
            doc = get(case_id)
        except CaseNotFound:
            continue
        found[doc["_id"]] = doc
    return sorted(found.values(), key=lambda doc: doc["opened_at"])


def open_for(request: Mapping[str, Any], vault: Vault, *, by: str, how: Consent, now: datetime) -> Case:
    """The case of a request; opened now where there is none. Again is the same case."""
    case_id = request.get("case") or derived_id("cas", str(request["_id"]))
    if held := of_request(request):
        let_know(request["_id"], held[0]["_id"], vault, now=now)
        return held[0]
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
    let_know(request["_id"], made["_id"], vault, now=now)
    return made


def let_know(request_id: str, case_id: str, vault: Vault, *, now: datetime) -> None:
    """The request names its case. One that was erased meanwhile leaves it again, so that the last one ends it."""
    try:
        helpline.change(
            request_id, lambda doc: None if doc.get("case") == case_id else Step(sets={"case": case_id}), now=now
        )
    except RequestNotFound:
        _leave(case_id, request_id, vault, now=now)


def change(case_id: str, rule: Rule, *, now: datetime) -> Case:
    """Write what a rule decides, on the condition that nothing changed meanwhile. Raises CaseNotFound, and TooBusy for a
    case that became a part of another one: what was sealed for it cannot be read there, so it is to be tried again.
    """
    for _ in range(_TRIES):
        doc = get(case_id)
        if doc["_id"] != case_id:
            raise TooBusy("it became a part of another case: again")
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
    gone = dict.fromkeys((*ENTRIES, "consents", "due_at"), "")
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


def worked_on(request: Mapping[str, Any], *, since: datetime) -> bool:
    """Whether something was done in an open case of a request since then, or is still to be done at a time."""
    return any(
        doc["status"] == "open" and (doc["updated_at"] > since or doc.get("due_at")) for doc in of_request(request)
    )


def _with_parts(doc: Case) -> list[Case]:
    """The case, and those that became a part of it and have not been taken in yet."""
    found, ids = [doc], [doc["_id"]]
    while ids:
        parts = list(cases().find({"merged_into": {"$in": ids}, "erased_at": None}))
        ids = [each["_id"] for each in parts]
        found += [each for each in parts if not each.get("moved_at")]
    return found


def view(doc: Case, vault: Vault) -> dict[str, Any]:
    """A case opened, whole: also while what was joined to it is still on the way."""
    parts = [(each, vault.box(each["_id"])) for each in _with_parts(doc)]

    def shown(kind: str) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for part, box in parts:
            for each in part[kind]:
                note = box.open(f"{kind}:{each['id']}", each["sealed"]) if each.get("sealed") else None
                plain = {name: value for name, value in each.items() if name != "sealed"}
                found.setdefault(each["id"], {**plain, "note": note})
        return sorted(found.values(), key=lambda each: each["at"])

    return {
        "id": doc["_id"],
        **{
            name: doc.get(name)
            for name in ("city", "status", "version", "opened_at", "closed_at", "outcome", "counsellor")
        },
        **{name: doc[name] for name in ("requests", "consents")},
        **{kind: shown(kind) for kind in ENTRIES},
    }
