"""The one conditional write by which a report changes, and where it must stand for it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from domain import outbox
from domain.incidents.errors import TooBusy
from domain.reports.errors import ReportOver
from domain.reports.queries import Report, get, reports
from domain.reports.states import ReportStatus

_TRIES: Final = 40
HUMAN: Final = "human"
"""Who held a report, where it was no rule: that stands on the audit chain already."""
_SHOWN: Final = frozenset({ReportStatus.PUBLISHED})
_OPEN: Final = frozenset({ReportStatus.SUBMITTED, ReportStatus.PUBLISHED, ReportStatus.HELD})


def change(report_id: str, rule: Callable[[Report], Mapping[str, Any]], *, now: datetime) -> Report:
    """Let a rule say what changes ({} for nothing; `events`, kinds of what follows; `by` HUMAN) and write it in one
    conditional write.

    The rule may run several times; it raises to refuse. Raises TooBusy when the report kept changing.
    """
    for _ in range(_TRIES):
        doc = get(report_id)
        decided = dict(rule(doc))
        if not decided:
            return doc
        kinds, by = decided.pop("events", ()), decided.pop("by", "")
        version = doc["version"] + 1
        events = [
            outbox.event(kind, report_id, version=version, now=now, city=doc["city"], **({"by": by} if by else {}))
            for kind in (
                "report.submitted",
                "report.held",
                "report.believed",
                "report.decided",
                "report.appealed",
                "report.withdrawn",
                "report.moved",
                "report.media_added",
                "report.worth_a_look",
            )
            if kind in kinds
        ]
        written = outbox.write(reports(), doc, decided, events, now=now)
        if written is not None:
            return written
    raise TooBusy("the report kept changing")


def check_open(doc: Report) -> None:
    """Raises ReportOver for one that was removed or taken back."""
    if doc["status"] not in _OPEN:
        raise ReportOver("it is over", current=doc["status"])


def check_shown(doc: Report) -> None:
    """Raises ReportOver for one that is not published."""
    if doc["status"] not in _SHOWN:
        raise ReportOver("it is not published", current=doc["status"])
