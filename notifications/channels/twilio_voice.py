"""Calls through Twilio's Calls API: the alarm that rings."""

from datetime import UTC, datetime, timedelta
from typing import Any

from notifications.channel import FailureCode, Receipt, VendorTable, Verdict
from notifications.channels import twilio_client
from notifications.messages import AddressKind, Message, Sent
from notifications.render.voice import say

CODES: VendorTable = {
    **twilio_client.ACCOUNT_CODES,
    # Source: www.twilio.com/docs/api/errors
    "13224": Verdict("permanent", FailureCode.INVALID_ADDRESS, retire=True),  # invalid number
    "13225": Verdict("permanent", FailureCode.BLOCKED),  # forbidden number
    "13227": Verdict("temporary", FailureCode.MISCONFIGURED),  # no permission for this region
    "21201": Verdict("permanent", FailureCode.REJECTED),  # no 'To'
    "21203": Verdict("permanent", FailureCode.INVALID_ADDRESS, retire=True),  # invalid international number
    "21205": Verdict("temporary", FailureCode.MISCONFIGURED),  # invalid Url
    "21210": Verdict("temporary", FailureCode.MISCONFIGURED),  # 'From' is not verified
    "21211": Verdict("permanent", FailureCode.INVALID_ADDRESS, retire=True),  # invalid 'To' number
    "21212": Verdict("temporary", FailureCode.MISCONFIGURED),  # invalid 'From' number
    "21213": Verdict("temporary", FailureCode.MISCONFIGURED),  # 'From' is required
    "21214": Verdict("permanent", FailureCode.UNREACHABLE),  # 'To' cannot be reached
    "21215": Verdict("temporary", FailureCode.MISCONFIGURED),  # no permission for this region
    "21216": Verdict("temporary", FailureCode.MISCONFIGURED),  # account may not call this number
    "21217": Verdict("permanent", FailureCode.INVALID_ADDRESS, retire=True),  # does not look like a number
    "21219": Verdict("permanent", FailureCode.MISCONFIGURED),  # trial account, number not verified
    # A call's own status, www.twilio.com/docs/voice/api/call-resource#call-status-values
    "busy": Verdict("temporary", FailureCode.NOT_ANSWERED),
    "no-answer": Verdict("temporary", FailureCode.NOT_ANSWERED),
    "failed": Verdict("temporary", FailureCode.UNREACHABLE),
    "canceled": Verdict("temporary", FailureCode.NOT_ANSWERED),
}

_FAILED = frozenset({"busy", "no-answer", "failed", "canceled"})
_EVENTS = ["initiated", "ringing", "answered", "completed"]
_RINGS_S = 40  # shorter than most mailboxes wait; the ladder calls the next person meanwhile
_LONGEST_CALL_S = 1800  # a menu ends by itself long before; a conversation with the caller must not be cut off
_DETECTION_S = 10  # silence on the line while Twilio listens who picked up; longer, and people hang up
_LISTED = 50
_CLOCKS_APART = timedelta(seconds=5)


class TwilioVoiceChannel:
    """Success: Twilio has queued the call. Whether anybody answered, and which key they pressed, comes by webhook."""

    kind = AddressKind.VOICE
    name = "twilio_voice"

    def __init__(self, account_sid: str, auth_token: str, sender: str, base_url: str = "") -> None:
        """`sender`: an E.164 number of ours that can call."""
        self._client = twilio_client.client(account_sid, auth_token, base_url)
        self._sender = sender

    def send(self, message: Message, *, timeout_s: float) -> Sent:
        """One create; see `Channel.send`.

        What is said comes from `twiml_url`, else the text is said once and that is all.
        """
        fields: dict[str, Any] = {
            "to": message.to.value,
            "from_": self._sender,
            "timeout": min(max(message.ttl_s, 5), _RINGS_S),
            "time_limit": _LONGEST_CALL_S,
        }
        if message.twiml_url:
            fields |= {
                "url": message.twiml_url,
                "method": "POST",
                "machine_detection": "Enable",
                "machine_detection_timeout": _DETECTION_S,
            }
        else:
            fields["twiml"] = say(message.text, message.language)
        if message.status_url:
            fields |= {
                "status_callback": message.status_url + twilio_client.REPORTED_AGAIN,
                "status_callback_method": "POST",
                "status_callback_event": _EVENTS,
            }
        taken = twilio_client.hand_over(lambda: self._client.calls.create(**fields), timeout_s=timeout_s, codes=CODES)
        return _sent(taken)

    def reconcile(self, message: Message, *, since: datetime, timeout_s: float = 5.0) -> Sent | None:
        """The first call to this number since then: a call carries no text, so there is no nonce to look for.

        Where two calls to one person were both lost within the same seconds, both find the same one. That costs a
        second ring, not an alarm: the one call speaks, and the ladder goes on where nobody presses a key.
        """
        listed = twilio_client.look(
            lambda: self._client.calls.list(to=message.to.value, limit=_LISTED, page_size=_LISTED),
            timeout_s=timeout_s,
        )
        found = [call for call in listed if _made(call) is not None and _made(call) >= since - _CLOCKS_APART]
        return _sent(min(found, key=_made)) if found else None


def is_machine(answered_by: str) -> bool:
    """Whether `AnsweredBy` names no person. `unknown` may be one: an alarm is rather said twice than to nobody.

    Source: www.twilio.com/docs/voice/answering-machine-detection
    """
    return answered_by.startswith("machine") or answered_by == "fax"


def receipt(status: str, error_code: str = "", answered_by: str = "") -> Receipt | None:
    """What a status callback (`CallStatus`, `ErrorCode`, `AnsweredBy`) says; None for a status that says nothing new.

    A call that somebody picked up is `delivered` when it is over, or when it has asked what to say (`api/webhooks`),
    whichever is first: only then is known whether it was a machine. Only a key says that somebody listened.
    """
    if status == "completed" and is_machine(answered_by):
        return Receipt("failed_temporary", FailureCode.MACHINE, answered_by)
    if status == "completed":
        return Receipt("delivered")
    if status in _FAILED:
        verdict = CODES.get(error_code) or CODES[status]
        return Receipt.failed(verdict, error_code or status)
    return Receipt("sent") if status in {"ringing", "in-progress"} else None


def _made(call: Any) -> Any:
    made = call.date_created or call.start_time
    return made.astimezone(UTC) if made is not None else None


def _sent(call: Any) -> Sent:
    """Sent, unless the call has already ended without an answer."""
    twilio_client.delivered_or_failed(str(call.status), None, CODES, _FAILED)
    return Sent(vendor_id=str(call.sid))
