"""Cameras near what a neighbour reports are asked before it is believed, where the rule says so (`believing.asks_cameras`),
by the looks that SOS share. Of a cluster one report asks in the place of all, so a burst costs no further look.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain.cameras import looks
from domain.clusters import service as clusters
from domain.reports import believing, sights
from domain.reports.changing import change
from domain.reports.queries import Report, get
from domain.reports.states import ReportStatus

MOST: Final = 4
"""Cameras that a report asks: half of an SOS's."""


def ask(report_id: str, *, secret: str, now: datetime) -> list[str]:
    """Ask the cameras that may see it. Returns the looks that somebody has to do now.

    The report first keeps whom it asked and for which window, so that a second run joins the same looks. Raises
    ReportNotFound.
    """
    doc = get(report_id)
    found: Mapping[str, Any] = doc.get("sights") or {}
    if not found:
        found = looks.windows(doc["city"], doc["position"], doc["at"], at_most=MOST, now=now)
        if not found and doc.get("cluster"):
            clusters.again(doc["cluster"], now=now)  # another of it may be in view
        if not found or not _may_ask(doc, now):
            return []

    def rule(held: Report) -> Mapping[str, Any]:
        return {} if held.get("sights") else {"sights": found}

    asked: Mapping[str, Mapping[str, Any]] = change(report_id, rule, now=now).get("sights") or {}
    waiting = {name: held for name, held in asked.items() if not held.get("observation")}
    joined = looks.join_report(report_id, waiting, secret=secret, now=now)
    for camera_id, view, observation in joined.answers:
        if observation:
            sights.tell(observation, [report_id], now=now)
        else:
            sights.show(report_id, camera_id, view, None, now=now)
    return joined.to_do


def _may_ask(doc: Report, now: datetime) -> bool:
    """Whether cameras are still to be asked: it was not held, flagged, believed or turned into another kind meanwhile, and no
    other of its cluster asks them. Nobody is asked this whose run had begun: it goes on.
    """
    if (
        doc["status"] != ReportStatus.PUBLISHED
        or doc.get("believed_at")
        or not believing.may_be_looked_at(doc, now=now)
    ):
        return False
    return not doc.get("cluster") or clusters.asks_cameras_by(doc["cluster"], doc["_id"])
