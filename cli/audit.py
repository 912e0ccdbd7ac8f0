"""`amaan audit`: whether the chain of a city's day holds, and its signed head for keeping elsewhere."""

import json
from datetime import UTC, datetime

import click

from cli.store import connected, told
from domain.audit import chain
from domain.clock import utc_now

DAY = click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="UTC; today where left out.")


def _day(day: datetime | None) -> datetime:
    return day.replace(tzinfo=UTC) if day else utc_now()


@click.group()
def audit() -> None:
    """The audit chain: verify a day, export its signed head."""


@audit.command("verify")
@click.argument("city")
@DAY
@told
def verify(city: str, day: datetime | None) -> None:
    """Walk a city's day from its start; ends 1 where it does not hold."""
    connected()
    verdict = chain.verify(city, _day(day))
    if verdict.broken_at is not None:
        raise click.ClickException(f"{verdict.chain}: entry {verdict.broken_at} does not hold")
    click.echo(f"{verdict.chain}: {verdict.entries} entries hold")


@audit.command("head")
@click.argument("city")
@DAY
@told
def head(city: str, day: datetime | None) -> None:
    """The signed head of a city's day as JSON; keep it where the store's keeper cannot reach."""
    settings = connected()
    click.echo(json.dumps(chain.signed_head(settings.signing_key, city, _day(day))))
