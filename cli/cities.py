"""`amaan cities` and `amaan agencies`: what a city is made of, versioned, each change with its reason."""

import json
from pathlib import Path

import click

from cli.store import ACTOR, audited, connected, show, told
from domain.cities import agencies as city_agencies
from domain.cities import queries, service
from domain.cities.config import AgencyKind, Service
from domain.clock import utc_now


@click.group()
def cities() -> None:
    """Cities: list, show, load a preset, see who changed what."""


@cities.command("list")
@told
def list_cities() -> None:
    """The cities of this installation."""
    connected()
    found = [queries.current(city) for city in queries.known()]
    show(["id", "name", "version", "agencies"], [(c.id, c.names.en, c.version, len(c.agencies)) for c in found])


@cities.command("show")
@click.argument("city")
@told
def show_city(city: str) -> None:
    """A city's complete configuration as JSON."""
    connected()
    body, _ = city_agencies.standing(city)
    click.echo(json.dumps(body, indent=1, ensure_ascii=False))


@cities.command("load")
@click.argument("preset", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--reason", default="preset loaded", show_default=True)
@told
def load_city(preset: Path, reason: str) -> None:
    """Make a preset (cities/lahore.toml) the city's newest version; the same again changes nothing."""
    connected()
    config = service.load_preset(preset, now=utc_now(), by=ACTOR, reason=reason)
    audited(config.id, "city.loaded", config.id, reason)
    click.echo(f"{config.id} version {config.version}")


@cities.command("history")
@click.argument("city")
@told
def history(city: str) -> None:
    """Who changed a city when and why, newest first."""
    connected()
    if not service.is_intact(city):
        raise click.ClickException(f"{city}: a stored version does not fit the one before it")
    rows = [(row["version"], row["at"], row["by"], row["reason"]) for row in queries.versions(city)]
    show(["version", "at", "by", "reason"], rows)


@click.group()
def agencies() -> None:
    """Agencies of a city: list, add or change."""


@agencies.command("list")
@click.argument("city")
@told
def list_agencies(city: str) -> None:
    """All agencies of a city."""
    connected()
    found = queries.current(city).agencies.values()
    rows = [(each.id, each.names.en, each.kind, " ".join(map(str, each.services)), each.phone) for each in found]
    show(["id", "name", "kind", "services", "phone"], rows)


@agencies.command("put")
@click.argument("city")
@click.argument("agency_id")
@click.option("--name-en")
@click.option("--name-ur")
@click.option("--kind", type=click.Choice([str(kind) for kind in AgencyKind]))
@click.option("--service", "services", multiple=True, type=click.Choice([str(each) for each in Service]))
@click.option("--phone")
@click.option("--reason", required=True)
@told
def put_agency(
    city: str,
    agency_id: str,
    name_en: str | None,
    name_ur: str | None,
    kind: str | None,
    services: tuple[str, ...],
    phone: str | None,
    reason: str,
) -> None:
    """Add an agency, or change the one with this id; what is left out stays."""
    connected()
    given = {"name_en": name_en, "name_ur": name_ur, "kind": kind, "phone": phone}
    table = {"id": agency_id, **{name: value for name, value in given.items() if value is not None}}
    if services:
        table["services"] = list(services)  # type: ignore[assignment]  # a TOML table holds texts and lists
    if agency_id not in queries.current(city).agencies:
        table = {"services": [], "hours": "always", **table}  # type: ignore[dict-item]  # the same
    audited(city, "agency.changed", agency_id, reason)
    agency, fresh = city_agencies.put(city, table, by=ACTOR, reason=reason, now=utc_now())
    click.echo(f"{agency.id} {'added' if fresh else 'changed'}")
