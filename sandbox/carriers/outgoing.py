"""Requests that the carriers and the phones make to the city: status callbacks, webhooks, TwiML, an app's receipts."""

from __future__ import annotations

import base64
import json
import logging
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import urllib3
from twilio.request_validator import RequestValidator

log = logging.getLogger("carriers")

_pool = urllib3.PoolManager(num_pools=16, maxsize=32, retries=False)
_TWILIO_TIMEOUT = urllib3.Timeout(connect=5.0, read=15.0)
_ALL_TRIES_S = 15.0
_PAUSE_S = 0.5
_APP_TIMEOUT = urllib3.Timeout(connect=2.0, read=10.0)


class Unreachable(Exception):
    """The city did not answer, or not with 2xx. The text says what happened."""


def webhook(url: str, params: dict[str, str], *, sid: str, auth_token: str, method: str = "POST") -> tuple[str, str]:
    """Ask as Twilio asks: form-encoded (or in the query for GET), signed; again as the part behind the `#` says, else once
    when no connection could be made.

    Returns content type and body. Raises Unreachable.
    """
    method = method.upper()
    url, _, overrides = url.partition("#")
    if urlsplit(url).scheme not in ("http", "https"):
        raise Unreachable("not an http address")
    if method == "GET":
        url += ("&" if urlsplit(url).query else "?") + urlencode(params)
    signature = RequestValidator(auth_token).compute_signature(url, params if method == "POST" else {})
    headers = {
        "X-Twilio-Signature": signature,
        "I-Twilio-Idempotency-Token": sid,
        "User-Agent": "TwilioProxy/1.1",
        "Accept": "*/*",
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
    }
    body = urlencode(params) if method == "POST" else None
    wanted = dict(parse_qsl(overrides))
    again, kinds = int(wanted.get("rc", "1")), set(wanted.get("rp", "ct").split(","))
    end = time.monotonic() + _ALL_TRIES_S
    while True:
        try:
            answer = _pool.request(method, url, body=body, headers=headers, timeout=_TWILIO_TIMEOUT, redirect=False)
            if 200 <= answer.status < 300:
                return answer.headers.get("Content-Type", ""), answer.data.decode("utf-8", "replace")
            kind, failed = f"{answer.status // 100}xx", Unreachable(f"HTTP {answer.status}")
        except (urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.ProtocolError) as failure:
            kind, failed = "ct", Unreachable(type(failure).__name__)
        except urllib3.exceptions.HTTPError as failure:
            kind, failed = "rt", Unreachable(type(failure).__name__)
        if again == 0 or not {kind, "all"} & kinds or time.monotonic() + _PAUSE_S > end:
            raise failed
        again -= 1
        time.sleep(_PAUSE_S)


def app_post(url: str, body: dict[str, Any], headers: dict[str, str]) -> int:
    """Post JSON as the app on a phone would; returns the HTTP status. Raises Unreachable when there was no answer."""
    try:
        answer = _pool.request(
            "POST", url, body=json.dumps(body), timeout=_APP_TIMEOUT, redirect=False,
            headers={"Content-Type": "application/json", "User-Agent": "Amaan-local-phone/1", **headers},
            # A kept connection that the server closed in between says nothing about the request.
            retries=urllib3.Retry(total=2, connect=1, read=1, redirect=0, allowed_methods=None, backoff_factor=0.05),
        )  # fmt: skip
    except urllib3.exceptions.HTTPError as failure:
        raise Unreachable(type(failure).__name__) from failure
    return answer.status


def basic_auth(header: str | None) -> tuple[str, str]:
    """User and password of an Authorization header; two empty texts when there is none that can be read."""
    kind, _, value = (header or "").partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return user, password
