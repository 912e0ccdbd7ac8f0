"""Pictures, films and voices of a report, by uploads that may be interrupted (`domain/evidence/service.py` adds the bytes).

What came is shown to those who moderate and respond; neighbours see a copy in which faces are blurred, once there is one,
and of films and voices nothing. Every step may run twice.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from domain.errors import Conflict, LimitReached
from domain.evidence import retention
from domain.evidence import service as evidence
from domain.evidence.errors import HashMismatch, UploadTooLarge
from domain.evidence.ports import EvidenceStore, Kept
from domain.evidence.service import Upload, uploads
from domain.evidence.states import UploadStatus
from domain.ids import derived_id
from domain.reports.changing import change, check_open
from domain.reports.errors import MediaInvalid, MediaNotFound, MediaNotReady
from domain.reports.queries import Report, get, reports

OF: Final = "report"
"""What an upload is of, where it is not of an SOS."""
MOST: Final = 5
MOST_BYTES: Final = 50 * 1024 * 1024
KINDS: Final = ("image/", "video/", "audio/")
BLURRED_WITHIN: Final = timedelta(minutes=5)
"""When the sweeper asks again for the blurred copy."""
MOST_TRIES: Final = 4


def begin(new: evidence.NewUpload, *, now: datetime) -> Upload:
    """Begin an upload to an open report; the same id again is the same one.

    Raises UploadTooLarge, LimitReached, ReportOver, Conflict `idempotency_conflict`.
    """
    if new.length > MOST_BYTES:
        raise UploadTooLarge("larger than a file of a report may be", limit=MOST_BYTES)
    check_open(get(new.incident))
    rows = list(uploads().find({"incident": new.incident}, {"status": 1}).limit(4 * MOST))
    going = [
        row for row in rows if row["status"] in (UploadStatus.OPEN, UploadStatus.COMPLETE) and row["_id"] != new.id
    ]
    if len(going) >= MOST or len(rows) >= 4 * MOST:
        raise LimitReached("too many files", retry_after=evidence.LIVES.total_seconds())
    return evidence.insert(new, now=now, of=OF)


def finish(upload: Upload, store: EvidenceStore, *, now: datetime) -> Upload:
    """Add a whole upload to its report. Runs twice without harm.

    Raises HashMismatch where it is not what its sender declared, MediaInvalid where it is no picture, film or voice, and
    ReportOver; then it is over.
    """
    if upload["status"] != UploadStatus.OPEN or not evidence.is_whole(upload):
        return upload
    names: list[str] = []
    try:
        kept = evidence.stored(upload, store)
        names.append(kept.sha256)
        made = _described(upload, kept, store, now)
        names += [made["shown"]["sha256"]] if made.get("shown") else []
        change(upload["incident"], lambda doc: _added(doc, made, now), now=now)
    except (HashMismatch, MediaInvalid, Conflict):
        evidence.close(upload, UploadStatus.REFUSED)
        store.drop_parts(upload["_id"])
        retention.drop_unheld(names, store.drop)
        raise
    except FileNotFoundError:  # somebody else finished it meanwhile
        return evidence.get(upload["_id"], upload["incident"], now=now)
    evidence.close(upload, UploadStatus.COMPLETE)
    store.drop_parts(upload["_id"])
    return evidence.get(upload["_id"], upload["incident"], now=now)


def _described(upload: Upload, kept: Kept, store: EvidenceStore, now: datetime) -> dict[str, Any]:
    kind = store.kind(kept)
    copy = store.clean_copy(kept, kind)
    if not kind.startswith(KINDS) or (kind.startswith("image/") and copy is None):
        raise MediaInvalid("no picture, film or voice", errors={"media": ["A picture, a film or a voice."]})
    made = {"id": derived_id("med", upload["_id"]), "sha256": kept.sha256, "size": kept.size, "type": kind, "at": now}
    if copy is not None:
        made["shown"] = {"sha256": copy[0].sha256, "size": copy[0].size, "type": copy[1]}
    return made


def _added(doc: Report, made: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    check_open(doc)
    held = list(doc.get("media") or [])
    if any(each["id"] == made["id"] for each in held):
        return {}
    changes: dict[str, Any] = {"media": [*held, dict(made)], "events": ["report.media_added"]}
    if made.get("shown"):
        changes["blur_due"] = now + BLURRED_WITHIN
    return changes


def one(doc: Report, media_id: str) -> dict[str, Any]:
    """One file of a report; raises MediaNotFound."""
    found = next((dict(each) for each in doc.get("media") or [] if each["id"] == media_id), None)
    if found is None:
        raise MediaNotFound("no such file")
    return found


def for_neighbours(each: Mapping[str, Any]) -> dict[str, Any]:
    """What of a file neighbours see: the blurred copy. Raises MediaNotFound for what has none ever, MediaNotReady."""
    if not each.get("shown") or each.get("not_blurred"):
        raise MediaNotFound("not for everybody")
    if not each.get("redacted"):
        raise MediaNotReady("faces are being blurred", retry_after=30)
    return dict(each["redacted"])


def to_blur(doc: Report) -> list[dict[str, Any]]:
    """Pictures that have no blurred copy yet."""
    return [
        each
        for each in doc.get("media") or []
        if each.get("shown") and not each.get("redacted") and not each.get("not_blurred")
    ]


def blurred(report_id: str, media_id: str, copy: Mapping[str, Any] | None, *, now: datetime) -> Report:
    """The copy in which faces are blurred is there; None: it could not be made, and after some tries it never is."""

    def rule(doc: Report) -> Mapping[str, Any]:
        held = [dict(each) for each in doc.get("media") or []]
        mine = next((each for each in held if each["id"] == media_id), None)
        if mine is None or mine.get("redacted") or mine.get("not_blurred"):
            return {}
        mine["tries"] = int(mine.get("tries") or 0) + 1
        if copy is not None:
            mine["redacted"] = dict(copy)
        elif mine["tries"] >= MOST_TRIES:
            mine["not_blurred"] = True
        left = to_blur({"media": held})
        return {"media": held, "blur_due": now + BLURRED_WITHIN if left else None}

    return change(report_id, rule, now=now)


def waiting(*, now: datetime, limit: int = 50) -> list[str]:
    """Reports with pictures whose blurred copy is overdue; each is due again later."""
    rows = list(reports().find({"blur_due": {"$lte": now}}, {"_id": 1}).sort("blur_due", 1).limit(limit))
    ids = [row["_id"] for row in rows]
    reports().update_many({"_id": {"$in": ids}}, {"$set": {"blur_due": now + BLURRED_WITHIN}})
    return ids


def drop_all(doc: Report, drop: Callable[[str], None], is_held: Callable[[str], bool]) -> None:
    """Take the bytes of a report away, once nothing else has them; call it after the report is gone."""
    names = [(doc.get("photo") or {}).get("sha256")]
    for each in doc.get("media") or []:
        names += [part.get("sha256") for part in (each, each.get("shown") or {}, each.get("redacted") or {})]
    for name in sorted({str(each) for each in names if each}):
        if not is_held(name):
            drop(name)
