"""Reactions of handovers: the report shows who has it, and whoever said it hears what they did."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from domain.deliveries.service import Recipient, Telling
from domain.follows import queries as follows
from domain.handovers import queries, service
from domain.handovers.errors import NobodyTakesIt, NotHandedOver
from domain.outbox import Event
from domain.reports import queries as reports
from domain.reports.errors import ReportNotFound
from domain.watch import queries as watch
from notifications.fanout import tell
from workers.context import Context

NEWS_MATTERS: Final = timedelta(days=3)
PAGE: Final = 500


def made(event: Event, context: Context) -> None:
    """It is at an agency: the report shows it, its author hears of it."""
    _pass_on(event, context, leaders=False)


def updated(event: Event, context: Context) -> None:
    """The agency said how it stands: author, followers and whoever leads its groups hear that there is an answer."""
    _pass_on(event, context, leaders=True)


def _pass_on(event: Event, context: Context, *, leaders: bool) -> None:
    doc = queries.get(event["subject"])
    try:
        report = service.show_on_report(doc, now=context.clock())
    except ReportNotFound:
        return  # its author asked to be forgotten; the agency keeps what it has to do
    told: set[str] = set()
    for page in _hearers(report, leaders=leaders):
        new = [person for person in dict.fromkeys(page) if person not in told]
        told.update(new)
        tell([_telling(report, event, person) for person in new], context.post)


def _hearers(report: dict[str, Any], *, leaders: bool) -> Iterator[list[str]]:
    yield [report["author"]]
    if leaders:
        for group in report["groups"]:
            yield [row["person"] for row in watch.leaders(group)]
    after = ""
    while page := follows.followers(report["_id"], after=after, limit=PAGE):
        yield [row["person"] for row in page]
        after = page[-1]["_id"]


def _telling(report: dict[str, Any], event: Event, person: str) -> Telling:
    return Telling(
        key=f"{event['id']}-news",
        city=report["city"],
        purpose="watch_moderation",
        subject=report["_id"],
        recipient=Recipient("person", person),
        plan=("fcm",),
        valid_for=NEWS_MATTERS,
        refs={"variant": ""},
    )


def by_rule(event: Event, context: Context) -> None:
    """A report that neighbours believe and to which nobody is sent goes to the agency that takes its kind, where one does."""
    doc = reports.get(event["subject"])
    try:
        held, _ = service.hand_over(doc, by=service.BY_RULE, now=context.clock())
    except (NobodyTakesIt, NotHandedOver):
        return
    context.enqueue("drain", "watch_handovers", held["_id"])
