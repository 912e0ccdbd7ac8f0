"""A report that is believed becomes an incident: one however often the step runs, dispatched as an SOS is.

The author is not its citizen: their phone is not followed, their guardians are not told, nobody rings them.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument

from domain.clusters import service as clusters
from domain.clusters.queries import whole as whole_of
from domain.incidents import service as incidents
from domain.incidents.calls import CallForHelp, facts
from domain.incidents.service import Incident
from domain.incidents.states import IncidentStatus
from domain.reports import queries
from domain.reports.categories import CATEGORIES
from domain.reports.queries import Report, reports
from domain.reports.states import ReportStatus

CHANNEL = "watch"


def raise_incident(report_id: str, *, secret: str, link_ttl: timedelta, now: datetime) -> Incident | None:
    """The incident of a believed report: the one that another report of its cluster became, or its own. None where nobody is
    sent to its kind, or it was taken out meanwhile.
    """
    doc = queries.get(report_id)
    code = CATEGORIES[doc["category"]].incident
    if doc.get("incident"):
        return incidents.get(doc["incident"])
    if not code or not doc.get("believed_at") or doc["status"] in (ReportStatus.REMOVED, ReportStatus.WITHDRAWN):
        return None
    whole = whole_of(doc)
    cluster = clusters.believed(doc["cluster"], now=now) if whole else {"_id": report_id}
    incident = _going_on(cluster) or _own(doc, code, cluster, secret=secret, link_ttl=link_ttl, now=now)
    reports().find_one_and_update(
        {"_id": report_id, "incident": {"$exists": False}},
        {"$set": {"incident": incident["_id"], "changed_at": now}, "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )
    if whole:
        clusters.has_incident(cluster["_id"], incident["_id"])
    return incident


def _going_on(cluster: Mapping[str, Any]) -> Incident | None:
    held = cluster.get("incident")  # which may be no longer kept
    found = incidents.incidents().find_one({"_id": held}) if held else None
    return found if found and found["status"] != IncidentStatus.CLOSED else None


def _own(
    doc: Report, code: str, cluster: Mapping[str, Any], *, secret: str, link_ttl: timedelta, now: datetime
) -> Incident:
    # Two reports of a cluster that are believed at one moment are one incident; one that comes when that is over is another.
    once = doc["_id"] if cluster.get("incident") else cluster["_id"]
    place: dict[str, Any] = {**doc["position"], "captured_at": doc["at"], "source": "report"}
    call = CallForHelp(
        channel=CHANNEL,
        position=place,
        verified=True,
        category=code,
        note=doc["note"] or None,
        key=f"{once}:believed-report",
        city=doc["city"],
    )
    found = replace(facts(call, now=now), about={"report": doc["_id"]})
    return incidents.raise_sos(found, now=now, secret=secret, link_ttl=link_ttl, merge=False).incident
