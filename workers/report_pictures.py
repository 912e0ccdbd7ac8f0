"""Pictures of reports: the copy in which faces are blurred, before any neighbour sees one."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from domain.outbox import Event
from domain.reports import media
from domain.reports import queries as reports
from domain.reports.errors import ReportNotFound
from runtime import logging
from runtime.media import Media
from workers.context import Context, current
from workers.originals import own_folder
from workers.vision.bounded import TaskFailed, run

MEMORY_MB: Final = 2560
WALL_S: Final = 60.0
log = logging.get(__name__)


def ask_for_a_copy(event: Event, context: Context) -> None:
    """A file came: where it is a picture, its blurred copy is made by a worker that has the models."""
    context.enqueue("blur_report", event["subject"])


def unblurred_pictures(context: Context, pool: ThreadPoolExecutor) -> int:
    """Pictures whose copy was not made: asked for again."""
    found = media.waiting(now=context.clock())
    for report_id in found:
        context.enqueue("blur_report", report_id)
    return len(found)


def blur(report_id: str) -> None:
    """The job: blur what a report has that is not blurred yet."""
    blur_with(current(), report_id)


def blur_with(context: Context, report_id: str) -> None:
    """One after the other. A picture that cannot be looked at is tried a few times, then is for nobody but those who may
    see it as it came.
    """
    try:
        doc = reports.get(report_id)
    except ReportNotFound:
        return
    for each in media.to_blur(doc):
        media.blurred(report_id, each["id"], _copy(context, each["shown"]["sha256"]), now=context.clock())


def _copy(context: Context, sha256: str) -> dict[str, Any] | None:
    store = Media(context.settings.media_url)
    with own_folder(context) as folder:
        try:
            (folder / "in").write_bytes(store.get(sha256))
            said = run("photo", {"folder": str(folder)}, memory_mb=MEMORY_MB, wall_s=WALL_S)
        except (FileNotFoundError, ValueError):
            log.error("picture_damaged")
            return None
        except TaskFailed as failed:
            log.warning("picture_not_blurred", reason=str(failed))
            return None
        if said["status"] != "ok":
            log.info("picture_not_blurred", reason=said["reason"])
            return None
        jpeg = (folder / "out.jpg").read_bytes()
    return {"sha256": store.put(jpeg), "size": len(jpeg), "type": "image/jpeg", "regions": said["blurred"]}
