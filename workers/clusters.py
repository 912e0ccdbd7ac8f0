"""Reactions to reports as reports of one happening: they join a cluster, and what is believed brings units and is told once."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

from domain.clusters import believing, queries, service
from domain.correlation import service as correlation
from domain.deliveries.service import Recipient, Telling
from domain.outbox import Event
from domain.reports import queries as reports
from domain.reports import raising
from domain.reports.states import ReportStatus
from notifications.fanout import tell
from workers.context import Context
from workers.watch_groups import members_of, plan_of

ALERT_MATTERS: Final = timedelta(hours=6)
LINKED: Final = 20
"""So many reports of a cluster are linked one by one with what is near."""


def join(event: Event, context: Context) -> None:
    """A report that others may read, at once or since a human let it through, is a voice for its cluster; with enough of them
    it is believed, and whoever lives where this one lies hears of a cluster that was believed before. One that was taken back
    or out is no voice any more.
    """
    doc = reports.get(event["subject"])
    cluster = believing.heard(doc, now=context.clock())
    if cluster is not None:
        _drain(cluster, context)
        new = sorted(set(doc["groups"]) - set(cluster["told"]))
        if cluster.get("believed_at") and new:
            _tell(doc, cluster, new, context)


def due_clusters(context: Context, pool: ThreadPoolExecutor) -> int:
    """Clusters that grew, or of which somebody spoke, are weighed."""
    found = queries.due(now=context.clock())
    for cluster_id in found:
        _drain(believing.weigh(cluster_id, now=context.clock()), context)
    return len(found)


def _drain(cluster: Mapping[str, Any], context: Context) -> None:
    for report_id in cluster.get("just_changed") or ():
        context.enqueue("drain", "watch_reports", report_id)


def link_report(event: Event, context: Context) -> None:
    """Link a report with the SOS, reports and observations near it; the thousandth of one blast is in its cluster."""
    doc = reports.get(event["subject"])
    whole = queries.whole(doc)
    if whole is not None and whole["reports"] > LINKED:
        return
    correlation.link_report(event["subject"], now=context.clock())


def raise_incident(event: Event, context: Context) -> None:
    """Units are asked, by an incident that is the same one however often this runs, and for all reports of the cluster."""
    ttl = timedelta(seconds=context.settings.link_ttl_s)
    incident = raising.raise_incident(
        event["subject"], secret=context.settings.signing_key, link_ttl=ttl, now=context.clock()
    )
    if incident is not None and incident.get("pending_events"):
        context.enqueue("drain", "incidents", incident["_id"])


def tell_groups(event: Event, context: Context) -> None:
    """Every member of the groups where it was seen hears of what is believed, once; but for the report's author. Of one that
    was taken back or out meanwhile nobody hears, and its cluster may be believed by another.
    """
    doc = reports.get(event["subject"])
    if doc["status"] in (ReportStatus.REMOVED, ReportStatus.WITHDRAWN):
        return
    if queries.whole(doc) is None:
        _tell(doc, None, doc["groups"], context)
        return
    cluster = service.believed(doc["cluster"], now=context.clock())
    _tell(doc, cluster, sorted({*doc["groups"], *cluster["groups"]}), context)


def _tell(doc: Mapping[str, Any], cluster: Mapping[str, Any] | None, groups: Sequence[str], context: Context) -> None:
    told = {doc["author"]}
    for group in groups:
        for page in members_of(group):
            new = [row for row in page if row["person"] not in told]
            told.update(row["person"] for row in new)
            tell([_telling(doc, cluster, group, row) for row in new], context.post)
    if cluster is not None:
        believing.told(cluster["_id"], groups)


def _telling(doc: Mapping[str, Any], cluster: Mapping[str, Any] | None, group: str, member: dict[str, Any]) -> Telling:
    return Telling(
        key=f"{cluster['_id'] if cluster else doc['_id']}-believed",
        city=doc["city"],
        purpose="watch_alert",
        subject=doc["_id"],
        recipient=Recipient("person", member["person"]),
        plan=plan_of(member),
        valid_for=ALERT_MATTERS,
        refs={"group": group},
    )
