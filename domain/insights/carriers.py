"""How each carrier does, counted by the hour: messages, failures, latency, segments, cost; and as it is just now.

Whoever sends adds to these documents with one `$inc` a second and process, so that figures cost a broadcast nothing.
Latencies are kept as counts by bucket, so that any hours can be added up; a percentile is read off the buckets, good to
the width of its bucket. `slots` are the hour's five-minute parts: by them somebody is told that a carrier fails.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo.collection import Collection

from domain.insights.documents import CarrierHourDoc, CarrierTotalDoc

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NOWHERE: Final = "-"
"""The city of a message that belongs to none."""
SLOT: Final = timedelta(minutes=5)
MS_EDGES: Final[tuple[float, ...]] = (5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000)
"""Upper edges in milliseconds of how long a carrier takes to answer us."""
S_EDGES: Final[tuple[float, ...]] = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600, 1800)
"""Upper edges in seconds from handing a message over to its receipt."""
Counters = dict[str, float]


def hours() -> Collection[dict[str, Any]]:
    """The raw collection of hours."""
    found: Collection[dict[str, Any]] = CarrierHourDoc._get_collection()
    return found


def totals() -> Collection[dict[str, Any]]:
    """The raw collection of all that was ever counted."""
    found: Collection[dict[str, Any]] = CarrierTotalDoc._get_collection()
    return found


@dataclass(frozen=True)
class Whose:
    """Which counters: a carrier's, for a city. `channel` is the kind of address (`sms`)."""

    carrier: str
    channel: str
    city: str


def edge_name(edge: float) -> str:
    """The field that counts what is at most this: `0_25` for 0.25."""
    return f"{edge:g}".replace(".", "_")


_NAMES: Final = {edges: (*map(edge_name, edges), "inf") for edges in (MS_EDGES, S_EDGES)}


def bucket(value: float, edges: tuple[float, ...]) -> str:
    """The name of the bucket, as a field can have it: `0_25` for 0.25; `inf` beyond the last. `edges`: one of the two."""
    return _NAMES[edges][bisect_left(edges, value)]


def add(whose: Whose, counters: Mapping[str, float], *, at: datetime) -> None:
    """Add counters (dotted paths) to the hour and to the total."""
    hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    slot = f"slots.{(at - hour) // SLOT:02d}."
    by_slot = {slot + name: value for name in ("n", "faults", "open") if (value := counters.get(f"now.{name}"))}
    kept = {name: value for name, value in counters.items() if not name.startswith("now.")}
    city = whose.city or NOWHERE
    facts = {"carrier": whose.carrier, "channel": whose.channel, "city": city}
    hours().update_one(
        {"_id": f"{whose.carrier}|{city}|{hour:%Y%m%d%H}"},
        {"$inc": {**kept, **by_slot}, "$setOnInsert": {**facts, "hour": hour}},
        upsert=True,
    )
    if kept:
        totals().update_one({"_id": f"{whose.carrier}|{city}"}, {"$inc": kept, "$setOnInsert": facts}, upsert=True)


def quantile(counts: Mapping[str, float], edges: Iterable[float], share: float) -> float | None:
    """The value below which `share` of what was counted lies, within its bucket by a straight line; None for nothing.

    What lies beyond the last edge is that edge: at least so long.
    """
    total = sum(counts.values())
    if not total:
        return None
    wanted, passed, low = share * total, 0.0, 0.0
    for edge in edges:
        here = counts.get(edge_name(edge), 0)
        if here and passed + here >= wanted:
            return low + (edge - low) * (wanted - passed) / here
        passed, low = passed + here, float(edge)
    return low


@dataclass
class Figures:
    """What one carrier did for one city in a time, or in all."""

    whose: Whose
    n: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """taken, temporary, permanent, unknown; delivered, received, failed_later."""
    codes: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    ms: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    receipt_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    cost: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    sums: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """segments, ms_sum, receipt_s_sum."""

    def fold(self, row: Mapping[str, Any]) -> None:
        """Add what a document counted."""
        for name in ("n", "codes", "ms", "receipt_s", "cost", "sums"):
            for key, value in (row.get(name) or {}).items():
                getattr(self, name)[key] += value

    @property
    def sends(self) -> float:
        """Attempts that a carrier was asked."""
        return sum(self.n[name] for name in OUTCOMES)

    @property
    def failed(self) -> float:
        """Attempts that the carrier did not take, or later gave up."""
        return self.sends - self.n["taken"] + self.n["failed_later"]

    @property
    def failure_rate(self) -> float | None:
        """Their share; None without any attempt."""
        return self.failed / self.sends if self.sends else None


OUTCOMES: Final = ("taken", "temporary", "permanent", "unknown")


def between(city: str, since: datetime, until: datetime) -> list[Figures]:
    """Each carrier's figures for a city in the hours that touch a time; messages that belong to no city are beside them."""
    first = since.replace(minute=0, second=0, microsecond=0)
    rows = hours().find({"city": {"$in": [city, NOWHERE]}, "hour": {"$gte": first, "$lt": until}})
    return _folded(rows)


def ever() -> list[Figures]:
    """All that was ever counted, by carrier and city."""
    return _folded(totals().find({}))


def _folded(rows: Iterable[Mapping[str, Any]]) -> list[Figures]:
    found: dict[Whose, Figures] = {}
    for row in rows:
        whose = Whose(row["carrier"], row["channel"], row["city"])
        found.setdefault(whose, Figures(whose)).fold(row)
    return [found[whose] for whose in sorted(found, key=lambda each: (each.carrier, each.city))]


def lately(now: datetime, *, slots: int = 2) -> dict[str, Counters]:
    """Carrier → {n, faults, open} of this five-minute slot and those before it, in all cities."""
    found: dict[str, Counters] = defaultdict(lambda: {"n": 0.0, "faults": 0.0, "open": 0.0})
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    wanted = [now - SLOT * back for back in range(slots)]
    names = {at.astimezone(UTC).replace(minute=0, second=0, microsecond=0): set[str]() for at in wanted}
    for at in wanted:
        begins = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        names[begins].add(f"{(at - begins) // SLOT:02d}")
    for row in hours().find({"hour": {"$gte": min(names), "$lte": hour}}, {"carrier": 1, "hour": 1, "slots": 1}):
        for slot in names.get(row["hour"], ()):
            for name, value in ((row.get("slots") or {}).get(slot) or {}).items():
                found[row["carrier"]][name] += value
    return dict(found)
