"""What the domain asks of the world: given to it by whoever starts the process, never imported.

`runtime/` implements these; `tests/fakes/` has the twins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Enqueue(Protocol):
    """Hint that a job is due. Never raises and never blocks for long: the database is the truth, the queue a hint."""

    def __call__(self, job: str, *args: str | int | float | None) -> bool:
        """True when the queue took it; False when the sweeper will have to find it."""


class PositionsUnavailable(Exception):
    """The live positions cannot be read now; fall back on the documents' last known cells."""


@dataclass(frozen=True)
class Candidate:
    """A unit that may be near: metres as the crow flies, and when it was last heard."""

    unit_id: str
    distance_m: float
    seen_at: datetime


class Positions(Protocol):
    """Live unit positions. All methods raise PositionsUnavailable when the store of positions does not answer."""

    def put(
        self, city: str, unit_id: str, services: Sequence[str], *, available: bool, lat: float, lon: float, at: datetime
    ) -> None: ...

    def remove(self, city: str, unit_id: str, services: Sequence[str]) -> None: ...

    def nearest(
        self,
        city: str,
        service: str,
        lat: float,
        lon: float,
        *,
        radius_m: float,
        limit: int,
        now: datetime,
        max_age_s: float,
    ) -> list[Candidate]: ...
