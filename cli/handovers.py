"""`amaan desks`: the agencies that take handovers by Open311, and their keys."""

import click

from cli.store import audited, connected, show, told
from domain.clock import utc_now
from domain.handovers import queries, service

REASON = click.option("--reason", default="", help="Why; it stands on the audit chain.")


@click.group()
def desks() -> None:
    """Agencies' desks: list, open, close."""


@desks.command("list")
@click.argument("city")
@told
def list_desks(city: str) -> None:
    """Which agency of a city takes what."""
    connected()
    show(["agency", "takes"], [(row["agency"], " ".join(row["takes"])) for row in queries.desks_of(city)])


@desks.command("open")
@click.argument("city")
@click.argument("agency")
@click.option("--takes", multiple=True, required=True, help="A category of reports; again for several.")
@REASON
@told
def open_desk(city: str, agency: str, takes: tuple[str, ...], reason: str) -> None:
    """Let an agency take these categories; prints its api_key, once. Again makes a new key."""
    connected()
    audited(city, "desk.opened", queries.desk_id(city, agency), reason)
    _, key = service.open_desk(city, agency, takes, now=utc_now())
    click.echo(key)


@desks.command("close")
@click.argument("city")
@click.argument("agency")
@REASON
@told
def close_desk(city: str, agency: str, reason: str) -> None:
    """Let an agency take nothing more; its key opens nothing from now on."""
    connected()
    audited(city, "desk.closed", queries.desk_id(city, agency), reason)
    if not service.close_desk(city, agency):
        raise click.ClickException("no such desk")
