"""`amaan holds`: keep an incident, with all that belongs to it, whatever its city's times say: a court asks for it."""

import click

from cli.store import ACTOR, audited, connected, show, told
from domain.clock import utc_now
from domain.incidents import retention
from domain.incidents import service as incidents

REASON = click.option("--reason", required=True, help="Whose order, and its number; it stands on the audit chain.")


@click.group()
def holds() -> None:
    """Legal holds: set, lift, list."""


@holds.command("list")
@click.argument("city")
@told
def list_holds(city: str) -> None:
    """The incidents of a city that are under a hold."""
    connected()
    rows = [incidents.get(each)["hold"] | {"id": each} for each in sorted(retention.held(city).incidents)]
    show(["incident", "since", "by", "reason"], [(row["id"], row["at"], row["by"], row["reason"]) for row in rows])


@holds.command("set")
@click.argument("incident_id")
@REASON
@told
def set_hold(incident_id: str, reason: str) -> None:
    """Keep it until the hold is lifted."""
    connected()
    now = utc_now()
    audited(incidents.get(incident_id)["city"], "incident.held", incident_id, reason, now)
    retention.hold(incident_id, by=ACTOR, reason=reason, now=now)


@holds.command("lift")
@click.argument("incident_id")
@REASON
@told
def lift_hold(incident_id: str, reason: str) -> None:
    """The city's times hold for it again: what is over by them ends with the next sweep."""
    connected()
    now = utc_now()
    audited(incidents.get(incident_id)["city"], "incident.hold_lifted", incident_id, reason, now)
    retention.lift(incident_id, by=ACTOR, reason=reason, now=now)
