"""What a counsellor does with a request that she has: open it, note, hand it back when she goes."""

from datetime import datetime
from typing import Any

from domain.helpline import line, rules, shifts
from domain.helpline.errors import NotYours, OpeningNeeded
from domain.helpline.rules import Request, Step
from domain.helpline.service import change, requests
from domain.helpline.states import Ground, HelplineStatus
from domain.ids import derived_id, new_id
from domain.reviews import service as reviews
from domain.reviews.states import ReviewKind
from domain.vault.service import Vault


def must_have(doc: Request, person_id: str) -> None:
    """Raise NotYours unless this counsellor has it."""
    rules.must_be_open(doc)
    if doc.get("counsellor") != person_id:
        raise NotYours("another counsellor has it")


def may_open(doc: Request, person_id: str, *, now: datetime) -> str:
    """Why this person may open it: she has it, listens in with consent, an opening was approved, or she who asked gave
    the word of it to this counsellor. Else OpeningNeeded.
    """
    if doc["status"] == HelplineStatus.CLAIMED and doc.get("counsellor") == person_id:
        return "claimed"
    if doc.get("listening") == person_id and "listen_in" in doc.get("flags", []):
        return "listening"
    if opening := reviews.approved(ReviewKind.VAULT_OPENING, doc["_id"], person_id, now=now):
        return f"opening {opening['_id']}"
    if any(doc["_id"] in (mine.get("earlier") or []) for mine in line.of_counsellor(person_id)):
        return "returned"
    raise OpeningNeeded("ask for an opening, with a reason")


def there(doc: Request, person_id: str, *, now: datetime) -> None:
    """The counsellor who has it is at work on it."""
    shifts.seen(person_id, now=now)
    requests().update_one(
        {"_id": doc["_id"], "counsellor": person_id, "status": str(HelplineStatus.CLAIMED)},
        {"$set": {"due_at": now + rules.SILENT_COUNSELLOR}},
    )


def note(doc: Request, text: str, vault: Vault, *, by: str, key: str, now: datetime) -> tuple[dict[str, Any], bool]:
    """Keep a sealed note. The same key is the same note. `{id, at, by}`, and whether this call made it."""
    note_id = derived_id("hnt", doc["_id"], by, key)
    sealed = vault.box(doc["_id"]).seal(f"note:{note_id}", text)

    def rule(found: Request) -> Step | None:
        if any(each["id"] == note_id for each in found.get("notes") or []):
            return None
        return Step(
            push={"notes": {"id": note_id, "at": now, "by": by, "sealed": sealed}}, log={"kind": "noted", "by": by}
        )

    before = doc["version"]
    after = change(doc["_id"], rule, now=now)
    held = next(each for each in after["notes"] if each["id"] == note_id)
    return {"id": note_id, "at": held["at"], "by": by}, after["version"] != before and held["at"] == now


def sealed_reason(doc: Request, text: str, vault: Vault, *, by: str, ground: Ground, now: datetime) -> dict[str, Any]:
    """Why somebody did something to another one's request, as it is kept: a code, and the words sealed with its key."""
    reason_id = new_id("rsn", now)
    sealed = vault.box(doc["_id"]).seal(f"reason:{reason_id}", text)
    return {"id": reason_id, "at": now, "by": by, "ground": str(ground), "sealed": sealed}


def release(person_id: str, reason: str, *, now: datetime) -> list[str]:
    """Everything that a counsellor has goes back to the line with its old place. Ids of what did."""
    gone = []
    for row in line.of_counsellor(person_id):

        def rule(doc: Request) -> Step | None:
            if doc.get("counsellor") != person_id or doc["status"] != HelplineStatus.CLAIMED:
                return None
            return rules.give_back(doc, reason, now, by=person_id)

        change(row["_id"], rule, now=now)
        gone.append(row["_id"])
    return gone
