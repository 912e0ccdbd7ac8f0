"""The live page of an SOS: for guardians, and for whomever its citizen gives the share link.

It is made from the citizen's own view, so it stands still from a cancel on, whichever PIN it was. No names, no category:
a link is passed on.
"""

from typing import Any, Final

from flask import Blueprint, Response, request

from api.pages import journey, serve, spell
from api.pages.links import behind, install_errors
from api.pages.sketch import draw
from api.pages.words import WORDS
from api.services import services
from domain.cities import queries as cities
from domain.cities.config import CityConfig
from domain.errors import DomainError, NotFound
from domain.incidents import seen
from domain.people import codes, guardians
from domain.people import queries as people
from domain.people.states import GuardianStatus

blp = Blueprint("live", __name__, template_folder="templates")
install_errors(blp)

KINDS: Final = ("share", "guardian")
REFRESH_S: Final = 15
HELPLINES_SHOWN: Final = 4
_WAITING: Final = frozenset({"open"})


@blp.get("/t/<token>")
def show(token: str) -> Response:
    """How the SOS stands, where it was last, who comes, and whom to call; or how somebody's journey stands."""
    if found := journey.behind(token):
        return journey.show(*found)
    doc, link = behind(token, KINDS)
    guardian = _guardian(doc, link)
    lang = serve.language(guardian.language if guardian else "", (doc.get("citizen") or {}).get("language") or "")
    view = seen.by_citizen(doc, services().clock())
    config = cities.current(doc["city"])
    values = {**_standing(view, config, lang), **_place(doc["city"], view, lang)}
    values |= {
        "view": view,
        "helplines": [
            {"number": line.number, "name": line.names.in_language(lang)}
            for line in config.helplines[:HELPLINES_SHOWN]
            if line.verified
        ],
        "ends": WORDS[lang]["ends_at"].format(time=spell.clock(link["until"], config.zone)),
        "may_refuse": guardian is not None and guardian.status != GuardianStatus.DECLINED,
        "refused": guardian is not None and guardian.status == GuardianStatus.DECLINED,
    }
    return serve.page("live.html", lang, values, refresh_s=0 if view["status"] == "closed" else REFRESH_S)


@blp.post("/t/<token>")
def refuse(token: str) -> Response:
    """A guardian says that they want no more messages, or what they know of a journey."""
    if found := journey.behind(token):
        journey.act(*found)
        return serve.back(token)
    doc, link = behind(token, KINDS)
    guardian = _guardian(doc, link)
    if guardian is not None and request.form.get("do") == "refuse":
        here = services()
        person = doc["citizen"]["person"]
        answer = codes.guardian_token(here.settings.signing_key, person, guardian.id, guardian.generation)
        guardians.answer(answer, GuardianStatus.DECLINED, now=here.clock())
    return serve.back(token)


def _guardian(doc: dict[str, Any], link: dict[str, Any]) -> Any:
    """The guardian whose page it is; None for a share link, and for one who was taken away since."""
    person = (doc.get("citizen") or {}).get("person")
    if link["kind"] != "guardian" or not person:
        return None
    try:
        return people.get(person).guardians.get(link["id"])
    except NotFound:
        return None


def _standing(view: dict[str, Any], config: CityConfig, lang: str) -> dict[str, Any]:
    say = WORDS[lang]
    key = "sos.cancelled" if view["resolution"] == "cancelled_by_citizen" else f"sos.{view['status']}"
    rows = []
    for slot in view["services"]:
        agency = config.agencies.get(slot["agency"] or "")
        rows.append(
            {
                "name": say[f"service.{slot['service']}"],
                "stands": say[f"slot.{slot['status']}"],
                "agency": agency.names.in_language(lang) if agency else "",
            }
        )
    return {
        "headline": say[key],
        "more": say[f"{key}.more"],
        "waiting": view["status"] in _WAITING,
        "services": [] if view["status"] == "closed" else rows,
        "raised": spell.ago(view["raised_at"], services().clock(), lang),
    }


def _place(city: str, view: dict[str, Any], lang: str) -> dict[str, Any]:
    position = view["position"]
    if not position:
        return {"drawn": None, "attribution": ()}
    say, drawn = WORDS[lang], draw(city, position, lang)
    accuracy = position.get("accuracy_m")
    at = position.get("received_at") or view["raised_at"]
    try:
        area = cities.area_name(city, position["lat"], position["lon"], lang)
    except DomainError:
        area = ""
    return {
        "drawn": drawn,
        "scale_text": spell.distance(drawn.scale_m, lang),
        "area": area,
        "seen": spell.ago(at, services().clock(), lang),
        "accuracy": say["accurate_to"].format(n=spell.distance(accuracy, lang)) if accuracy else "",
        "attribution": cities.attribution(city),
    }
