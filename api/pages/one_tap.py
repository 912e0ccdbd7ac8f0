"""The one-tap page of an offer. GET shows and leaves no trace, only POST acts: whoever previews a link, or scans it for
harm, is no person, and an offer that only they opened goes on by the next channel.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, redirect, request

from api.desk import desk
from api.pages import serve, spell
from api.pages.links import behind, install_errors
from api.pages.sketch import draw
from api.pages.words import WORDS
from api.services import services
from domain.cities import queries as cities
from domain.deliveries import service as deliveries
from domain.dispatch import service as dispatch
from domain.dispatch.errors import UnitTaken
from domain.dispatch.views import assignment_view
from domain.errors import Conflict
from domain.incidents.states import ASKED, HOLDING, AssignmentStatus, SlotStatus

blp = Blueprint("one_tap", __name__, template_folder="templates")
install_errors(blp)

A = AssignmentStatus

STEPS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    A.OFFERED: (("accept", "main"), ("decline", "")),
    A.EXPIRED: (("accept", "main"), ("decline", "")),
    A.ACCEPTED: (("en_route", "main"), ("on_scene", ""), ("give_up", "quiet")),
    A.EN_ROUTE: (("on_scene", "main"), ("still_coming", ""), ("give_up", "quiet")),
    A.ON_SCENE: (("clear", "main"),),
}
"""What each state offers: (what the button does, its style)."""
_DOES: Final = frozenset(do for steps in STEPS.values() for do, _ in steps)
_WANTED: Final = {"clear": A.CLEARED, "still_coming": A.EN_ROUTE}
_OUTCOMES: Final = frozenset({"busy", "changed"})


@blp.get("/a/<token>")
def show_assignment(token: str) -> Response:
    """What a unit is asked, or has."""
    doc, link = behind(token, ("assignment",))
    return _assignment_page(doc, link["id"])


@blp.post("/a/<token>")
def act_on_assignment(token: str) -> Response:
    """One tap: accept, decline, en route, on scene, done; a person did it, so the offer was seen. Shows how it stands
    afterwards.
    """
    doc, link = behind(token, ("assignment",))
    outcome, do = "", request.form.get("do", "")
    if do in _DOES:
        try:
            _act(doc, link["id"], do)
        except UnitTaken:
            outcome = "busy"
        except Conflict:
            outcome = "changed"
        for delivery in deliveries.about(doc["_id"], link["id"]):
            deliveries.opened(delivery, now=services().clock())
    lang = request.args.get("lang", "")
    query = "&".join(f"{name}={value}" for name, value in (("lang", lang), ("said", outcome)) if value)
    if lang not in (*WORDS, ""):
        query = f"said={outcome}" if outcome else ""
    found: Response = redirect(f"/a/{token}" + (f"?{query}" if query else ""), HTTPStatus.SEE_OTHER)  # type: ignore[assignment]
    found.headers["Cache-Control"] = "no-store"
    return found


def _act(doc: dict[str, Any], assignment_id: str, do: str) -> None:
    found = services()
    now, incident = found.clock(), doc["_id"]
    by = doc["assignments"][assignment_id]["unit"]
    if do == "accept":
        dispatch.accept(incident, assignment_id, desk(doc["city"]), by=by, via="link", now=now)
    elif do in {"decline", "give_up"}:
        dispatch.decline(incident, assignment_id, by=by, reason="", now=now)
    else:
        wanted = _WANTED.get(do) or A(do)
        dispatch.progress(incident, assignment_id, wanted, by=by, now=now)
    found.enqueue("drain", "incidents", incident)


def _still_waits(doc: dict[str, Any], service: str) -> bool:
    return bool(doc["slots"][service]["status"] == SlotStatus.OPEN)


def _assignment_page(doc: dict[str, Any], assignment_id: str) -> Response:
    lang = serve.language()
    say, now = WORDS[lang], services().clock()
    assignment = doc["assignments"][assignment_id]
    status = A(assignment["status"])
    if status == A.WITHDRAWN:
        why = "stalled" if assignment.get("stalled") and _still_waits(doc, assignment["service"]) else "handled"
        values: dict[str, Any] = {
            "title": say[f"state.{why}"],
            "notice": say[f"state.{why}.more"],
            "view": None,
            "steps": [],
        }
        return serve.page("assignment.html", lang, values)
    if status in {A.CLEARED, A.DECLINED}:
        return serve.page("assignment.html", lang, {"title": say[f"state.{status}"], "view": None, "steps": []})
    view = assignment_view(doc, assignment_id, lang)
    said = request.args.get("said", "")
    notice = say[f"state.{said}"] if said in _OUTCOMES else say[f"state.{status}"] if status in HOLDING else ""
    metres = assignment.get("distance_m")
    flags = [
        {"text": say[f"flag.{flag}"], "mark": flag in {"silent", "duress"}}
        for flag in view["flags"]
        if f"flag.{flag}" in say
    ]
    if f"severity.{view['severity']}" in say:
        flags.insert(0, {"text": say[f"severity.{view['severity']}"], "mark": view["severity"] == "Extreme"})
    values = {
        "title": say["offer_title" if status in ASKED else "yours_title"],
        "notice": notice,
        "view": view,
        "away": say["away"].format(n=spell.distance(metres, lang)) if metres is not None else "",
        "raised": spell.ago(doc["raised_at"], now, lang),
        "flags": flags,
        "call_text": say["call_citizen"].format(number=view["phone"]) if view["phone"] else "",
        "steps": [{"do": do, "style": style, "text": say[f"do.{do}"]} for do, style in STEPS[status]],
        "attribution": [],
    }
    if view["position"]:
        drawn = draw(doc["city"], view["position"], lang)
        values |= {
            "drawn": drawn,
            "scale_text": spell.distance(drawn.scale_m, lang),
            "attribution": cities.attribution(doc["city"]),
        }
    return serve.page("assignment.html", lang, values)
