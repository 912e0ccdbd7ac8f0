"""`amaan prepare`: what a store needs before the first request. Run again after every upgrade; it only adds."""

import importlib
import pkgutil
from typing import Any

import click
import mongoengine

import domain
from domain.cities import service as cities
from domain.clock import utc_now
from runtime import mongo
from runtime.settings import load


def documents() -> list[Any]:
    """Every document class, found in `domain/*/documents.py` and in the modules beside them that have one."""
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        importlib.import_module(module.name)
    found, waiting = [], list(mongoengine.Document.__subclasses__())
    while waiting:
        document = waiting.pop()
        waiting += document.__subclasses__()
        if document.__module__.startswith("domain.") and not document._meta.get("abstract"):
            found.append(document)
    return sorted(found, key=lambda each: each._get_collection_name())


def create_indexes() -> int:
    """Create what `meta["indexes"]` declares. Returns how many collections were looked at."""
    every = documents()
    for document in every:
        document.ensure_indexes()
    return len(every)


@click.command()
def prepare() -> None:
    """Create the store's indexes and load the cities' presets."""
    settings = load()
    mongo.connect(settings, timeout_ms=60_000)
    count = create_indexes()
    loaded = [cities.load_preset(path, now=utc_now()).id for path in sorted(settings.cities_dir.glob("*.toml"))]
    click.echo(f"{count} collections, cities: {', '.join(loaded)}")
