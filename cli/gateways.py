"""`amaan gateways`: which SMS gateways this machine has, which serve a number, and where each one reports."""

import click
from rich.console import Console
from rich.table import Table


@click.command()
@click.option("--number", help="An E.164 number: the gateways that serve it, in order.")
def gateways(number: str | None) -> None:
    """List the SMS gateways of this machine. Nothing is sent and nobody is connected to."""
    from notifications import reports
    from notifications.gateways import serving
    from notifications.registry import table
    from runtime.settings import load

    settings = load()
    further = table(settings)
    names = ["twilio_sms"] if settings.twilio_account_sid else []
    names += [each.name for each in further.http] + [each.name for each in further.smpp]
    prefixes = {"" if prefix == "+" else prefix: chosen for prefix, chosen in further.routes.items()} or {"": (*names,)}
    if number:
        click.echo(" → ".join(serving(prefixes, names, number)) or "none")
        return
    shown = Table("gateway", "speaks", "sender", "reports to")
    if settings.twilio_account_sid:
        twilio = f"{settings.public_url}/webhooks/twilio/status"
        shown.add_row("twilio_sms", "Twilio", settings.twilio_from, twilio)
    for http in further.http:
        by_id = http.reports is not None and http.reports.id
        where = reports.standing_address(settings.public_url, settings.signing_key, http.name)
        shown.add_row(
            http.name, f"HTTP {http.method}", http.sender, where if by_id else "an address of each message's own"
        )
    for smpp in further.smpp:
        shown.add_row(smpp.name, f"SMPP {smpp.host}:{smpp.port}", smpp.sender, "its connection")
    Console(width=160).print(shown)
    for prefix, chosen in sorted(further.routes.items(), key=lambda route: -len(route[0])):
        click.echo(f"{prefix}: {' → '.join(chosen)}")
