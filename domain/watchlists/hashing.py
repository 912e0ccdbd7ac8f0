"""The keyed hashes by which an unlisted plate can be asked for later, and by nobody who has only the database.

Each day (UTC) of each city has a key of its own, random, made when the first plate of the day is read, and kept as the vault
keeps keys: wrapped by its master keys. Hashes of different days or cities cannot be joined, and when the city's days are over
the key is destroyed: from then on what is left of a hash, in whatever copy of it, is a random number (docs/adr/0011).
"""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from domain.people.tokens import purpose_key
from domain.plates import rules
from domain.vault.errors import Destroyed
from domain.vault.service import Box, Vault, vault_keys

_BATCH: Final = 500


class Hashed(NamedTuple):
    """HMAC-SHA256, hexadecimal: of `rules.fold` and of `rules.blur`."""

    exact: str
    alike: str


def _of_day(city: str, at: datetime) -> str:
    return f"plates:{city}:{at.astimezone(UTC):%Y-%m-%d}"


class DayKeys:
    """The keys of one city's days. They stay in memory here: not kept for longer than a request or a job."""

    def __init__(self, vault: Vault, city: str) -> None:
        self._vault = vault
        self._city = city
        self._boxes: dict[str, Box] = {}

    def hashed(self, plate: str, at: datetime, *, now: datetime) -> Hashed:
        """A plate under the key of that day, which is made where there is none. Raises Destroyed for a day that is over,
        KeysUnavailable.
        """
        day = _of_day(self._city, at)
        if day not in self._boxes:
            self._boxes[day] = self._known(day) or self._vault.make(day, self._city, now=now)
        return _keyed(self._boxes[day], plate)

    def span(self, plate: str, since: datetime, until: datetime) -> list[Hashed]:
        """The same, to look for it: under the key of each day of a span, but for days on which nothing was read, or whose
        keys are gone. Raises KeysUnavailable.
        """
        known = (self._known(_of_day(self._city, day)) for day in _days(since, until))
        return [_keyed(box, plate) for box in known if box]

    def _known(self, day: str) -> Box | None:
        try:
            return self._vault.box(day)
        except Destroyed:
            return None


def _keyed(box: Box, plate: str) -> Hashed:
    return Hashed(box.keyed("exact", rules.fold(plate)), box.keyed("alike", rules.blur(plate)))


def forget_keys(city: str, before: datetime, vault: Vault, *, now: datetime) -> int:
    """Destroy the keys of days that ended then or earlier, a batch; how many went. That a day had one stays known, so that
    none is made for it again.
    """
    over = {"$gte": f"plates:{city}:", "$lt": _of_day(city, before)}
    rows = vault_keys().find({"_id": over, "wrapped": {"$exists": True}}, {"_id": 1}).limit(_BATCH)
    return sum(vault.destroy(row["_id"], now=now) for row in rows)


def keyed_fingerprint(secret: str, body: bytes) -> str:
    """What a gateway's key is bound to. Keyed: of a body with a plate a plain hash could be tried out."""
    return hmac.new(purpose_key(secret, "gateway-body"), body, hashlib.sha256).hexdigest()


def _days(since: datetime, until: datetime) -> Iterator[datetime]:
    """A moment of each day (UTC) of a span."""
    day = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= until:
        yield day
        day += timedelta(days=1)
