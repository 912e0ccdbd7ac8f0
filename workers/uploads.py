"""Sweeps of uploads: one that is whole becomes evidence though its request died; one that nobody goes on with ends."""

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from domain.errors import DomainError
from domain.evidence import service as evidence
from domain.evidence.states import UploadStatus
from domain.reports import media as report_media
from runtime import logging
from runtime.evidence import FileEvidence
from workers.context import Context

log = logging.get(__name__)


@lru_cache(maxsize=4)
def _store(url: str) -> FileEvidence:
    return FileEvidence(url)


def whole_uploads(context: Context, pool: ThreadPoolExecutor) -> int:
    """Every byte is here, and the process that took the last one did not come to the end."""
    store, now = _store(context.settings.media_url), context.clock()
    found = evidence.unfinished(now=now)
    for upload in found:
        try:
            finish = report_media.finish if upload.get("of") == report_media.OF else evidence.finish
            if finish(upload, store, now=now)["status"] == UploadStatus.OPEN:
                log.error("upload_parts_missing", upload=upload["_id"])
                evidence.postpone(upload, now=now)
        except DomainError as error:
            log.info("upload_refused", upload=upload["_id"], reason=error.error_code)
            evidence.postpone(upload, now=now)
        except Exception:
            log.exception("upload_failed", upload=upload["_id"])
            evidence.postpone(upload, now=now)
    return len(found)


def forgotten_uploads(context: Context, pool: ThreadPoolExecutor) -> int:
    """Nobody sent a byte for a day."""
    store, now = _store(context.settings.media_url), context.clock()
    found = evidence.overdue(now=now)
    for upload in found:
        if upload.get("finish_due") is None:
            evidence.end(upload, store)
    return len(found)
