"""Files sealed piece by piece in the media store, each piece of evidence with a data key of its own from the vault.

Whoever has the store has noise; destroying the key in the vault ends every copy of it, wherever backups are. A piece is
bound to its evidence, file and place, so none can be moved, and the SHA-256 of the whole file is checked when it is read.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO, Final

from domain.vault.service import NotSealed, Vault
from runtime.media import Media

PIECE_BYTES: Final = 4 * 1024 * 1024
"""What is in memory at once."""


class Damaged(Exception):
    """The bytes are stored and are not what they were."""


class SealedFiles:
    """Seals files of evidence, and opens them again."""

    def __init__(self, vault: Vault, media: Media) -> None:
        self._vault = vault
        self._media = media

    def seal(
        self,
        evidence_id: str,
        city: str,
        name: str,
        file: BinaryIO,
        *,
        note: Callable[[str], None],
        now: datetime,
    ) -> dict[str, Any]:
        """`{name, sha256, size, pieces: [{sha256, size}]}` of a file. `note` gets the name of each object before it is
        stored; what it raises goes through. Raises domain.vault.errors.Destroyed where the evidence was erased.
        """
        box = self._vault.make(evidence_id, city, now=now)
        whole, size = hashlib.sha256(), 0
        pieces: list[dict[str, Any]] = []
        while data := file.read(PIECE_BYTES):
            whole.update(data)
            size += len(data)
            sealed = box.seal_bytes(f"{name}/{len(pieces)}", data)
            digest = hashlib.sha256(sealed).hexdigest()
            note(digest)
            self._media.put(sealed)
            pieces.append({"sha256": digest, "size": len(sealed)})
        return {"name": name, "sha256": whole.hexdigest(), "size": size, "pieces": pieces}

    def open(self, evidence_id: str, part: Mapping[str, Any]) -> Iterator[bytes]:
        """The file's bytes, a piece at a time. Raises Damaged, at the latest after the last piece."""
        box = self._vault.box(evidence_id)
        whole = hashlib.sha256()
        for index, piece in enumerate(part["pieces"]):
            try:
                data = box.open_bytes(f"{part['name']}/{index}", self._media.get(piece["sha256"]))
            except (NotSealed, ValueError, FileNotFoundError) as error:
                raise Damaged(part["name"]) from error
            whole.update(data)
            yield data
        if whole.hexdigest() != part["sha256"]:
            raise Damaged(part["name"])

    def destroy(self, evidence_id: str, *, now: datetime) -> None:
        """Nobody opens any of it again; again is harmless."""
        self._vault.destroy(evidence_id, now=now)
