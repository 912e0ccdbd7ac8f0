"""From what is measured to what is wrong. Pure: figures and what stands already come in.

Each cause begins at one mark and ends at a lower one, so that a notice does not come and go with every message.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from domain.notices.states import NoticeKind

FAILS_FROM: Final = 5
"""Fewer failures than this in the last minutes say little."""
FAILS_SHARE: Final = 0.3
RECOVERS_SHARE: Final = 0.1
JOBS: Final[Mapping[str, int]] = {"urgent": 200, "default": 2000, "vision": 400, "bulk": 20_000}
"""Jobs on a queue from which it is behind: about a second of SOS work, some minutes of the rest."""
EVENTS_LATE_S: Final = 15.0
MESSAGES_LATE_S: Final = 30.0
LEAST_FREE: Final = 1_000_000_000
"""Bytes on the disk below which the rolling recorder writes nothing (`workers/vision/record.py`)."""
EVERYWHERE: Final = "*"

Key = tuple[NoticeKind, str]
"""What is wrong, with what."""


@dataclass(frozen=True)
class Seen:
    """What was measured just now. None: it could not be."""

    carriers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Carrier → {n, faults, open} of the last minutes."""
    jobs: Mapping[str, int] | None = None
    events_late_s: Mapping[str, float] = field(default_factory=dict)
    """Outbox → for how long its oldest event has been due."""
    messages_late_s: float = 0.0
    stubborn: Mapping[str, int] = field(default_factory=dict)
    """Outbox → documents whose reactions keep failing."""
    free_bytes: int | None = None
    """On the disk of the sweeper's own machine."""


def wrong(seen: Seen, standing: Collection[Key]) -> dict[Key, dict[str, Any]]:
    """What is wrong now → the figures that say so. `standing` is what was wrong before."""
    found: dict[Key, dict[str, Any]] = {}
    for carrier, counted in seen.carriers.items():
        n, faults = counted["n"], counted["faults"]
        share = RECOVERS_SHARE if (NoticeKind.CARRIER_FAILING, carrier) in standing else FAILS_SHARE
        least = 1 if (NoticeKind.CARRIER_FAILING, carrier) in standing else FAILS_FROM
        if n and faults >= least and faults / n >= share:
            found[(NoticeKind.CARRIER_FAILING, carrier)] = {"asked": n, "failed": faults}
        if counted["open"]:
            found[(NoticeKind.CARRIER_LEFT_ALONE, carrier)] = {"failed": faults}
    if seen.jobs is None:
        found[(NoticeKind.QUEUE_AWAY, "redis")] = {}
    for queue, jobs in (seen.jobs or {}).items():
        limit = JOBS.get(queue, 2000)
        if jobs >= (limit // 2 if (NoticeKind.QUEUE_BEHIND, queue) in standing else limit):
            found[(NoticeKind.QUEUE_BEHIND, queue)] = {"jobs": jobs}
    for outbox, seconds in seen.events_late_s.items():
        if seconds >= _mark(EVENTS_LATE_S, (NoticeKind.EVENTS_BEHIND, outbox), standing):
            found[(NoticeKind.EVENTS_BEHIND, outbox)] = {"late_s": round(seconds)}
    if seen.messages_late_s >= _mark(MESSAGES_LATE_S, (NoticeKind.MESSAGES_BEHIND, "deliveries"), standing):
        found[(NoticeKind.MESSAGES_BEHIND, "deliveries")] = {"late_s": round(seen.messages_late_s)}
    for outbox, documents in seen.stubborn.items():
        if documents:
            found[(NoticeKind.REACTION_FAILS, outbox)] = {"documents": documents}
    least_free = LEAST_FREE * (1.5 if (NoticeKind.DISK_FULL, "disk") in standing else 1.0)
    if seen.free_bytes is not None and seen.free_bytes < least_free:
        found[(NoticeKind.DISK_FULL, "disk")] = {"free_mb": seen.free_bytes // 1_000_000}
    return found


def _mark(limit: float, key: Key, standing: Collection[Key]) -> float:
    return limit / 3 if key in standing else limit


MEASURED: Final = frozenset(
    {
        NoticeKind.CARRIER_FAILING,
        NoticeKind.CARRIER_LEFT_ALONE,
        NoticeKind.QUEUE_AWAY,
        NoticeKind.QUEUE_BEHIND,
        NoticeKind.EVENTS_BEHIND,
        NoticeKind.MESSAGES_BEHIND,
        NoticeKind.REACTION_FAILS,
        NoticeKind.DISK_FULL,
    }
)
"""Kinds that are opened and cleared by what is measured; the others by what happens."""
