"""`amaan prepare`: what a store needs before the first request. Run again after every upgrade; it only adds."""

import click

from cli import indexes
from domain.cities import service as cities
from domain.clock import utc_now
from runtime import mongo
from runtime.settings import load


@click.command()
def prepare() -> None:
    """Create the store's indexes and load the cities' presets."""
    settings = load()
    mongo.connect(settings, timeout_ms=60_000, selection_ms=60_000)
    count = indexes.create()
    loaded = [cities.load_preset(path, now=utc_now()).id for path in sorted(settings.cities_dir.glob("*.toml"))]
    click.echo(f"{count} collections, cities: {', '.join(loaded)}")
