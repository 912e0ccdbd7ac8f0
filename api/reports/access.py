"""Which report a request is about, and as far as what the caller sees of it."""

from datetime import datetime
from typing import Any, Final

from flask import request

from api.admin.scope import audited
from api.blueprint import Call
from domain import permissions
from domain.clusters import queries as clusters
from domain.correlation import service as correlation
from domain.follows import queries as follows
from domain.people import queries as people
from domain.permissions import Target
from domain.reports import likeness, origin, queries, seen
from domain.reports.errors import ReportNotFound
from domain.reports.queries import Report
from domain.reports.seen import Eyes
from domain.watch import queries as watch
from domain.watch import settled

READ, REPORT, MODERATE, EXACT = "watch.read", "watch.report", "watch.moderate", "watch.exact"
NOT_SETTLED: Final = "The group, or the caller's account, is too new to decide for others (`not_settled`)."
CONFLICT: Final = {409: "It does not stand where this is possible (`current`)."}


def _reaches(call: Call, action: str, doc: Report) -> bool:
    targets = [Target(city=doc["city"], group_id=group) for group in doc["groups"] or [""]]
    return any(permissions.reaches(call.who, action, target) for target in targets)


def eyes_of(call: Call, doc: Report, member_of: frozenset[str]) -> Eyes:
    """With what eyes the caller sees a report."""
    return Eyes(
        author=doc["author"] == call.who.person_id,
        member=bool(member_of & set(doc["groups"])),
        moderates=_reaches(call, MODERATE, doc),
        exact=_reaches(call, EXACT, doc),
        language=call.who.language,
    )


def of_control_room(call: Call, doc: Report) -> bool:
    """Whether the caller decides for the whole city."""
    return permissions.reaches(call.who, MODERATE, Target(city=doc["city"]))


def check_settled(call: Call, doc: Report) -> None:
    """Raises NotSettled for somebody who leads a group there that is too new to decide for others than its members. The
    control room always may.
    """
    if not of_control_room(call, doc):
        led = [
            group
            for group in watch.some(doc["groups"])
            if permissions.reaches(call.who, MODERATE, Target(city=doc["city"], group_id=group["_id"]))
        ]
        settled.check(call.who.person_id, led, now=call.now)


def origin_of(call: Call, at: datetime) -> str:
    """From which network a word about something that was seen `at` comes, as it is kept beside it."""
    return origin.hashed(request.remote_addr or "", call.services.settings.signing_key, at)


def sight_of(call: Call, report_id: str, *, moderates: bool = False, author: bool = False) -> Report:
    """The report, for whoever may see it, moderate it, or wrote it. Raises ReportNotFound."""
    doc = queries.get(report_id)
    eyes = eyes_of(call, doc, frozenset())
    wanted = eyes.moderates if moderates else eyes.author if author else seen.may_see(doc, eyes)
    if not wanted:
        raise ReportNotFound("no such report")
    return doc


def shown(call: Call, doc: Report) -> dict[str, Any]:
    """As the caller sees it. The exact place of somebody else's report is read on the record."""
    mine = frozenset(watch.joined(call.who.person_id))
    eyes = eyes_of(call, doc, mine)
    if not seen.may_see(doc, eyes):
        raise ReportNotFound("no such report")
    name = ""
    if seen.names_author(doc, eyes):
        name = people.name(doc["author"])
    view = seen.view(doc, eyes, author_name=name)
    if not (eyes.author or eyes.exact):
        # The area of a group may be smaller than the cell that others see: that it lies there is for members.
        view["groups"] = [group for group in doc["groups"] if group in mine]
    view["followed"] = follows.is_followed(doc["_id"], call.who.person_id)
    view["cluster"] = _cluster(doc, eyes)
    if eyes.exact and not eyes.author:
        audited(call, doc["city"], "report.read", doc["_id"])
        links = correlation.of(doc["_id"], limit=10)
        view["links"] = [{**each["other"], "score": each["score"], "reasons": _why(each)} for each in links]
        view["cameras"] = _cameras(doc)
    return view


def _why(link: dict[str, Any]) -> list[str]:
    best = sorted(link["reasons"], key=lambda each: (-each["points"], each["kind"]))
    return list(dict.fromkeys(str(each.get("finding") or each["kind"]) for each in best))


def _cameras(doc: Report) -> list[dict[str, Any]]:
    """The cameras that were asked before it was believed, the nearest first."""
    held = sorted((doc.get("sights") or {}).items(), key=lambda each: (each[1]["distance_m"], each[0]))
    return [
        {
            "camera": camera,
            "state": sight["state"],
            "distance_m": sight["distance_m"],
            "findings": [each["kind"] for each in sight.get("findings") or []],
            "observation": sight.get("observation"),
        }
        for camera, sight in held
    ]


def _cluster(doc: Report, eyes: Eyes) -> dict[str, Any] | None:
    """What stands in the same cluster. Of what happens to one person it would tell where: that is for those who respond."""
    if not doc.get("cluster") or not (eyes.exact or likeness.is_wide(doc["category"])):
        return None
    whole = clusters.whole(doc)
    if whole is None or whole.get("score") is None:
        return None
    names = ("reports", "score", "voices", "parts")
    return {"id": whole["_id"], **{name: whole[name] for name in names}, "believed": bool(whole.get("believed_at"))}


def answer(call: Call, doc: Report) -> Any:
    if doc.get("pending_events"):
        call.services.enqueue("drain", "watch_reports", doc["_id"])
    return shown(call, doc)
