"""`amaan audit`: whether the chain of a city's day holds and passes through the head that was kept elsewhere."""

import json
from datetime import UTC, datetime

import click

from cli.store import connected, told
from domain import retention
from domain.audit import chain
from domain.cities import queries as cities
from domain.cities.config import Kept
from domain.clock import utc_now
from runtime.heads import Heads

DAY = click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="UTC; today where left out.")


def _day(day: datetime | None) -> datetime:
    return day.replace(tzinfo=UTC) if day else utc_now()


@click.group()
def audit() -> None:
    """The audit chain: verify a day, see its signed head. The sweeper keeps the head of each day that is over."""


@audit.command("verify")
@click.argument("city")
@DAY
@click.option("--heads", help="Where the heads were kept (an fsspec address); as the settings say where left out.")
@told
def verify(city: str, day: datetime | None, heads: str | None) -> None:
    """Walk a city's day from its start, and compare it with the head that was kept; ends 1 where it does not hold."""
    settings = connected()
    verdict = chain.verify(city, _day(day))
    if verdict.broken_at is not None:
        raise click.ClickException(f"{verdict.chain}: entry {verdict.broken_at} does not hold")
    if not verdict.entries and _time_is_over(city, _day(day)):
        click.echo(f"{verdict.chain}: its time is over, and it was removed")
        return
    kept = Heads(heads or settings.heads_url).get(city, _day(day))
    if kept is None:
        click.echo(f"{verdict.chain}: {verdict.entries} entries hold; no head was kept yet")
        return
    wrong = _differs(verdict, kept, settings.signing_key)
    if wrong:
        raise click.ClickException(f"{verdict.chain}: {wrong}")
    click.echo(f"{verdict.chain}: {verdict.entries} entries hold, as the kept head says")


def _time_is_over(city: str, day: datetime) -> bool:
    """Whether the city keeps its chain for less long than that; the sweep counts on the chain what it removed."""
    return city in cities.known() and day < retention.before(cities.current(city), Kept.AUDIT, utc_now())


def _differs(verdict: chain.Verdict, kept: str, key: str) -> str:
    """What is wrong between a day and the head that was kept of it when the day was over; empty when nothing is."""
    try:
        head = json.loads(kept)
        holds = head["chain"] == verdict.chain and chain.head_holds(key, head)
    except (ValueError, KeyError, TypeError):
        return "the kept head cannot be read"
    if not holds:
        return "it does not pass through the kept head: it was rewritten, or the head is not ours"
    if head["seq"] != verdict.entries:
        return f"it has {verdict.entries} entries and had {head['seq']} when the day was over"
    return ""


@audit.command("head")
@click.argument("city")
@DAY
@told
def head(city: str, day: datetime | None) -> None:
    """The signed head of a city's day as JSON; keep it where the store's keeper cannot reach."""
    settings = connected()
    signed = chain.signed_head(settings.signing_key, city, _day(day))
    if signed is None:
        raise click.ClickException("the day does not hold: verify says where")
    click.echo(json.dumps(signed))
