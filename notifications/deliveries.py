"""Takes one delivery its next step: reads it, lets policy decide, writes the attempt down, asks the carrier, writes what
became of it. May run twice, and in two places at once: the version of the document lets one of them through.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from domain.clock import Clock
from domain.deliveries import service as store
from domain.deliveries.service import Delivery
from domain.deliveries.states import AttemptState, DeliveryStatus
from domain.lines import service as lines
from domain.people import service as people
from notifications import everywhere, policy
from notifications.channel import Channel, ChannelError, Permanent, Temporary, Unknown
from notifications.content import CONTENT, READ, Content
from notifications.messages import Address, Message, Sent, nonce_of
from notifications.recipients import Reached, reach, retire
from notifications.render.push import push_payload
from notifications.render.text import render, render_sms
from runtime import logging
from runtime.settings import Settings

SEND_TIMEOUT_S: Mapping[str, float] = {"fcm": 3.0, "sms": 5.0, "voice": 5.0, "console": 1.0}

log = logging.get(__name__)


@dataclass(frozen=True)
class Post:
    """What sending needs: the settings, the time, and one channel a kind of address (`registry.build_channels`)."""

    settings: Settings
    clock: Clock
    channels: Mapping[str, Channel]


def advance(delivery_id: str, post: Post) -> DeliveryStatus:
    """Take the next step of a delivery, as far as it goes without waiting. Returns where the delivery stands."""
    for _ in range(8):
        delivery = store.get(delivery_id)
        now = post.clock()
        content = CONTENT[delivery["purpose"]]
        reached = reach(delivery["recipient"])
        reachable = [name for name in reached.addresses if name in post.channels and _fits(name, content)]
        if content.push_only(delivery):
            reachable = [name for name in reachable if name == "fcm"]
        step = policy.next_step(delivery, reachable, now)
        if step.do == policy.Do.WAIT:
            if step.until is None or step.until > now:
                store.wait(delivery, step.until)
            break
        if reason := content.overtaken(delivery):
            store.end(delivery, DeliveryStatus.SUPPRESSED, reason)
            break
        if step.do == policy.Do.GIVE_UP:
            store.end(delivery, DeliveryStatus.FAILED_PERMANENT, step.reason)
            break
        if step.do == policy.Do.SEND:
            ended = _send(delivery, step.channel, content, reached, post)
            if ended == AttemptState.SENT:
                return DeliveryStatus.SENT  # nothing to do before a receipt comes, or does not
            if ended is None:
                break
        elif not _reconcile(delivery, step.number, content, reached, post):
            break
    return DeliveryStatus(store.get(delivery_id)["status"])


def _fits(channel: str, content: Content) -> bool:
    return channel != "fcm" or bool(content.push)


def _send(delivery: Delivery, channel: str, content: Content, reached: Reached, post: Post) -> AttemptState | None:
    """One attempt and how it ended. None when somebody else has the delivery."""
    now = post.clock()
    lease = min(store.LEASE, policy.unreported(delivery, channel) + timedelta(milliseconds=100))
    device = reached.device if channel == "fcm" else None
    begun = store.begin(delivery, channel, device=device, now=now, lease=lease)
    if begun is None:
        return None
    if READ in delivery:
        begun[READ] = delivery[READ]
    number = begun["tries"]
    try:
        message = _message(begun, number, channel, content, reached, post)
        also = reached.also if channel == "fcm" else ()
        sent = everywhere.send(
            post.channels[channel], message, also, timeout_s=SEND_TIMEOUT_S[channel], dead=partial(_retire_push, post)
        )
    except ChannelError as error:
        return _failed(begun, number, channel, error, post)
    _taken(begun, number, channel, sent, post)
    return AttemptState.SENT


def _reconcile(delivery: Delivery, number: int, content: Content, reached: Reached, post: Post) -> bool:
    """Find out what became of an attempt whose outcome is unknown."""
    held = store.hold(delivery, now=post.clock())
    if held is None:
        return False
    attempt = held["attempts"][str(number)]
    channel = attempt["channel"]
    message = _message(held, number, channel, content, reached, post)
    try:
        sent = post.channels[channel].reconcile(message, since=attempt["at"])
    except ChannelError as error:
        _failed(held, number, channel, error, post)
        return True
    if sent is None:
        outcome = {"state": str(AttemptState.TEMPORARY), "code": "not_taken", "done_at": post.clock()}
        store.finish(held, number, outcome, next_at=post.clock())
    else:
        _taken(held, number, channel, sent, post)
    return True


def _taken(delivery: Delivery, number: int, channel: str, sent: Sent, post: Post) -> None:
    now = post.clock()
    outcome = {
        "state": str(AttemptState.SENT),
        "vendor_id": sent.vendor_id,
        "segments": sent.segments,
        "done_at": now,
    }
    store.finish(
        delivery, number, outcome, next_at=policy.after_attempt(delivery, AttemptState.SENT, channel, now, None)
    )


def _retire_push(post: Post, address: Address) -> None:
    people.retire_address(address.value, now=post.clock())


_STATE_OF: Mapping[type[ChannelError], AttemptState] = {
    Temporary: AttemptState.TEMPORARY,
    Permanent: AttemptState.PERMANENT,
    Unknown: AttemptState.UNKNOWN,
}


def _failed(delivery: Delivery, number: int, channel: str, error: ChannelError, post: Post) -> AttemptState:
    now = post.clock()
    state = _STATE_OF[type(error)]
    tried = sum(attempt["channel"] == channel for attempt in delivery["attempts"].values())
    retry_at = now + policy.backoff(tried, random.random(), error.retry_after)
    if state == AttemptState.UNKNOWN:
        retry_at = now + timedelta(seconds=error.retry_after or 0.0)
    outcome: dict[str, Any] = {
        "state": str(state),
        "code": str(error.code),
        "vendor_code": error.vendor_code,
        "retry_at": retry_at,
        "done_at": now,
    }
    if isinstance(error, Permanent) and error.retire and channel != "fcm":  # push addresses: `everywhere.py`
        retire(delivery["recipient"], channel, str(error.code), tried_at=delivery["attempts"][str(number)]["at"])
    log.info("attempt_failed", delivery=delivery["_id"], channel=channel, state=str(state), reason=str(error.code))
    next_at = policy.after_attempt(delivery, state, channel, now, retry_at)
    store.finish(delivery, number, outcome, next_at=next_at)
    return state


def _message(delivery: Delivery, number: int, channel: str, content: Content, reached: Reached, post: Post) -> Message:
    settings = post.settings
    key = f"{delivery['_id']}-{number}"
    params = content.params(delivery, reached, settings)
    nonce = nonce_of(key)
    seconds_left = max(10, int((delivery["valid_until"] - post.clock()).total_seconds()))
    address = reached.addresses[channel]
    status_url = f"{settings.public_url}/webhooks/twilio/status?delivery={delivery['_id']}&attempt={number}"
    purpose, language = delivery["purpose"], reached.language
    if params.get("variant"):
        purpose = f"{purpose}.{params['variant']}"
    if channel == "fcm":
        return Message(
            key=key,
            to=address,
            title=render(purpose, "push_title", language, params),
            body=render(purpose, "push_body", language, params),
            data=push_payload(
                content.push,
                delivery_id=delivery["_id"],
                receipt_token=store.receipt_token(settings.signing_key, delivery["_id"]),
                params=params,
            ),
            urgent=content.urgent,
            quiet=bool(params.get("quiet")),
            ttl_s=seconds_left,
            language=language,
        )
    if channel == "sms":
        if content.takes_replies and settings.twilio_two_way:
            # Kept by the delivery, on the number that it goes to: a second try has the same one.
            code = lines.code_for(settings.signing_key, address.value, delivery["_id"], now=post.clock())
            params = {**params, "reply": code}
        text = render_sms(purpose, language, {**params, "nonce": nonce}).text
        return Message(
            key=key, to=address, text=text, nonce=nonce, ttl_s=seconds_left, language=language, status_url=status_url
        )
    twiml = None
    if content.takes_keys:
        twiml = f"{settings.public_url}/webhooks/twilio/voice?delivery={delivery['_id']}&attempt={number}"
    return Message(
        key=key,
        to=address,
        text=render(purpose, "voice", language, params),
        nonce=nonce,
        ttl_s=seconds_left,
        language=language,
        twiml_url=twiml,
        status_url=status_url,
        urgent=content.urgent,
    )
