"""The page behind the link of a drill's SMS. GET shows, only POST confirms, so that a link preview confirms nothing."""

from flask import Blueprint, Response

from api.pages import serve
from api.pages.links import install_errors
from api.pages.words import WORDS
from api.services import services
from domain.drills import service as drills
from domain.drills.errors import DrillNotFound
from domain.drills.states import DrillStatus
from domain.errors import Gone
from notifications.recipients import reach

blp = Blueprint("drill_page", __name__, template_folder="templates")
install_errors(blp)

_LONGEST = 64


@blp.get("/t/drill/<token>")
def show_drill(token: str) -> Response:
    """It is only an exercise, and the button that confirms."""
    return _page(token, confirmed=False)


@blp.post("/t/drill/<token>")
def confirm_drill(token: str) -> Response:
    """The person confirms that the message reached them. Again changes nothing."""
    return _page(token, confirmed=True)


def _page(token: str, *, confirmed: bool) -> Response:
    now = services().clock()
    try:
        delivery, drill = drills.behind(token[:_LONGEST])
        if drill["status"] != DrillStatus.RUNNING or now > drill["deadline"]:
            raise Gone("the exercise is over", code="link_over")
        if confirmed:
            drills.confirm(token, now=now)
    except DrillNotFound:
        serve.count_wrong_token()
        raise
    said = confirmed or bool(delivery.get("seen_at"))
    lang = serve.language(reach(delivery["recipient"], services().settings).language)
    return serve.page("drill.html", lang, {"title": WORDS[lang]["drill.title"], "said": said})
