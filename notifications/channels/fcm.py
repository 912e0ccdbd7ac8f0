"""Pushes through Firebase Cloud Messaging, with Google's own client.

Everything that this file needs to know about the inside of firebase-admin (where its address, its session and its
hidden retries are) stands in `_service`, and nowhere else.
"""

import itertools
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import firebase_admin
import google.auth.exceptions
import requests
from firebase_admin import credentials, exceptions, messaging
from google.auth.transport.requests import AuthorizedSession, Request

from notifications.channel import ChannelError, FailureCode, Permanent, Temporary, Unknown, VendorTable, Verdict
from notifications.channels.bounded import Outcome, bound, within
from notifications.messages import AddressKind, Message, Sent

CODES: VendorTable = {
    # FCM's own error codes. Source: firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
    "UNREGISTERED": Verdict("permanent", FailureCode.UNREGISTERED, retire=True),
    "SENDER_ID_MISMATCH": Verdict("permanent", FailureCode.UNREGISTERED, retire=True),  # the token of another app
    "INVALID_TOKEN": Verdict("permanent", FailureCode.INVALID_ADDRESS, retire=True),  # ours, see `_vendor_code`
    "INVALID_ARGUMENT": Verdict("permanent", FailureCode.REJECTED),  # the message, not the phone, is wrong
    "QUOTA_EXCEEDED": Verdict("temporary", FailureCode.RATE_LIMITED),
    "UNAVAILABLE": Verdict("temporary", FailureCode.CARRIER_DOWN),
    "INTERNAL": Verdict("temporary", FailureCode.CARRIER_DOWN),
    "THIRD_PARTY_AUTH_ERROR": Verdict("temporary", FailureCode.MISCONFIGURED),  # our certificate at Apple
    "APNS_AUTH_ERROR": Verdict("temporary", FailureCode.MISCONFIGURED),
    # Google's common codes, where there is none of FCM's. Source: cloud.google.com/apis/design/errors
    "UNAUTHENTICATED": Verdict("temporary", FailureCode.MISCONFIGURED),
    "PERMISSION_DENIED": Verdict("temporary", FailureCode.MISCONFIGURED),
    "NOT_FOUND": Verdict("temporary", FailureCode.MISCONFIGURED),  # no such project
    "RESOURCE_EXHAUSTED": Verdict("temporary", FailureCode.RATE_LIMITED),
    "DEADLINE_EXCEEDED": Verdict("unknown", FailureCode.NO_ANSWER),
    "ABORTED": Verdict("temporary", FailureCode.CARRIER_DOWN),
    # A bare HTTP status, from something that stands before FCM.
    "http 408": Verdict("unknown", FailureCode.NO_ANSWER),
    "http 502": Verdict("unknown", FailureCode.NO_ANSWER),
    "http 504": Verdict("unknown", FailureCode.NO_ANSWER),
    "http 429": Verdict("temporary", FailureCode.RATE_LIMITED),
    "http 500": Verdict("temporary", FailureCode.CARRIER_DOWN),
    "http 503": Verdict("temporary", FailureCode.CARRIER_DOWN),
}


@dataclass(frozen=True)
class _Manner:
    """How a visible push makes itself known: Android's channel and priority, Apple's sound and interruption level."""

    channel: str
    priority: str
    sound: str | None
    interruption: str


_URGENT = _Manner("urgent", "max", "default", "time-sensitive")
_NORMAL = _Manner("normal", "default", "default", "active")
_QUIET = _Manner("quiet", "low", None, "passive")

_CODE = re.compile(r"[A-Z_]{2,40}\Z")
_LONGEST_TTL_S = 28 * 24 * 3600  # FCM's own limit
_SPARE_S = 120.0  # for firebase-admin, which wants a number; the deadline of `within` is always earlier
_names = itertools.count()


class FcmChannel:
    """Success: FCM has taken the push and named it. Whether the phone got it, the app tells us itself."""

    kind = AddressKind.FCM
    name = "fcm"

    def __init__(self, project: str, credentials_file: str, base_url: str = "") -> None:
        """`credentials_file`: the service account's JSON, which also names its token endpoint.

        `base_url` replaces Google's address for the messages themselves; the local carriers write such a file too.
        """
        self._app = firebase_admin.initialize_app(
            credentials.Certificate(credentials_file),
            {"projectId": project, "httpTimeout": _SPARE_S},
            name=f"amaan-{next(_names)}",
        )
        _service(self._app, base_url)

    def send(self, message: Message, *, timeout_s: float) -> Sent:
        """One push; see `Channel.send`. `messaging.send`, not `send_each`: one phone's trouble stays its own."""
        push = _push(message)
        outcome = within(timeout_s, lambda: str(messaging.send(push, app=self._app)))
        error = _failure(outcome)
        if error is not None:
            raise error
        return Sent(vendor_id=str(outcome.value))

    def reconcile(self, message: Message, *, since: datetime, timeout_s: float = 5.0) -> Sent | None:
        """Always None: FCM has no list to look in, and needs none.

        A push of unknown outcome is simply repeated: it carries its delivery id, and the app shows one delivery once.
        """
        return None


def _push(message: Message) -> Any:
    """The FCM message: data for the app, a neutral visible notification, and each platform's urgency and lifetime."""
    ttl_s = min(max(message.ttl_s, 0), _LONGEST_TTL_S)
    visible = bool(message.title)
    urgent = message.urgent and visible  # high priority without anything to see gets an app demoted
    how = _QUIET if message.quiet else _URGENT if urgent else _NORMAL
    headers = {
        "apns-push-type": "alert" if visible else "background",
        "apns-priority": "10" if urgent else "5",
        "apns-expiration": str(int(time.time()) + ttl_s),
    }
    if message.collapse:
        headers["apns-collapse-id"] = message.collapse[:64]
    aps = messaging.Aps(
        content_available=True,
        sound=how.sound if visible else None,
        custom_data={"interruption-level": how.interruption} if visible else None,
    )
    shown = messaging.AndroidNotification(
        channel_id=how.channel, priority=how.priority, visibility="private", tag=message.collapse or None
    )
    push = messaging.Message(
        data=dict(message.data),
        notification=messaging.Notification(message.title, message.body) if visible else None,
        android=messaging.AndroidConfig(
            priority="high" if urgent else "normal",
            ttl=timedelta(seconds=ttl_s),
            collapse_key=message.collapse or None,
            notification=shown if visible else None,
        ),
        apns=messaging.APNSConfig(headers=headers, payload=messaging.APNSPayload(aps)),
    )
    # Set after the constructor: `token` is deprecated there for `fid`, yet most installed apps still have only a token.
    if message.to.value.startswith("fid:"):
        push.fid = message.to.value.removeprefix("fid:")
    else:
        push.token = message.to.value
    return push


def _failure(outcome: Outcome[str]) -> ChannelError | None:
    error = outcome.error
    if isinstance(error, exceptions.FirebaseError) and error.http_response is not None:
        code = _vendor_code(error.http_response)
        return CODES.get(code, _unlisted(error.http_response.status_code)).error(code, outcome.retry_after)
    if isinstance(error, google.auth.exceptions.GoogleAuthError):  # no access token: the message never left
        down = isinstance(error, google.auth.exceptions.TransportError)
        code_ = FailureCode.NOT_CONNECTED if down else FailureCode.MISCONFIGURED
        return Temporary(code_, vendor_code=type(error).__name__, retry_after=outcome.retry_after)
    if outcome.sent and error is not None and (outcome.status or 0) >= 400:  # an answer that firebase-admin cannot read
        code = f"http {outcome.status}"
        return CODES.get(code, _unlisted(outcome.status or 0)).error(code, outcome.retry_after)
    if outcome.overdue or (outcome.sent and error is not None):
        why = "deadline" if error is None else type(error).__name__
        if outcome.sent:
            return Unknown(FailureCode.NO_ANSWER, vendor_code=why)
        return Temporary(FailureCode.NOT_CONNECTED, vendor_code=why)
    if isinstance(error, exceptions.FirebaseError | requests.RequestException):
        return Temporary(FailureCode.NOT_CONNECTED, vendor_code=type(error).__name__)
    if isinstance(error, ValueError):  # firebase-admin refused the message before sending
        return Permanent(FailureCode.REJECTED, vendor_code="ValueError")
    if error is not None:
        raise error
    return None


def _vendor_code(response: Any) -> str:
    """FCM's errorCode, else Google's status, else the bare HTTP status.

    A bad token and a bad message are both INVALID_ARGUMENT; FCM names the wrong field of a message in a BadRequest
    detail and adds none, or names the token, where the token is what is wrong. That case is `INVALID_TOKEN` here.
    """
    try:
        error = json.loads(response.content)["error"]
        details: list[Mapping[str, Any]] = [item for item in error.get("details", ()) if isinstance(item, dict)]
        code = next((str(item["errorCode"]) for item in details if "errorCode" in item), "")
        fields = [str(wrong.get("field")) for item in details for wrong in item.get("fieldViolations", ())]
        bad_token = fields[0] in {"message.token", "message.fid"} if fields else code == "INVALID_ARGUMENT"
        if bad_token and (code or error.get("status")) == "INVALID_ARGUMENT":
            return "INVALID_TOKEN"
        code = code or str(error["status"])
    except (ValueError, KeyError, TypeError, AttributeError):
        code = ""
    return code if _CODE.match(code) else f"http {response.status_code}"  # no free text of a stranger's in our logs


def _unlisted(status: int) -> Verdict:
    if status >= 500:
        return Verdict("temporary", FailureCode.CARRIER_DOWN)
    return Verdict("permanent", FailureCode.REJECTED)


def _service(app: Any, base_url: str) -> None:
    """Mend firebase-admin's client in place: our address, our deadline, no retries, a bounded token fetch.

    google-auth also asks another host, in a thread of its own and with retries, in which regions the account may work
    (its Regional Access Boundary). FCM does not need to know, and a city's server should not call hosts that nobody named.
    """
    service = messaging._get_messaging_service(app)
    service._credential._is_regional_access_boundary_lookup_required = lambda: False
    tokens = requests.Session()
    bound(tokens, carries_message=False)
    session: Any = AuthorizedSession(  # type: ignore[no-untyped-call]
        service._credential, auth_request=Request(session=tokens)
    )
    bound(session)
    if base_url:
        service._fcm_url = f"{base_url}/v1/projects/{app.project_id}/messages:send"
        session.trust_env = tokens.trust_env = False
    service._client._session = session
