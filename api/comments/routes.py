"""Comments and reactions on reports."""

from datetime import datetime
from typing import Any, Final

from api.admin.scope import audited
from api.blueprint import Blueprint, Call
from api.comments import schemas
from api.paging import Listed, cut
from api.reports.access import MODERATE, NOT_SETTLED, READ, REPORT, check_settled, eyes_of, sight_of
from domain.comments import queries, service
from domain.comments.errors import CommentNotFound
from domain.comments.queries import Comment
from domain.comments.states import CommentStatus, Reaction
from domain.people import queries as people
from domain.reports import queries as reports
from domain.reports import seen
from domain.reports.errors import ReportNotFound
from domain.reports.queries import Report
from domain.watch import queries as watch

blp = Blueprint("comments", __name__, url_prefix="/v1/watch", description="What neighbours say below a report.")

SHOWN: Final = 6
"""Rows of a page at most: in Urdu they fit in 8 KiB."""


def _comment(call: Call, comment_id: str, *, moderates: bool = False) -> tuple[Comment, Report]:
    """The comment and its report, for whoever may see it or moderates it. Raises CommentNotFound."""
    comment = queries.get(comment_id)
    try:
        report = sight_of(call, comment["report"])
    except ReportNotFound:
        raise CommentNotFound("no such comment") from None
    may_moderate = eyes_of(call, report, frozenset()).moderates
    mine = comment["author"] == call.who.person_id
    if (moderates and not may_moderate) or not (comment["status"] == CommentStatus.PUBLISHED or mine or may_moderate):
        raise CommentNotFound("no such comment")
    return comment, report


def _views(call: Call, rows: list[Comment], report: Report) -> list[dict[str, Any]]:
    member_of = frozenset(watch.joined(call.who.person_id))
    names = people.names(row["author"] for row in rows)
    found = []
    for row in rows:
        eyes = eyes_of(call, {**report, "author": row["author"]}, member_of)
        known = eyes.author or eyes.moderates
        found.append(
            {
                **row,
                "id": row["_id"],
                "at": row["created_at"],
                "mine": eyes.author,
                "author_name": names.get(row["author"]) or None if seen.names_author(row, eyes) else None,
                "reasons": list(row["reasons"]) or None if known else None,
                "decision": (row.get("decision") or {}).get("reason") if known else None,
            }
        )
    return found


def _answer(call: Call, comment: Comment, report: Report) -> dict[str, Any]:
    if comment.get("pending_events") or comment["status"] == CommentStatus.HELD:
        call.services.enqueue("drain", "watch_comments", comment["_id"])
    return _views(call, [comment], report)[0]


@blp.endpoint(
    "POST /reports/<report_id>/comments",
    permission=REPORT,
    body=schemas.NewComment,
    answer=schemas.CommentAnswer,
    status=201,
    creates=True,
    also={
        403: "A moderator took one's voice for a time.",
        409: "The report is not published, or the key was used for another comment.",
        429: "More in a day than anybody says, or the report has five hundred.",
    },
)
def add(call: Call, report_id: str) -> Any:
    """Say something below a report. The rules of reports hold it where they would hold a report."""
    report = sight_of(call, report_id)
    comment, fresh = service.add(
        call.new_id("cmt"),
        report,
        call.who.person_id,
        call.body["text"],
        anonymous=call.body["anonymous"],
        fingerprint=call.fingerprint,
        secret=call.services.settings.signing_key,
        now=call.now,
    )
    return _answer(call, comment, report), 201 if fresh else 200


@blp.endpoint(
    "GET /reports/<report_id>/comments",
    permission=READ,
    query=schemas.CommentsQuery,
    answer=schemas.CommentAnswer,
    paged=True,
)
def list_comments(call: Call, report_id: str) -> Any:
    """What neighbours say below a report, the oldest first; what is held is for moderators, and for its author."""
    report = sight_of(call, report_id, moderates=call.query["status"] != CommentStatus.PUBLISHED)
    after, limit = call.after(datetime, str), min(call.limit, SHOWN)
    own = call.who.person_id if call.query["status"] == CommentStatus.PUBLISHED else ""
    rows = queries.of_report(report_id, [str(call.query["status"])], author=own, after=after, limit=limit + 1)
    page, more = cut(rows, limit, "created_at", "_id")
    return Listed(_views(call, page, report), more)


@blp.endpoint("DELETE /comments/<comment_id>", permission=REPORT, status=204)
def delete(call: Call, comment_id: str) -> Any:
    """Take one's own comment back: it is erased."""
    service.delete(comment_id, call.who.person_id)
    return None, 204


@blp.endpoint(
    "POST /comments/<comment_id>/flags",
    permission=REPORT,
    body=schemas.CommentFlag,
    status=204,
    also={403: "A moderator took one's voice for a time.", 409: "One's own comment."},
)
def flag(call: Call, comment_id: str) -> Any:
    """Ask for a human to read it; with the flags of three neighbours, not new ones, it is held until then."""
    _comment(call, comment_id)
    doc = service.flag(comment_id, call.who.person_id, call.body["why"], now=call.now)
    if doc.get("pending_events"):
        call.services.enqueue("drain", "watch_comments", comment_id)
    return None, 204


@blp.endpoint(
    "POST /comments/<comment_id>/decision",
    permission=MODERATE,
    body=schemas.CommentDecision,
    answer=schemas.CommentAnswer,
    also={
        403: NOT_SETTLED,
        409: "It does not stand where this is possible (`current`), or it is one's own.",
    },
)
def decide(call: Call, comment_id: str) -> Any:
    """Publish, hold or remove a comment, with a reason. On the audit chain."""
    comment, report = _comment(call, comment_id, moderates=True)
    if comment["status"] != CommentStatus.HELD or comment["reasons"] != [service.READS_FIRST]:
        check_settled(call, report)
    status, reason = call.body["status"], call.body["reason"]
    audited(call, comment["city"], f"comment.{status}", comment_id, call.body)
    return _answer(call, service.decide(comment_id, status, by=call.who.person_id, reason=reason, now=call.now), report)


@blp.endpoint("GET /reports/<report_id>/reactions", permission=READ, answer=schemas.ReactionsAnswer, etag=True)
def read_reactions(call: Call, report_id: str) -> Any:
    """How neighbours reacted to a report."""
    return _reactions(call, sight_of(call, report_id))


@blp.endpoint(
    "PUT /reports/<report_id>/reaction",
    permission=REPORT,
    body=schemas.ReactionBody,
    answer=schemas.ReactionsAnswer,
    also={403: "A moderator took one's voice for a time.", 409: "The report is not published."},
)
def react(call: Call, report_id: str) -> Any:
    """Say without words how one is moved; in place of what one said before."""
    report = sight_of(call, report_id)
    wanted = call.body["kind"]
    service.react(report, call.who.person_id, None if wanted == "none" else Reaction(wanted), now=call.now)
    return _reactions(call, reports.get(report_id))


def _reactions(call: Call, report: Report) -> dict[str, Any]:
    return {
        "counts": queries.reacted(report["_id"]),
        "comments": queries.published(report["_id"]),
        "mine": queries.reaction_of(report["_id"], call.who.person_id),
    }
