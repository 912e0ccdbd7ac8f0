"""Watches every query that the product makes while the tests run, and fails the test in which one of them is served by
no declared index: on a laptop such a query is quick, in a city after a year it reads everything.

A query is served when it names `_id`, or the first field of an index by equality, `$in` or a range. An index that begins
with `city` must be used to its second field (by the filter or by the sort): a whole city is too much.
"""

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from pymongo import monitoring

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("api", "domain", "notifications", "workers", "runtime", "app.py")
SMALL = {
    "city_config": "a handful of cities, each with a few versions",
    "response_figures": "one document a city",
    "request_figures": "one document a route and status class",
    "carrier_totals": "one document a carrier and city",
}
"""Collections that never grow: reading all of one is as good as an index."""

Keys = Sequence[tuple[str, int]]


@lru_cache(maxsize=1)
def declared() -> Mapping[str, Sequence[Keys]]:
    """Collection → the declared indexes."""
    from cli import indexes

    return {str(each._get_collection_name()): indexes.declared(each) for each in indexes.documents()}


def constrained(query: Mapping[str, Any]) -> set[str]:
    """The fields by which an index can narrow this filter."""
    found: set[str] = set()
    for name, wanted in query.items():
        if name == "$and":
            found |= set().union(*(constrained(each) for each in wanted))
        elif name == "$or":
            found |= set.intersection(*(constrained(each) for each in wanted))
        elif not name.startswith("$") and _narrows(wanted):
            found.add(name)
            if isinstance(wanted, Mapping) and "$elemMatch" in wanted:
                found |= {f"{name}.{inner}" for inner in constrained(wanted["$elemMatch"])}
    return found


def _narrows(wanted: Any) -> bool:
    if wanted is None:
        return False  # most documents lack it, and a sparse index does not have those
    if not isinstance(wanted, Mapping) or not any(str(name).startswith("$") for name in wanted):
        return True
    if "$exists" in wanted:
        return bool(wanted["$exists"])
    return bool({"$eq", "$in", "$gt", "$gte", "$lt", "$lte", "$elemMatch", "$all"} & wanted.keys())


def serves(keys: Keys, fields: set[str], sort: Sequence[str]) -> bool:
    """Whether an index narrows a filter on these fields."""
    names = [name for name, _ in keys]
    if names[0] not in fields:
        return False
    return names[0] != "city" or len(names) == 1 or names[1] in fields or names[1] in sort[:1]


def fault(collection: str, query: Mapping[str, Any], sort: Sequence[str]) -> str:
    """Why a query would read the whole collection; empty when it does not."""
    fields = constrained(query)
    if collection in SMALL or collection not in declared() or "_id" in fields or ("_id" in sort[:1] and not query):
        return ""
    if any(serves(keys, fields, sort) for keys in declared()[collection]):
        return ""
    if not query and any(keys[0][0] in sort[:1] for keys in declared()[collection]):
        return ""
    return f"{collection} by {sorted(query) or 'nothing'}" + (f", sorted by {list(sort)}" if sort else "")


def queries_of(command: Mapping[str, Any], name: str) -> Iterator[tuple[Mapping[str, Any], Sequence[str]]]:
    """(filter, sort) of each query in a command of MongoDB's protocol."""
    if name == "find":
        yield command.get("filter", {}), list(command.get("sort", {}))
    elif name == "findAndModify":
        yield command.get("query", {}), list(command.get("sort", {}))
    elif name in {"count", "distinct"}:
        yield command.get("query", {}), []
    elif name == "update":
        yield from ((each["q"], []) for each in command.get("updates", ()))
    elif name == "delete":
        yield from ((each["q"], []) for each in command.get("deletes", ()))
    elif name == "aggregate":
        stages = command.get("pipeline") or [{}]
        yield stages[0].get("$match", {}), list(stages[1].get("$sort", {})) if len(stages) > 1 else []


class Watch(monitoring.CommandListener):
    """Notes the faults of queries that product code sends from this process."""

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}
        self._lock = threading.Lock()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """A command is about to be sent, in the thread that asked for it."""
        name = event.command_name
        collection = event.command.get(name)
        if not isinstance(collection, str):
            return
        where = _asker()
        if where is None:
            return
        for query, sort in queries_of(event.command, name):
            if why := fault(collection, query, sort):
                with self._lock:
                    self.faults.setdefault(where, why)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing more to learn."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing more to learn."""


def _asker() -> str | None:
    """`file:line` of the product's code that sends the command being started; None when it is a test."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(str(ROOT)) and "site-packages" not in file and file != __file__:
            path = Path(file).relative_to(ROOT)
            return f"{path}:{frame.f_lineno}" if path.parts[0] in PRODUCT else None
        frame = frame.f_back
    return None


watch = Watch()
monitoring.register(watch)  # for every client that is made from here on


@pytest.fixture(autouse=True)
def every_query_has_an_index() -> Iterator[None]:
    """Fails the test in which the product sent a query that no index serves."""
    before = set(watch.faults)
    yield
    new = {where: why for where, why in watch.faults.items() if where not in before}
    assert not new, (
        "no declared index serves these queries: add one to `meta['indexes']` in documents.py, or ask by a field that "
        f"has one: {new}"
    )
