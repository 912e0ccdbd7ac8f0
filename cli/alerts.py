"""`amaan alerts`: warn the public from a terminal, watch how far it is, withdraw it; and what other systems' feeds brought."""

import json
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.store import ACTOR, audited, connected, show, told
from domain.alerts import queries, service
from domain.alerts.cap import sender_of
from domain.alerts.states import CapCategory
from domain.cities import queries as cities
from domain.cities.config import Certainty, Severity, Urgency
from domain.clock import utc_now
from domain.ids import new_id
from runtime import queues
from runtime.settings import Settings

REASON = click.option("--reason", required=True, help="Why; it stands on the audit chain.")
EVERY_S = 0.5


@click.group()
def alerts() -> None:
    """Public alerts: list, issue, watch, cancel; the feeds of other systems."""


@alerts.command("list")
@click.argument("city")
@told
def list_alerts(city: str) -> None:
    """A city's newest alerts, drafts too."""
    connected()
    rows = [
        (
            alert["_id"],
            alert["status"],
            alert["msg_type"],
            alert["severity"],
            f"{alert['expires']:%Y-%m-%d %H:%M}",
            (alert["texts"].get("en") or {}).get("headline", ""),
        )
        for alert in queries.listed(city, before=None, limit=50)
    ]
    show(["id", "status", "type", "severity", "expires (UTC)", "headline"], rows)


def _choice(of: Any) -> click.Choice[str]:
    return click.Choice([str(each) for each in of])


@alerts.command("issue")
@click.argument("city")
@click.option("--event", nargs=2, required=True, metavar="EN UR")
@click.option("--headline", nargs=2, required=True, metavar="EN UR")
@click.option("--instruction", nargs=2, default=("", ""), metavar="EN UR")
@click.option("--category", type=_choice(CapCategory), required=True)
@click.option("--severity", type=_choice(Severity), required=True)
@click.option("--urgency", type=_choice(Urgency), required=True)
@click.option("--certainty", type=_choice(Certainty), required=True)
@click.option(
    "--area", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="GeoJSON; else all the city."
)
@click.option("--area-name", nargs=2, default=("", ""), metavar="EN UR")
@click.option("--updates", help="The alert in whose place it comes.")
@click.option("--watch/--no-watch", "watches", default=True, help="Stay and show how far it is.")
@REASON
@told
def issue(
    city: str,
    event: tuple[str, str],
    headline: tuple[str, str],
    instruction: tuple[str, str],
    category: str,
    severity: str,
    urgency: str,
    certainty: str,
    area: Path | None,
    area_name: tuple[str, str],
    updates: str | None,
    watches: bool,
    reason: str,
) -> None:
    """Warn a city, or an area of it, now."""
    settings, now = connected(), utc_now()
    where: dict[str, Any] = {"geometry": _geometry(area)} if area else {"whole_city": True}
    facts = {
        "texts": {
            language: {"event": event[index], "headline": headline[index], "instruction": instruction[index]}
            for index, language in enumerate(("en", "ur"))
        },
        "category": category,
        "severity": severity,
        "urgency": urgency,
        "certainty": certainty,
        "area": {**where, "name": {"en": area_name[0], "ur": area_name[1]}},
    }
    alert_id, config = new_id("alt", now), cities.current(city)
    audited(city, "alert.issued", alert_id, reason, now)
    service.draft(alert_id, facts, config, by=ACTOR, now=now, updates=updates)
    service.issue(alert_id, config, sender=sender_of(city, settings.public_url), by=ACTOR, now=now)
    _hint(settings, alert_id)
    click.echo(alert_id)
    if watches:
        _watch(alert_id)


def _geometry(path: Path) -> Any:
    """The geometry of a GeoJSON file: itself, a Feature, or the first of a collection."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise click.BadParameter("not JSON", param_hint="--area") from error
    if isinstance(found, dict) and found.get("features"):
        found = found["features"][0]
    return found.get("geometry", found) if isinstance(found, dict) else found


def _hint(settings: Settings, alert_id: str) -> None:
    """The sweeper finds it without; with the queue it begins at once."""
    queues.Queues(queues.connect(settings.redis_url))("drain", "alerts", alert_id)


@alerts.command("watch")
@click.argument("alert_id")
@told
def watch(alert_id: str) -> None:
    """Show how far the telling is, until everybody was tried."""
    connected()
    _watch(alert_id)


def _watch(alert_id: str) -> None:
    console = Console()
    bars = Progress(
        TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )
    with bars:
        tasks = {name: bars.add_task(name, total=None) for name in ("sent", "received", "seen")}
        while True:
            alert = queries.get(alert_id)
            broadcast, counts = alert.get("broadcast") or {}, alert.get("progress") or {}
            for name, task in tasks.items():
                bars.update(task, completed=int(counts.get(name, 0)), total=int(broadcast.get("people") or 0) or None)
            if broadcast.get("state") not in {"finding", "sending"}:
                break
            time.sleep(EVERY_S)
    rest = ", ".join(f"{counts.get(name, 0)} {name}" for name in ("failed", "retrying", "unknown", "repeated"))
    click.echo(f"{alert['status']}, {broadcast.get('state', 'not sent')}: {rest}")


@alerts.command("cancel")
@click.argument("alert_id")
@REASON
@told
def cancel(alert_id: str, reason: str) -> None:
    """Withdraw an alert in force, and tell everybody who was told."""
    settings, now = connected(), utc_now()
    city = queries.get(alert_id)["city"]
    audited(city, "alert.cancelled", alert_id, reason, now)
    sender = sender_of(city, settings.public_url)
    made, _ = service.cancel(alert_id, cities.current(city), by=ACTOR, now=now, sender=sender)
    _hint(settings, made["_id"])
    click.echo(made["_id"])


@alerts.command("feeds")
@click.argument("city")
@told
def feeds(city: str) -> None:
    """The feeds that a city reads, and what they brought of late."""
    connected()
    known = {row["feed"]: row for row in queries.feeds_of(city)}
    rows = [
        (feed.id, "issues" if feed.issues else "drafts", known.get(feed.id, {}).get("answered_at", "never"),
         known.get(feed.id, {}).get("problem", ""))
        for feed in cities.current(city).cap_feeds.values()
    ]  # fmt: skip
    show(["feed", "mode", "read at", "problem"], rows)
    brought = [
        (f"{row['at']:%Y-%m-%d %H:%M}", row["feed"], row["state"], row["reason"], row.get("alert") or "", row["detail"])
        for row in queries.brought(city)
    ]
    show(["at (UTC)", "feed", "state", "reason", "alert", "detail"], brought)
