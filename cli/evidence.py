"""`amaan evidence`: what there is of an incident, and whether the chain of custody of a piece of evidence holds."""

import click

from cli.store import connected, show, told
from domain.evidence import custody, viewing
from domain.incidents import service as incidents

MOST = 100


@click.group()
def evidence() -> None:
    """Evidence: list an incident's, verify a chain of custody."""


@evidence.command("list")
@click.argument("incident_id")
@told
def list_evidence(incident_id: str) -> None:
    """The evidence of an incident, newest first."""
    connected()
    incidents.get(incident_id)
    rows, _ = viewing.of_incident(incident_id, limit=MOST)
    show(
        ["id", "kind", "camera", "state", "at"],
        [
            (row["_id"], row.get("kind") or "upload", row.get("camera", ""), row.get("state", ""), row["at"])
            for row in rows
        ],
    )


@evidence.command("verify")
@click.argument("evidence_id")
@told
def verify(evidence_id: str) -> None:
    """Walk the chain of custody and compare it with the audit chain; ends 1 where it does not hold."""
    connected()
    entries = custody.entries(evidence_id)
    if not entries:
        raise click.ClickException("no such evidence, or nothing was told of it")
    verdict = custody.verify(entries[0]["city"], evidence_id)
    if not verdict.holds:
        raise click.ClickException(f"{evidence_id}: entry {verdict.broken_at} does not hold")
    show(
        ["seq", "at", "act", "by", "reason"],
        [(each["seq"], each["at"], each["act"], each["actor"], each["reason"]) for each in entries],
    )
    beside = f"; the audit chain does not tell of {list(verdict.unanchored)}" if verdict.unanchored else ""
    click.echo(f"{evidence_id}: {verdict.entries} entries hold{beside}")
