"""What cameras showed of a report, kept on it: each answer is one conditional write, after which it is weighed anew.

A report that is no longer kept is nobody to be told.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from domain.cameras.checks import group_of
from domain.cameras.queries import Observation, looks
from domain.cameras.rules import may_show
from domain.cameras.states import View
from domain.clusters import service as clusters
from domain.correlation import service as correlation
from domain.reports import believing
from domain.reports.changing import change
from domain.reports.errors import ReportNotFound
from domain.reports.queries import Report


def show(report_id: str, camera_id: str, view: View, found: Observation | None, *, now: datetime) -> None:
    """Put a camera's answer on a report that asked it. The first observation stays; again is harmless."""

    def rule(doc: Report) -> Mapping[str, Any]:
        held = (doc.get("sights") or {}).get(camera_id)
        if held is None or held["state"] == view or not may_show(held, view):
            return {}
        answer: dict[str, Any] = {"state": str(view), "answered_at": now}
        if found:
            answer |= {"observation": found["_id"], "findings": _findings(found)}
        return {f"sights.{camera_id}": {**held, **answer}}

    _change(report_id, rule, now=now)


def tell(found: Observation, report_ids: Iterable[str], *, now: datetime) -> None:
    """Show an observation on the reports that asked its camera, and link both, which of many reports may not be near enough."""
    asked = list(report_ids)
    for report_id in asked:
        show(report_id, found["camera"], View(found["view"]), found, now=now)
    correlation.link_asked(found["_id"], asked, now=now)


def checked(found: Observation, look_id: str, *, now: datetime) -> None:
    """A human has said what is to be seen: that outweighs the detector, on the reports that asked too."""

    def rule(doc: Report) -> Mapping[str, Any]:
        held = (doc.get("sights") or {}).get(found["camera"])
        seen = _findings(found)
        if held is None or held.get("observation") != found["_id"] or held.get("findings") == seen:
            return {}
        return {f"sights.{found['camera']}": {**held, "findings": seen}}

    row = looks().find_one({"_id": look_id}, {"reports": 1}) or {}
    for report_id in row.get("reports") or []:
        _change(report_id, rule, now=now)


def _change(report_id: str, rule: Any, *, now: datetime) -> None:
    with suppress(ReportNotFound):
        doc = change(report_id, rule, now=now)
        believing.weigh(report_id, now=now)
        if doc.get("cluster"):
            clusters.again(doc["cluster"], now=now)


def _findings(found: Observation) -> list[dict[str, Any]]:
    """What was found, and what a human said of it: [{kind, confidence, said?}]."""
    said = {group: each["said"] for group, each in (found.get("checked") or {}).items()}
    return [
        {"kind": each["kind"], "confidence": each["confidence"]}
        | ({"said": said[group]} if (group := group_of(each["kind"])) in said else {})
        for each in found["findings"]
    ]
