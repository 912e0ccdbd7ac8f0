"""A report that is believed becomes an incident: one however often the step runs, dispatched as an SOS is.

The author is not its citizen: their phone is not followed, their guardians are not told, nobody rings them.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument

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
    """The incident of a believed report: the one that a report of the same thing became, or its own. None where nobody is
    sent to its kind, or it was taken out meanwhile.
    """
    doc = queries.get(report_id)
    code = CATEGORIES[doc["category"]].incident
    if doc.get("incident"):
        return incidents.get(doc["incident"])
    if not code or not doc.get("believed_at") or doc["status"] in (ReportStatus.REMOVED, ReportStatus.WITHDRAWN):
        return None
    incident = _of_the_same(doc) or _own(doc, code, secret=secret, link_ttl=link_ttl, now=now)
    reports().find_one_and_update(
        {"_id": report_id, "incident": {"$exists": False}},
        {"$set": {"incident": incident["_id"], "changed_at": now}, "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )
    return incident


def _of_the_same(doc: Report) -> Incident | None:
    for other in queries.like(doc):
        held = queries.get(other["id"]).get("incident")
        found = incidents.get(held) if held else None
        if found and found["status"] != IncidentStatus.CLOSED and found["about"].get("report") != doc["_id"]:
            return found
    return None


def _own(doc: Report, code: str, *, secret: str, link_ttl: timedelta, now: datetime) -> Incident:
    place: dict[str, Any] = {**doc["position"], "captured_at": doc["at"], "source": "report"}
    call = CallForHelp(
        channel=CHANNEL,
        position=place,
        verified=True,
        category=code,
        note=doc["note"] or None,
        key=f"{doc['_id']}:believed-report",
        city=doc["city"],
    )
    found = replace(facts(call, now=now), about={"report": doc["_id"]})
    return incidents.raise_sos(found, now=now, secret=secret, link_ttl=link_ttl, merge=False).incident
