"""SMS through any gateway that takes one message with one HTTP request, as its table says (`gateway_table.py`).

Success: an answer with the gateway's own id in it. The same deadline and the same honesty about what left as with every
other carrier (`bounded.py`); a gateway that can be asked what it took is asked by our own id of the attempt.
"""

import logging
import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import requests

from notifications.channel import (
    USUAL_VERDICTS,
    ChannelError,
    FailureCode,
    Receipt,
    Temporary,
    Unknown,
    Verdict,
)
from notifications.channels.bounded import Outcome, bound, within
from notifications.gateway_table import HttpGateway, at, fill
from notifications.messages import AddressKind, Message, Sent
from notifications.render.segments import count

# urllib3 writes each address at debug level, and a query may hold the number and the text.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

HTTP_STATUS: Mapping[int, Verdict] = {
    # For answers without a code that the table knows. A gateway before the gateway that gave up (502, 504) or a request
    # that took too long (408) may have reached it.
    401: Verdict("temporary", FailureCode.MISCONFIGURED),
    402: Verdict("temporary", FailureCode.MISCONFIGURED),
    403: Verdict("temporary", FailureCode.MISCONFIGURED),
    404: Verdict("temporary", FailureCode.MISCONFIGURED),
    405: Verdict("temporary", FailureCode.MISCONFIGURED),
    408: Verdict("unknown", FailureCode.NO_ANSWER),
    429: Verdict("temporary", FailureCode.RATE_LIMITED),
    502: Verdict("unknown", FailureCode.NO_ANSWER),
    504: Verdict("unknown", FailureCode.NO_ANSWER),
}


class HttpSmsChannel:
    """One gateway of the table."""

    kind = AddressKind.SMS

    def __init__(self, gateway: HttpGateway) -> None:
        self.name = gateway.name
        self._gateway = gateway
        self._session = requests.Session()
        self._session.headers.update({name: value.get_secret_value() for name, value in gateway.headers.items()})
        bound(self._session)
        if gateway.is_local:
            self._session.trust_env = False  # never behind the machine's proxy

    def send(self, message: Message, *, timeout_s: float) -> Sent:
        """One request; see `Channel.send`."""
        gateway = self._gateway
        fields = fill(gateway.body, _values(message, gateway.sender))
        kinds = {"json": "json", "form": "data", "query": "params"}
        asked: dict[str, Any] = {kinds[gateway.format]: fields}
        outcome = within(
            timeout_s, lambda: _read(self._session.request(gateway.method, gateway.url, allow_redirects=False, **asked))
        )
        error = self._failure(outcome)
        if error is not None:
            raise error
        assert outcome.value is not None
        return self._sent(outcome.value[1], message)

    def reconcile(self, message: Message, *, since: datetime, timeout_s: float = 5.0) -> Sent | None:
        """Ask by our own id of the attempt; a gateway without a list raises Unknown with NO_LIST."""
        look_up = self._gateway.look_up
        if look_up is None:
            raise Unknown(FailureCode.NO_LIST)
        values = {name: quote(str(value), safe="") for name, value in _values(message, self._gateway.sender).items()}
        url = fill(look_up.url, values)
        outcome = within(timeout_s, lambda: _read(self._session.get(url, allow_redirects=False)))
        if outcome.overdue or outcome.error is not None or outcome.value is None or outcome.value[0] >= 300:
            if outcome.error is not None and not isinstance(outcome.error, Exception):
                raise outcome.error
            if outcome.status == 404:
                return None
            raise Unknown(FailureCode.NO_ANSWER, retry_after=outcome.retry_after)
        found = at(outcome.value[1], look_up.items)
        taken = found[0] if isinstance(found, list) and found else found
        if not taken or at(taken, look_up.id) in (None, ""):
            return None
        self._gave_up(str(at(taken, look_up.status) or ""), taken)
        return Sent(str(at(taken, look_up.id)), count(message.text).segments)

    def _gave_up(self, status: str, taken: Any) -> None:
        """Raise what it means where the gateway took the message and then failed."""
        reports = self._gateway.reports
        if reports is None or reports.statuses.get(status) != "failed":
            return
        code = _code(at(taken, reports.error)) if reports.error else ""
        verdict = _verdict(self._gateway, code) or USUAL_VERDICTS[FailureCode.UNREACHABLE]
        if verdict.fate == "unknown":
            verdict = Verdict("temporary", verdict.code)
        raise verdict.error(code)

    def _sent(self, body: Any, message: Message) -> Sent:
        segments = at(body, self._gateway.segments) if self._gateway.segments else None
        known = isinstance(segments, int) or (isinstance(segments, str) and segments.isdecimal())
        return Sent(str(at(body, self._gateway.id)), int(segments) if known else count(message.text).segments)  # type: ignore[arg-type]

    def _failure(self, outcome: Outcome[tuple[int, Any]]) -> ChannelError | None:
        error = outcome.error
        if outcome.value is not None:
            status, body = outcome.value
            code = _code(at(body, self._gateway.error)) if self._gateway.error else ""
            if code or status >= 300:
                told = code or f"http {status}"
                verdict = _verdict(self._gateway, code) or _verdict(self._gateway, f"http {status}") or _by_status(status)
                return verdict.error(told, outcome.retry_after)
            if at(body, self._gateway.id) in (None, ""):
                return Unknown(FailureCode.NO_ANSWER, vendor_code="no id")
            return None
        if outcome.sent and error is not None and (outcome.status or 0) >= 300:
            return _by_status(outcome.status or 0).error(f"http {outcome.status}", outcome.retry_after)
        if outcome.overdue or (outcome.sent and error is not None):
            why = "deadline" if error is None else type(error).__name__
            if outcome.sent:
                return Unknown(FailureCode.NO_ANSWER, vendor_code=why)
            return Temporary(FailureCode.NOT_CONNECTED, vendor_code=why)
        if isinstance(error, requests.RequestException):
            return Temporary(FailureCode.NOT_CONNECTED, vendor_code=type(error).__name__)
        if error is not None:
            raise error
        return Unknown(FailureCode.NO_ANSWER)


def receipt(gateway: HttpGateway, report: Mapping[str, Any]) -> Receipt | None:
    """What a gateway's report says, in our words; None for one that says nothing new, or where none is expected."""
    reports = gateway.reports
    said = reports.statuses.get(str(at(report, reports.status) or "")) if reports else None
    if reports is None or said is None:
        return None
    if said != "failed":
        return Receipt(said)
    code = _code(at(report, reports.error)) if reports.error else ""
    return Receipt.failed(_verdict(gateway, code) or USUAL_VERDICTS[FailureCode.UNREACHABLE], code)


def vendor_id(gateway: HttpGateway, report: Mapping[str, Any]) -> str:
    """The gateway's own id in a report; "" where it has none."""
    return str(at(report, gateway.reports.id) or "") if gateway.reports and gateway.reports.id else ""


def _verdict(gateway: HttpGateway, code: str) -> Verdict | None:
    word = gateway.errors.get(code)
    return USUAL_VERDICTS[word] if word else None


def _read(response: requests.Response) -> tuple[int, Any]:
    """Status and JSON; a refusal in other words keeps its status, a success in other words says nothing."""
    try:
        return response.status_code, response.json()
    except ValueError:
        if response.status_code >= 300:
            return response.status_code, None
        raise


def _values(message: Message, sender: str) -> dict[str, Any]:
    return {
        "to": message.to.value,
        "digits": message.to.value.lstrip("+"),
        "from": sender,
        "text": message.text,
        "ttl_s": max(1, message.ttl_s),
        "ttl_min": max(1, math.ceil(message.ttl_s / 60)),
        "key": message.key,
        "nonce": message.nonce,
        "report_url": message.status_url or "",
        "encoding": count(message.text).encoding,
    }


_CODE = re.compile(r"[A-Za-z_.-]{0,20}\d{0,6}[A-Za-z_.-]{0,20}")


def _code(value: Any) -> str:
    """A gateway's code; "" for what gateways write where nothing went wrong. Never a sentence: it may hold a number."""
    text = "" if value is None else str(value)
    if text in {"", "0", "000", "None", "false", "False"}:
        return ""
    return text if _CODE.fullmatch(text) else "other"


def _by_status(status: int) -> Verdict:
    """The status's line; any other 4xx (or a redirect, which is never followed) says that the request is wrong."""
    if status in HTTP_STATUS:
        return HTTP_STATUS[status]
    if status >= 500:
        return Verdict("temporary", FailureCode.CARRIER_DOWN)
    if status < 400:
        return Verdict("temporary", FailureCode.MISCONFIGURED)
    return Verdict("permanent", FailureCode.REJECTED)
