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
    if not doc.get("sights") and not _may_ask(doc, now):
        return []
    found = looks.windows(doc["city"], doc["position"], doc["at"], at_most=MOST, now=now)

    def rule(held: Report) -> Mapping[str, Any]:
        return {"sights": found} if found and not held.get("sights") else {}

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
    """Whether it is still to be asked about: not held, flagged, believed or turned into another kind meanwhile, and no other
    of its cluster asks. A run that died after it had begun goes on.
    """
    if (
        doc["status"] != ReportStatus.PUBLISHED
        or doc.get("believed_at")
        or not believing.may_be_looked_at(doc, now=now)
    ):
        return False
    return not doc.get("cluster") or clusters.asks_cameras_by(doc["cluster"], doc["_id"])
