"""`amaan doctor`: is everything there that an SOS needs? And, when asked, does a message really arrive?"""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console

from cli.checks import Finding, State, findings, ill, note, well
from notifications.channel import ChannelError
from notifications.messages import Address, AddressKind, Message, nonce_of
from notifications.registry import build_channels
from notifications.render.push import push_payload
from notifications.render.text import render
from runtime.settings import Settings, environment, load

MARKS = {State.WELL: "[green]✓[/green]", State.NOTE: "[yellow]•[/yellow]", State.ILL: "[red]✗[/red]"}
WAIT_S = 10.0


def test_message(kind: AddressKind, address: str) -> Message:
    """A harmless message that says what it is."""
    key = f"dlv_{uuid.uuid4().hex}"
    nonce = nonce_of(key)
    return Message(
        key=key,
        to=Address(kind, address),
        text="Amaan: this is a test, nobody needs help." + (f" ({nonce})" if kind == AddressKind.SMS else ""),
        title=render("drill_ping", "push_title", "en", {}),
        body=render("drill_ping", "push_body", "en", {}),
        data=push_payload(
            "drill.ping", delivery_id=key, receipt_token="0" * 12, params={"drill_id": f"drl_{uuid.uuid4().hex}"}
        ),
        ttl_s=60,
        nonce=nonce,
        language="en",
    )


def messages(settings: Settings, wanted: dict[AddressKind, str | None]) -> Iterator[Finding]:
    """Send one message through each channel that has an address; say which channels are there and untried."""
    channels = build_channels(settings)
    for kind, address in wanted.items():
        channel = channels.get(kind.value)
        about = f"message by {kind.value}"
        if channel is None:
            yield (ill if address else note)(about, "no channel is configured for it")
        elif not address:
            yield note(about, f"{channel.name} is configured; not tried (--{_OPTIONS[kind]})")
        else:
            try:
                sent = channel.send(test_message(kind, address), timeout_s=WAIT_S)
            except ChannelError as error:
                yield ill(about, f"{channel.name}: {error}")
            else:
                yield well(about, f"{channel.name} took it ({sent.vendor_id})")


_OPTIONS = {AddressKind.FCM: "push", AddressKind.SMS: "sms", AddressKind.VOICE: "call"}


@click.command()
@click.option("--sms", metavar="NUMBER", help="Send a test SMS to this number (E.164).")
@click.option("--call", metavar="NUMBER", help="Call this number with a test.")
@click.option("--push", metavar="TOKEN", help="Send a test push to this device.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option(
    "--var",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    help="The folder of the city that `amaan up` runs here; used when no settings are in the environment.",
)
def doctor(sms: str | None, call: str | None, push: str | None, as_json: bool, var: Path) -> None:
    """Check settings, servers, credentials, clock, indexes, queues and channels. Ends 1 when something must be mended."""
    if "AMAAN_SECRET" not in environment() and (var / "stack.json").exists():
        raise SystemExit(_with_settings_of(var))
    settings = load()
    wanted = {AddressKind.FCM: push, AddressKind.SMS: sms, AddressKind.VOICE: call}
    console, found = Console(highlight=False), []
    for finding in (*findings(settings), *messages(settings, wanted)):
        found.append(finding)
        if not as_json:
            console.print(f"{MARKS[finding.state]} {finding.about:<16} {finding.text}")
    if as_json:
        click.echo(json.dumps([{"about": each.about, "state": each.state, "text": each.text} for each in found]))
    raise SystemExit(1 if any(each.state == State.ILL for each in found) else 0)


def _with_settings_of(var: Path) -> int:
    """The same command again, with the settings of the city that runs on this folder."""
    from cli.stack import Stack

    command = [sys.executable, "-m", "cli", *sys.argv[1:]]
    return subprocess.run(command, env=Stack(var).env, check=False).returncode
