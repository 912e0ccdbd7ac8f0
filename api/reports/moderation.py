"""What others say of a report, and what moderators decide of it."""

from typing import Any

from api.admin.scope import audited
from api.blueprint import Blueprint, Call
from api.reports import schemas
from api.reports.access import (
    CONFLICT,
    MODERATE,
    NOT_SETTLED,
    REPORT,
    answer,
    check_settled,
    of_control_room,
    origin_of,
    sight_of,
)
from domain.reports import believing, moderating, vouching
from domain.reports.errors import OwnReport
from domain.reports.states import ReportStatus

blp = Blueprint("report_moderation", __name__, url_prefix="/v1/watch", description="Whether it is so, and may be read.")


@blp.endpoint(
    "POST /reports/<report_id>/confirmations",
    permission=REPORT,
    body=schemas.ReportVoice,
    answer=schemas.ReportAnswer,
    also={403: "A moderator took one's voice for a time.", 409: "One's own report, or it is not published."},
)
def speak(call: Call, report_id: str) -> Any:
    """Say that one sees it too, or that it is not so; one's later word takes the place of the earlier."""
    at = sight_of(call, report_id)["at"]
    place = call.body["position"]
    doc = believing.speak(
        report_id,
        call.who.person_id,
        call.body["stand"],
        session=call.who.session_id,
        lat=place["lat"],
        lon=place["lon"],
        address=origin_of(call, at),
        now=call.now,
    )
    return answer(call, doc)


@blp.endpoint(
    "POST /reports/<report_id>/flags",
    permission=REPORT,
    body=schemas.ReportFlag,
    status=204,
    also={403: "A moderator took one's voice for a time.", 409: "One's own report."},
)
def flag(call: Call, report_id: str) -> Any:
    """Ask for a human to read it; with the flags of three neighbours, not new ones, it is held until then."""
    sight_of(call, report_id)
    doc = moderating.flag(report_id, call.who.person_id, call.body["why"], now=call.now)
    if doc.get("pending_events"):
        call.services.enqueue("drain", "watch_reports", report_id)
    return None, 204


@blp.endpoint(
    "POST /reports/<report_id>/decision",
    permission=MODERATE,
    body=schemas.ReportDecisionBody,
    answer=schemas.ReportAnswer,
    also={**CONFLICT, 403: NOT_SETTLED},
)
def decide(call: Call, report_id: str) -> Any:
    """Publish, hold or remove a report, with a reason. On the audit chain.

    Who leads a group that is new decides only of what waits because the group reads first.
    """
    doc = sight_of(call, report_id, moderates=True)
    if doc["status"] != ReportStatus.SUBMITTED:
        check_settled(call, doc)
    status, reason = ReportStatus(call.body["status"]), call.body["reason"]
    audited(call, doc["city"], f"report.{status}", report_id, call.body)
    return answer(call, moderating.decide(report_id, status, by=call.who.person_id, reason=reason, now=call.now))


@blp.endpoint(
    "POST /reports/<report_id>/incident",
    permission=MODERATE,
    answer=schemas.ReportAnswer,
    also={
        403: f"{NOT_SETTLED} Or it comes from the caller's own phone or household (`not_independent`).",
        409: "It is not published, nobody is sent to this kind, or it is one's own.",
    },
)
def believe(call: Call, report_id: str) -> Any:
    """Say that it is so: it becomes an incident, units are asked, and its groups are told. On the audit chain."""
    doc = sight_of(call, report_id, moderates=True)
    if doc["author"] == call.who.person_id:  # else one person alone would alarm every group of the place
        raise OwnReport("somebody else says that it is so")
    check_settled(call, doc)
    if not of_control_room(call, doc):
        who, word = call.who, origin_of(call, doc["at"])
        vouching.check_independent(doc, who.person_id, who.session_id, origin=word, now=call.now)
    audited(call, doc["city"], "report.believed", report_id)
    return answer(call, believing.believe(report_id, by=call.who.person_id, now=call.now))


@blp.endpoint(
    "POST /reports/<report_id>/appeal",
    permission=REPORT,
    body=schemas.ReportAppeal,
    answer=schemas.ReportAnswer,
    also=CONFLICT,
)
def appeal(call: Call, report_id: str) -> Any:
    """Say why one's report should not have been held or removed; somebody else than who decided answers. On the audit chain."""
    doc = sight_of(call, report_id, author=True)
    audited(call, doc["city"], "report.appealed", report_id)
    return answer(call, moderating.appeal(report_id, call.who.person_id, call.body["reason"], now=call.now))
