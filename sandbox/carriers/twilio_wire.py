"""How Twilio's API looks on the wire: authentication, errors, resources, lists and dates.

Source: Twilio's OpenAPI document twilio_api_v2010 and its pages on errors.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from flask import Request, Response

from sandbox.carriers.answers import reply
from sandbox.carriers.options import Options
from sandbox.carriers.outgoing import basic_auth
from sandbox.carriers.records import Call, Sms, sid

VERSION = "2010-04-01"
ROOT = "https://api.twilio.com"


class TwilioError(Exception):
    """An answer that is not the resource: Twilio's code, its HTTP status and its sentence."""

    def __init__(self, status: int, code: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers

    def response(self) -> Response:
        """`{code, message, more_info, status}`."""
        body = {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        headers = {"Twilio-Request-Id": sid("RQ"), **(self.headers or {})}
        if self.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
        return reply(body, self.status, headers)


def authenticate(options: Options, request: Request, account: str) -> None:
    """Raises 401/20003 for a wrong sid or token, 404/20404 for somebody else's account."""
    user, password = basic_auth(request.headers.get("Authorization"))
    right = hmac.compare_digest(user.encode(), options.account_sid.encode())
    if not (hmac.compare_digest(password.encode(), options.auth_token.encode()) and right):
        raise TwilioError(401, 20003, "Authenticate")
    if account != options.account_sid:
        raise not_found(request)


def not_found(request: Request) -> TwilioError:
    """404 in Twilio's words."""
    return TwilioError(404, 20404, f"The requested resource {request.path} was not found")


def answer(resource: dict[str, Any] | None, status: int = 200) -> Response:
    """A resource, or nothing after a deletion."""
    headers = {"Twilio-Request-Id": sid("RQ")}
    return Response(status=status, headers=headers) if resource is None else reply(resource, status, headers)


def rfc2822(moment: float | None) -> str | None:
    """`Mon, 23 Nov 2026 14:05:06 +0000`."""
    return None if moment is None else format_datetime(datetime.fromtimestamp(moment, UTC))


def sms_json(options: Options, sms: Sms) -> dict[str, Any]:
    """The Message resource with all its fields."""
    uri = f"/{VERSION}/Accounts/{options.account_sid}/Messages/{sms.sid}"
    return {
        "account_sid": options.account_sid,
        "api_version": VERSION,
        "body": sms.body,
        "date_created": rfc2822(sms.created),
        "date_sent": rfc2822(sms.sent),
        "date_updated": rfc2822(sms.updated),
        "direction": sms.direction,
        "error_code": sms.error_code,
        "error_message": sms.error_message,
        "from": sms.from_,
        "messaging_service_sid": sms.messaging_service_sid,
        "num_media": "0",
        "num_segments": str(sms.segments),
        "price": None,
        "price_unit": "USD",
        "sid": sms.sid,
        "status": sms.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": sms.to,
        "uri": f"{uri}.json",
    }


_CALL_PARTS = {
    "notifications": "Notifications", "recordings": "Recordings", "payments": "Payments", "events": "Events",
    "siprec": "Siprec", "streams": "Streams", "transcriptions": "Transcriptions",
    "user_defined_message_subscriptions": "UserDefinedMessageSubscriptions",
    "user_defined_messages": "UserDefinedMessages",
}  # fmt: skip


def call_json(options: Options, call: Call) -> dict[str, Any]:
    """The Call resource with all its fields."""
    uri = f"/{VERSION}/Accounts/{options.account_sid}/Calls/{call.sid}"
    lasted = call.ended is not None and call.answered is not None
    return {
        "account_sid": options.account_sid,
        "answered_by": call.answered_by,
        "api_version": VERSION,
        "caller_name": None,
        "date_created": rfc2822(call.created),
        "date_updated": rfc2822(call.updated),
        "direction": call.direction,
        "duration": str(round((call.ended or 0) - (call.answered or 0))) if lasted else None,
        "end_time": rfc2822(call.ended),
        "forwarded_from": None,
        "from": call.from_,
        "from_formatted": call.from_,
        "group_sid": None,
        "parent_call_sid": call.parent,
        "phone_number_sid": "PN" + options.account_sid[2:],
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "sid": call.sid,
        "start_time": rfc2822(call.answered),
        "status": call.status,
        "subresource_uris": {name: f"{uri}/{path}.json" for name, path in _CALL_PARTS.items()},
        "to": call.to,
        "to_formatted": call.to,
        "trunk_sid": None,
        "uri": f"{uri}.json",
    }


def page(request: Request, key: str, found: Sequence[Any], render: Callable[[Any], dict[str, Any]]) -> Response:
    """One page of a list, newest first, with Twilio's links to the others. Raises 400 for a page that cannot be."""
    try:
        size, number = int(request.args.get("PageSize", 50)), int(request.args.get("Page", 0))
    except ValueError:
        raise TwilioError(400, 20001, "Page and PageSize must be numbers") from None
    if not 1 <= size <= 1000 or number < 0:
        raise TwilioError(400, 20006, "Page size must be between 1 and 1000, page not below 0")
    filters = [
        (name, value) for name, value in request.args.items(multi=True) if name not in ("Page", "PageSize", "PageToken")
    ]

    def uri(wanted: int) -> str:
        token = [("PageToken", f"PA{wanted}")] if wanted else []
        return f"{request.path}?{urlencode([*filters, ('PageSize', size), ('Page', wanted), *token])}"

    def followed(wanted: int) -> str:
        # Twilio's document wants absolute addresses here, while its clients put the host before whatever they get.
        # With the dots it is the same address either way, since they take the doubled host out again (RFC 3986, 5.2.4).
        return f"{ROOT}/../../..{uri(wanted)}"

    start = number * size
    items = found[start : start + size]
    return answer(
        {
            "first_page_uri": ROOT + uri(0),
            "end": max(start + len(items) - 1, 0),
            "previous_page_uri": followed(number - 1) if number else None,
            key: [render(item) for item in items],
            "uri": ROOT + uri(number),
            "page_size": size,
            "start": start if items else 0,
            "next_page_uri": followed(number + 1) if start + size < len(found) else None,
            "page": number,
        }
    )


def _day_or_moment(text: str) -> tuple[float, float]:
    """First and last moment that a date filter means: a whole day for `YYYY-MM-DD`, else one second."""
    try:
        if len(text) == 10:
            begin = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return begin.timestamp(), (begin + timedelta(days=1)).timestamp() - 1e-6
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = parsedate_to_datetime(text)
    except ValueError:
        raise TwilioError(400, 20001, f"Invalid date: {text}") from None
    begin = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).replace(microsecond=0)
    return begin.timestamp(), begin.timestamp() + 0.999999


def dated(request: Request, name: str, moment: float | None) -> bool:
    """Whether a record's date passes the filters `Name`, `Name<` and `Name>` (both inclusive, as Twilio has them)."""
    for suffix in ("", "<", ">"):
        text = request.args.get(name + suffix)
        if not text:
            continue
        if moment is None:
            return False
        begin, end = _day_or_moment(text)
        if (suffix != "<" and moment < begin) or (suffix != ">" and moment > end):
            return False
    return True
