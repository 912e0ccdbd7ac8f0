"""The page on which whoever was invited to a watch group reads its rules and joins, or leaves: for members without the app.
GET shows, only POST acts, so that a link preview joins nobody.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, render_template, request

from api.errors import status_of
from api.pages import serve
from api.services import services
from domain.errors import DomainError, Invalid, LimitReached
from domain.ids import token_hash
from domain.people.errors import LinkOver
from domain.watch import queries, service
from domain.watch.queries import Group, Member
from domain.watch.states import GroupStatus, Standing

blp = Blueprint("group_page", __name__, template_folder="templates")

_HERE: Final = frozenset({Standing.INVITED, Standing.MEMBER, Standing.REQUESTED})


@dataclass(frozen=True)
class Words:
    """What the page says in one language."""

    title: str
    rules: str
    yes: str
    no: str
    joined: str
    left: str
    over: str
    too_often: str


WORDS: Final = {
    "en": Words(
        title="A watch group of your neighbours",
        rules="Its rules:",
        yes="I accept the rules and join",
        no="I do not belong to it",
        joined="You are a member. You are told by SMS.",
        left="You are not a member, and get no messages from this group.",
        over="This link is over, or the group was closed.",
        too_often="Too many tries. Please wait a minute.",
    ),
    "ur": Words(
        title="آپ کے پڑوسیوں کا محلہ گروپ",
        rules="اس کے قواعد:",
        yes="میں قواعد قبول کر کے شامل ہوتا / ہوتی ہوں",
        no="میں اس میں شامل نہیں",
        joined="آپ رکن ہیں۔ آپ کو ایس ایم ایس سے اطلاع ملے گی۔",
        left="آپ رکن نہیں ہیں، اور اس گروپ سے پیغام نہیں آئیں گے۔",
        over="یہ لنک ختم ہو چکا ہے یا گروپ بند ہو گیا ہے۔",
        too_often="بہت زیادہ کوششیں۔ ایک منٹ انتظار کریں۔",
    ),
}


@blp.get("/t/watch/<token>")
def show(token: str) -> Response:
    """Which group asks, and its rules."""
    group, held = _behind(token)
    return _page(group, held)


@blp.post("/t/watch/<token>")
def say(token: str) -> Response:
    """Join, by the rules as the page showed them, or leave. Again is harmless."""
    group, held = _behind(token)
    now = services().clock()
    if request.form.get("answer") == "leave":
        service.leave(group, held["person"], now=now)
        return _rendered(said_problem="left")
    if request.form.get("answer") != "join":
        raise Invalid("answer join or leave")
    version = request.form.get("rules_version", "")
    if version == str(group["rules_version"]):
        by_sms = held["standing"] != Standing.MEMBER or bool(held.get("by_sms"))
        held = service.join(group, held["person"], rules_version=int(version), by_sms=by_sms, now=now)
    return _page(group, held)  # of other rules than those on the page: they are shown again


def _behind(token: str) -> tuple[Group, Member]:
    held = queries.invited_by(token_hash(token))
    if held is None or held["standing"] not in _HERE:
        raise LinkOver("the link is over")
    group = queries.get(held["group"])
    if group["status"] != GroupStatus.ACTIVE:
        raise LinkOver("the group was closed")
    return group, held


@blp.errorhandler(DomainError)
def problem(error: DomainError) -> Response:
    """What went wrong, in words. A token that opens nothing is counted, as on every page."""
    if isinstance(error, LinkOver):
        try:
            serve.count_wrong_token()
        except LimitReached as too_often:
            error = too_often
    said = "too_often" if isinstance(error, LimitReached) else "over"
    answer = _rendered(said_problem=said, status=status_of(error))
    if isinstance(error, LimitReached):
        answer.headers["Retry-After"] = str(round(float(error.data.get("retry_after") or 1)))
    return answer


def _language() -> str:
    asked = request.args.get("lang") or ""
    return asked if asked in WORDS else request.accept_languages.best_match(list(WORDS)) or "ur"


def _page(group: Group, held: Member) -> Response:
    belongs = held["standing"] == Standing.MEMBER and held.get("rules_version") == group["rules_version"]
    return _rendered(group=group, accepts=not belongs, said=WORDS[_language()].joined if belongs else "")


def _rendered(*, said_problem: str = "", status: int = HTTPStatus.OK, **values: Any) -> Response:
    language = _language()
    words = WORDS[language]
    told = getattr(words, said_problem) if said_problem else ""
    html = render_template("group_invitation.html", say=words, language=language, problem=told, **values)
    answer = Response(html, status=status, mimetype="text/html")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"
    return answer
