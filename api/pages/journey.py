"""The live page of a journey: for its guardians, and for whomever its traveller gives the share link.

It is made from the traveller's own view, so a duress PIN changes nothing on it. A guardian answers here, without an app.
"""

from typing import Any, Final

from flask import Response, request

from api.pages import serve, spell
from api.pages.sketch import draw
from api.pages.words import WORDS
from api.services import services
from domain.cities import queries as cities
from domain.errors import NotFound
from domain.incidents import service as incidents
from domain.journeys import queries, rules, service
from domain.journeys.projection import traveller_view
from domain.journeys.queries import Journey
from domain.journeys.states import GOING_ON, JourneyStatus
from domain.people import codes, guardians
from domain.people import queries as people
from domain.people.states import GuardianStatus

REFRESH_S: Final = 20
_LONGEST: Final = 64
_HELPLINES: Final = 4


def behind(token: str) -> tuple[Journey, dict[str, Any]] | None:
    """(journey, link), None where the token is no journey's. Raises Gone for a page that is over."""
    return queries.by_link(token[:_LONGEST], now=services().clock())


def show(doc: Journey, link: dict[str, Any]) -> Response:
    """How the journey stands, where the phone was last, what worries, and what a guardian can do."""
    guardian = _guardian(doc, link)
    traveller = _traveller(doc)
    lang = serve.language(guardian.language if guardian else "", traveller.language if traveller else "")
    say, view, config = WORDS[lang], traveller_view(doc), cities.current(doc["city"])
    going, declined = view["status"] in GOING_ON, guardian is not None and guardian.status == GuardianStatus.DECLINED
    values = {
        "view": view,
        "headline": say[f"journey.{view['status']}"],
        "more": say[f"journey.{view['status']}.more"],
        "waiting": view["status"] in (JourneyStatus.MISSED, JourneyStatus.RAISED),
        "expected": say["expected_at"].format(time=spell.clock(view["expected_arrival"], config.zone)) if going else "",
        "destination": view["destination"].get("name") or "",
        "concerns": [say[f"concern.{each}"] for each in view["concerns"]],
        "helplines": [
            {"number": line.number, "name": line.names.in_language(lang)}
            for line in config.helplines[:_HELPLINES]
            if line.verified
        ],
        "sos_url": _sos_url(view["sos_id"]),
        "ends": say["ends_after"]
        if going
        else say["ends_at"].format(time=spell.clock(rules.page_until(doc), config.zone)),
        "guards": guardian is not None and not declined and going,
        "missed": view["status"] == JourneyStatus.MISSED,
        "may_refuse": guardian is not None and not declined,
        "refused": declined,
        "rings": guardian is not None and not guardian.silent and not guardian.no_calls,
        "no_calls": guardian is not None and guardian.no_calls,
        **_place(doc["city"], view, lang),
    }
    return serve.page("journey.html", lang, values, refresh_s=REFRESH_S if going else 0)


def act(doc: Journey, link: dict[str, Any]) -> None:
    """What a guardian pressed. Whoever only has the share link can look, and nothing else."""
    found, guardian = services(), _guardian(doc, link)
    if guardian is None:
        return
    now, do = found.clock(), request.form.get("do")
    if do == "refuse":
        key = found.settings.signing_key
        answer = codes.guardian_token(key, doc["person"], guardian.id, guardian.generation)
        guardians.answer(answer, GuardianStatus.DECLINED, now=now)
    elif do == "no_calls":
        guardians.wish_no_calls(doc["person"], guardian.id)
    elif guardian.status == GuardianStatus.DECLINED:
        return
    elif do == "reached":
        service.change(doc["_id"], lambda draft: rules.guardian_reached(draft, guardian.id), now=now)
    elif do == "call_help":
        service.change(doc["_id"], lambda draft: rules.guardian_calls(draft, guardian.id), now=now)
    found.enqueue("drain", "journeys", doc["_id"])


def _guardian(doc: Journey, link: dict[str, Any]) -> Any:
    """The guardian whose page it is; None for a share link, and for one who was taken away since."""
    traveller = _traveller(doc) if link["kind"] == "guardian" else None
    return traveller.guardians.get(link["id"]) if traveller else None


def _traveller(doc: Journey) -> Any:
    """Whose journey it is; None for one who was forgotten since."""
    try:
        return people.get(doc["person"])
    except NotFound:
        return None


def _sos_url(sos_id: str | None) -> str:
    if not sos_id:
        return ""
    found = services().settings
    doc = incidents.incidents().find_one({"_id": sos_id})
    return f"{found.links}/t/{incidents.share_token(found.signing_key, doc)}" if doc else ""


def _place(city: str, view: dict[str, Any], lang: str) -> dict[str, Any]:
    position = view["position"]
    if not position:
        return {"drawn": None, "attribution": ()}
    drawn, accuracy = draw(city, position, lang), position.get("accuracy_m")
    return {
        "drawn": drawn,
        "scale_text": spell.distance(drawn.scale_m, lang),
        "area": cities.area_name(city, position["lat"], position["lon"], lang),
        "seen": spell.ago(position["received_at"], services().clock(), lang),
        "accuracy": WORDS[lang]["accurate_to"].format(n=spell.distance(accuracy, lang)) if accuracy else "",
        "attribution": cities.attribution(city),
    }
