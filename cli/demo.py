"""`amaan demo [CHAPTER]`: starts the city, invents its people, plays the story, and says what was seen from outside."""

import json
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import click
import pyotp
from rich.console import Console

from cli.chapters import broadcast, cameras, helpline, sos, watch
from cli.chapters.observed import Story
from cli.chapters.phones import Phone, Town
from cli.stack import ROOT, CannotStart, Stack
from domain.clock import utc_now
from domain.people import second_factor
from runtime import mongo, queues
from runtime.positions import RedisPositions
from runtime.settings import Settings
from sandbox import neighbourhood, street_cameras, townspeople
from sandbox.live_street import LiveStreet
from sandbox.townspeople import Cast

CHAPTERS: dict[str, Callable[..., None]] = {
    "sos": sos.play,
    "broadcast": broadcast.play,
    "helpline": helpline.play,
    "cameras": cameras.play,
    "watch": watch.play,
}
CITY = "lahore"


@click.command()
@click.argument("chapter", required=False, type=click.Choice(list(CHAPTERS)))
@click.option("--json", "as_json", is_flag=True, help="Print what was seen as JSON, for machines.")
@click.option(
    "--var",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/demo"),
    help="Emptied before it starts.",
)
def demo(chapter: str | None, as_json: bool, var: Path) -> None:
    """Play one chapter, or all. Ends 0 only if every step was observed from outside."""
    console = Console(quiet=as_json)
    if Stack(var).is_running():
        raise click.ClickException(f"already running on {var}")
    shutil.rmtree(var, ignore_errors=True)
    stack = Stack(var)
    stories: dict[str, Story] = {}
    around = ExitStack()
    try:
        with console.status("starting the city on this machine …"):
            stack.start()
        cast = _people(stack)
        town = Town(stack.address("api"), stack.address("carriers"), stack.pids)
        operator = _staff(cast.operator, cast.operator_phone, town).access
        town.papers = var
        names = [chapter] if chapter else list(CHAPTERS)
        if "cameras" in names:  # recorded from now on, while the others play
            town.street = around.enter_context(LiveStreet(CITY, ROOT / "var" / "footage", now=utc_now()))
        for name in names:
            console.rule(f"[bold]{name}")
            if name == "helpline":
                town.desk = [_staff(person, number, town) for person, number in cast.desk]
            if name == "watch":
                secret = _settings(stack).signing_key
                town.around = neighbourhood.settle_in(CITY, townspeople.PLACE, watch.PHONES, secret=secret, now=utc_now())
            stories[name] = Story(console, quiet=as_json)
            CHAPTERS[name](town, cast, stories[name], operator_token=operator)
    except CannotStart as error:
        raise click.ClickException(str(error)) from None
    finally:
        around.close()
        stack.stop()
        mongo.disconnect()
    complete = bool(stories) and all(story.complete for story in stories.values())
    if as_json:
        click.echo(json.dumps({name: story.to_document() for name, story in stories.items()}, indent=1))
    else:
        console.print("[bold green]Every step was seen.[/]" if complete else "[bold red]Not every step was seen.[/]")
    raise SystemExit(0 if complete else 1)


def _settings(stack: Stack) -> Settings:
    return Settings.model_validate(
        {
            "mongodb_url": stack.env["MONGODB_URL"],
            "redis_url": stack.env["REDIS_URL"],
            "secret": stack.env["AMAAN_SECRET"],
        }
    )


def _people(stack: Stack) -> Cast:
    """Put the invented people into the store, as an administrator would have over the weeks before."""
    settings = _settings(stack)
    mongo.connect(settings)
    positions = RedisPositions(queues.connect(settings.redis_url))
    street_cameras.install(CITY, ROOT / "var" / "footage", now=utc_now())
    return townspeople.populate(CITY, positions=positions, now=utc_now())


def _staff(person: str, number: str, town: Town) -> Phone:
    """Somebody of the staff signs in: a code by SMS, then the authenticator app, set up with a code from an admin."""
    code = second_factor.enrolment_code()
    second_factor.allow_enrolment(person, code, now=utc_now())
    phone = Phone(town, number)
    phone.sign_in()
    enrolled = phone.call("POST", "/v1/auth/second-factor/enrolment", {"enrolment_code": code})
    enrolled.raise_for_status()
    shared = parse_qs(urlsplit(enrolled.json()["uri"]).query)["secret"][0]
    phone.call("POST", "/v1/auth/second-factor", {"code": pyotp.TOTP(shared).now()}).raise_for_status()
    return phone
