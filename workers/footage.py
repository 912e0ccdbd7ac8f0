"""The job that answers footage requests, a human's or the city's rule's: ask recorders, and seal what they have.

It is on a queue of its own, since a minute of footage takes longer than anybody at a scene can wait for a look.
`redaction.py` makes the copy that is shown.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final

from domain.cameras import queries as cameras
from domain.cameras.errors import CameraNotFound
from domain.evidence import footage, keeping, retention, rules, taking, viewing
from domain.evidence.errors import EvidenceNotFound
from domain.evidence.footage import Request
from domain.evidence.retention import Bytes
from domain.evidence.rules import Recording, Said, Segment
from domain.evidence.states import Act, EvidenceState, Found, Why
from domain.evidence.taking import Evidence, InOtherHands
from domain.incidents import service as incidents
from domain.incidents.errors import IncidentNotFound
from domain.limits import service as limits
from domain.outbox import Event
from domain.vault.errors import Destroyed
from runtime import logging
from runtime.media import Media
from runtime.vault import vault
from workers.context import Context, current
from workers.originals import check_room, held_on, is_full, sealed_files, throw_away
from workers.recordings import recorded

AGAIN: Final = timedelta(seconds=20)
"""When a request is tried again that had to wait for another worker."""
ROOM_AGAIN: Final = timedelta(seconds=60)
"""And one for which there was no room on the disk: the recorder does not wait for long."""
COPIES_AT_ONCE: Final = 8
"""Copies that a sweep puts on the queue, the longest due first: each takes a worker minutes, and is asked for anew by every
sweep until one has it, so that a hundred that wait would fill the queue with the same again.
"""
log = logging.get(__name__)


def keep(event: Event, context: Context) -> None:
    """An incident: of the kinds in its city's table, what near cameras record is taken without anybody asking. The request
    is due later; the sweeper finds it.
    """
    keeping.ask(event["subject"], now=context.clock())


def take(request_id: str) -> None:
    """The job: answer a footage request."""
    take_with(current(), request_id)


def take_with(context: Context, request_id: str) -> None:
    """Ask each camera's recorder that was not asked yet, and take what there is."""
    request = footage.begin(request_id, now=context.clock())
    if request is None:
        return
    asked = [camera_id for camera_id, answer in request["cameras"].items() if answer["found"] == Found.ASKED]
    if request["tries"] > footage.MOST_TRIES:
        why = Why(request.get("trouble") or Why.UNREADABLE)
        for camera_id in asked:
            footage.said(request, camera_id, _nothing(request, why, Found.FAILED))
        asked = []
    with held_on(lambda: footage.renew(request, now=context.clock())):
        waiting = False
        for camera_id in asked:
            try:
                _take_one(context, request, camera_id)
            except InOtherHands:
                waiting = True
            except OSError as error:
                if not is_full(error):
                    raise
                log.error("no_room_for_footage", request=request_id)
                footage.put_off(request, until=context.clock() + ROOM_AGAIN, trouble=Why.NO_ROOM)
                return
    if waiting:
        footage.put_off(request, until=context.clock() + AGAIN)
        return
    footage.done(request_id)
    log.info("footage_answered", request=request_id)


def _take_one(context: Context, request: Request, camera_id: str) -> None:
    try:
        camera = cameras.camera(camera_id, retired=True)
    except CameraNotFound:
        footage.said(request, camera_id, _nothing(request, Why.OUT_OF_SERVICE))
        return
    by_rule = keeping.is_kept(request)
    if by_rule and (_not_wanted(request, camera_id) or _joined(context, request, camera_id)):
        return
    recording = recorded(camera, request["start"], request["seconds"], context)
    if not by_rule and (known := taking.taken(request, camera_id)):  # the recorder may have gone on over it since
        taking.tell_taken(known, reason=request["reason"], now=context.clock())
        footage.said(request, camera_id, _of_parts(known, recording, request), evidence=known["_id"])
        return
    said = rules.answer(recording, request["start"], request["seconds"], now=context.clock())
    if not by_rule and said.found != Found.WHOLE and _as_kept(context, request, camera_id, recording, said):
        return
    if not said.take:
        footage.said(request, camera_id, said)
        return
    take = rules.fitting(said.take, [_size(each.path) for each in said.take], keeping.middle(request), rules.MOST_BYTES)
    whole = len(take) == len(said.take)
    if not take or (not whole and not by_rule) or (by_rule and _is_storm(context, camera_id)):
        footage.said(request, camera_id, _nothing(request, Why.TOO_MUCH, Found.FAILED))
        return
    check_room(context, sum(_size(each.path) for each in take))
    try:
        doc = taking.begin(request, camera, recording, now=context.clock())
        if doc["state"] == EvidenceState.TAKING:
            doc = _seal(context, doc, take, request["reason"])
        else:
            taking.tell_taken(doc, reason=request["reason"], now=context.clock())
    except (EvidenceNotFound, Destroyed):
        footage.said(request, camera_id, _nothing(request, Why.OVERWRITTEN, Found.FAILED))
        return
    if not doc["parts"]:  # the recorder has gone on over all of them while we came
        footage.said(request, camera_id, _nothing(request, Why.OVERWRITTEN))
        return
    told = _as_taken(said, doc) if whole else _of_parts(doc, replace(recording, why=Why.TOO_MUCH), request)
    footage.said(request, camera_id, told, evidence=doc["_id"])
    if not by_rule:
        context.enqueue("redact", doc["_id"])


def _not_wanted(request: Request, camera_id: str) -> bool:
    """Whether the incident is over in such a way that the rule takes nothing of it."""
    try:
        if keeping.still_wanted(incidents.get(request["incident"])):
            return False
    except IncidentNotFound:
        log.info("footage_not_kept", request=request["_id"])
    footage.said(request, camera_id, _nothing(request, Why.NOT_KEPT))
    return True


def _joined(context: Context, request: Request, camera_id: str) -> bool:
    """Whether this was taken already, for an incident of the same place and minute."""
    known = taking.join(request, camera_id, now=context.clock())
    if known is None:
        return False
    footage.said(request, camera_id, _of_parts(known, Recording(), request), evidence=known["_id"])
    return True


def _is_storm(context: Context, camera_id: str) -> bool:
    """Whether so much of this camera was kept in this hour that no more is."""
    secret, now = context.settings.signing_key, context.clock()
    full = limits.admit(secret, "footage_kept", camera_id, limit=keeping.MOST_AN_HOUR, window_s=3600, now=now)
    return full is not None


def _as_kept(context: Context, request: Request, camera_id: str, recording: Recording, now_said: Said) -> bool:
    """Answer a human with what the rule kept of this camera, where that is more than what its recorder still has."""
    held = taking.kept_for(request, camera_id)
    if held is None:
        return False
    said = _of_parts(held, recording, request)
    if sum(each["seconds"] for each in said.have) <= sum(each["seconds"] for each in now_said.have):
        return False
    footage.said(request, camera_id, said, evidence=held["_id"])
    if taking.wanted(held, now=context.clock()).get("due"):
        context.enqueue("redact", held["_id"])
    return True


def _of_parts(doc: Evidence, recording: Recording, request: Request) -> Said:
    """What there is of a time in evidence that was taken, and why the rest is missing, as far as the recorder knows."""
    parts = tuple(Segment(Path(each["name"]), each["start"], each["seconds"]) for each in doc["parts"])
    return rules.answer(replace(recording, segments=parts), request["start"], request["seconds"], now=doc["at"])


def _seal(context: Context, doc: Evidence, take: Sequence[Segment], reason: str) -> Evidence:
    stored: list[str] = []

    def note(name: str) -> None:
        taking.note(doc["_id"], [name])
        stored.append(name)

    try:
        parts = _sealed_parts(context, doc, take, note)
        return taking.sealed(doc, parts, reason=reason, now=context.clock()) if parts else doc
    except (EvidenceNotFound, Destroyed):
        throw_away(context, doc["_id"], stored)
        raise


def _sealed_parts(
    context: Context, doc: Evidence, take: Sequence[Segment], note: Callable[[str], None]
) -> list[dict[str, Any]]:
    store, parts = sealed_files(context), []
    for each in take:
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
        except OSError as error:
            if is_full(error):
                raise
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
    """Requests and copies that nobody works on: on the queue again. Evidence of which nothing came is ended."""
    now = context.clock()
    asked = [("footage", row["_id"]) for row in footage.overdue(now=now)]
    late = taking.overdue(now=now)
    copies = [row["_id"] for row in late if row["state"] != EvidenceState.TAKING and not row.get("ends_at")]
    asked += [("redact", each) for each in copies[:COPIES_AT_ONCE]]
    for job, subject in asked:
        context.enqueue(job, subject)
    begun = [row["_id"] for row in late if row["state"] == EvidenceState.TAKING]
    ends = Bytes(Media(context.settings.media_url).delete, vault(context.settings)) if begun else None
    ended = sum(retention.end_if_nothing_came(each, ends, now=now) for each in begun) if ends else 0
    return len(asked) + ended
