"""The page on which a guardian says yes or no (`api/pages/invitation.py`)."""

from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, request

from api.pages import invitation
from api.services import services
from domain.errors import Invalid
from domain.people import guardians
from domain.people.guardians import Invitation
from domain.people.states import GuardianStatus

blp = Blueprint("guardian_page", __name__, template_folder="templates")

_TEMPLATE: Final = "guardian_invitation.html"


@dataclass(frozen=True)
class Words:
    """What the page says in one language."""

    title: str
    asks: str
    somebody: str
    means: str
    yes: str
    no: str
    confirmed: str
    declined: str
    over: str
    too_often: str


WORDS: Final = {
    "en": Words(
        title="Will you be a guardian?",
        asks="{name} asks you to be a guardian in Amaan, the city's safety app.",
        somebody="Somebody",
        means="If they call for help, you get a message with a link that shows where they are. You can say no at any "
        "time, here.",
        yes="Yes, tell me",
        no="No, do not message me",
        confirmed="You said yes. Thank you.",
        declined="You said no. You will get no messages.",
        over="This link is over.",
        too_often="Too many tries. Please wait a minute.",
    ),
    "ur": Words(
        title="کیا آپ محافظ بنیں گے؟",
        asks="{name} نے آپ کو شہر کی حفاظتی ایپ «امان» میں اپنا محافظ بننے کی درخواست کی ہے۔",
        somebody="کسی",
        means="اگر وہ مدد کے لیے پکاریں تو آپ کو ایک پیغام ملے گا جس میں ان کی جگہ دکھانے والا لنک ہوگا۔ آپ کسی بھی وقت "
        "یہیں انکار کر سکتے ہیں۔",
        yes="جی ہاں، مجھے بتائیں",
        no="نہیں، مجھے پیغام نہ بھیجیں",
        confirmed="آپ نے ہاں کہا۔ شکریہ۔",
        declined="آپ نے انکار کیا۔ آپ کو کوئی پیغام نہیں آئے گا۔",
        over="یہ لنک ختم ہو چکا ہے۔",
        too_often="بہت زیادہ کوششیں۔ ایک منٹ انتظار کریں۔",
    ),
}

invitation.install_errors(blp, _TEMPLATE, WORDS)


@blp.get("/t/guardian/<token>")
def show(token: str) -> Response:
    """Who asks, and what was answered so far."""
    return _page(guardians.invitation(token, now=services().clock()))


@blp.post("/t/guardian/<token>")
def say(token: str) -> Response:
    """Yes or no."""
    try:
        says = GuardianStatus(request.form.get("answer", ""))
    except ValueError as error:
        raise Invalid("answer confirmed or declined") from error
    if says is GuardianStatus.INVITED:
        raise Invalid("answer confirmed or declined")
    return _page(guardians.answer(token, says, now=services().clock()))


def _page(asked: Invitation) -> Response:
    lang = invitation.language(WORDS, asked.language)
    words = WORDS[lang]
    said = {GuardianStatus.CONFIRMED: words.confirmed, GuardianStatus.DECLINED: words.declined}.get(asked.status, "")
    return invitation.page(_TEMPLATE, words, lang, asked=asked, said=said)
