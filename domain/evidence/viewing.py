"""Who may see a copy of a piece of evidence, for how long, and that each sight of it is told before it is given."""

import heapq
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from domain.errors import Conflict
from domain.evidence import custody
from domain.evidence.documents import ViewDoc
from domain.evidence.errors import NotReady, OpeningNeeded, ViewNotFound
from domain.evidence.service import evidence
from domain.evidence.states import Act, Copy, EvidenceState
from domain.evidence.taking import Evidence
from domain.reviews import service as reviews
from domain.reviews.states import ReviewKind

View = dict[str, Any]

LASTS: Final = timedelta(minutes=15)
LISTED: Final = 100


def views() -> Collection[View]:
    """The raw collection."""
    found: Collection[View] = ViewDoc._get_collection()
    return found


def of_incident(
    incident_id: str, *, after: tuple[datetime, str] | None = None, limit: int
) -> tuple[list[Evidence], tuple[datetime, str] | None]:
    """An incident's evidence, newest first, and where to go on from when there are more."""
    condition: dict[str, Any] = {"ends_at": None, **({"at": {"$lte": after[0]}} if after else {})}
    found = [
        evidence().find({needs: incident_id, **condition}).sort([("at", -1), ("_id", -1)]).batch_size(limit + 8)
        for needs in ("incident", "also")
    ]
    page: list[Evidence] = []
    for row in heapq.merge(*found, key=lambda each: (each["at"], each["_id"]), reverse=True):
        if after and (row["at"], row["_id"]) >= after:
            continue
        if len(page) == limit:
            return page, (page[-1]["at"], page[-1]["_id"])
        page.append(row)
    return page, None


def check(doc: Evidence, copy: Copy, *, by: str, now: datetime) -> str:
    """The review by which this person may have the original now; empty for the redacted copy.

    Raises NotReady where there is no such copy (yet), OpeningNeeded for the original without a second yes that still holds.
    """
    if copy is Copy.REDACTED:
        if doc.get("state") != EvidenceState.READY:
            raise NotReady("the redacted copy is not made yet", current=doc.get("state"))
        return ""
    review = reviews.approved(ReviewKind.EVIDENCE_OPENING, doc["_id"], by, now=now)
    if review is None:
        raise OpeningNeeded("ask for it with a reason: somebody else must say yes first")
    if not doc.get("parts") and not doc.get("sha256"):
        raise NotReady("the original is not sealed yet", current=doc.get("state"))
    return str(review["_id"])


def give(view_id: str, doc: Evidence, copy: Copy, *, by: str, reason: str, now: datetime) -> tuple[View, bool]:
    """(view, whether it is new): the sight of a copy for LASTS, told on the chain of custody before it is given.

    Raises what `check` does, and Conflict `idempotency_conflict` for a known key with something else.
    """
    review = check(doc, copy, by=by, now=now)
    made: View = {
        "_id": view_id,
        "city": doc["city"],
        "incident": doc["incident"],
        "evidence": doc["_id"],
        "by": by,
        "copy": str(copy),
        "reason": reason,
        "at": now,
        "until": now + LASTS,
        **({"review": review} if review else {}),
    }
    try:
        views().insert_one(made)
    except DuplicateKeyError:
        known = views().find_one({"_id": view_id}) or {}
        if any(known.get(name) != made[name] for name in ("evidence", "by", "copy", "reason")):
            raise Conflict("the key was used for another view", code="idempotency_conflict") from None
        made = known
        new = False
    else:
        new = True
    refs = {"view": view_id, "copy": str(copy), **({"review": review} if review else {})}
    custody.append(doc, Act.OPENED, by, now=now, reason=reason, key=f"opened:{view_id}", refs=refs)
    return made, new


def get(view_id: str, evidence_id: str, *, by: str, now: datetime) -> View:
    """A view of this person's that still lasts; raises ViewNotFound."""
    found = views().find_one({"_id": view_id})
    if found is None or found["evidence"] != evidence_id or found["by"] != by or found["until"] <= now:
        raise ViewNotFound("no such view, or its time is over")
    return found


def seen(doc: Evidence, view: Mapping[str, Any], what: str, *, now: datetime) -> None:
    """Tell, before it is sent, that a clip or a still is sent to whoever has this view."""
    refs = {"view": view["_id"], "copy": view["copy"], "what": what}
    custody.append(doc, Act.VIEWED, view["by"], now=now, reason=view["reason"], refs=refs)


def exported(doc: Evidence, copy: Copy, *, by: str, reason: str, review: str, now: datetime) -> None:
    """Tell, before it is sent, that a copy is taken elsewhere."""
    refs = {"copy": str(copy), **({"review": review} if review else {})}
    custody.append(doc, Act.EXPORTED, by, now=now, reason=reason, refs=refs)


def forget(*, now: datetime, limit: int = 500) -> int:
    """Remove views that are over: what they were stands on the chain of custody."""
    ids = [row["_id"] for row in views().find({"until": {"$lte": now}}, {"_id": 1}).limit(limit)]
    return int(views().delete_many({"_id": {"$in": ids}}).deleted_count) if ids else 0
