"""Searching an incident's sealed footage for one face, once two people allowed it: a job on the `footage` queue.

Nothing follows from a lead but a question to a human. Pictures, of whom to look for and of leads, are sealed with a key of
the search's own, which is destroyed when the search is over.
"""

import io
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from domain.audit import chain as audit
from domain.cities import queries as cities
from domain.evidence import retention, rules
from domain.faces import queries as searched
from domain.faces import service as faces
from domain.faces.errors import SearchNotFound, SearchOver
from domain.faces.queries import Search
from domain.ids import derived_id
from domain.outbox import Event
from domain.reviews import service as reviews
from domain.reviews.states import ReviewKind, ReviewStatus, Said
from domain.vault.errors import Destroyed
from runtime import logging
from runtime.media import Media
from runtime.sealed import Damaged
from runtime.vault import vault
from workers.context import Context, current
from workers.originals import held_on, opened, own_folder, sealed_files
from workers.vision.bounded import TaskFailed, run

MEMORY_MB: Final = 2560
BUDGET: Final = (60.0, 4.0)
"""Seconds that one piece of footage may take: so many, and so many more for each second of it."""
PHOTO: Final = "photo"
log = logging.get(__name__)

Look = Callable[[Mapping[str, Any]], dict[str, Any]]
"""What compares faces: the task `faces` of `workers/vision/bounded.py`."""


def asked(event: Event, context: Context) -> None:
    """Its picture is sealed: two others are asked."""
    try:
        review = faces.put_question(event["subject"], now=context.clock())
    except SearchNotFound:
        return  # its time to be kept was over
    if review is not None:
        context.enqueue("drain", "reviews", review)


def decided(event: Event, context: Context) -> None:
    """Two said yes, or one said no, to a search; or somebody said whether a lead is the one."""
    if event.get("asks") not in (ReviewKind.FACE_SEARCH, ReviewKind.FACE_LEAD):
        return
    review = reviews.get(event["subject"])
    if review["kind"] == ReviewKind.FACE_LEAD:
        if review["answers"]:
            faces.said(review["about"]["search"], review["subject"], Said(review["answers"][-1]["said"]))
        return
    after = faces.decided(review["subject"], ReviewStatus(review["status"]), now=context.clock())
    if after is not None and after["state"] == "allowed":
        context.enqueue("search_faces", after["_id"])


def search(search_id: str) -> None:
    """The job: go through the footage that was not gone through yet."""
    search_with(current(), search_id, in_a_child)


def in_a_child(request: Mapping[str, Any]) -> dict[str, Any]:
    """Compare in a process of its own, with its limits."""
    return run("faces", request, memory_mb=MEMORY_MB, wall_s=float(request["budget_s"]) + 30)


def search_with(context: Context, search_id: str, look: Look) -> None:
    """Each search of each piece of footage is told before it is made."""
    doc = faces.begin(search_id, now=context.clock())
    if doc is None or not cities.current(doc["city"]).face_search:  # then the sweep ends it
        return
    rows = faces.to_search(doc)
    audit.append(
        doc["city"], doc["by"], "face_search.run", search_id, now=context.clock(), reason=doc["legal_basis"],
        incident=doc["incident"], review=doc["review"], footage=str(len(rows)),
    )  # fmt: skip
    with held_on(lambda: faces.renew(doc, now=context.clock())):
        for row in rows:
            if not faces.renew(doc, now=context.clock()):
                return  # it expired, or was ended
            if faces.is_given_up(doc, row["_id"]):
                faces.failed(doc, row["_id"], "ended_its_workers")
                continue
            faces.told(doc, row, now=context.clock())
            try:
                _one(context, doc, row, look)
            except TaskFailed as failed:
                log.warning("face_search_failed", search=search_id, evidence=row["_id"], reason=str(failed))
                faces.give_back(doc, now=context.clock())
                return
            except (Damaged, Destroyed):
                faces.failed(doc, row["_id"], "damaged")
        if faces.renew(doc, now=context.clock()):
            _ask(context, doc)  # also about leads of a worker that died before it asked
    faces.done(doc)


def _one(context: Context, doc: Search, row: Mapping[str, Any], look: Look) -> None:
    if not context.settings.face_model:
        faces.failed(doc, row["_id"], "no_model")
        return
    with own_folder(context) as folder:
        (folder / PHOTO).write_bytes(b"".join(sealed_files(context).open(doc["_id"], doc["photo"])))
        asked = {
            "folder": str(folder),
            "photo": PHOTO,
            "pieces": opened(context, dict(row), folder),
            "seconds": row["seconds"],
            "model": str(Path(context.settings.face_model).absolute()),
            "most": faces.MOST_LEADS,
            "budget_s": BUDGET[0] + BUDGET[1] * float(row["seconds"]),
            "max_bytes": rules.MOST_BYTES,
        }
        faces.began(doc, row["_id"])
        answer = look(asked)
        if answer["status"] != "ok":
            faces.failed(doc, row["_id"], answer["reason"])
            return
        _keep(context, doc, row, folder, answer)


def _keep(context: Context, doc: Search, row: Mapping[str, Any], folder: Path, answer: Mapping[str, Any]) -> None:
    stored: list[str] = []

    def note(name: str) -> None:
        faces.note(doc["_id"], [name])
        stored.append(name)

    try:
        leads = [_lead(context, doc, row, each, (folder / each["file"]).read_bytes(), note) for each in answer["leads"]]
        kept = faces.found(doc, row["_id"], leads, answer["model"], now=context.clock())
    except (SearchOver, Destroyed):
        kept = False
    if not kept:
        retention.drop_unheld(stored, Media(context.settings.media_url).delete)  # over, or somebody else did it
        return
    _ask(context, doc)
    log.info("faces_searched", search=doc["_id"], evidence=row["_id"], leads=len(leads))


def _ask(context: Context, doc: Search) -> None:
    """Put the question of each lead to a human, once."""
    held = searched.get(doc["_id"])  # with its leads, and the model that found them
    for lead in held["leads"]:
        review = faces.ask_about(held, lead, now=context.clock())
        context.enqueue("drain", "reviews", review)


def _lead(
    context: Context,
    doc: Search,
    row: Mapping[str, Any],
    found: Mapping[str, Any],
    jpeg: bytes,
    note: Callable[[str], None],
) -> dict[str, Any]:
    lead_id = derived_id(
        "fld", doc["_id"], row["_id"], f"{found['t']:.3f}", *(f"{value:.4f}" for value in found["bbox"])
    )
    crop = sealed_files(context).seal(
        doc["_id"], doc["city"], lead_id, io.BytesIO(jpeg), note=note, now=context.clock()
    )
    what = {name: found[name] for name in ("t", "score", "bbox")}
    return {"id": lead_id, "evidence": row["_id"], **what, "crop": crop, "at": context.clock()}


def waiting_searches(context: Context, pool: ThreadPoolExecutor) -> int:
    """Searches that nobody works on: on the queue again."""
    rows = faces.overdue(now=context.clock())
    for row in rows:
        context.enqueue("search_faces", row["_id"])
    return len(rows)


def ended_searches(context: Context, pool: ThreadPoolExecutor) -> int:
    """Searches that are over, refused or never asked: their pictures go, key first, and open questions with them. Where a
    city compares no faces any more, all of its searches are over.
    """
    media, keys, now = Media(context.settings.media_url), vault(context.settings), context.clock()
    for city in cities.known():
        if not cities.current(city).face_search:
            faces.stop(city, now=now)
    rows = faces.expired(now=now)
    for row in rows:
        over = faces.close(row)
        if over is None:
            continue
        keys.destroy(over["_id"], now=now)
        for name in over["noted"]:
            media.delete(name)
        reviews.withdraw([over["_id"], *(each["id"] for each in over["leads"])], now=now)
        faces.forget_pictures(over)
    return len(rows)
