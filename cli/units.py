"""`amaan units`: the cars and teams of a city, and who is on them."""

import click

from cli.store import ACTOR, audited, connected, show, told
from domain.cities.config import Service
from domain.clock import utc_now
from domain.dispatch import queries, registry
from domain.dispatch import service as dispatch
from domain.ids import new_id
from domain.phones import parse_phone

REASON = click.option("--reason", default="", help="Why; it stands on the audit chain.")


@click.group()
def units() -> None:
    """Units: list, add, retire, put a responder on or off."""


@units.command("list")
@click.argument("city")
@click.option("--agency")
@told
def list_units(city: str, agency: str | None) -> None:
    """All units of a city."""
    connected()
    rows, after = [], None
    while True:
        page, after = registry.listed(city, agency=agency, after=after, limit=200)
        rows += [
            (
                unit["_id"],
                unit["name"],
                unit["agency"],
                " ".join(unit["services"]),
                unit["status"],
                len(unit["responders"]),
            )
            for unit in page
        ]
        if after is None:
            break
    show(["id", "name", "agency", "services", "status", "responders"], rows)


@units.command("add")
@click.argument("city")
@click.argument("name")
@click.option("--agency", required=True)
@click.option("--service", "services", multiple=True, required=True, type=click.Choice([str(each) for each in Service]))
@click.option("--skill", "skills", multiple=True)
@click.option("--phone", default="")
@REASON
@told
def add_unit(
    city: str, name: str, agency: str, services: tuple[str, ...], skills: tuple[str, ...], phone: str, reason: str
) -> None:
    """Add a unit; it starts off duty."""
    connected()
    now = utc_now()
    unit_id = new_id("unt", now)
    number = parse_phone(phone) if phone else ""
    audited(city, "unit.added", unit_id, reason)
    registry.add(unit_id, city=city, agency=agency, name=name, services=services, skills=skills, phone=number, now=now)
    click.echo(unit_id)


@units.command("retire")
@click.argument("unit_id")
@REASON
@told
def retire_unit(unit_id: str, reason: str) -> None:
    """Take a unit out of service for good; what it was offered or holds is asked anew."""
    connected()
    now = utc_now()
    audited(queries.unit(unit_id)["city"], "unit.retired", unit_id, reason)
    registry.retire(unit_id, now=now)
    dispatch.end_offers(unit_id, by=ACTOR, now=now)


@units.command("put-on")
@click.argument("unit_id")
@click.argument("person_id")
@REASON
@told
def put_on(unit_id: str, person_id: str, reason: str) -> None:
    """Put a responder on a unit, and off any other."""
    connected()
    audited(queries.unit(unit_id)["city"], "unit.responder_put_on", person_id, reason)
    registry.put_on(unit_id, person_id, now=utc_now())


@units.command("take-off")
@click.argument("unit_id")
@click.argument("person_id")
@REASON
@told
def take_off(unit_id: str, person_id: str, reason: str) -> None:
    """Take a responder off a unit."""
    connected()
    audited(queries.unit(unit_id)["city"], "unit.responder_taken_off", person_id, reason)
    registry.take_off(unit_id, person_id, now=utc_now())
