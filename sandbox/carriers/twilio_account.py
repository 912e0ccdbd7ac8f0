"""What a client of messages and calls may also ask Twilio for: the account, and lists that are always empty here."""

from __future__ import annotations

import time

from flask import Blueprint, Response, request

from sandbox.carriers.carriers import Carriers
from sandbox.carriers.twilio_wire import VERSION, answer, authenticate, not_found, page, rfc2822

# What hangs on a message or call, by path: the list's name in the answer.
_EMPTY = {"Media": "media_list", "Recordings": "recordings", "Events": "events", "Notifications": "notifications"}
_PARTS = {"messages": "Messages", "calls": "Calls", "incoming_phone_numbers": "IncomingPhoneNumbers", "keys": "Keys"}


def routes(carriers: Carriers) -> Blueprint:
    """The blueprint of `/2010-04-01/Accounts/{sid}.json` and the empty lists below messages and calls."""
    blueprint = Blueprint("account", __name__, url_prefix=f"/{VERSION}/Accounts")
    options, state, born = carriers.options, carriers.state, time.time()

    @blueprint.get("/<account>.json")
    def account(account: str) -> Response:
        authenticate(options, request, account)
        uri = f"/{VERSION}/Accounts/{account}"
        shown = {
            "auth_token": options.auth_token,
            "date_created": rfc2822(born),
            "date_updated": rfc2822(born),
            "friendly_name": "Local carriers",
            "owner_account_sid": account,
            "sid": account,
            "status": "active",
            "subresource_uris": {name: f"{uri}/{path}.json" for name, path in _PARTS.items()},
            "type": "Full",
            "uri": f"{uri}.json",
        }
        return answer(shown)

    @blueprint.get("/<account>/Messages/<sid>/<part>.json")
    @blueprint.get("/<account>/Calls/<sid>/<part>.json")
    def nothing(account: str, sid: str, part: str) -> Response:
        authenticate(options, request, account)
        of_message = "/Messages/" in request.path
        if (state.sms(sid) if of_message else state.call(sid)) is None or (part == "Media") != of_message:
            raise not_found(request)
        if part not in _EMPTY:
            raise not_found(request)
        return page(request, _EMPTY[part], [], lambda item: dict(item))

    return blueprint
