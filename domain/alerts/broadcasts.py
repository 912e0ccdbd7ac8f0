"""What is told to many in batches: one table of kinds, by the prefix of their ids. Public alerts are one of them.

A kind says where its documents are, how the next page of those who hear it is found, and how it is sent. Its documents have
`broadcast`, `broadcast_due`, `progress` and `version`, which `batches.py` keeps; it registers itself in a file of its own
(`audience.py`) that the worker imports.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from domain.alerts.errors import AlertNotFound

Doc = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """Some of those who hear it: their ids, the cursor behind them, and what their deliveries refer to."""

    people: Sequence[str]
    last: str
    refs: Mapping[str, str] = field(default_factory=dict)


Finder = Callable[[str, int], Page | None]
"""(cursor, how many at most) → the next page; None when all were found."""


@dataclass(frozen=True)
class Broadcast:
    """One kind of thing that is told to many."""

    collection: Callable[[], Collection[Doc]]
    finder: Callable[[Doc], Finder]
    """Made once for some pages of one document."""
    is_over: Callable[[Doc, datetime], bool]
    """Nobody more need be found: taken back, or passed."""
    purpose: str
    life_critical: Callable[[Doc], bool]
    begun: Callable[[Doc, datetime], None] = lambda doc, now: None
    """What must be so before anybody is told."""


_kinds: dict[str, Broadcast] = {}


def register(prefix: str, kind: Broadcast) -> None:
    """Name a kind by the prefix of its documents' ids."""
    _kinds[prefix] = kind


def kinds() -> list[Broadcast]:
    """Every kind, by its prefix."""
    return [_kinds[prefix] for prefix in sorted(_kinds)]


def of(found_id: str) -> Broadcast:
    """The kind of a document; raises AlertNotFound for an id of none."""
    kind = _kinds.get(found_id.partition("_")[0])
    if kind is None:
        raise AlertNotFound("no such alert")
    return kind


def get(found_id: str) -> Doc:
    """The document as it is stored; raises AlertNotFound."""
    found = of(found_id).collection().find_one({"_id": found_id})
    if found is None:
        raise AlertNotFound("no such alert")
    return found


def due(kind: Broadcast, *, now: datetime, limit: int) -> list[Doc]:
    """Documents of a kind whose people are still to be found: `{_id, broadcast, broadcast_due}`."""
    rows = kind.collection().find({"broadcast_due": {"$lte": now}}, {"broadcast": 1, "broadcast_due": 1})
    return list(rows.sort("broadcast_due", 1).limit(limit))
