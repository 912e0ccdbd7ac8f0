"""SMS through Twilio's Messages API."""

from datetime import UTC, datetime, timedelta
from typing import Any

from notifications.channel import FailureCode, Receipt, VendorTable, Verdict
from notifications.channels import twilio_client
from notifications.messages import AddressKind, Message, Sent

CODES: VendorTable = {
    **twilio_client.ACCOUNT_CODES,
    # When the message is created. Source: www.twilio.com/docs/api/errors
    "21211": Verdict("permanent", FailureCode.INVALID_ADDRESS, retire=True),  # invalid 'To' number
    "21212": Verdict("temporary", FailureCode.MISCONFIGURED),  # invalid 'From' number
    "21408": Verdict("temporary", FailureCode.MISCONFIGURED),  # no permission for this region
    "21602": Verdict("permanent", FailureCode.REJECTED),  # body is required
    "21603": Verdict("temporary", FailureCode.MISCONFIGURED),  # 'From' is required
    "21606": Verdict("temporary", FailureCode.MISCONFIGURED),  # 'From' cannot send to this number
    "21608": Verdict("permanent", FailureCode.MISCONFIGURED),  # trial account, number not verified
    "21610": Verdict("permanent", FailureCode.OPTED_OUT),  # the recipient replied STOP; not dead: START lifts it
    "21611": Verdict("temporary", FailureCode.RATE_LIMITED),  # this 'From' has its queue full
    "21612": Verdict("permanent", FailureCode.UNREACHABLE),  # no route from this 'From' to this 'To'
    "21614": Verdict("permanent", FailureCode.NOT_MOBILE, retire=True),  # 'To' is not a mobile number
    "21617": Verdict("permanent", FailureCode.REJECTED),  # body is over 1,600 characters
    "21619": Verdict("permanent", FailureCode.REJECTED),  # body or media is required
    "21635": Verdict("permanent", FailureCode.NOT_MOBILE, retire=True),  # 'To' is a landline
    "21659": Verdict("temporary", FailureCode.MISCONFIGURED),  # 'From' is not a number of ours
    "21660": Verdict("temporary", FailureCode.MISCONFIGURED),  # 'From' belongs to another account
    "21701": Verdict("temporary", FailureCode.MISCONFIGURED),  # no such messaging service
    "21703": Verdict("temporary", FailureCode.MISCONFIGURED),  # the messaging service has no number
    # In a status callback. Those of 30004 to 30007 are final, 30001, 30003 and 30008 may pass later.
    "30001": Verdict("temporary", FailureCode.RATE_LIMITED),  # queue overflow
    "30002": Verdict("temporary", FailureCode.MISCONFIGURED),  # account suspended
    "30003": Verdict("temporary", FailureCode.UNREACHABLE),  # handset is off or out of coverage
    "30004": Verdict("permanent", FailureCode.BLOCKED),  # message blocked
    "30005": Verdict("permanent", FailureCode.INVALID_ADDRESS, retire=True),  # unknown or inactive number
    "30006": Verdict("permanent", FailureCode.NOT_MOBILE, retire=True),  # landline or unreachable carrier
    "30007": Verdict("permanent", FailureCode.BLOCKED),  # filtered by the carrier
    "30008": Verdict("temporary", FailureCode.UNREACHABLE),  # unknown error
    "30010": Verdict("permanent", FailureCode.MISCONFIGURED),  # over the account's highest price
    "30022": Verdict("temporary", FailureCode.RATE_LIMITED),  # over the registered rate
    "30036": Verdict("permanent", FailureCode.EXPIRED),  # validity period is over
    "30410": Verdict("temporary", FailureCode.CARRIER_DOWN),  # the network did not answer
    "30500": Verdict("temporary", FailureCode.CARRIER_DOWN),  # the network's fault
}

_FAILED = frozenset({"failed", "undelivered"})
_LONGEST_VALIDITY_S = 36_000  # Twilio's own limit and default: ten hours
_LISTED = 100  # newest messages of one number that are searched for a nonce
_CLOCKS_APART = timedelta(seconds=120)


class TwilioSmsChannel:
    """Success: Twilio has queued the message and given it a sid. Its status callback goes to the message's
    `status_url`.

    Each SMS has a validity period of the message's `ttl_s`, so that an alarm which nobody could deliver does not arrive
    the next morning.
    """

    kind = AddressKind.SMS
    name = "twilio_sms"

    def __init__(self, account_sid: str, auth_token: str, sender: str, base_url: str = "") -> None:
        """`sender`: an E.164 number, a short code, an alphanumeric name, or the sid (MG…) of a messaging service."""
        self._client = twilio_client.client(account_sid, auth_token, base_url)
        self._sender = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}

    def send(self, message: Message, *, timeout_s: float) -> Sent:
        """One create; see `Channel.send`."""
        fields: dict[str, Any] = {
            **self._sender,
            "to": message.to.value,
            "body": message.text,
            "validity_period": min(max(message.ttl_s, 1), _LONGEST_VALIDITY_S),
        }
        if message.status_url:
            fields["status_callback"] = message.status_url + twilio_client.REPORTED_AGAIN
        taken = twilio_client.hand_over(
            lambda: self._client.messages.create(**fields), timeout_s=timeout_s, codes=CODES
        )
        return _sent(taken)

    def reconcile(self, message: Message, *, since: datetime, timeout_s: float = 5.0) -> Sent | None:
        """Search the number's newest messages for the nonce in the text.

        The list is asked by number alone and compared with `since` here: a message that is still queued has no DateSent
        yet, and a filter on it would hide just the one that is looked for.
        """
        listed = twilio_client.look(
            lambda: self._client.messages.list(to=message.to.value, limit=_LISTED, page_size=_LISTED),
            timeout_s=timeout_s,
        )
        for taken in listed:
            made = taken.date_created or taken.date_sent
            recent = made is None or made.astimezone(UTC) >= since - _CLOCKS_APART
            if message.nonce and recent and message.nonce in (taken.body or ""):
                return _sent(taken)
        return None


def receipt(status: str, error_code: str = "") -> Receipt | None:
    """What a status callback (`MessageStatus`, `ErrorCode`) says; None for a status that says nothing new."""
    if status == "delivered":
        return Receipt("delivered")
    if status == "read":
        return Receipt("seen")
    if status in _FAILED:
        return Receipt.failed(CODES.get(error_code, Verdict("temporary", FailureCode.UNREACHABLE)), error_code)
    return Receipt("sent") if status == "sent" else None


def _sent(taken: Any) -> Sent:
    """Sent, unless Twilio has already given the message up."""
    twilio_client.delivered_or_failed(str(taken.status), taken.error_code, CODES, _FAILED)
    return Sent(vendor_id=str(taken.sid), segments=int(taken.num_segments or 1))
