"""The command `amaan`. One file per command group; each is imported only when it is asked for."""

import importlib
import sys

import click

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("cli.up:up", "The whole city on this machine, until Ctrl-C."),
    "down": ("cli.up:down", "Stop what `amaan up` left running."),
    "demo": ("cli.demo:demo", "Play a chapter of the story and watch it from outside."),
    "doctor": ("cli.doctor:doctor", "Look at settings, servers, credentials, clock, indexes, queues and channels."),
    "indexes": ("cli.indexes:indexes", "Create the declared indexes on all collections."),
    "settings": ("cli.settings:settings", "Show every setting as a table."),
    "cities": ("cli.cities:cities", "Cities: list, show, load a preset, see who changed what."),
    "agencies": ("cli.cities:agencies", "Agencies of a city: list, add or change."),
    "desks": ("cli.handovers:desks", "Agencies that take handovers by Open311: list, open with a key, close."),
    "units": ("cli.units:units", "Units: list, add, retire, put a responder on or off."),
    "staff": ("cli.staff:staff", "Staff and responders: list, add, dismiss, renew a second factor, end sessions."),
    "cameras": ("cli.cameras:cameras", "Cameras: list, add, check with one look, retire, make a gateway's key."),
    "vision": ("cli.vision:vision", "Camera analytics: measure it on your own footage, try your own models."),
    "alerts": ("cli.alerts:alerts", "Public alerts: list, issue, watch, cancel; the feeds of other systems."),
    "deliveries": ("cli.deliveries:deliveries", "Who was told, attempt by attempt, and what the carriers said."),
    "gateways": (
        "cli.gateways:gateways",
        "SMS gateways: which there are, which serve a number, where each one reports.",
    ),
    "drills": ("cli.drills:drills", "Drills: whether everybody can be reached, and who cannot and why."),
    "holds": ("cli.holds:holds", "Legal holds: keep an incident and all that belongs to it until they are lifted."),
    "evidence": ("cli.evidence:evidence", "Evidence: list an incident's, verify its chain of custody."),
    "audit": ("cli.audit:audit", "The audit chain: verify a day, export its signed head."),
    "vault": ("cli.vault:vault", "The vault's master keys: make one, wrap what older ones wrapped."),
    "openapi": ("cli.openapi:openapi", "Write the contract, mobile-contract/openapi.json."),
    "error-codes": ("cli.contract_words:error_codes", "Write the table of error codes."),
    "states": ("cli.contract_words:states", "Write what each state of the contract means."),
    "messages": ("cli.contract_words:messages", "Write what phones are sent: each SMS, an example of each push."),
    "prepare": ("cli.prepare:prepare", "Create the store's indexes and load the cities' presets."),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        found: click.Command = getattr(importlib.import_module(module), attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def group() -> None:
    """Amaan (امان, safety): the backend of a city's safety app."""


def main() -> None:
    """Run the command line; a wrong setting is one line, not a trace."""
    from runtime.settings import BadSetting

    try:
        group(prog_name="amaan")
    except BadSetting as error:
        sys.stderr.write(f"amaan: {error}\n")
        raise SystemExit(2) from None
