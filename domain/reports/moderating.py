"""What humans decide of reports, and what makes them look: flags of neighbours, an appeal of the author. Each is one
conditional write.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain.reports import rules
from domain.reports.believing import weigh
from domain.reports.changing import HUMAN, change
from domain.reports.errors import OwnReport, ReportNotFound, ReportOver
from domain.reports.queries import Report, get
from domain.reports.states import Flag, ReportStatus, Stand
from domain.reports.voices import voice_of
from domain.watch import sanctions

NO_FLAGS: Final[Mapping[str, Any]] = {"flags": {}, "flagged_by": []}
"""A human has read it: what neighbours flagged before is answered."""


def decide(report_id: str, status: ReportStatus, *, by: str, reason: str, now: datetime) -> Report:
    """Publish, hold or remove it, with a reason. The same again is harmless. Raises ReportOver, OwnReport."""

    def rule(doc: Report) -> Mapping[str, Any]:
        if doc["author"] == by:
            raise OwnReport("somebody else decides")
        if doc["status"] == status:
            return {}
        rules.check_step(ReportStatus(doc["status"]), status)
        made: dict[str, Any] = {
            "status": str(status),
            "decision": {"by": by, "at": now, "reason": reason, "status": str(status)},
        }
        if status == ReportStatus.PUBLISHED:
            made |= {"reasons": [], **NO_FLAGS}
        made["events"] = ["report.decided", *(["report.held"] if status == ReportStatus.HELD else [])]
        made["by"] = HUMAN
        return made

    after = change(report_id, rule, now=now)
    return weigh(report_id, now=now) if status == ReportStatus.PUBLISHED else after


def flag(report_id: str, person: str, why: Flag, *, now: datetime) -> Report:
    """Ask for a human to read it. With the flags of enough neighbours, whose accounts are not new, it is held. Again is
    harmless. Raises OwnReport, and Muted while a moderator has taken their voice.
    """
    held = get(report_id)
    sanctions.check_voice(person, held["city"], held["groups"], now=now)
    counts = not rules.is_fresh(voice_of(person, "", Stand.DENY, 0.0).made, now)

    def rule(doc: Report) -> Mapping[str, Any]:
        if doc["author"] == person:
            raise OwnReport("it is your own")
        if person in doc["flags"] or doc["status"] != ReportStatus.PUBLISHED:
            return {}
        flags = {**doc["flags"], person: {"why": str(why), "at": now, "counts": counts}}
        made: dict[str, Any] = {"flags": flags, "flagged_by": sorted(flags)}
        if sum(each["counts"] for each in flags.values()) >= rules.FLAGS:
            made |= {"status": str(ReportStatus.HELD), "reasons": ["flagged"], "events": ["report.held"]}
        return made

    return change(report_id, rule, now=now)


def appeal(report_id: str, author: str, reason: str, *, now: datetime) -> Report:
    """Its author says why it should not have been held or removed; once for each decision. Somebody else than who decided is
    asked. Again is harmless. Raises ReportNotFound, ReportOver.
    """

    def rule(doc: Report) -> Mapping[str, Any]:
        if doc["author"] != author:
            raise ReportNotFound("no such report")
        if doc["status"] not in (ReportStatus.HELD, ReportStatus.REMOVED):
            raise ReportOver("it is neither held nor removed", current=doc["status"])
        held = doc.get("appeal") or {}
        if held and held["against"] == _decided_at(doc):
            if held["reason"] == reason:
                return {}
            raise ReportOver("an appeal was made", current="appealed")
        return {"appeal": {"reason": reason, "at": now, "against": _decided_at(doc)}, "events": ["report.appealed"]}

    return change(report_id, rule, now=now)


def _decided_at(doc: Report) -> datetime:
    """Which decision an appeal is against: the last human one, else what it says."""
    decided = (doc.get("decision") or {}).get("at")
    found: datetime = max(decided, doc["worded_at"]) if decided else doc["worded_at"]
    return found


def heard(report_id: str, *, upheld: bool, by: str, reason: str, asked_at: datetime, now: datetime) -> Report:
    """Somebody else has answered the appeal: it stays as it was (`upheld`), or others may read it. Again is harmless; of a
    report that was written anew since it was asked about, nothing follows.
    """

    def rule(doc: Report) -> Mapping[str, Any]:
        held = dict(doc.get("appeal") or {})
        if not held or held.get("answered_at") or doc["worded_at"] > asked_at:
            return {}
        made: dict[str, Any] = {"appeal": {**held, "upheld": upheld, "answered_at": now, "answer": reason}}
        made["events"] = ["report.decided"]
        if not upheld and doc["status"] in (ReportStatus.HELD, ReportStatus.REMOVED):
            status = str(ReportStatus.PUBLISHED)
            made |= {"status": status, "reasons": [], **NO_FLAGS}
            made["decision"] = {"by": by, "at": now, "reason": reason, "status": status}
        return made

    after = change(report_id, rule, now=now)
    return after if upheld else weigh(report_id, now=now)
