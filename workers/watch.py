"""Reactions of neighbourhood watch: reports are linked, read by humans where they must be, and acted on once believed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from domain.correlation import service as correlation
from domain.deliveries.service import Recipient, Telling
from domain.outbox import Event
from domain.reports import moderating, personal, raising
from domain.reports import queries as report_queries
from domain.reports.errors import ReportNotFound, ReportOver
from domain.reports.states import ReportStatus
from domain.reviews import service as reviews
from domain.reviews.states import RULE, ReviewKind, ReviewStatus
from domain.watch import queries
from domain.watch import service as watch
from domain.watch.states import Standing
from notifications.fanout import tell
from runtime.media import Media
from workers.context import Context

ALERT_MATTERS: Final = timedelta(hours=6)
PAGE: Final = 500

_DECIDED: Final = {ReviewStatus.APPROVED: ReportStatus.PUBLISHED, ReviewStatus.REFUSED: ReportStatus.REMOVED}
"""What an answer makes of a held report. One that nobody answers stays held, and is asked about again."""


def link_report(event: Event, context: Context) -> None:
    """Link a report with the SOS, reports and observations near it."""
    correlation.link_report(event["subject"], now=context.clock())


def ask_a_human(event: Event, context: Context) -> None:
    """A report is held: may others read it? One question for each time that it is held."""
    doc = report_queries.get(event["subject"])
    if doc["status"] == ReportStatus.HELD:
        _ask(doc, event, context)


def _ask(doc: dict[str, Any], event: Event, context: Context) -> None:
    review, _ = reviews.ask(
        ReviewKind.MODERATION,
        city=doc["city"],
        subject=doc["_id"],
        asked_by=RULE,
        reason=", ".join(doc.get("reasons") or []) or "held",
        key=event["id"],
        now=context.clock(),
    )
    context.enqueue("drain", "reviews", review["_id"])


def reviewed(event: Event, context: Context) -> None:
    """A human answered: the report is published, or removed. One that was decided otherwise meanwhile stays so, and of
    one that was written anew since it was asked about, another question waits.
    """
    if event.get("asks") != ReviewKind.MODERATION:
        return
    status = _DECIDED.get(ReviewStatus(event["status"]))
    doc = reviews.get(event["subject"])
    try:
        held = report_queries.get(doc["subject"])
        if held["status"] != ReportStatus.HELD or held["worded_at"] > doc["asked_at"]:
            return
        if status is None or not doc["answers"]:
            _ask(held, event, context)
            return
        last = doc["answers"][-1]
        moderating.decide(held["_id"], status, by=last["by"], reason=last["reason"], now=context.clock())
    except (ReportNotFound, ReportOver):
        return
    context.enqueue("drain", "watch_reports", doc["subject"])


def raise_incident(event: Event, context: Context) -> None:
    """Units are asked, by an incident that is the same one however often this runs."""
    ttl = timedelta(seconds=context.settings.link_ttl_s)
    incident = raising.raise_incident(
        event["subject"], secret=context.settings.signing_key, link_ttl=ttl, now=context.clock()
    )
    if incident is not None and incident.get("pending_events"):
        context.enqueue("drain", "incidents", incident["_id"])


def tell_groups(event: Event, context: Context) -> None:
    """Every member of its groups hears of a report that is believed, once; but for its author."""
    doc = report_queries.get(event["subject"])
    told = {doc["author"]}
    for group in doc["groups"]:
        for page in _members(group):
            new = [row["person"] for row in page if row["person"] not in told]
            told.update(new)
            tell([_telling(doc, group, person) for person in new], context.post)


def _members(group: str) -> Iterator[list[dict[str, Any]]]:
    after = ""
    while page := queries.members_of(group, Standing.MEMBER, after=after, limit=PAGE):
        yield page
        after = page[-1]["_id"]


def _telling(doc: dict[str, Any], group: str, person: str) -> Telling:
    return Telling(
        key=f"{doc['_id']}-believed",
        city=doc["city"],
        purpose="watch_alert",
        subject=doc["_id"],
        recipient=Recipient("person", person),
        plan=("fcm",),
        valid_for=ALERT_MATTERS,
        refs={"group": group},
    )


def forget_memberships(event: Event, context: Context) -> None:
    """Memberships and reports go with their person."""
    watch.forget(event["subject"], now=context.clock())
    personal.forget(event["subject"], drop=Media(context.settings.media_url).delete)
