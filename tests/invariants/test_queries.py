"""Every read in `domain/*/queries.py` is served by an index that its documents declare: each is called once against a
real store, with `served.py` looking on.
"""

import contextlib
import dataclasses
import importlib
import inspect
import pkgutil
import types
import typing
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import mongoengine
import pytest

import domain
from domain import geo
from domain.errors import DomainError
from domain.ports import Candidate, PositionsUnavailable
from tests.invariants import served
from tests.invariants.sources import ROOT

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODULES = [f"domain.{found.name}.queries" for found in pkgutil.iter_modules(domain.__path__) if found.ispkg]
READS = [
    (module, name)
    for module in MODULES
    if (ROOT / (module.replace(".", "/") + ".py")).exists()
    for name, found in inspect.getmembers(importlib.import_module(module), inspect.isfunction)
    if found.__module__ == module and not name.startswith("_")
]


class NoPositions:
    """Live positions that are away, so that the documents are asked."""

    def nearest(self, *_: Any, **__: Any) -> list[Candidate]:
        raise PositionsUnavailable


@pytest.fixture(scope="module", autouse=True)
def _connected(mongodb_url: str) -> Iterator[None]:
    """The product's own connection, on a database of this module's own."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    mongoengine.disconnect()
    client: Any = mongoengine.connect(db=name, host=mongodb_url, tz_aware=True, uuidRepresentation="standard")
    yield
    client.drop_database(name)
    mongoengine.disconnect()


def made_up(name: str, kind: Any) -> Any:
    """A value for a parameter, by its name where that says more than its type."""
    by_name: dict[str, Any] = {
        "positions": NoPositions(), "place": (31.5, 74.3), "city": "lahore", "doc": {"_id": "x"},
        "cell": geo.cells(31.5, 74.3).r9,
    }  # fmt: skip
    if name in by_name:
        return by_name[name]
    origin = typing.get_origin(kind)
    if origin in (Iterable, Sequence, list, tuple, set, frozenset):
        inner = (typing.get_args(kind) or (str,))[0]
        return (origin if origin in (list, tuple, set, frozenset) else list)([made_up("", inner)])
    if origin in (Mapping, dict):
        return {}
    if typing.get_origin(kind) in (types.UnionType, typing.Union) and type(None) in typing.get_args(kind):
        return None if name == "after" else made_up(name, typing.get_args(kind)[0])
    if args := [each for each in typing.get_args(kind) if each is not type(None)]:
        return made_up(name, args[0])
    if inspect.isclass(kind) and issubclass(kind, Enum):
        return next(iter(kind))
    if dataclasses.is_dataclass(kind) and inspect.isclass(kind):
        hints = typing.get_type_hints(kind)
        needed = [
            each for each in dataclasses.fields(kind) if each.default is each.default_factory is dataclasses.MISSING
        ]
        return kind(**{each.name: made_up(each.name, hints[each.name]) for each in needed})
    plain: dict[Any, Any] = {str: "x", int: 5, float: 500.0, bool: True, datetime: NOW, Path: ROOT}
    return plain.get(kind, Anything())


class Anything:
    """Stands for an object of which a query reads a few fields."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return {} if name.endswith("s") else "x"


@pytest.mark.parametrize(("module", "name"), READS, ids=lambda part: part.removeprefix("domain."))
def test_a_read_is_served_by_a_declared_index(module: str, name: str) -> None:
    found = getattr(importlib.import_module(module), name)
    hints = typing.get_type_hints(found)
    arguments = {
        each.name: made_up(each.name, hints.get(each.name))
        for each in inspect.signature(found).parameters.values()
        if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
    }
    positional = [
        arguments.pop(each.name)
        for each in inspect.signature(found).parameters.values()
        if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    with contextlib.suppress(DomainError):
        result = found(*positional, **arguments)
        if isinstance(result, Iterator):
            list(result)
    # `served.py` looks at what was sent when this test ends.


@pytest.mark.parametrize(
    ("query", "sort", "well"),
    [
        ({"_id": "inc_1", "status": "open"}, [], True),
        ({"_id": {"$in": ["inc_1"]}}, [], True),
        ({"outbox_due": {"$lte": NOW}}, ["outbox_due"], True),
        ({"city": "lahore", "status": {"$in": ["open"]}}, ["raised_at"], True),
        ({"city": "lahore"}, [], False),
        ({"status": "open"}, [], False),
        ({}, [], False),
        ({"category": "fire"}, [], False),
        ({"outbox_due": None}, [], False),
        ({"outbox_due": {"$ne": NOW}}, [], False),
        ({"$or": [{"links.h": "x"}, {"citizen.person": "p"}]}, [], False),
        ({"$or": [{"links.h": "x"}, {"links.h": "y"}]}, [], True),
    ],
)
def test_the_watch_knows_a_query_that_reads_everything(query: dict[str, Any], sort: list[str], well: bool) -> None:
    assert (served.fault("incidents", query, sort) == "") is well
