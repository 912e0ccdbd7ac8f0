"""Reactions of neighbourhood watch: reports are linked, read by humans where they must be, and acted on once believed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from domain.audit import chain
from domain.deliveries.service import Recipient, Telling
from domain.follows import service as follows
from domain.outbox import Event
from domain.reports import moderating, personal
from domain.reports import queries as report_queries
from domain.reports.changing import HUMAN
from domain.reports.errors import OwnReport, ReportNotFound, ReportOver
from domain.reports.states import ReportStatus
from domain.reviews import service as reviews
from domain.reviews.states import RULE, ReviewKind, ReviewStatus
from domain.watch import queries
from domain.watch import service as watch
from notifications.fanout import tell
from runtime.media import Media
from workers.context import Context

NEWS_MATTERS: Final = timedelta(days=3)

_DECIDED: Final = {ReviewStatus.APPROVED: ReportStatus.PUBLISHED, ReviewStatus.REFUSED: ReportStatus.REMOVED}
"""What an answer makes of a held report. One that nobody answers stays held, and is asked about again."""


def ask_a_human(event: Event, context: Context) -> None:
    """A report is held: may others read it? One question for each time that it is held."""
    doc = report_queries.get(event["subject"])
    if event.get("by") != HUMAN:  # also of one that a human has let through since
        _on_the_record(doc, "report.held", event, context)
    if doc["status"] == ReportStatus.HELD:
        _ask(doc, event, context)
        _tell_leaders(doc, event, context)


def submitted(event: Event, context: Context) -> None:
    """A group reads what its neighbours report before others do: whoever leads it hears that something waits."""
    doc = report_queries.get(event["subject"])
    if doc["status"] == ReportStatus.SUBMITTED:
        _tell_leaders(doc, event, context)


def _on_the_record(doc: dict[str, Any], action: str, event: Event, context: Context) -> None:
    """What a rule decided is on the audit chain as what a human did: once, or twice where a worker died in between."""
    if not reviews.known(RULE, event["id"]):
        reason = ", ".join(doc.get("reasons") or [])
        chain.append(doc["city"], RULE, action, doc["_id"], now=context.clock(), reason=reason)


def _tell_leaders(doc: dict[str, Any], event: Event, context: Context) -> None:
    leaders = {row["person"] for group in doc["groups"] for row in queries.leaders(group)} - {doc["author"]}
    tell([_decision(doc, event, person, "held") for person in sorted(leaders)], context.post)


def _decision(doc: dict[str, Any], event: Event, person: str, variant: str) -> Telling:
    return Telling(
        key=event["id"],
        city=doc["city"],
        purpose="watch_moderation",
        subject=doc["_id"],
        recipient=Recipient("person", person),
        plan=("fcm",),
        valid_for=NEWS_MATTERS,
        refs={"variant": variant},
    )


def decided(event: Event, context: Context) -> None:
    """Its author hears that there is an answer."""
    doc = report_queries.get(event["subject"])
    tell([_decision(doc, event, doc["author"], "")], context.post)


def appealed(event: Event, context: Context) -> None:
    """Its author says that it was held or removed wrongly: somebody else than who decided is asked."""
    doc = report_queries.get(event["subject"])
    held = doc.get("appeal") or {}
    if not held or held.get("answered_at") or doc["status"] not in (ReportStatus.HELD, ReportStatus.REMOVED):
        return
    decided_by = (doc.get("decision") or {}).get("by")
    review, _ = reviews.ask(
        ReviewKind.REPORT_APPEAL,
        city=doc["city"],
        subject=doc["_id"],
        asked_by=doc["author"],
        reason=held["reason"],
        key=event["id"],
        but_not=[decided_by] if decided_by else [],
        now=context.clock(),
    )
    context.enqueue("drain", "reviews", review["_id"])


def _ask(doc: dict[str, Any], event: Event, context: Context, *, but_not: Sequence[str] = ()) -> None:
    review, _ = reviews.ask(
        ReviewKind.MODERATION,
        city=doc["city"],
        subject=doc["_id"],
        asked_by=RULE,
        reason=", ".join(doc.get("reasons") or []) or "held",
        key=event["id"],
        but_not=but_not,
        now=context.clock(),
    )
    context.enqueue("drain", "reviews", review["_id"])


def reviewed(event: Event, context: Context) -> None:
    """A human answered: the report is published, or removed. One that was decided otherwise meanwhile stays so, and of
    one that was written anew since it was asked about, another question waits.
    """
    if event["status"] == ReviewStatus.WITHDRAWN:
        return  # the report is no longer kept
    if event.get("asks") == ReviewKind.REPORT_APPEAL:
        _appeal_heard(event, context)
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
        try:
            moderating.decide(held["_id"], status, by=last["by"], reason=last["reason"], now=context.clock())
        except OwnReport:  # whoever answered wrote it: somebody else is asked
            _ask(held, event, context, but_not=[last["by"]])
            return
    except (ReportNotFound, ReportOver):
        return
    context.enqueue("drain", "watch_reports", doc["subject"])


def _appeal_heard(event: Event, context: Context) -> None:
    """Yes: others may read it. No: it stays as it was. One that nobody answered is asked about again."""
    doc = reviews.get(event["subject"])
    try:
        if doc["status"] == ReviewStatus.EXPIRED:
            appealed({**event, "subject": doc["subject"]}, context)
            return
        last, upheld = doc["answers"][-1], doc["status"] != ReviewStatus.APPROVED
        moderating.heard(
            doc["subject"],
            upheld=upheld,
            by=last["by"],
            reason=last["reason"],
            asked_at=doc["asked_at"],
            now=context.clock(),
        )
    except (ReportNotFound, ReportOver):
        return
    context.enqueue("drain", "watch_reports", doc["subject"])


def forget_memberships(event: Event, context: Context) -> None:
    """Memberships and reports go with their person."""
    watch.forget(event["subject"], now=context.clock())
    follows.forget(event["subject"])
    personal.forget(event["subject"], drop=Media(context.settings.media_url).delete, now=context.clock())
