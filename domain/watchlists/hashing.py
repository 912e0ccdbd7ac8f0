"""The keyed hashes by which an unlisted plate can be asked for later, and by nobody who has only the database.

The key is made anew for every day (UTC) from the machine's secret, so that hashes of different days cannot be joined:
whoever takes the store sees neither a plate nor that it was the same one yesterday.
"""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from domain.people.tokens import purpose_key
from domain.plates import rules


class Hashed(NamedTuple):
    """HMAC-SHA256, hexadecimal: of `rules.fold` and of `rules.blur`."""

    exact: str
    alike: str


def hashed(plate: str, at: datetime, *, secret: str) -> Hashed:
    """A plate under the key of that day."""
    key = purpose_key(secret, f"plates/{at.astimezone(UTC):%Y-%m-%d}")

    def keyed(form: str) -> str:
        return hmac.new(key, form.encode(), hashlib.sha256).hexdigest()

    return Hashed(keyed(f"exact:{rules.fold(plate)}"), keyed(f"alike:{rules.blur(plate)}"))


def keyed_fingerprint(secret: str, body: bytes) -> str:
    """What a gateway's key is bound to. Keyed: of a body with a plate a plain hash could be tried out."""
    return hmac.new(purpose_key(secret, "gateway-body"), body, hashlib.sha256).hexdigest()


def days(since: datetime, until: datetime) -> Iterator[datetime]:
    """A moment of each day (UTC) of a span."""
    day = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= until:
        yield day
        day += timedelta(days=1)
