"""The job that makes the redacted copy of footage and of what citizens sent.

The original lies in the clear only in a folder of the process's own, for as long as the copy is made. What is no fault of
the footage, a full disk or a machine that has too much to do, is tried again.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from domain.cameras import queries as cameras
from domain.cameras.errors import CameraNotFound
from domain.evidence import rules, taking
from domain.evidence.errors import EvidenceNotFound
from domain.evidence.states import Kind
from domain.evidence.taking import Evidence
from domain.vault.errors import Destroyed
from runtime import logging
from runtime.media import Media
from runtime.sealed import Damaged
from workers.context import Context, current
from workers.originals import NoRoom, held_on, is_full, opened, own_folder, throw_away
from workers.vision.bounded import TaskFailed, run

STILLS: Final = 6
MEMORY_MB: Final = 2560
BUDGET: Final = (60.0, 6.0)
"""Seconds that a copy may take: so many, and so many more for each second of footage."""
log = logging.get(__name__)


def redact(evidence_id: str) -> None:
    """The job: make the redacted copy of a piece of footage."""
    redact_with(current(), evidence_id)


def redact_with(context: Context, evidence_id: str) -> None:
    """Open the sealed files into a folder of our own, blur, store the copy and its stills."""
    doc = taking.begin_copy(evidence_id, now=context.clock())
    if doc is None:
        return
    if taking.is_given_up(doc):
        taking.unreadable(doc, "ended_its_workers")
        return
    try:
        _copy(context, doc)
    except OSError as error:
        if not is_full(error):
            raise
        log.error("no_room_for_a_copy", evidence=evidence_id)
        taking.no_room(doc, now=context.clock())


def _copy(context: Context, doc: Evidence) -> None:
    evidence_id, size = doc["_id"], sum(part["size"] for part in doc.get("parts") or []) or int(doc.get("size") or 0)
    with own_folder(context, needs=2 * size) as folder, held_on(lambda: taking.renew(doc, now=context.clock())):
        try:
            answer = _blurred(context, doc, folder)
        except TaskFailed as failed:
            log.warning("redaction_failed", evidence=evidence_id, reason=str(failed))
            taking.give_back(doc, now=context.clock())
            return
        except Destroyed:
            return
        except Damaged:
            log.error("evidence_damaged", evidence=evidence_id)
            answer = {"status": "corrupt", "reason": "damaged"}
        if answer["status"] == "ok":
            _keep(context, doc, folder, answer)
        elif answer["status"] == "no_room":
            raise NoRoom
        elif answer["status"] == "timeout" and doc["tries"] < taking.MOST_TRIES:
            taking.give_back(doc, now=context.clock())  # the machine may have had more to do than this
        else:
            taking.unreadable(doc, answer["reason"])


def _blurred(context: Context, doc: Evidence, folder: Path) -> dict[str, Any]:
    budget = BUDGET[0] + BUDGET[1] * float(doc["seconds"])
    asked = {
        "folder": str(folder),
        "pieces": opened(context, doc, folder),
        "seconds": doc["seconds"],
        "masks": _masks(doc),
        "stills": STILLS,
        "budget_s": budget,
        "max_bytes": rules.MOST_BYTES,
    }
    return run("blur", asked, memory_mb=MEMORY_MB, wall_s=budget + 30)


def _masks(doc: Evidence) -> list[Any]:
    """What is never looked at of this camera; an upload has none."""
    if not doc.get("camera"):
        return []
    try:
        return list(cameras.camera(doc["camera"], retired=True).get("masks") or [])
    except CameraNotFound:
        return []


def _keep(context: Context, doc: Evidence, folder: Path, answer: Mapping[str, Any]) -> None:
    media, files = Media(context.settings.media_url), [folder / answer["file"]]
    files += [folder / still["file"] for still in answer["stills"]]
    contents = [file.read_bytes() for file in files]
    names = [Media.name_of(data) for data in contents]
    try:
        taking.note(doc["_id"], names)
    except EvidenceNotFound:
        return
    for data in contents:
        media.put(data)
    copy = {
        "sha256": names[0],
        "size": len(contents[0]),
        "type": "video/mp4",
        "first": answer["first"],
        "frames": answer["frames"],
        "seconds": answer["seconds"],
        "regions": answer["regions"],
        "stills": [{name: value for name, value in still.items() if name != "file"} for still in answer["stills"]],
        "detectors": answer["detectors"],
        "broken": answer["broken"],
        "at": context.clock(),
    }
    if answer["cut"] and doc.get("kind") != Kind.FOOTAGE:
        copy["cut_after"] = doc["seconds"]
    if not taking.copied(doc, copy, now=context.clock()):
        throw_away(context, doc["_id"], names)
        return
    log.info("footage_redacted", evidence=doc["_id"], frames=copy["frames"], regions=copy["regions"])
