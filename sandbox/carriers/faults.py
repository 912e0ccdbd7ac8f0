"""Turns a switch that refuses a request into the vendor's own error answer."""

from __future__ import annotations

from flask import Response

from sandbox.carriers.answers import reply
from sandbox.carriers.switches import Switch, Switches
from sandbox.carriers.twilio_wire import TwilioError

_TWILIO = {
    401: (20003, "Authenticate"),
    403: (20403, "Forbidden"),
    429: (20429, "Too Many Requests"),
    500: (20500, "An internal server error has occurred"),
    503: (20503, "Service unavailable"),
}
_SENTENCES = {
    21211: "Invalid 'To' Phone Number",
    21214: "'To' phone number cannot be reached",
    21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
    21610: "Attempt to send to unsubscribed recipient",
    21612: "The message cannot be sent with the current combination of 'To' and 'From' parameters",
    21614: "'To' number is not a valid mobile number",
    20429: "Too Many Requests",
}
# Google's canonical status for each HTTP status, and FCM's errorCode with it.
_GOOGLE = {
    400: ("INVALID_ARGUMENT", "INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR", "Auth error from APNS or Web Push Service"),
    403: ("PERMISSION_DENIED", "SENDER_ID_MISMATCH", "SenderId mismatch"),
    404: ("NOT_FOUND", "UNREGISTERED", "Requested entity was not found."),
    429: ("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "Quota exceeded for quota metric 'Messages sent'"),
    500: ("INTERNAL", "INTERNAL", "Internal error encountered."),
    503: ("UNAVAILABLE", "UNAVAILABLE", "The service is currently unavailable."),
}
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


def _retry_after(switch: Switch) -> dict[str, str]:
    return {} if switch.retry_after is None else {"Retry-After": f"{switch.retry_after:g}"}


def refuse(switches: Switches, channel: str, switch: Switch) -> None:
    """Raises TwilioError when the switch says that this message is not taken."""
    if switch.status is not None:
        switches.count(channel, str(switch.status))
        code, message = _TWILIO.get(switch.status, (20000 + switch.status, "Switched failure"))
        raise TwilioError(switch.status, code, message, _retry_after(switch))
    if switch.error is not None and switch.error.isdecimal():
        switches.count(channel, switch.error)
        code = int(switch.error)
        raise TwilioError(
            429 if code == 20429 else 400, code, _SENTENCES.get(code, "Switched failure"), _retry_after(switch)
        )


def google_error(
    status: int,
    message: str = "",
    *,
    canonical: str = "",
    fcm_code: str | None = None,
    field: str = "",
    headers: dict[str, str] | None = None,
) -> Response:
    """`{"error": {code, message, status, details}}`; `details` have FCM's errorCode or the field that is wrong."""
    default_status, _, default_message = _GOOGLE.get(status, ("UNKNOWN", "", "Unknown error."))
    error: dict[str, object] = {
        "code": status,
        "message": message or default_message,
        "status": canonical or default_status,
    }
    details: list[dict[str, object]] = []
    if fcm_code:
        details.append({"@type": FCM_ERROR, "errorCode": fcm_code})
    if field:
        violation = {"field": field, "description": error["message"]}
        details.append({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]})
    if details:
        error["details"] = details
    return reply({"error": error}, status, headers)


def fcm_refusal(switches: Switches, switch: Switch) -> Response | None:
    """The error answer that the switch wants, or None when the push is to be taken."""
    if switch.status is not None:
        switches.count("fcm", str(switch.status))
        return google_error(
            switch.status, fcm_code=_GOOGLE.get(switch.status, ("", "INTERNAL", ""))[1], headers=_retry_after(switch)
        )
    if switch.error is not None:
        switches.count("fcm", switch.error)
        for status, (_, code, _) in _GOOGLE.items():
            if code == switch.error:
                return google_error(status, fcm_code=code, headers=_retry_after(switch))
        return google_error(500, fcm_code=switch.error)
    return None
