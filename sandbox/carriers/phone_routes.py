"""JSON routes over phones, devices, switches and everything that arrived: the side that tests and the demo use."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from flask import Blueprint, Response, request

from sandbox.carriers.answers import reply
from sandbox.carriers.carriers import Carriers
from sandbox.carriers.line import NotPossible
from sandbox.carriers.people import People, Wrong
from sandbox.carriers.phones import ANSWERS, call_view, inbox, push_view, view
from sandbox.carriers.records import Call, Device, Push, Sms, rfc3339
from sandbox.carriers.switches import Refused


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True) if request.is_json and request.content_length else request.form.to_dict()
    if not isinstance(body, dict):
        raise Refused("the body must be a JSON object")
    return body


def routes(carriers: Carriers, people: People) -> Blueprint:
    """The blueprint. Errors are `{error}`: 400, or 409 where a call is not in a state for what was asked."""
    blueprint = Blueprint("phone_routes", __name__)
    state, switches = carriers.state, carriers.switches

    @blueprint.errorhandler(Refused)
    @blueprint.errorhandler(Wrong)
    def refused(error: ValueError) -> Response:
        return reply({"error": str(error)}, 400)

    @blueprint.errorhandler(NotPossible)
    def not_possible(error: NotPossible) -> Response:
        return reply({"error": str(error)}, 409)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return reply({"status": "ok", "records": state.seq})

    @blueprint.get("/phones.json")
    def phones() -> Response:
        return reply({"numbers": state.numbers()})

    @blueprint.get("/phones/<number>.json")
    def phone(number: str) -> Response:
        return reply(inbox(state, number))

    @blueprint.get("/devices/<path:token>.json")
    def device(token: str) -> Response:
        with state.lock:
            found = state.device(token)
            pushes = [push_view(push) for push in state.pushes_of.get(token, ())]
        known = {"token": token, "number": found.number, "auto_receipt": found.auto_receipt, "api_url": found.api_url}
        return reply({**known, "pushes": pushes})

    @blueprint.put("/devices/<path:token>")
    def register(token: str) -> Response:
        body = _body()
        number, api_url = str(body.get("number", "")), str(body.get("api_url", ""))
        state.add(Device(token, number, bool(body.get("auto_receipt", False)), api_url))
        return reply({"token": token}, 201)

    @blueprint.put("/devices")
    def register_many() -> Response:
        devices = _body().get("devices")
        if not isinstance(devices, list) or not all(isinstance(each, dict) and each.get("token") for each in devices):
            raise Refused("devices is a list of {token, number, auto_receipt, api_url}")
        for each in devices:
            number, api_url = str(each.get("number", "")), str(each.get("api_url", ""))
            state.add(Device(str(each["token"]), number, bool(each.get("auto_receipt", False)), api_url))
        return reply({"devices": len(devices)}, 201)

    @blueprint.put("/phones/<number>")
    def behave(number: str) -> Response:
        body = _body()
        wanted = replace(state.phone(number))
        if "answers" in body:
            if body["answers"] not in ANSWERS:
                raise Refused(f"answers must be one of {', '.join(ANSWERS)}")
            wanted.answers = body["answers"]
        if "reachable" in body:
            wanted.reachable = bool(body["reachable"])
        state.add(wanted)
        return reply({"number": number, "answers": wanted.answers, "reachable": wanted.reachable})

    @blueprint.post("/phones/<number>/sms")
    def write(number: str) -> Response:
        body = _body()
        return reply(people.write(number, str(body.get("to", "")), str(body.get("body", ""))), 201)

    @blueprint.post("/phones/<number>/call")
    def dial(number: str) -> Response:
        return reply(call_view(people.dial(number, str(_body().get("to", "")))), 201)

    @blueprint.post("/phones/<number>/calls/<call>/<action>")
    def act(number: str, call: str, action: str) -> Response:
        return reply(call_view(people.act(number, call, action, str(_body().get("digits", "")))))

    @blueprint.post("/devices/<path:token>/seen")
    def seen(token: str) -> Response:
        return reply({"receipt": people.open_push(str(_body().get("name", "")))})

    @blueprint.get("/messages.json")
    def messages() -> Response:
        since, at = request.args.get("since", "0"), ""
        if not since.isdecimal():
            since, at = "0", since.replace(" ", "+")
        records = state.since(int(since))
        views = [view(record) for record in records if not at or (rfc3339(record.at) or "") >= at]
        kinds = {"sms": Sms, "calls": Call, "pushes": Push}
        counts = {name: sum(isinstance(record, kind) for record in records) for name, kind in kinds.items()}
        return reply({"items": views, "counts": counts, "next": records[-1].seq if records else int(since)})

    @blueprint.delete("/messages")
    def reset() -> Response:
        carriers.later.forget()
        carriers.posts.forget()
        people.line.forget()
        state.reset()
        return Response(status=204)

    @blueprint.get("/webhooks")
    def get_webhooks() -> Response:
        return reply(asdict(carriers.webhooks))

    @blueprint.put("/webhooks")
    def put_webhooks() -> Response:
        for name, url in _body().items():
            if name not in ("sms_url", "voice_url", "voice_status_url") or not isinstance(url, str):
                raise Refused("there are sms_url, voice_url and voice_status_url, each a text")
            setattr(carriers.webhooks, name, url)
        return reply(asdict(carriers.webhooks))

    @blueprint.get("/switches")
    def get_switches() -> Response:
        return reply(switches.as_json())

    @blueprint.put("/switches")
    def put_switches() -> Response:
        switches.put(_body())
        return reply(switches.as_json())

    @blueprint.put("/switches/<channel>")
    @blueprint.put("/switches/<channel>/<path:address>")
    def put_switch(channel: str, address: str | None = None) -> Response:
        switches.set(channel, _body(), address)
        return reply(switches.as_json())

    @blueprint.delete("/switches")
    def clear_switches() -> Response:
        switches.clear()
        return Response(status=204)

    return blueprint
