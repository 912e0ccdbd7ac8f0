"""FCM's HTTP v1 API: `/v1/projects/{project}/messages:send`, its token endpoint, and the app that answers on a phone.

Source of the shapes: Google's reference of projects.messages and its page on FCM error codes.
"""

from __future__ import annotations

import itertools
import re
import time
from typing import Any

import orjson
from flask import Blueprint, Response, request

from sandbox.carriers.answers import client_gone, reply
from sandbox.carriers.carriers import Carriers
from sandbox.carriers.faults import fcm_refusal, google_error
from sandbox.carriers.fcm_tokens import TokenRefused, Tokens
from sandbox.carriers.outgoing import Unreachable, app_post
from sandbox.carriers.records import Push, rfc3339
from sandbox.carriers.switches import Switch

MAX_PAYLOAD = 4096
_FIELDS = {
    "name",
    "data",
    "notification",
    "android",
    "webpush",
    "apns",
    "fcm_options",
    "fcmOptions",
    "token",
    "topic",
    "condition",
    "fid",
}
_TTL = re.compile(r"\d+(\.\d{1,9})?s")
_TARGETS = ("token", "fid", "topic", "condition")


class Invalid(Exception):
    """A message that FCM would not take: the field and what is wrong. `fcm`: FCM says so, not the JSON parser."""

    def __init__(self, message: str, field: str = "", *, fcm: bool = False) -> None:
        super().__init__(message)
        self.message, self.field, self.fcm = message, field, fcm


def checked(message: Any) -> tuple[str, str]:
    """The kind of target and its value. Raises Invalid as FCM would answer 400."""
    if not isinstance(message, dict):
        raise Invalid("Invalid value at 'message'", "message")
    for name in message:
        if name not in _FIELDS:
            raise Invalid(
                f"Invalid JSON payload received. Unknown name \"{name}\" at 'message': Cannot find field.", "message"
            )
    targets = [(kind, message[kind]) for kind in _TARGETS if message.get(kind)]
    if len(targets) != 1:
        raise Invalid(
            "Recipient of the message is not set." if not targets else "Only one recipient may be set.",
            "message",
            fcm=True,
        )
    data = message.get("data") or {}
    if not isinstance(data, dict):
        raise Invalid("Invalid value at 'message.data'", "message.data")
    for place, (key, value) in enumerate(data.items()):
        if not isinstance(value, str):
            field = f"message.data[{place}].value"
            raise Invalid(f"Invalid value at '{field}' (TYPE_STRING), {orjson.dumps(value).decode()}", field)
        if key in ("from", "message_type", "collapse_key") or key.startswith(("google.", "gcm.")):
            raise Invalid(f"Invalid data payload key: {key}", "message.data", fcm=True)
    ttl = (message.get("android") or {}).get("ttl")
    if ttl is not None and not (isinstance(ttl, str) and _TTL.fullmatch(ttl)):
        raise Invalid(
            "Invalid value at 'message.android.ttl' (type.googleapis.com/google.protobuf.Duration)",
            "message.android.ttl",
        )
    size = sum(len(key.encode()) + len(value.encode()) for key, value in data.items())
    size += len(orjson.dumps(message["notification"])) if message.get("notification") else 0
    if size > MAX_PAYLOAD:
        raise Invalid("Android message is too big", "message.android", fcm=True)
    kind, value = targets[0]
    if not isinstance(value, str) or (kind in ("token", "fid") and (len(value) > 4096 or re.search(r"\s", value))):
        # The one refusal that names no field: what is wrong is the phone, not the message.
        raise Invalid("The registration token is not a valid FCM registration token", fcm=True)
    return kind, value


class Pushes:
    """Takes pushes, puts them on their device, and lets its app answer."""

    def __init__(self, carriers: Carriers) -> None:
        self.carriers = carriers
        self._count = itertools.count(int(time.time() * 1_000_000))

    def take(self, project: str, token: str, message: dict[str, Any], at: float, switch: Switch) -> str:
        """Deliver to the device; returns the name that FCM gives to the message."""
        name = f"projects/{project}/messages/0:{next(self._count)}%{token[-8:].encode().hex()}"
        android = message.get("android") or {}
        ttl = android.get("ttl")
        push = Push(
            name, token, at, message.get("data") or {}, message.get("notification") or android.get("notification"),
            str(android.get("priority", "normal")).lower(), float(ttl[:-1]) if ttl else None, message,
        )  # fmt: skip
        self.carriers.state.add(push)
        device = self.carriers.state.device(token)
        if switch.no_receipt:
            self.carriers.switches.count("fcm", "no_receipt")
        elif device.auto_receipt:
            self.carriers.posts.after(self.carriers.options.receipt_delay, self.answer, push, "received")
        return name

    def answer(self, push: Push, what: str) -> None:
        """The app's `POST /v1/deliveries/{id}/received` (or `seen`), with the token that the push carried."""
        delivery, api = push.data.get("delivery_id"), self.carriers.state.device(push.token).api_url
        if not delivery or not api:
            self.carriers.state.change(
                push, receipt="failed: no delivery_id in the push" if not delivery else "failed: no api_url"
            )
            return
        now = rfc3339(time.time()) or ""
        try:
            status = app_post(
                f"{api.rstrip('/')}/v1/deliveries/{delivery}/{what}",
                {"receipt_token": push.data.get("receipt_token", ""), f"{what}_at": now},
                {"Sent-At": now},
            )
        except Unreachable as failure:
            self.carriers.state.change(push, receipt=f"failed: {failure}")
            return
        self.carriers.state.change(push, receipt=what if status < 300 else f"failed: HTTP {status}")


def routes(carriers: Carriers, pushes: Pushes, tokens: Tokens) -> Blueprint:
    """The blueprint of FCM and the token endpoint."""
    blueprint = Blueprint("fcm", __name__)
    project_id, switches = carriers.options.project, carriers.switches

    @blueprint.post("/token")
    def token() -> Response:
        switch = switches.hit("oauth", "*")
        switches.delay("oauth", switch, client_gone)
        if switch.status is not None:
            switches.count("oauth", str(switch.status))
            # The first of the two is what Google's client tries again by itself.
            error = "internal_failure" if switch.status >= 500 else "invalid_grant"
            return reply({"error": error, "error_description": "Switched failure"}, switch.status)
        try:
            return reply(tokens.exchange(request.form.to_dict()))
        except TokenRefused as refused:
            error, _, description = str(refused).partition(":")
            return reply({"error": error, "error_description": description}, 400)

    @blueprint.post("/v1/projects/<project>/messages:send")
    def send(project: str) -> Response:
        at = time.time()
        if not tokens.good(request.headers.get("Authorization")):
            return google_error(
                401,
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
                "valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
                headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'},
            )
        if project != project_id:
            return google_error(
                403,
                f"Permission 'cloudmessaging.messages.create' denied on resource '//cloudresourcemanager/{project}'",
            )
        try:
            body = orjson.loads(request.get_data())
        except orjson.JSONDecodeError:
            return google_error(400, "Invalid JSON payload received.")
        try:
            if not isinstance(body, dict):
                raise Invalid("Invalid JSON payload received. Unexpected token.")
            message = body.get("message") or {}
            kind, target = checked(message)
        except Invalid as wrong:
            return google_error(
                400, wrong.message, field=wrong.field, fcm_code="INVALID_ARGUMENT" if wrong.fcm else None
            )
        address = target if kind in ("token", "fid") else f"{kind}:{target}"
        switch = switches.hit("fcm", address)
        refusal = fcm_refusal(switches, switch)
        if refusal is not None:
            return refusal
        if body.get("validate_only") or body.get("validateOnly"):
            return reply({"name": f"projects/{project}/messages/fake_message_id"})
        name = pushes.take(project, address, message, at, switch)
        switches.delay("fcm", switch, client_gone)
        return reply({"name": name})

    return blueprint
