"""Reactions that ask cameras, show what they saw, and link what may be one happening."""

from domain.cameras import looks, observations, queries
from domain.correlation import service as correlation
from domain.incidents import service as incidents
from domain.outbox import Event
from domain.reports import looking
from domain.reports import queries as reports
from domain.reports.categories import CATEGORIES
from workers.context import Context


def ask_cameras(event: Event, context: Context) -> None:
    """Ask the cameras that may have seen it. The looks are jobs of their own: sending help never waits for them.

    Of what neighbours reported they are asked where the table of its kind says so: for a smell of gas none is.
    """
    if not _may_look(event["subject"]):
        return
    for look_id in looks.ask(event["subject"], now=context.clock()):
        enqueue(look_id, context)


def ask_for_report(event: Event, context: Context) -> None:
    """Ask the cameras near what a neighbour reported, before it is believed."""
    secret = context.settings.signing_key
    for look_id in looking.ask(event["subject"], secret=secret, now=context.clock()):
        enqueue(look_id, context)


def _may_look(incident_id: str) -> bool:
    report_id = (incidents.get(incident_id).get("about") or {}).get("report")
    found = reports.some([report_id]) if report_id else []
    return not found or CATEGORIES[found[0]["category"]].camera


def enqueue(look_id: str, context: Context) -> bool:
    """Put a look on the queue; while the queue is away, the sweeper tries again."""
    taken = context.enqueue("look", look_id)
    if taken:
        looks.queued(look_id, now=context.clock())
    return taken


def show_observation(event: Event, context: Context) -> None:
    """Show what was seen on the incidents and reports that asked: those of the look, or those near a gateway's word."""
    if look_id := event.get("look"):
        for report_id in looks.settle(look_id, event["subject"], now=context.clock()):
            context.enqueue("drain", "watch_reports", report_id)
    else:
        observations.tell_askers(queries.observation(event["subject"]), now=context.clock())


def link_incident(event: Event, context: Context) -> None:
    """Link an incident that is new, or known better, with what is near in space and time."""
    correlation.link_incident(event["subject"], now=context.clock())


def link_observation(event: Event, context: Context) -> None:
    """Link what a camera saw with the incidents near it."""
    correlation.link_observation(event["subject"], now=context.clock())
