"""`amaan indexes`: create what the documents declare. The application never does it by itself: building an index on a
large collection is for an hour that somebody chose.
"""

import importlib
import pkgutil
from typing import Any

import click
import mongoengine

import domain
from runtime import mongo
from runtime.settings import load

PATIENCE_MS = 600_000
"""An index over a city's years takes minutes."""


def documents() -> list[Any]:
    """Every document class of the product, by the name of its collection: the one list of what is stored.

    Found by importing all of `domain`, so that a new `documents.py` needs no entry anywhere.
    """
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        importlib.import_module(module.name)
    found, waiting = [], list(mongoengine.Document.__subclasses__())
    while waiting:
        document = waiting.pop()
        waiting += document.__subclasses__()
        if document.__module__.startswith("domain.") and not document._meta.get("abstract"):
            found.append(document)
    return sorted(found, key=lambda each: str(each._get_collection_name()))


def declared(document: Any) -> list[list[tuple[str, int]]]:
    """The keys of each declared index of a document class, as pymongo writes them, `_id` left out."""
    return [list(spec["fields"]) for spec in document._meta["index_specs"]]


def missing() -> list[tuple[str, str]]:
    """(collection, keys) of declared indexes that the store does not have."""
    lacking = []
    for document in documents():
        collection = document._get_collection()
        there = [list(index["key"].items()) for index in collection.list_indexes()]
        lacking += [
            (collection.name, ", ".join(name for name, _ in keys)) for keys in declared(document) if keys not in there
        ]
    return lacking


def create() -> int:
    """Create every declared index that is not there. Returns how many collections were looked at."""
    every = documents()
    for document in every:
        document.ensure_indexes()
    return len(every)


@click.command()
@click.option("--check", is_flag=True, help="Only say which are missing; ends 1 when one is.")
def indexes(check: bool) -> None:
    """Create the declared indexes on all collections."""
    mongo.connect(load(), timeout_ms=PATIENCE_MS, selection_ms=PATIENCE_MS)
    if check:
        lacking = missing()
        for collection, keys in lacking:
            click.echo(f"missing: {collection} ({keys})")
        raise SystemExit(1 if lacking else 0)
    click.echo(f"indexes of {create()} collections are there")
