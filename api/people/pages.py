"""The page on which a guardian says yes or no. GET shows, only POST acts, so that a link preview answers nothing."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, render_template, request

from api.errors import status_of
from api.pages import serve
from api.services import services
from domain.errors import DomainError, Invalid, LimitReached
from domain.people import guardians
from domain.people.errors import LinkOver
from domain.people.guardians import Invitation
from domain.people.states import GuardianStatus

blp = Blueprint("guardian_page", __name__, template_folder="templates")


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


@blp.errorhandler(DomainError)
def problem(error: DomainError) -> Response:
    """What went wrong, in words. A token that opens nothing is counted, as on every page; a right one never is."""
    if isinstance(error, LinkOver):
        try:
            serve.count_wrong_token()
        except LimitReached as too_often:
            error = too_often
    words = WORDS[_language("")]
    text = words.too_often if isinstance(error, LimitReached) else words.over
    answer = _rendered(words, _language(""), status=status_of(error), problem=text)
    if isinstance(error, LimitReached):
        answer.headers["Retry-After"] = str(round(float(error.data.get("retry_after") or 1)))
    return answer


def _language(of_guardian: str) -> str:
    asked = request.args.get("lang") or of_guardian
    if asked in WORDS:
        return asked
    return request.accept_languages.best_match(list(WORDS)) or "ur"


def _page(asked: Invitation) -> Response:
    language = _language(asked.language)
    words = WORDS[language]
    said = {GuardianStatus.CONFIRMED: words.confirmed, GuardianStatus.DECLINED: words.declined}.get(asked.status, "")
    return _rendered(words, language, asked=asked, said=said)


def _rendered(words: Words, language: str, *, status: int = HTTPStatus.OK, **values: object) -> Response:
    html = render_template("guardian_invitation.html", say=words, language=language, **values)
    answer = Response(html, status=status, mimetype="text/html")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"
    return answer
