"""What is done for one survivor: referrals with her consent, follow-ups with due dates, police and court stages.

Each entry is sealed with the case's own key; its id comes from its key, so that a repeat is the same entry.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain import outbox
from domain.helpline.cases import Case, cases, change
from domain.helpline.errors import CaseNotFound, RequestClosed
from domain.helpline.states import Consent, Outcome, Stage, Track
from domain.ids import derived_id
from domain.vault.service import Vault


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
        return {"$push": {kind: {"$each": [entry]}, **pushed}, "$set": due_of([*doc[kind], entry], kind)}

    return change(case_id, rule, now=now)


def due_of(entries: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """When the next follow-up of these is due, as a field to set."""
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
        due = due_of(left, "follow_ups")
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
