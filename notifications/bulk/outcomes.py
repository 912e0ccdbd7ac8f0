"""What became of a message of a batch, as its attempt keeps it, and when to look again."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from domain.deliveries.states import AttemptState
from notifications import optouts, policy, recipients
from notifications.bulk.go import Go, Try
from notifications.channel import ChannelError, FailureCode, Permanent, Temporary, Unknown
from notifications.messages import Sent
from notifications.post import trait

_STATE_OF: Mapping[type[ChannelError], AttemptState] = {
    Temporary: AttemptState.TEMPORARY,
    Permanent: AttemptState.PERMANENT,
    Unknown: AttemptState.UNKNOWN,
}


def outcome(go: Go, each: Try, result: Any) -> dict[str, Any]:
    """Its attempt as it ended: sent, not taken, or failed, and then when it may be tried again."""
    now = go.post.clock()
    if isinstance(result, Sent):
        if each.step.channel == "fcm" and go.batch.life_critical:
            go.look_again(now + timedelta(seconds=go.batch.receipt_wait_s))
        return {
            "state": str(AttemptState.SENT),
            "vendor_id": result.vendor_id,
            "segments": result.segments,
            "done_at": now,
        }
    if result is None:
        go.again = True
        return {"state": str(AttemptState.TEMPORARY), "code": "not_taken", "done_at": now}
    return _failure(go, each, result, now)


def known_as(go: Go, each: Try, sent: Sent) -> list[str]:
    """What its carrier will report it by, where that is only an id of the carrier's own."""
    gateway = go.gateway_name(each)
    if trait(go.post, each.step.channel, gateway).reports != "by_id":
        return []
    return [f"{gateway}:{part}" for part in sent.vendor_id.split("+")]


def _failure(go: Go, each: Try, error: ChannelError, now: datetime) -> dict[str, Any]:
    state, channel = _STATE_OF[type(error)], each.step.channel
    tried = 1 + sum(attempt["channel"] == channel for attempt in each.delivery["attempts"].values())
    retry_at = now + policy.backoff(tried, random.random(), error.retry_after)
    if state == AttemptState.UNKNOWN:
        retry_at = now + timedelta(seconds=error.retry_after or 0.0)
        if channel == "sms":
            go.look_again(max(retry_at, now + policy.UNKNOWN_WAIT))
        else:
            go.again = True
    else:
        go.again = True
    if isinstance(error, Permanent) and error.retire and channel != "fcm":
        recipients.retire(each.delivery["recipient"], channel, str(error.code), tried_at=now)
    if error.code == FailureCode.OPTED_OUT and channel == "sms":
        number = each.reached.addresses[channel].value
        optouts.refused(go.post.settings.signing_key, number, each.delivery["recipient"], now=now)
    return {
        "state": str(state),
        "code": str(error.code),
        "vendor_code": error.vendor_code,
        "retry_at": retry_at,
        "done_at": now,
    }
