"""Where the bytes of evidence are kept, and what looks at them; `runtime/evidence.py` has it."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol


class Kept(NamedTuple):
    """Bytes that are stored under their own SHA-256 (hexadecimal)."""

    sha256: str
    size: int


class EvidenceStore(Protocol):
    """Parts of uploads, whole media, and the clean copies that people are shown."""

    def put_part(self, upload: str, offset: int, data: bytes) -> str:
        """Keep a part under a name of its own; returns the name."""

    def read_parts(self, upload: str, names: Iterable[str]) -> Iterator[bytes]:
        """The parts again. Raises FileNotFoundError."""

    def drop_parts(self, upload: str) -> None:
        """Take every part of an upload away; gone already is fine."""

    def keep(self, parts: Iterable[bytes]) -> Kept:
        """Store the whole, in order, as one file."""

    def drop(self, sha256: str) -> None:
        """Take one file away again; gone already is fine."""

    def kind(self, kept: Kept) -> str:
        """The media type by the first bytes; `application/octet-stream` for what is not known."""

    def clean_copy(self, kept: Kept, kind: str) -> tuple[Kept, str] | None:
        """A copy of an image without anything but what one sees in it, and its type; None for what is no such image."""

    def keep_clean(self, data: bytes) -> tuple[Kept, str] | None:
        """Store an image without anything but what one sees in it, and not as it came; None for what is no such image."""
