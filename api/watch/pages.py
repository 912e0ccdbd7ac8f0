"""The page on which whoever was invited to a watch group reads its rules and joins, or leaves: for members without the app
(`api/pages/invitation.py`).
"""

from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, request

from api.pages import invitation
from api.services import services
from domain.errors import Invalid
from domain.ids import token_hash
from domain.people.errors import LinkOver
from domain.watch import queries, service
from domain.watch.queries import Group, Member
from domain.watch.states import GroupStatus, Standing

blp = Blueprint("group_page", __name__, template_folder="templates")

_TEMPLATE: Final = "group_invitation.html"
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

invitation.install_errors(blp, _TEMPLATE, WORDS)


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
        lang = invitation.language(WORDS)
        return invitation.page(_TEMPLATE, WORDS[lang], lang, problem=WORDS[lang].left)
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


def _page(group: Group, held: Member) -> Response:
    lang = invitation.language(WORDS)
    words = WORDS[lang]
    belongs = held["standing"] == Standing.MEMBER and held.get("rules_version") == group["rules_version"]
    said = words.joined if belongs else ""
    return invitation.page(_TEMPLATE, words, lang, group=group, accepts=not belongs, said=said)
