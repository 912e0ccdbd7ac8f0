"""One message of a batch to its carrier: what it says is rendered once for all who read the same language."""

from functools import partial
from typing import Any, Final

from domain.deliveries.service import receipt_token as receipt_token_of
from domain.people import service as people
from notifications import everywhere, policy
from notifications.bulk.go import Go, Try
from notifications.channel import ChannelError
from notifications.compose import report_address
from notifications.deliveries import SEND_TIMEOUT_S, Post
from notifications.gateways import Gateways
from notifications.messages import Address, Message, Sent, nonce_of
from notifications.post import trait
from notifications.recipients import Reached
from notifications.render.push import push_payload
from notifications.render.text import render, render_sms

_STAND_IN: Final = nonce_of("the nonce of every text before it has its own")


def send(go: Go, each: Try) -> Sent | ChannelError | None:
    """In a thread: ask the carrier. None where a reconciled attempt is not there."""
    channel = each.step.channel
    carrier = go.post.channels[channel]
    known = isinstance(carrier, Gateways)
    gateway = carrier.named(go.gateway_name(each)) if isinstance(carrier, Gateways) else carrier
    timeout_s = SEND_TIMEOUT_S[channel]
    try:
        message = _message(go, each)
        if each.step.do == policy.Do.RECONCILE:
            return gateway.reconcile(message, since=each.delivery["attempts"][str(each.number)]["at"])
        if known:
            carrier.went(each.step.gateway, go.post.clock())  # type: ignore[attr-defined]
        also = each.reached.also if channel == "fcm" else ()
        result: Sent | ChannelError = everywhere.send(
            gateway, message, also, timeout_s=timeout_s, dead=partial(_retire_push, go.post)
        )
    except ChannelError as error:
        result = error
    if known and each.step.do == policy.Do.SEND:
        failed = result if isinstance(result, ChannelError) else None
        carrier.told(each.step.gateway, failed, go.post.clock())  # type: ignore[attr-defined]
    return result


def _message(go: Go, each: Try) -> Message:
    delivery, reached, channel = each.delivery, each.reached, each.step.channel
    key = f"{delivery['_id']}-{each.number}"
    ttl_s = max(10, int((go.batch.valid_until - go.post.clock()).total_seconds()))
    address, settings = reached.addresses[channel], go.post.settings
    if channel == "fcm":
        title, body, params = _said(go, channel, reached)
        data = push_payload(
            go.content.push,
            delivery_id=delivery["_id"],
            receipt_token=receipt_token_of(settings.signing_key, delivery["_id"]),
            params=params,
        )
        return Message(
            key=key, to=address, title=title, body=body, data=data, urgent=go.batch.life_critical,
            quiet=go.quiet_until is not None, ttl_s=ttl_s, language=reached.language, city=go.batch.city,
        )  # fmt: skip
    nonce = nonce_of(key)
    word = go.content.word if trait(go.post, channel, go.gateway_name(each)).two_way else ""
    text = _said(go, channel, reached, word).replace(_STAND_IN, nonce)
    status_url = report_address(go.post, channel, go.gateway_name(each), delivery["_id"], each.number)
    return Message(
        key=key, to=address, text=text, nonce=nonce, ttl_s=ttl_s, language=reached.language,
        status_url=status_url, city=go.batch.city,
    )  # fmt: skip


def _said(go: Go, channel: str, reached: Reached, word: str = "") -> Any:
    """The words on a channel in a language, rendered once: everybody reads the same. `word`: what may be answered."""
    found = go.texts.get((channel, reached.language, word))
    if found is None:
        params = go.content.params(go.probe, reached, go.post.settings)
        purpose = ".".join(filter(None, (go.batch.purpose, params.get("variant"))))
        if channel == "fcm":
            title = render(purpose, "push_title", reached.language, params)
            found = (title, render(purpose, "push_body", reached.language, params), params)
        else:
            found = render_sms(purpose, reached.language, {**params, "nonce": _STAND_IN, "reply": word}).text
        go.texts[channel, reached.language, word] = found
    return found


def _retire_push(post: Post, address: Address) -> None:
    people.retire_address(address.value, now=post.clock())
