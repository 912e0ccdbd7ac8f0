"""Uploads that may be interrupted, and what they become. Bytes are added on condition of the offset, in one write, so
that two who send the same part at once add it once.
"""

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from domain.errors import Conflict, LimitReached
from domain.evidence.documents import EvidenceDoc, UploadDoc
from domain.evidence.errors import HashMismatch, UploadGone, UploadNotFound, UploadTooLarge, WrongOffset
from domain.evidence.ports import EvidenceStore, Kept
from domain.evidence.states import Kind, UploadStatus
from domain.ids import derived_id
from domain.incidents import rules as incident_rules
from domain.incidents import service as incidents
from domain.incidents.draft import Draft

Upload = dict[str, Any]

LIVES: Final = timedelta(hours=24)
"""An upload that gets no byte for so long is given up."""
FINISHED_WITHIN: Final = timedelta(seconds=30)
"""When the sweeper takes up a whole upload that its request did not finish."""
FINISHED_AGAIN: Final = timedelta(minutes=5)
MOST_UPLOADS: Final = 500
FILES_OF_FULL_SIZE: Final = 5
"""All files of one SOS together may have as many bytes as so many of the largest."""


@dataclass(frozen=True)
class NewUpload:
    """What a client announces. `metadata` is Upload-Metadata as it came, `declared` what of it can be read."""

    id: str
    incident: str
    city: str
    by: str
    length: int
    metadata: str = ""
    declared: Mapping[str, str] = field(default_factory=dict)


def uploads() -> Collection[Upload]:
    """The raw collection of uploads."""
    found: Collection[Upload] = UploadDoc._get_collection()
    return found


def evidence() -> Collection[dict[str, Any]]:
    """The raw collection of evidence."""
    found: Collection[dict[str, Any]] = EvidenceDoc._get_collection()
    return found


def footage_of(incident_id: str) -> list[dict[str, Any]]:
    """The footage that was taken for an incident, or that it needs, too."""
    kind = str(Kind.FOOTAGE)
    return [row for needs in ("incident", "also") for row in evidence().find({needs: incident_id, "kind": kind})]


def create(new: NewUpload, *, max_bytes: int, now: datetime) -> Upload:
    """Begin an upload; the same id again is the same upload.

    Raises UploadTooLarge, LimitReached, Conflict `idempotency_conflict` for another length under the same id, and
    Conflict `incident_closed` where an SOS takes nothing more.
    """
    if new.length > max_bytes:
        raise UploadTooLarge("larger than a file may be", limit=max_bytes)
    if not incident_rules.takes_positions(incidents.get(new.incident), now):
        raise Conflict("the SOS is over", code="incident_closed", current="closed")
    found = uploads().find({"incident": new.incident}, {"length": 1, "status": 1, "evidence": 1})
    rows = list(found.limit(MOST_UPLOADS + 1))
    if len(rows) > MOST_UPLOADS:
        raise LimitReached("too many files", retry_after=LIVES.total_seconds())
    held = sum(row["length"] for row in rows if row["status"] == UploadStatus.OPEN or row.get("evidence"))
    if held + new.length > FILES_OF_FULL_SIZE * max_bytes and not any(row["_id"] == new.id for row in rows):
        raise UploadTooLarge("the files of this SOS are too large together", limit=FILES_OF_FULL_SIZE * max_bytes)
    return insert(new, now=now)


def insert(new: NewUpload, *, now: datetime, of: str = "") -> Upload:
    """Store a new upload, `of` what it is of where that is no SOS; the same id again is the same upload.

    Raises Conflict `idempotency_conflict` for another file under the same id.
    """
    made: Upload = {
        "_id": new.id,
        "city": new.city,
        "incident": new.incident,
        "by": new.by,
        "length": new.length,
        "offset": 0,
        "parts": [],
        "metadata": new.metadata,
        "declared": dict(new.declared),
        "status": str(UploadStatus.OPEN),
        "created_at": now,
        "expires_at": now + LIVES,
    }
    made |= {"of": of} if of else {}
    made |= {"finish_due": now + FINISHED_WITHIN} if new.length == 0 else {}
    try:
        uploads().insert_one(made)
    except DuplicateKeyError:
        made = get(new.id, new.incident, now=now)
        if made["length"] != new.length or made["metadata"] != new.metadata:
            raise Conflict("the key was used for another file", code="idempotency_conflict") from None
    return made


def get(upload_id: str, incident_id: str, *, now: datetime) -> Upload:
    """An upload of this SOS; raises UploadNotFound, UploadGone."""
    found = uploads().find_one({"_id": upload_id, "incident": incident_id})
    if found is None:
        raise UploadNotFound("no such upload")
    over = found["status"] in (UploadStatus.ENDED, UploadStatus.REFUSED)
    if over or (found["status"] == UploadStatus.OPEN and found["expires_at"] <= now):
        raise UploadGone("the upload is over")
    return found


def append(upload: Upload, offset: int, parts: Sequence[Mapping[str, Any]], *, now: datetime) -> Upload:
    """Add parts ({name, size}) that begin at `offset`. Raises WrongOffset when the upload stands elsewhere by now."""
    end = offset + sum(part["size"] for part in parts)
    changes: dict[str, Any] = {"offset": end, "expires_at": now + LIVES}
    if end == upload["length"]:
        changes["finish_due"] = now + FINISHED_WITHIN
    added = uploads().find_one_and_update(
        {"_id": upload["_id"], "offset": offset, "status": str(UploadStatus.OPEN)},
        {"$set": changes, "$push": {"parts": {"$each": [dict(part) for part in parts]}}},
        return_document=ReturnDocument.AFTER,
    )
    if added is None:
        raise WrongOffset(
            "the upload stands elsewhere", offset=get(upload["_id"], upload["incident"], now=now)["offset"]
        )
    return added


def is_whole(upload: Upload) -> bool:
    """Whether every byte is here."""
    return bool(upload["offset"] == upload["length"])


def finish(upload: Upload, store: EvidenceStore, *, now: datetime) -> Upload:
    """Make evidence of a whole upload and say so in the timeline. Runs twice without harm.

    Raises HashMismatch where it is not what its sender declared; then it is over.
    """
    if upload["status"] != UploadStatus.OPEN or not is_whole(upload):
        return upload
    try:
        kept = stored(upload, store)
    except FileNotFoundError:  # somebody else finished it, and took the parts away, while we read
        return get(upload["_id"], upload["incident"], now=now)
    except HashMismatch:
        close(upload, UploadStatus.REFUSED)
        store.drop_parts(upload["_id"])
        raise
    kind = store.kind(kept)
    made = {
        "_id": derived_id("evd", upload["_id"]),
        "city": upload["city"],
        "incident": upload["incident"],
        "by": upload["by"],
        "sha256": kept.sha256,
        "size": kept.size,
        "type": kind,
        "declared": upload["declared"],
        "at": now,
    }
    copy = store.clean_copy(kept, kind)
    if copy is not None:
        made["shown"] = {"sha256": copy[0].sha256, "size": copy[0].size, "type": copy[1]}
    with contextlib.suppress(DuplicateKeyError):
        evidence().insert_one(made)
    incidents.change(upload["incident"], lambda draft: _added(draft, made), now=now)
    close(upload, UploadStatus.COMPLETE, evidence=made["_id"])
    store.drop_parts(upload["_id"])
    return get(upload["_id"], upload["incident"], now=now)


def stored(upload: Upload, store: EvidenceStore) -> Kept:
    """Keep a whole upload's bytes. Raises FileNotFoundError where its parts are gone, and HashMismatch, before anything is
    kept that would belong to nothing, where it is not what its sender declared.
    """
    names = [part["name"] for part in upload["parts"]]
    if declared := str(upload["declared"].get("sha256") or "").lower():
        digest = hashlib.sha256()
        for data in store.read_parts(upload["_id"], names):
            digest.update(data)
        if digest.hexdigest() != declared:
            raise HashMismatch("the file is not what its sender declared")
    return store.keep(store.read_parts(upload["_id"], names))


def _added(draft: Draft, made: Mapping[str, Any]) -> None:
    known = (entry.get("evidence") for entry in draft.doc.get("timeline") or [] if entry["kind"] == "media_added")
    if made["_id"] not in known:
        draft.entry("media_added", by=made["by"], evidence=made["_id"], type=made["type"], size=made["size"])


def close(upload: Upload, status: UploadStatus, **changes: str) -> None:
    """An open upload has become something, or was refused. Again changes nothing."""
    uploads().update_one(
        {"_id": upload["_id"], "status": str(UploadStatus.OPEN)},
        {"$set": {"status": str(status), "parts": [], **changes}, "$unset": {"finish_due": "", "expires_at": ""}},
    )


def end(upload: Upload, store: EvidenceStore) -> None:
    """Its sender gives it up. What it has become already stays: proof is not taken back from a phone in other hands."""
    uploads().update_one(
        {"_id": upload["_id"]},
        {"$set": {"status": str(UploadStatus.ENDED), "parts": []}, "$unset": {"finish_due": "", "expires_at": ""}},
    )
    store.drop_parts(upload["_id"])


def postpone(upload: Upload, *, now: datetime) -> None:
    """Look at a whole upload again later: what failed once must not stand before the others."""
    uploads().update_one(
        {"_id": upload["_id"], "finish_due": upload["finish_due"]},
        {"$set": {"finish_due": now + FINISHED_AGAIN}},
    )


def unfinished(*, now: datetime, limit: int = 20) -> list[Upload]:
    """Whole uploads whose request did not make evidence of them."""
    return list(uploads().find({"finish_due": {"$lte": now}}).sort("finish_due", 1).limit(limit))


def overdue(*, now: datetime, limit: int = 100) -> list[Upload]:
    """Uploads that nobody went on with in time."""
    return list(uploads().find({"expires_at": {"$lte": now}}).sort("expires_at", 1).limit(limit))


def forget(incident_id: str) -> None:
    """Whoever sent the files of an incident asks to be forgotten: the names that they gave them go. The files stay for as
    long as evidence does: they show what happened, and are not taken back from a phone in other hands.
    """
    gone = {"$set": {"metadata": ""}, "$unset": {"declared.filename": ""}}
    uploads().update_many({"incident": incident_id}, gone)
    evidence().update_many({"incident": incident_id}, {"$unset": {"declared.filename": ""}})
