"""What humans decide of reports, and what makes them look: flags of neighbours. Each is one conditional write."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.reports import rules
from domain.reports.errors import OwnReport
from domain.reports.queries import Report
from domain.reports.service import change, voice_of, weigh
from domain.reports.states import Flag, ReportStatus, Stand


def decide(report_id: str, status: ReportStatus, *, by: str, reason: str, now: datetime) -> Report:
    """Publish, hold or remove it, with a reason. The same again is harmless. Raises ReportOver."""

    def rule(doc: Report) -> Mapping[str, Any]:
        if doc["status"] == status:
            return {}
        rules.check_step(ReportStatus(doc["status"]), status)
        made: dict[str, Any] = {
            "status": str(status),
            "decision": {"by": by, "at": now, "reason": reason, "status": str(status)},
        }
        if status == ReportStatus.PUBLISHED:
            made |= {"reasons": [], "flags": {}}
        if status == ReportStatus.HELD:
            made |= {"events": ["report.held"]}
        return made

    after = change(report_id, rule, now=now)
    return weigh(report_id, now=now) if status == ReportStatus.PUBLISHED else after


def flag(report_id: str, person: str, why: Flag, *, now: datetime) -> Report:
    """Ask for a human to read it. With the flags of enough neighbours, whose accounts are not new, it is held. Again is
    harmless. Raises OwnReport.
    """
    counts = not rules.is_fresh(voice_of(person, "", Stand.DENY, 0.0).made, now)

    def rule(doc: Report) -> Mapping[str, Any]:
        if doc["author"] == person:
            raise OwnReport("it is your own")
        if person in doc["flags"] or doc["status"] != ReportStatus.PUBLISHED:
            return {}
        flags = {**doc["flags"], person: {"why": str(why), "at": now, "counts": counts}}
        made: dict[str, Any] = {"flags": flags}
        if sum(each["counts"] for each in flags.values()) >= rules.FLAGS:
            made |= {"status": str(ReportStatus.HELD), "reasons": ["flagged"], "events": ["report.held"]}
        return made

    return change(report_id, rule, now=now)
