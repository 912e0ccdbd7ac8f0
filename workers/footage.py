"""The jobs on the `footage` queue: ask recorders, seal what they have, and make the redacted copy of it.

They are on a queue of their own, since a minute of footage takes longer than anybody at a scene can wait for a look. The
original lies in the clear only in a folder of the process's own, for as long as the copy is made.
"""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, Final

from domain.cameras import queries as cameras
from domain.cameras.errors import CameraNotFound
from domain.evidence import footage, retention, rules, taking, viewing
from domain.evidence.errors import EvidenceNotFound
from domain.evidence.footage import Request
from domain.evidence.rules import Said
from domain.evidence.states import Act, EvidenceState, Found, Kind, Why
from domain.evidence.taking import Evidence
from domain.incidents import service as incidents
from domain.outbox import Event
from domain.vault.errors import Destroyed
from runtime import logging
from runtime.media import Media
from runtime.sealed import Damaged
from workers.context import Context, current
from workers.originals import held_on, opened, own_folder, sealed_files, throw_away
from workers.recordings import recorded
from workers.vision.bounded import TaskFailed, run

STILLS: Final = 6
MEMORY_MB: Final = 2560
BUDGET: Final = (60.0, 6.0)
"""Seconds that a copy may take: so many, and so many more for each second of footage."""
log = logging.get(__name__)


def take(request_id: str) -> None:
    """The job: answer a footage request."""
    take_with(current(), request_id)


def take_with(context: Context, request_id: str) -> None:
    """Ask each camera's recorder that was not asked yet, and take what there is."""
    request = footage.begin(request_id, now=context.clock())
    if request is None:
        return
    with held_on(lambda: footage.renew(request, now=context.clock())):
        for camera_id, answer in request["cameras"].items():
            if answer["found"] != Found.ASKED:
                continue
            if request["tries"] > footage.MOST_TRIES:
                footage.said(request, camera_id, _nothing(request, Why.UNREADABLE, Found.FAILED))
            else:
                _take_one(context, request, camera_id)
    footage.done(request_id)
    log.info("footage_answered", request=request_id)


def _take_one(context: Context, request: Request, camera_id: str) -> None:
    try:
        camera = cameras.camera(camera_id, retired=True)
    except CameraNotFound:
        footage.said(request, camera_id, _nothing(request, Why.OUT_OF_SERVICE))
        return
    recording = recorded(camera, request["start"], request["seconds"], context)
    said = rules.answer(recording, request["start"], request["seconds"], now=context.clock())
    if not said.take:
        footage.said(request, camera_id, said)
        return
    if sum(_size(each.path) for each in said.take) > rules.MOST_BYTES:
        footage.said(request, camera_id, _nothing(request, Why.TOO_MUCH, Found.FAILED))
        return
    try:
        doc = taking.begin(request, camera, recording, now=context.clock())
        if doc["state"] == EvidenceState.TAKING:
            doc = _seal(context, doc, said, request["reason"])
    except (EvidenceNotFound, Destroyed):
        footage.said(request, camera_id, _nothing(request, Why.OVERWRITTEN, Found.FAILED))
        return
    if not doc["parts"]:  # the recorder has gone on over all of them while we came
        footage.said(request, camera_id, _nothing(request, Why.OVERWRITTEN))
        return
    footage.said(request, camera_id, _as_taken(said, doc), evidence=doc["_id"])
    context.enqueue("redact", doc["_id"])


def _seal(context: Context, doc: Evidence, said: Said, reason: str) -> Evidence:
    stored: list[str] = []

    def note(name: str) -> None:
        taking.note(doc["_id"], [name])
        stored.append(name)

    try:
        parts = _sealed_parts(context, doc, said, note)
        return taking.sealed(doc, parts, reason=reason, now=context.clock()) if parts else doc
    except (EvidenceNotFound, Destroyed):
        throw_away(context, doc["_id"], stored)
        raise


def _sealed_parts(context: Context, doc: Evidence, said: Said, note: Callable[[str], None]) -> list[dict[str, Any]]:
    store, parts = sealed_files(context), []
    for each in said.take:
        try:
            with _opened(each.path) as file:
                part = store.seal(
                    doc["_id"],
                    doc["city"],
                    each.path.name,
                    file,
                    note=note,
                    now=context.clock(),
                )
        except OSError:
            continue  # the recorder has gone on over it, or it became a link since it was listed
        if part["size"]:
            parts.append({**part, "start": each.start, "seconds": each.seconds})
    return parts


def _opened(path: Path) -> BinaryIO:
    """A recorded file: itself, no link that took its place."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")


def _as_taken(said: Said, doc: Evidence) -> Said:
    """The answer for what was really taken: a recorder may go over its oldest file while it is read."""
    names = {part["name"] for part in doc["parts"]}
    if names >= {each.path.name for each in said.take}:
        return said
    left = tuple(each for each in said.take if each.path.name in names)
    return rules.answer(rules.Recording(left, left[0].start), doc["start"], doc["seconds"], now=doc["at"])


def _nothing(request: Request, why: Why, found: Found = Found.NOTHING) -> Said:
    missing = [{"start": request["start"], "seconds": request["seconds"], "why": str(why)}]
    return Said(found, [], missing)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def redact(evidence_id: str) -> None:
    """The job: make the redacted copy of a piece of footage."""
    redact_with(current(), evidence_id)


def redact_with(context: Context, evidence_id: str) -> None:
    """Open the sealed files into a folder of our own, blur, store the copy and its stills."""
    doc = taking.begin_copy(evidence_id, now=context.clock())
    if doc is None:
        return
    if doc["tries"] > taking.MOST_TRIES:
        taking.unreadable(doc, "ended_its_workers")
        return
    with own_folder(context) as folder, held_on(lambda: taking.renew(doc, now=context.clock())):
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


def held(event: Event, context: Context) -> None:
    """A legal hold was set: it stands on the chain of each piece of footage of the incident."""
    hold = incidents.get(event["subject"]).get("hold") or {}
    retention.held(
        event["subject"],
        Act.HELD,
        by=event["by"],
        reason=str(hold.get("reason") or ""),
        key=event["id"],
        now=context.clock(),
    )


def released(event: Event, context: Context) -> None:
    """And lifted."""
    retention.held(event["subject"], Act.RELEASED, by=event["by"], reason="", key=event["id"], now=context.clock())


def old_views(context: Context, pool: ThreadPoolExecutor) -> int:
    """Sights of evidence that are over."""
    return viewing.forget(now=context.clock())


def waiting_footage(context: Context, pool: ThreadPoolExecutor) -> int:
    """Requests and copies that nobody works on: on the queue again."""
    now = context.clock()
    asked = [("footage", row["_id"]) for row in footage.overdue(now=now)]
    asked += [("redact", row["_id"]) for row in taking.overdue(now=now)]
    for job, subject in asked:
        context.enqueue(job, subject)
    return len(asked)
