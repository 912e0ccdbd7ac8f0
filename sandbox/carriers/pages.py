"""Pages for a person who tries the city on a laptop: every phone with its messages, calls and pushes, and buttons to answer.

Plain HTML: they work without JavaScript, and the part that changes loads itself again every two seconds, in a frame, so that
what is being typed below it stays.
"""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, render_template, request, url_for
from markupsafe import Markup, escape
from werkzeug.wrappers import Response as AnyResponse

from sandbox.carriers.carriers import Carriers
from sandbox.carriers.line import NotPossible
from sandbox.carriers.people import People, Wrong
from sandbox.carriers.phones import ANSWERS, inbox, view
from sandbox.carriers.switches import CHANNELS, NONE, Refused, Switch

SHOWN = 200
_LINK = re.compile(r"https?://[^\s<>\"'،۔]+[^\s<>\"'،۔.,;:!?)\]]")
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")


def linked(text: str) -> Markup:
    """The text, escaped, with its web addresses as links that open outside the frame."""
    made, end = [], 0
    for found in _LINK.finditer(text):
        href = escape(found.group())
        made += [
            escape(text[end : found.start()]),
            Markup('<a href="{0}" target="_blank" rel="noreferrer" dir="ltr">{0}</a>').format(href),
        ]
        end = found.end()
    return Markup("").join([*made, escape(text[end:])])


def script_of(text: str) -> str:
    """`ur` where the text has letters of a right-to-left script (they need taller lines), else nothing."""
    return "ur" if _RIGHT_TO_LEFT.search(text) else ""


def routes(carriers: Carriers, people: People) -> Blueprint:
    """The blueprint of the pages."""
    blueprint = Blueprint(
        "pages", __name__, template_folder="templates", static_folder="static", static_url_path="/static"
    )
    state, options, zone = carriers.state, carriers.options, ZoneInfo(carriers.options.zone)

    @blueprint.app_template_filter("clock")
    def clock(moment: str | None) -> str:
        return datetime.fromisoformat(moment).astimezone(zone).strftime("%H:%M:%S") if moment else ""

    blueprint.add_app_template_filter(linked, "linked")
    blueprint.add_app_template_filter(script_of, "script")

    @blueprint.after_app_request
    def only_own_content(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.headers["Content-Security-Policy"] = (
                "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; "
                "frame-ancestors 'self'; base-uri 'none'"
            )
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["Cache-Control"] = "no-store"
        return response

    @blueprint.errorhandler(Wrong)
    @blueprint.errorhandler(NotPossible)
    @blueprint.errorhandler(Refused)
    def wrong(error: Exception) -> tuple[str, int]:
        return render_template("wrong.html", sentence=str(error), back=request.referrer or "/phones"), 400

    def entries(number: str) -> list[dict[str, Any]]:
        found = inbox(state, number)
        together = found["sms"] + found["calls"] + found["pushes"]
        return sorted(together, key=lambda entry: (entry["at"] or "", entry["seq"]), reverse=True)[:SHOWN]

    @blueprint.get("/")
    def start() -> AnyResponse:
        return redirect(url_for("pages.phones"))

    @blueprint.get("/phones")
    def phones() -> str | AnyResponse:
        if request.args.get("number"):
            return redirect(url_for("pages.phone", number="+" + request.args["number"].strip().lstrip("+")))
        rows: list[dict[str, Any]] = []
        for number in state.numbers()[:SHOWN]:
            found = inbox(state, number)
            newest = entries(number)
            rows.append(
                {
                    "number": number,
                    "counts": {kind: len(found[kind]) for kind in ("sms", "pushes", "calls")},
                    "newest": newest[0] if newest else None,
                    "ringing": any(call["status"] == "ringing" for call in found["calls"]),
                }
            )
        with state.lock:
            strays = sorted(token for token in state.pushes_of if not state.device(token).number)
        return render_template("phones.html", rows=rows, strays=strays[:SHOWN], on=switched_on())

    @blueprint.get("/phones/<number>")
    def phone(number: str) -> str:
        kept = state.phone(number)
        return render_template(
            "phone.html", number=number, phone=kept, cities=options.numbers, ways=ANSWERS, on=switched_on()
        )

    @blueprint.get("/phones/<number>/thread")
    def thread(number: str) -> str:
        return render_template("thread.html", number=number, entries=entries(number))

    @blueprint.get("/devices/<path:token>")
    def device(token: str) -> str:
        with state.lock:
            pushes = [view(push) for push in reversed(state.pushes_of.get(token, [])[-SHOWN:])]
        return render_template("thread.html", number="", token=token, entries=pushes)

    @blueprint.post("/phones/<number>/page/<action>")
    def act(number: str, action: str) -> AnyResponse:
        form = request.form
        if action == "sms":
            people.write(number, form.get("to", ""), form.get("body", ""))
        elif action == "call":
            people.dial(number, form.get("to", ""))
        elif action == "seen":
            people.open_push(form.get("name", ""))
        elif action == "behave":
            if form.get("answers") not in ANSWERS:
                raise Wrong("no such way to answer")
            state.add(replace(state.phone(number), answers=form["answers"], reachable=form.get("reachable") == "on"))
        else:
            people.act(number, form.get("call", ""), action, form.get("digits", ""))
        framed = action not in ("sms", "call", "behave")
        return redirect(url_for("pages.thread" if framed else "pages.phone", number=number), 303)

    def switched_on() -> bool:
        """Whether any failure is switched on, so that every page can say so."""
        now = carriers.switches.as_json()
        return any(values for name in CHANNELS for key, values in now[name].items())

    @blueprint.get("/failures")
    def failures() -> str:
        return render_template("failures.html", switches=carriers.switches.as_json(), channels=CHANNELS)

    @blueprint.post("/failures")
    def change_failures() -> AnyResponse:
        form = request.form
        if form.get("off"):
            carriers.switches.clear()
            return redirect(url_for("pages.failures"), 303)
        values: dict[str, Any] = {}
        for field in fields(Switch):
            text = form.get(field.name, "").strip()
            if text:
                values[field.name] = _value(getattr(NONE, field.name), field.name, text)
        carriers.switches.set(form.get("channel", ""), values, form.get("address", "").strip() or None)
        return redirect(url_for("pages.failures"), 303)

    return blueprint


def _value(default: Any, name: str, text: str) -> Any:
    """A form's text as the type that the switch has. Raises Refused."""
    try:
        if isinstance(default, bool):
            return text == "on"
        if isinstance(default, tuple):
            return text.split()
        if isinstance(default, float) or name == "retry_after":
            return float(text)
        return int(text) if name in ("status", "undelivered", "times") else text
    except ValueError:
        raise Refused(f"{name} cannot be {text!r}") from None
