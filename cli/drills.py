"""`amaan drills`: test whether the people of a city can be reached, and read who cannot and why."""

import json
from datetime import timedelta
from typing import Any

import click

from api.readings import reading
from cli.store import ACTOR, audited, connected, show, told
from domain.cities import queries as cities
from domain.cities.config import ChannelName
from domain.clock import utc_now
from domain.drills import queries, service
from domain.drills.service import Wanted
from domain.drills.states import Unreached
from domain.ids import new_id
from domain.permissions import Role
from runtime import queues

_ROLES = [str(role) for role in Role if role != Role.CITIZEN]


@click.group()
def drills() -> None:
    """Drills: list, start, stop, report who could not be reached."""


@drills.command("list")
@click.argument("city")
@told
def list_drills(city: str) -> None:
    """A city's drills, the latest first."""
    connected()
    rows = queries.listed(city, after=None, limit=50)
    show(
        ["id", "at", "status", "people", "unreachable", "by"],
        [
            (each["_id"], _time(each["at"]), each["status"], each["people"], each.get("unreachable", ""), each["by"])
            for each in rows
        ],
    )


@drills.command("start")
@click.argument("city")
@click.option("--role", "roles", multiple=True, type=click.Choice(_ROLES), help="As in the city's plan where left out.")
@click.option("--channel", "channels", multiple=True, type=click.Choice([str(each) for each in ChannelName]))
@click.option("--agency", default="", help="Only the people of this agency.")
@click.option("--within", "minutes", type=click.IntRange(1, 24 * 60), help="Minutes to answer.")
@click.option("--reason", default="", help="Why; it stands on the audit chain.")
@told
def start(
    city: str, roles: tuple[str, ...], channels: tuple[str, ...], agency: str, minutes: int | None, reason: str
) -> None:
    """Begin a drill now: everybody is told on each channel that it is an exercise."""
    settings = connected()
    config, now = cities.current(city), utc_now()
    usual = config.drills
    if usual is None and not (roles and channels and minutes):
        raise click.ClickException("this city has no plan for drills: say --role, --channel and --within")
    within = timedelta(minutes=minutes) if minutes else usual.answer_within if usual else timedelta(hours=1)
    drill_id = new_id("drl", now)
    wanted = Wanted(
        city=city,
        by=ACTOR,
        roles=roles or (usual.roles if usual else ()),
        channels=channels or (usual.channels if usual else ()),
        answer_within=within,
        agency=agency,
    )
    audited(city, "drill.started", drill_id, reason)
    service.start(drill_id, wanted, config, now=now)
    queues.Queues(queues.connect(settings.redis_url))("drill", drill_id)
    click.echo(drill_id)


@drills.command("stop")
@click.argument("drill_id")
@told
def stop(drill_id: str) -> None:
    """Call a planned drill off, or end a running one now."""
    connected()
    drill = queries.get(drill_id)
    audited(drill["city"], "drill.stopped", drill_id, "")
    click.echo(service.stop(drill_id, now=utc_now())["status"])


@drills.command("report")
@click.argument("drill_id")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@told
def report(drill_id: str, as_json: bool) -> None:
    """How many were reached on each channel and by what, and who was not and why."""
    connected()
    drill, now = queries.get(drill_id), utc_now()
    audited(drill["city"], "drill.read", drill_id, "")
    found = service.report(drill, now=now)
    missed: list[service.Missed] = []
    after = None
    while True:
        page, after = service.missed(drill, after=after, limit=500, now=now)
        missed += page
        if after is None:
            break
    if as_json:
        rows = [{**vars(each), "reading": reading(Unreached, each.why)} for each in missed]
        told_as: dict[str, Any] = {"id": drill_id, "status": drill["status"], "people": drill["people"]}
        click.echo(json.dumps({**told_as, "channels": found.by_channel, "unreached": rows}, ensure_ascii=False))
        return
    click.echo(f"{drill_id}: {drill['status']}, {drill['people']} people, by {drill['by']}")
    show(
        ["channel", "asked", "reached", "by", "waiting", "left out", "not reached"],
        [
            (name, row["asked"], row["reached"], _few(row["by"]), row["waiting"], row["left_out"], _few(row["why"]))
            for name, row in found.by_channel.items()
        ],
    )
    show(
        ["person", "name", "channel", "why", "", "delivery"],
        [
            (each.person_id, each.name, each.channel, each.why, reading(Unreached, each.why), each.delivery_id)
            for each in missed
        ],
    )


def _few(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def _time(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
