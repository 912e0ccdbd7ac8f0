"""Sealed originals, opened for a job in a folder of its own, and the lease that such a job holds on while it works."""

import errno
import fcntl
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from domain.evidence import retention, taking
from domain.evidence.errors import EvidenceNotFound
from domain.evidence.taking import Evidence
from runtime import logging
from runtime.media import Media
from runtime.mongo import STORE_DOWN
from runtime.sealed import Damaged, SealedFiles
from runtime.vault import vault
from workers.context import Context

RENEW_S: Final = 15.0
FREE_BYTES: Final = 256 * 1024 * 1024
"""Left on the disk whatever is to be done: the incidents' store may be on it."""
log = logging.get(__name__)


class NoRoom(OSError):
    """There is too little room on the disk to work: nobody's fault that waits, and over when somebody makes room."""

    def __init__(self) -> None:
        super().__init__(errno.ENOSPC, os.strerror(errno.ENOSPC))


def is_full(error: OSError) -> bool:
    """Whether it is the disk, or somebody's share of it, that is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def check_room(context: Context, needs: int) -> None:
    """Raises NoRoom where these bytes would leave too little on the disk on which a process may write."""
    context.settings.var_dir.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(context.settings.var_dir).free < FREE_BYTES + needs:
        raise NoRoom


def sealed_files(context: Context) -> SealedFiles:
    """The store of sealed originals."""
    return SealedFiles(vault(context.settings), Media(context.settings.media_url))


def opened(context: Context, doc: Evidence, folder: Path) -> list[dict[str, Any]]:
    """The recorder's files in the clear, in a folder: [{file, offset}], offsets in seconds from the start of what was asked.

    Raises runtime.sealed.Damaged, domain.vault.errors.Destroyed.
    """
    if not doc.get("parts"):  # an upload: one file, and of images the clean copy, which every decoder reads
        name = (doc.get("shown") or {}).get("sha256") or doc["sha256"]
        (folder / "part-0000").write_bytes(_upload(context, name))
        return [{"file": "part-0000", "offset": 0.0}]
    store, pieces = sealed_files(context), []
    for index, part in enumerate(doc["parts"]):
        file = folder / f"part-{index:04d}"
        with file.open("wb") as out:
            out.writelines(store.open(doc["_id"], part))
        offset = (part["start"] - doc["start"]).total_seconds()
        pieces.append({"file": file.name, "offset": round(offset, 3)})
    return pieces


def _upload(context: Context, name: str) -> bytes:
    try:
        return Media(context.settings.media_url).get(name)
    except (FileNotFoundError, ValueError) as error:
        raise Damaged(name) from error


def throw_away(context: Context, evidence_id: str, names: Sequence[str]) -> None:
    """What was stored for evidence whose end came meanwhile. What somebody else made of it stays, and goes with it."""
    try:
        taking.get(evidence_id)
    except EvidenceNotFound:
        retention.drop_unheld(names, Media(context.settings.media_url).delete, leaving=[evidence_id])


@contextmanager
def own_folder(context: Context, *, needs: int = 0) -> Iterator[Path]:
    """A folder that only this process's owner can read, gone with what is in it at the end. Raises NoRoom where the disk has
    too little for the bytes that it needs.
    """
    work = context.settings.var_dir / "work"
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    _tidy(work)
    check_room(context, needs)
    folder = Path(tempfile.mkdtemp(dir=work)).absolute()
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


YOUNG_S: Final = 60.0
"""A folder that is younger may be one that is just being locked."""


def _tidy(work: Path) -> None:
    """Take away what a process that was killed left behind: its lock ended with it. A process id would tell nothing, since
    another container has the same ones, and so has this one when it is started again.
    """
    for left in work.iterdir():
        try:
            if time.time() - left.stat().st_mtime < YOUNG_S:
                continue
            lock = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue  # gone meanwhile
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        except BlockingIOError:
            continue  # somebody works in it
        finally:
            os.close(lock)


@contextmanager
def held_on(renew: Callable[[], bool]) -> Iterator[None]:
    """Hold a lease on while the block runs."""
    over = threading.Event()

    def hold() -> None:
        while not over.wait(RENEW_S):
            try:
                if not renew():
                    return
            except STORE_DOWN:
                log.warning("store_away")

    thread = threading.Thread(target=hold, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=RENEW_S)
