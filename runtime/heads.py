"""Where the signed heads of the audit chain's days go: one small file a city and day, written once and never again.

An address of its own (AMAAN_AUDIT_URL) may be a bucket that keeps what was written whoever holds our keys: then whoever
rewrites the chain in the store is found out by what they cannot reach.
"""

import posixpath
import uuid
from datetime import datetime

from runtime.media import store_of


class Heads:
    """One folder or bucket of heads, `{city}/{YYYY-MM-DD}.json`. Shared by threads."""

    def __init__(self, url: str) -> None:
        self._fs, self._root = store_of(url)

    def _path(self, city: str, day: datetime) -> str:
        if not city.replace("_", "").replace("-", "").isalnum() and city != "-":
            raise FileNotFoundError(city)
        return posixpath.join(self._root, city, f"{day:%Y-%m-%d}.json")

    def has(self, city: str, day: datetime) -> bool:
        """Whether the day's head is there."""
        return bool(self._fs.exists(self._path(city, day)))

    def put(self, city: str, day: datetime, text: str) -> bool:
        """Write a day's head, whole or not at all; False when there is one: it stays."""
        path = self._path(city, day)
        if self._fs.exists(path):
            return False
        self._fs.makedirs(posixpath.dirname(path), exist_ok=True)
        part = f"{path}.{uuid.uuid4().hex}.part"
        try:
            self._fs.pipe_file(part, text.encode())
            self._fs.mv(part, path)
        finally:
            if self._fs.exists(part):
                self._fs.rm(part)
        return True

    def get(self, city: str, day: datetime) -> str | None:
        """What was written; None where nothing was."""
        try:
            return str(self._fs.cat_file(self._path(city, day)).decode())
        except FileNotFoundError:
            return None
