"""How long requests took, by route and how they ended: sums that every process adds to, so that all say the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pymongo.collection import Collection

from domain.insights.documents import RequestFiguresDoc

EDGES_MS: Final = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
"""Upper edges of the buckets in milliseconds; beyond the last one is `inf`."""
NAMES: Final = (*map(str, EDGES_MS), "inf")


@dataclass(frozen=True)
class Kind:
    """Requests that are counted together: `route` is the template (`/v1/sos/<sos_id>`), `status` a class (`2xx`)."""

    method: str
    route: str
    status: str


def figures() -> Collection[dict[str, Any]]:
    """The raw collection."""
    found: Collection[dict[str, Any]] = RequestFiguresDoc._get_collection()
    return found


def add(kind: Kind, counts: Mapping[str, int], seconds: float) -> None:
    """Add requests: how many in each bucket (of NAMES), and how long they took together."""
    figures().update_one(
        {"_id": f"{kind.method} {kind.route}|{kind.status}"},
        {
            "$inc": {"n": sum(counts.values()), "sum": seconds, **{f"le.{name}": n for name, n in counts.items()}},
            "$setOnInsert": {"method": kind.method, "route": kind.route, "status": kind.status},
        },
        upsert=True,
    )


def ever() -> list[dict[str, Any]]:
    """All that was ever counted, by route."""
    return sorted(figures().find({}), key=lambda row: str(row["_id"]))
