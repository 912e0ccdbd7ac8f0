"""One attempt's message: its text in the person's language, where it is answered and reported, how long it matters."""

from domain.deliveries import service as store
from domain.deliveries.service import Delivery
from domain.lines import service as lines
from notifications import purposes, reports
from notifications.content import Content
from notifications.holding import asleep
from notifications.messages import Message, nonce_of
from notifications.post import Post, trait
from notifications.recipients import Reached
from notifications.render.push import push_payload
from notifications.render.text import render, render_sms


def compose(delivery: Delivery, number: int, channel: str, content: Content, reached: Reached, post: Post) -> Message:
    """The message of attempt `number`, as its carrier gets it."""
    settings, now = post.settings, post.clock()
    key = f"{delivery['_id']}-{number}"
    params = content.params(delivery, reached, settings)
    nonce = nonce_of(key)
    seconds_left = max(10, int((delivery["valid_until"] - now).total_seconds()))
    address = reached.addresses[channel]
    gateway = delivery["attempts"][str(number)].get("gateway") or ""
    status_url = report_address(post, channel, gateway, delivery["_id"], number)
    purpose, language = delivery["purpose"], reached.language
    if params.get("variant"):
        purpose = f"{purpose}.{params['variant']}"
    if channel == "fcm":
        hidden = bool(params.get("hidden"))
        return Message(
            key=key,
            city=delivery["city"],
            to=address,
            title="" if hidden else render(purpose, "push_title", language, params),
            body="" if hidden else render(purpose, "push_body", language, params),
            data=push_payload(
                content.push,
                delivery_id=delivery["_id"],
                receipt_token=store.receipt_token(settings.signing_key, delivery["_id"]),
                params=params,
            ),
            urgent=content.urgent,
            quiet=bool(params.get("quiet")) or asleep(delivery, now),
            ttl_s=seconds_left,
            # A phone that was away gets the latest state alone, as an SMS that had to wait.
            collapse=delivery["subject"] if purposes.manner(delivery["purpose"]).bundles else "",
            language=language,
        )
    if channel == "sms":
        if content.takes_replies and trait(post, channel, gateway).two_way:
            # Kept by the delivery, on the number that it goes to: a second try has the same one.
            code = lines.code_for(settings.signing_key, address.value, delivery["_id"], now=now)
            params = {**params, "reply": code}
        text = render_sms(purpose, language, {**params, "nonce": nonce}).text
        return Message(
            key=key,
            city=delivery["city"],
            to=address,
            text=text,
            nonce=nonce,
            ttl_s=seconds_left,
            language=language,
            status_url=status_url,
        )
    # Always asked for, never sent along: what is said then depends on who picked up.
    twiml = f"{settings.public_url}/webhooks/twilio/voice?delivery={delivery['_id']}&attempt={number}"
    return Message(
        key=key,
        city=delivery["city"],
        to=address,
        text=render(purpose, "voice", language, params),
        nonce=nonce,
        ttl_s=seconds_left,
        language=language,
        twiml_url=twiml,
        status_url=status_url,
        urgent=content.urgent,
    )


def report_address(post: Post, channel: str, gateway: str, delivery_id: str, number: int) -> str | None:
    """Where this attempt's carrier reports; None for one that names messages by its own id."""
    settings, how = post.settings, trait(post, channel, gateway).reports
    if how == "by_id":
        return None
    if how == "signed":
        return reports.address(settings.public_url, settings.signing_key, gateway, delivery_id, number)
    return f"{settings.public_url}/webhooks/twilio/status?delivery={delivery_id}&attempt={number}"
