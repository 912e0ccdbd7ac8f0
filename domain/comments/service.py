"""Commenting, flagging, deciding and deleting. A comment is moderated by the rules of reports: the same words hold it, the
same number of flags, and a group that reads first reads it first. Each is one conditional write.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.comments import queries
from domain.comments.errors import CommentNotFound, CommentOver, OwnComment, TooManyComments
from domain.comments.queries import Comment, comments, get, reaction_id, reactions
from domain.comments.states import STEPS, CommentStatus, Reaction
from domain.errors import Conflict
from domain.incidents.errors import TooBusy
from domain.limits import service as limits
from domain.reports import rules, wording
from domain.reports.categories import CATEGORIES
from domain.reports.changing import HUMAN
from domain.reports.queries import Report
from domain.reports.states import Anonymity, Flag, ReportStatus, Stand
from domain.reports.voices import voice_of
from domain.watch import queries as watch
from domain.watch import sanctions, settled

A_DAY: Final = 60
MOST: Final = 500
"""Of one report."""
READS_FIRST: Final = "group_reads_first"
_TRIES: Final = 40


def add(
    comment_id: str,
    report: Report,
    author: str,
    text: str,
    *,
    anonymous: Anonymity,
    fingerprint: str,
    secret: str,
    now: datetime,
) -> tuple[Comment, bool]:
    """(comment, whether it is new). The same id again is the same comment; with another body it is a Conflict. A comment on
    a report that is not published any more is CommentOver; Muted, LimitReached, TooManyComments.
    """
    held = comments().find_one({"_id": comment_id})
    fresh = held is None
    if held is None:
        if report["status"] != ReportStatus.PUBLISHED:
            raise CommentOver("the report is not published", current=report["status"])
        sanctions.check_voice(author, report["city"], report["groups"], now=now)
        limits.take(secret, "watch_comment", author, limit=A_DAY, window_s=86_400, now=now)
        if queries.count(report["_id"]) >= MOST:
            raise TooManyComments("enough was said", retry_after=86_400)
        reasons = _reasons(report, author, text, now)
        held = {
            "_id": comment_id,
            "city": report["city"],
            "report": report["_id"],
            "groups": list(report["groups"]),
            "author": author,
            "anonymous": str(anonymous),
            "text": text,
            "status": str(CommentStatus.HELD if reasons else CommentStatus.PUBLISHED),
            "reasons": reasons,
            "flags": {},
            "fingerprint": fingerprint,
            "created_at": now,
            "changed_at": now,
            "version": 1,
        }
        event = outbox.event("comment.held", comment_id, version=1, now=now, city=report["city"])
        try:
            comments().insert_one(held | (outbox.fields([event], now) if reasons else {}))
        except DuplicateKeyError:
            held, fresh = get(comment_id), False
    if held["fingerprint"] != fingerprint or held["author"] != author:
        raise Conflict("this key was used for another comment", code="idempotency_conflict")
    return held, fresh


def _reasons(report: Report, author: str, text: str, now: datetime) -> list[str]:
    """Why a human must read it before others do."""
    found = wording.held_for(text, minors=CATEGORIES[report["category"]].minors)
    if settled.reads_first(watch.some(report["groups"]), author, now=now):
        found.append(READS_FIRST)
    return found


def change(comment_id: str, rule: Callable[[Comment], Mapping[str, Any]], *, now: datetime) -> Comment:
    """Let a rule say what changes ({} for nothing; `held` where a human is to be asked, `by` HUMAN where one held it) and
    write it in one conditional write. The rule may run several times; it raises to refuse. Raises TooBusy when the comment
    kept changing.
    """
    for _ in range(_TRIES):
        doc = get(comment_id)
        decided = dict(rule(doc))
        if not decided:
            return doc
        held, by = decided.pop("held", False), decided.pop("by", "")
        version = doc["version"] + 1
        held_by = {"by": by} if by else {}
        event = outbox.event("comment.held", comment_id, version=version, now=now, city=doc["city"], **held_by)
        written = outbox.write(comments(), doc, decided, [event] if held else [], now=now)
        if written is not None:
            return written
    raise TooBusy("the comment kept changing")


def flag(comment_id: str, person: str, why: Flag, *, now: datetime) -> Comment:
    """Ask for a human to read it; with the flags of as many as hold a report it is held. Again is harmless. Raises OwnComment,
    and Muted while a moderator has taken their voice.
    """
    held = get(comment_id)
    sanctions.check_voice(person, held["city"], held["groups"], now=now)
    counts = not rules.is_fresh(voice_of(person, "", Stand.DENY, 0.0).made, now)

    def rule(doc: Comment) -> Mapping[str, Any]:
        if doc["author"] == person:
            raise OwnComment("it is your own: delete it")
        if person in doc["flags"] or doc["status"] != CommentStatus.PUBLISHED:
            return {}
        flags = {**doc["flags"], person: {"why": str(why), "at": now, "counts": counts}}
        made: dict[str, Any] = {"flags": flags, "flagged_by": sorted(flags)}
        if sum(each["counts"] for each in flags.values()) >= rules.FLAGS:
            made |= {"status": str(CommentStatus.HELD), "reasons": ["flagged"], "held": True}
        return made

    return change(comment_id, rule, now=now)


def decide(comment_id: str, status: CommentStatus, *, by: str, reason: str, now: datetime) -> Comment:
    """Publish, hold or remove it, with a reason. The same again is harmless. Raises CommentOver, OwnComment."""

    def rule(doc: Comment) -> Mapping[str, Any]:
        if doc["author"] == by:
            raise OwnComment("somebody else decides")
        if doc["status"] == status:
            return {}
        if status not in STEPS[CommentStatus(doc["status"])]:
            raise CommentOver("no step leads there", current=doc["status"])
        made: dict[str, Any] = {
            "status": str(status),
            "decision": {"by": by, "at": now, "reason": reason, "status": str(status)},
        }
        if status == CommentStatus.PUBLISHED:
            made |= {"reasons": [], "flags": {}, "flagged_by": []}
        return made | ({"held": True, "by": HUMAN} if status == CommentStatus.HELD else {})

    return change(comment_id, rule, now=now)


def delete(comment_id: str, author: str) -> None:
    """Its author takes it back: it is erased. Raises CommentNotFound for everybody else, and where it is gone."""
    if not comments().delete_one({"_id": comment_id, "author": author}).deleted_count:
        raise CommentNotFound("no such comment")


def react(report: Report, person: str, kind: Reaction | None, *, now: datetime) -> None:
    """How somebody is moved by a report, in place of what they said before; None takes it back. Raises CommentOver, Muted."""
    key = {"_id": reaction_id(report["_id"], person)}
    if kind is None:
        reactions().delete_one(key)
        return
    if report["status"] != ReportStatus.PUBLISHED:
        raise CommentOver("the report is not published", current=report["status"])
    sanctions.check_voice(person, report["city"], report["groups"], now=now)
    fixed = {"city": report["city"], "report": report["_id"], "person": person}
    for _ in range(2):
        try:
            reactions().update_one(key, {"$set": {"kind": str(kind), "at": now}, "$setOnInsert": fixed}, upsert=True)
            return
        except DuplicateKeyError:
            continue  # two at once: the other one made it


def forget(person: str) -> int:
    """Somebody asked to be forgotten: what they said below reports goes, how they reacted, and what they flagged."""
    reactions().delete_many({"person": person})
    flagged = {"$unset": {f"flags.{person}": ""}, "$pull": {"flagged_by": person}, "$inc": {"version": 1}}
    comments().update_many({"flagged_by": person}, flagged)
    return comments().delete_many({"author": person}).deleted_count


def forget_of(report: str) -> int:
    """A report is gone: what was said below it goes too."""
    reactions().delete_many({"report": report})
    return comments().delete_many({"report": report}).deleted_count


def exported(person: str, now: datetime) -> list[dict[str, Any]]:
    """Every comment of a person."""
    names = ("report", "text", "status", "anonymous", "created_at")
    return [{name: row.get(name) for name in names} for row in queries.of_author(person, limit=1000)]
