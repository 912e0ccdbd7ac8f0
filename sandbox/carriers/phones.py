"""How messages, calls and pushes look on a phone, as JSON for tests, the demo and the pages."""

from __future__ import annotations

from typing import Any

from sandbox.carriers.records import Call, Push, Sms, rfc3339
from sandbox.carriers.state import Record, State

ANSWERS = {
    "by_hand": "rings until it is answered here",
    "human": "a person answers at once",
    "machine": "an answering machine answers",
    "busy": "busy",
    "no_answer": "rings and nobody answers",
    "reject": "declined",
}
"""How a phone may answer calls, with the words for it."""


def sms_view(sms: Sms) -> dict[str, Any]:
    """A message as a phone shows it; `at` is when it reached (inbound: left) the phone."""
    return {
        "kind": "sms", "sid": sms.sid, "from": sms.from_, "to": sms.to, "body": sms.body, "at": rfc3339(sms.at),
        "direction": sms.direction, "status": sms.status, "segments": sms.segments, "error_code": sms.error_code,
        "seq": sms.seq,
    }  # fmt: skip


def push_view(push: Push) -> dict[str, Any]:
    """A push as the device got it."""
    return {
        "kind": "push", "name": push.name, "token": push.token, "at": rfc3339(push.at), "data": push.data,
        "notification": push.notification, "priority": push.priority, "ttl_s": push.ttl_s, "message": push.message,
        "receipt": push.receipt, "seq": push.seq,
    }  # fmt: skip


def call_view(call: Call) -> dict[str, Any]:
    """A call with everything that was heard and pressed."""
    return {
        "kind": "call", "sid": call.sid, "from": call.from_, "to": call.to, "at": rfc3339(call.at),
        "direction": call.direction, "status": call.status, "answered_at": rfc3339(call.answered),
        "ended_at": rfc3339(call.ended), "answered_by": call.answered_by, "parent": call.parent,
        "heard": [{**event, "at": rfc3339(event["at"])} for event in call.heard],
        "said": " ".join(event["text"] for event in call.heard if event["verb"] == "Say"),
        "waits_for_key": call.waiting is not None, "error_code": call.error_code, "seq": call.seq,
    }  # fmt: skip


def view(record: Record) -> dict[str, Any]:
    """Any record, by its kind."""
    if isinstance(record, Sms):
        return sms_view(record)
    return call_view(record) if isinstance(record, Call) else push_view(record)


def inbox(state: State, number: str) -> dict[str, Any]:
    """`{number, sms, calls, pushes, devices}`, oldest first; an SMS is there once it has reached the phone."""
    with state.lock:
        devices = state.devices_of(number)
        pushes = sorted(
            (push for device in devices for push in state.pushes_of.get(device.token, ())), key=lambda push: push.seq
        )
        phone = state.phone(number)
        return {
            "number": number,
            "answers": phone.answers,
            "reachable": phone.reachable,
            "sms": [sms_view(sms) for sms in state.sms_of.get(number, ()) if sms.at is not None],
            "calls": [call_view(call) for call in state.calls_of.get(number, ())],
            "pushes": [push_view(push) for push in pushes],
            "devices": [device.token for device in devices],
        }
