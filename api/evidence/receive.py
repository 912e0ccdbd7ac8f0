"""Reads the bytes of a PATCH into parts. What came before a network broke off is kept, so that a phone goes on from there."""

from collections.abc import Iterator
from typing import Any, Final

from flask import Request
from werkzeug.exceptions import BadRequest, ClientDisconnected

from api.evidence.tus import Checksum, TusError
from domain.clock import Clock
from domain.evidence import service as evidence
from domain.evidence.ports import EvidenceStore
from domain.evidence.service import Upload

PART_BYTES: Final = 4 * 1024 * 1024
_READ_BYTES: Final = 64 * 1024


class Broken(Exception):
    """The phone stopped sending."""


def receive(request: Request, upload: Upload, store: EvidenceStore, wanted: Checksum | None, clock: Clock) -> Upload:
    """Add the body to the upload, which stands at the right offset. Returns it as it stands then.

    Raises TusError (413 for more bytes than announced, 460 for other bytes than the checksum says) and WrongOffset when
    somebody else was faster.
    """
    room = upload["length"] - upload["offset"]
    if (request.content_length or 0) > room:
        raise _too_much()
    if wanted is not None:
        return _all_or_nothing(request, upload, store, wanted, clock)
    at = upload["offset"]
    try:
        for data in _parts(request, room):
            part = {"name": store.put_part(upload["_id"], at, data), "size": len(data)}
            upload = evidence.append(upload, at, [part], now=clock())
            at = upload["offset"]
    except Broken:
        raise TusError(400, "connection_broken", "fewer bytes came than were announced") from None
    return upload


def _all_or_nothing(request: Request, upload: Upload, store: EvidenceStore, wanted: Checksum, clock: Clock) -> Upload:
    digest, parts, at = wanted.begin(), [], upload["offset"]
    room = upload["length"] - at
    try:
        for data in _parts(request, room):
            digest.update(data)
            parts.append({"name": store.put_part(upload["_id"], at, data), "size": len(data)})
            at += len(data)
    except Broken:
        raise TusError(400, "connection_broken", "fewer bytes came than were announced") from None
    if digest.digest() != wanted.digest:
        raise TusError(460, "checksum_mismatch", "the bytes are not what Upload-Checksum says")
    return evidence.append(upload, upload["offset"], parts, now=clock()) if parts else upload


def _parts(request: Request, room: int) -> Iterator[bytes]:
    """The body in parts, the last one shorter. More than `room` bytes is 413; a broken body gives its rest, then Broken."""
    held = bytearray()
    broken = False
    while not broken:
        try:
            read: Any = request.stream.read(_READ_BYTES)
        except (ClientDisconnected, BadRequest, OSError):
            broken = True
            read = b""
        if not read:
            break
        room -= len(read)
        if room < 0:
            raise _too_much()
        held += read
        if len(held) >= PART_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)
    if broken:
        raise Broken


def _too_much() -> TusError:
    return TusError(413, "beyond_upload_length", "more bytes than Upload-Length announced")
