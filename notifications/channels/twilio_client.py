"""What SMS and calls through Twilio share: the real client under our deadline, and its errors in our words.

Facts it stands on: Twilio's client has no time-out of its own, its creates are not idempotent, and its exceptions
carry the person's number in their text. So the call is bounded (`bounded.within`), a time-out after sending is
Unknown, and no exception of Twilio's is chained to ours, since a chained one would be printed with it.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from notifications.channel import ChannelError, FailureCode, Permanent, Temporary, Unknown, VendorTable, Verdict
from notifications.channels.bounded import Outcome, bound, within

T = TypeVar("T")

REPORTED_AGAIN = "#rc=5&rp=5xx,ct,rt"
"""Behind the address of a status callback: Twilio reports again, up to five times within 15 seconds, where we answer 5xx
(the store is away) or not in time. Without it only a failed connection is tried again, once, and a report is lost.

Source: www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
"""

# urllib3 writes each address at debug level, and the list of one person's messages has their number in it.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

ACCOUNT_CODES: VendorTable = {
    # Source: Twilio's error dictionary, www.twilio.com/docs/api/errors. Those about our own account are temporary: the
    # address is innocent, and an administrator mends it.
    "10001": Verdict("temporary", FailureCode.MISCONFIGURED),  # account is not active
    "10002": Verdict("temporary", FailureCode.MISCONFIGURED),  # trial account does not support this feature
    "10004": Verdict("temporary", FailureCode.RATE_LIMITED),  # call concurrency limit
    "20003": Verdict("temporary", FailureCode.MISCONFIGURED),  # permission denied: wrong credentials
    "20005": Verdict("temporary", FailureCode.MISCONFIGURED),  # account is not active
    "20008": Verdict("temporary", FailureCode.MISCONFIGURED),  # test credentials
    "20404": Verdict("temporary", FailureCode.MISCONFIGURED),  # no such account or resource
    "20429": Verdict("temporary", FailureCode.RATE_LIMITED),  # too many requests
    "20500": Verdict("temporary", FailureCode.CARRIER_DOWN),  # internal server error
    "20503": Verdict("temporary", FailureCode.CARRIER_DOWN),  # service unavailable
}

HTTP_STATUS: Mapping[int, Verdict] = {
    # For answers without a code of Twilio's. A gateway that gave up (502, 504) or a request that took too long (408)
    # may have reached the API behind it.
    401: Verdict("temporary", FailureCode.MISCONFIGURED),
    403: Verdict("temporary", FailureCode.MISCONFIGURED),
    404: Verdict("temporary", FailureCode.MISCONFIGURED),
    408: Verdict("unknown", FailureCode.NO_ANSWER),
    429: Verdict("temporary", FailureCode.RATE_LIMITED),
    500: Verdict("temporary", FailureCode.CARRIER_DOWN),
    502: Verdict("unknown", FailureCode.NO_ANSWER),
    503: Verdict("temporary", FailureCode.CARRIER_DOWN),
    504: Verdict("unknown", FailureCode.NO_ANSWER),
}


class _Http(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's own HTTP client: silent (its log lines carry numbers), bounded, pointed at `base_url` where given."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base = urlsplit(base_url) if base_url else None
        bound(self.session)
        if self._base is not None:
            self.session.trust_env = False  # local carriers are never behind the machine's proxy

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        if self._base is not None:
            there = urlsplit(url)
            url = urlunsplit((self._base.scheme, self._base.netloc, self._base.path + there.path, there.query, ""))
        return super().request(method, url, *args, **kwargs)

    def log_request(self, kwargs: Any) -> None:
        """Nothing: it has the person's number."""

    def log_response(self, status_code: int, response: Any) -> None:
        """Nothing: it has the text."""


def client(account_sid: str, auth_token: str, base_url: str = "") -> Any:
    """The real `twilio.rest.Client`; `base_url` (scheme, host, port) replaces api.twilio.com where it is not empty."""
    nothing_from_the_environment = {"TWILIO_REGION": "", "TWILIO_EDGE": ""}
    return Client(account_sid, auth_token, http_client=_Http(base_url), environment=nothing_from_the_environment)


def hand_over(call: Callable[[], T], *, timeout_s: float, codes: VendorTable) -> T:
    """Make one create call and return Twilio's resource, or raise the ChannelError that says what happened."""
    outcome = within(timeout_s, call)
    error = _failure(outcome, codes)
    if error is not None:
        raise error
    assert outcome.value is not None
    return outcome.value


def look(call: Callable[[], T], *, timeout_s: float) -> T:
    """Make one read call; whatever keeps the answer from us raises Unknown, since looking decides nothing."""
    outcome = within(timeout_s, call)
    if outcome.error is not None and not isinstance(outcome.error, Exception):
        raise outcome.error
    if outcome.overdue or outcome.error is not None or outcome.value is None:
        vendor_code = _code(outcome.error) if isinstance(outcome.error, TwilioRestException) else ""
        raise Unknown(FailureCode.NO_ANSWER, vendor_code=vendor_code, retry_after=outcome.retry_after)
    return outcome.value


def _failure(outcome: Outcome[Any], codes: VendorTable) -> ChannelError | None:
    error = outcome.error
    if isinstance(error, TwilioRestException):
        verdict = codes.get(str(error.code)) or _by_status(error.status)
        return verdict.error(_code(error), outcome.retry_after)
    if outcome.sent and error is not None and (outcome.status or 0) >= 400:  # an answer that twilio cannot read
        return _by_status(outcome.status or 0).error(f"http {outcome.status}", outcome.retry_after)
    if outcome.overdue or (outcome.sent and error is not None):
        why = "deadline" if error is None else type(error).__name__
        if outcome.sent:
            return Unknown(FailureCode.NO_ANSWER, vendor_code=why)
        return Temporary(FailureCode.NOT_CONNECTED, vendor_code=why)
    if isinstance(error, requests.RequestException):
        return Temporary(FailureCode.NOT_CONNECTED, vendor_code=type(error).__name__)
    if error is not None:
        raise error  # nothing was sent and it is none of the network's errors: a fault of ours
    if not getattr(outcome.value, "sid", None):
        return Unknown(FailureCode.NO_ANSWER, vendor_code="no sid")
    return None


def _by_status(status: int) -> Verdict:
    """The status's line; any other 4xx says that the request itself is wrong."""
    if status in HTTP_STATUS:
        return HTTP_STATUS[status]
    if status >= 500:
        return Verdict("temporary", FailureCode.CARRIER_DOWN)
    return Verdict("permanent", FailureCode.REJECTED)


def _code(error: Any) -> str:
    return str(error.code or f"http {error.status}")


def delivered_or_failed(status: str, error_code: Any, codes: VendorTable, failed: frozenset[str]) -> None:
    """Raise what `error_code` means if `status` is one of the `failed` ones; otherwise nothing."""
    if status in failed:
        code = str(error_code or status)
        verdict = codes.get(code, Verdict("temporary", FailureCode.UNREACHABLE))
        if verdict.fate == "permanent":
            raise Permanent(verdict.code, vendor_code=code, retire=verdict.retire)
        raise Temporary(verdict.code, vendor_code=code)
