"""Takes one delivery its next step: reads it, lets policy decide, writes the attempt down, asks the carrier, writes what
became of it. May run twice, and in two places at once: the version of the document lets one of them through.
"""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from domain.deliveries import service as store
from domain.deliveries.service import Delivery
from domain.deliveries.states import AttemptState, DeliveryStatus, Suppressed
from domain.people import service as people
from notifications import everywhere, optouts, policy
from notifications.channel import Channel, ChannelError, FailureCode, Permanent, Temporary, Unknown
from notifications.compose import compose
from notifications.content import CONTENT, READ, Content
from notifications.gateways import Gateways
from notifications.holding import kept_back
from notifications.messages import Address, Message, Sent
from notifications.post import Post as Post
from notifications.post import gateway as gateway_of
from notifications.post import heard, routes, trait
from notifications.recipients import Reached, reach, retire
from runtime import logging

SEND_TIMEOUT_S: Mapping[str, float] = {"fcm": 3.0, "sms": 5.0, "voice": 5.0, "console": 1.0}

log = logging.get(__name__)


def advance(delivery_id: str, post: Post, *, known: Delivery | None = None) -> DeliveryStatus:
    """Take the next step of a delivery, as far as it goes without waiting. Returns where the delivery stands.

    `known` is the delivery as it was written down just now: the first look is at it, which saves a read.
    """
    for turn in range(8):
        delivery = known if known is not None and turn == 0 else store.get(delivery_id)
        now = post.clock()
        content = CONTENT[delivery["purpose"]]
        reached = reach(delivery["recipient"], post.settings)
        reachable = [name for name in reached.addresses if name in post.channels and _fits(name, content)]
        if content.push_only(delivery):
            reachable = [name for name in reachable if name == "fcm"]
        if not delivery["attempts"]:
            delivery["plan"] = list(policy.order(delivery["plan"], reached.worked(now)))
        step = policy.next_step(delivery, reachable, now, routes(delivery, reached, post, now))
        if step.do == policy.Do.SEND and step.channel == "sms" and _left_out(delivery, reached, post):
            reachable.remove("sms")
            step = policy.next_step(delivery, reachable, now, routes(delivery, reached, post, now))
        if step.do == policy.Do.WAIT:
            if step.until is None or step.until > now:
                store.wait(delivery, step.until)
            break
        if reason := content.overtaken(delivery):
            store.end(delivery, DeliveryStatus.SUPPRESSED, reason)
            break
        if step.do == policy.Do.GIVE_UP:
            waited = step.reason == Suppressed.EXPIRED and (delivery.get("held") or not delivery["attempts"])
            store.end(delivery, DeliveryStatus.SUPPRESSED if waited else DeliveryStatus.FAILED_PERMANENT, step.reason)
            break
        if step.do == policy.Do.SEND:
            if not delivery.get("life_critical") and kept_back(delivery, step.channel, reached, post):
                break
            ended = _send(delivery, step, content, reached, post)
            if ended == AttemptState.SENT:
                return DeliveryStatus.SENT  # nothing to do before a receipt comes, or does not
            if ended is None:
                break
        elif not _reconcile(delivery, step.number, content, reached, post):
            break
    return DeliveryStatus(store.get(delivery_id)["status"])


def _left_out(delivery: Delivery, reached: Reached, post: Post) -> bool:
    number = reached.addresses["sms"].value
    return optouts.left_out(post.settings.signing_key, number, delivery["recipient"], now=post.clock())


def _fits(channel: str, content: Content) -> bool:
    return channel != "fcm" or bool(content.push)


def _send(delivery: Delivery, step: policy.Step, content: Content, reached: Reached, post: Post) -> AttemptState | None:
    """One attempt and how it ended. None when somebody else has the delivery."""
    now, channel = post.clock(), step.channel
    lease = min(store.LEASE, policy.unreported(delivery, channel) + timedelta(milliseconds=100))
    begun = store.begin(
        delivery,
        channel,
        device=reached.device if channel == "fcm" else None,
        now=now,
        lease=lease,
        gateway=step.gateway or post.channels[channel].name,
        plan=delivery["plan"],
    )
    if begun is None:
        return None
    if READ in delivery:
        begun[READ] = delivery[READ]
    number = begun["tries"]
    try:
        message = compose(begun, number, channel, content, reached, post)
        also = reached.also if channel == "fcm" else ()
        gateways = post.channels[channel]
        if isinstance(gateways, Gateways):
            gateways.went(step.gateway, now)
        sent = everywhere.send(
            gateway_of(gateways, step.gateway),
            message,
            also,
            timeout_s=SEND_TIMEOUT_S[channel],
            dead=partial(_retire_push, post),
        )
    except ChannelError as error:
        heard(post, channel, step.gateway, error)
        return _failed(begun, number, channel, error, post)
    heard(post, channel, step.gateway, None)
    _taken(begun, number, channel, sent, post)
    return AttemptState.SENT


def _reconcile(delivery: Delivery, number: int, content: Content, reached: Reached, post: Post) -> bool:
    """Find out what became of an attempt whose outcome is unknown."""
    held = store.hold(delivery, now=post.clock())
    if held is None:
        return False
    attempt = held["attempts"][str(number)]
    channel = attempt["channel"]
    message = compose(held, number, channel, content, reached, post)
    try:
        sent = _asked_again(post.channels[channel], attempt.get("gateway") or "", message, attempt["at"])
    except ChannelError as error:
        _failed(held, number, channel, error, post)
        return True
    if sent is None:
        outcome = {"state": str(AttemptState.TEMPORARY), "code": "not_taken", "done_at": post.clock()}
        store.finish(held, number, outcome, next_at=post.clock())
    else:
        _taken(held, number, channel, sent, post)
    return True


def _asked_again(channel: Channel, gateway: str, message: Message, since: datetime) -> Sent | None:
    """What the gateway that had this attempt says of it. One that is no longer in the table cannot be asked, and another
    knows nothing of it. Raises what `Channel.reconcile` does.
    """
    if isinstance(channel, Gateways) and not channel.has(gateway):
        raise Unknown(FailureCode.NO_LIST)
    return gateway_of(channel, gateway).reconcile(message, since=since)


def _taken(delivery: Delivery, number: int, channel: str, sent: Sent, post: Post) -> None:
    now = post.clock()
    outcome = {
        "state": str(AttemptState.SENT),
        "vendor_id": sent.vendor_id,
        "segments": sent.segments,
        "done_at": now,
    }
    gateway = delivery["attempts"][str(number)].get("gateway") or ""
    by_id = trait(post, channel, gateway).reports == "by_id"
    store.finish(
        delivery,
        number,
        outcome,
        next_at=policy.after_attempt(delivery, AttemptState.SENT, channel, now, None),
        known_as=[f"{gateway}:{each}" for each in sent.vendor_id.split("+")] if by_id else (),
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
    if error.code == FailureCode.OPTED_OUT and (to := reach(delivery["recipient"], post.settings).addresses.get("sms")):
        optouts.refused(post.settings.signing_key, to.value, delivery["recipient"], now=now)
    log.info("attempt_failed", delivery=delivery["_id"], channel=channel, state=str(state), reason=str(error.code))
    next_at = policy.after_attempt(delivery, state, channel, now, retry_at)
    store.finish(delivery, number, outcome, next_at=next_at)
    return state
