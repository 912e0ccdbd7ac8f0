"""Two of her requests are one case, by her choice; where each has a case already, the two become one and nothing is lost.

The older case stays. One conditional write decides: the newer one says whose part it is from now on, and nobody changes
it any more. What follows (its entries sealed anew with the other key, its requests named there, its own key destroyed)
is done at once and again by the event of that write, as often as it runs: an entry is known by its id.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain import outbox
from domain.helpline import cases
from domain.helpline import service as helpline
from domain.helpline.cases import ENTRIES, Case, change, get, let_know
from domain.helpline.casework import due_of
from domain.helpline.errors import CaseNotFound, TooBusy
from domain.helpline.states import Consent
from domain.vault.errors import Destroyed
from domain.vault.service import Vault

_TRIES: Final = 12


def join(case_id: str, request_id: str, vault: Vault, *, by: str, how: Consent, now: datetime) -> Case:
    """Another request of hers belongs to it, by her choice, and with it the case that the request had. Returns what is
    one case now. Raises RequestNotFound, CaseNotFound, TooBusy.
    """
    held = helpline.get(request_id).get("case")
    mine = get(case_id)
    theirs = _there(held) if held else None
    if theirs is not None and theirs["_id"] != mine["_id"]:
        mine = _one_of(mine["_id"], theirs["_id"], vault, now=now)
    what = f"request {request_id}"

    def rule(doc: Case) -> dict[str, Any] | None:
        pushed: dict[str, Any] = {}
        if request_id not in doc["requests"]:
            pushed["requests"] = {"$each": [request_id]}
        if all(each["what"] != what for each in doc["consents"]):
            pushed["consents"] = {"$each": [{"at": now, "by": by, "how": str(how), "what": what}]}
        return {"$push": pushed} if pushed else None

    after = change(mine["_id"], rule, now=now)
    let_know(request_id, after["_id"], vault, now=now)
    return after


def _there(case_id: str) -> Case | None:
    try:
        return get(case_id)
    except CaseNotFound:
        return None


def _one_of(one: str, other: str, vault: Vault, *, now: datetime) -> Case:
    for _ in range(_TRIES):
        first, second = get(one), get(other)
        if first["_id"] == second["_id"]:
            return first
        older, newer = sorted((first, second), key=lambda doc: (doc["opened_at"], doc["_id"]))
        if _decided(newer, older["_id"], now=now):
            absorb(newer["_id"], vault, now=now)
            return get(older["_id"])
    raise TooBusy("they kept changing")


def _decided(newer: Case, older: str, *, now: datetime) -> bool:
    """The one write: the newer case is a part of the older one. Always of an older one, so that two who join them the
    other way round at once do not make a ring.
    """
    event = outbox.event(
        "helpline.case_joined", newer["_id"], version=newer["version"] + 1, now=now, city=newer["city"], into=older
    )
    update = {"$set": {"merged_into": older, "updated_at": now}, "$unset": {"due_at": ""}, "$inc": {"version": 1}}
    done = cases.cases().update_one(
        {"_id": newer["_id"], "version": newer["version"], "erased_at": None},
        outbox.merge(update, outbox.pending([event], now)),
    )
    return done.modified_count == 1


def absorb(case_id: str, vault: Vault, *, now: datetime) -> None:
    """Everything of a case that was joined to another one stands in that one, and its own key is gone. Again is no change."""
    doc = cases.cases().find_one({"_id": case_id})
    if doc is None or not doc.get("merged_into") or doc.get("erased_at"):
        return
    if doc.get("moved_at"):
        vault.destroy(case_id, now=now)  # whoever moved it died before this
        return
    root = get(case_id)["_id"]
    entries = _sealed_anew(doc, root, vault)
    change(root, lambda found: _taken_in(found, doc, entries), now=now)
    for request_id in doc["requests"]:
        let_know(request_id, root, vault, now=now)
    gone = dict.fromkeys((*ENTRIES, "consents"), "")
    cases.cases().update_one(
        {"_id": case_id}, {"$set": {"moved_at": now, "requests": []}, "$unset": gone, "$inc": {"version": 1}}
    )
    vault.destroy(case_id, now=now)


def _sealed_anew(doc: Case, root: str, vault: Vault) -> dict[str, list[dict[str, Any]]]:
    try:
        mine, theirs = vault.box(doc["_id"]), vault.box(root)
    except Destroyed:
        return {}  # erased meanwhile
    found: dict[str, list[dict[str, Any]]] = {}
    for kind in ENTRIES:
        found[kind] = []
        for each in doc[kind]:
            name = f"{kind}:{each['id']}"
            sealed = {"sealed": theirs.seal(name, mine.open(name, each["sealed"]))} if each.get("sealed") else {}
            found[kind].append({**each, **sealed})
    return found


def _taken_in(root: Case, doc: Case, entries: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any] | None:
    fresh = {
        kind: [each for each in rows if each["id"] not in {held["id"] for held in root[kind]}]
        for kind, rows in entries.items()
    }
    fresh["requests"] = [each for each in doc["requests"] if each not in root["requests"]]
    fresh["consents"] = [each for each in doc["consents"] if each not in root["consents"]]
    if not any(fresh.values()):
        return None
    update: dict[str, Any] = {"$push": {name: {"$each": rows} for name, rows in fresh.items() if rows}}
    sets: dict[str, Any] = {}
    is_open = "open" in (root["status"], doc["status"])
    if is_open:
        sets = due_of([*root["follow_ups"], *fresh.get("follow_ups", [])], "follow_ups")
    if is_open and root["status"] != "open":  # something is still to be done for her
        sets |= {"status": "open", "counsellor": doc.get("counsellor")}
        update["$unset"] = {"closed_at": "", "outcome": ""}
    return {**update, "$set": sets} if sets else update
