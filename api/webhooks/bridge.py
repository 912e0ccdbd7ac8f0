"""The bridge on the phone: the responder waits in a room, the caller's phone is rung into it, the control room may join.

A refusal is the same sentence whatever the reason is, so that nobody learns from a call that an SOS is a silent one.
"""

from typing import Final

from flask import request

from api.services import services
from api.webhooks.speech import here, words
from domain.deliveries import queries as told
from domain.deliveries import service as deliveries
from domain.deliveries.service import Delivery
from domain.deliveries.states import AttemptState, DeliveryStatus
from domain.dispatch import bridging
from domain.errors import Conflict, NotFound
from notifications.content import CONTENT
from notifications.recipients import reach
from notifications.render.text import render
from notifications.render.voice import hang_up, join, say, wait

_FAILED: Final = frozenset({AttemptState.TEMPORARY, AttemptState.PERMANENT})
_OVER: Final = frozenset({DeliveryStatus.FAILED_PERMANENT, DeliveryStatus.SUPPRESSED})


def responder(delivery: Delivery, language: str) -> str:
    """Whoever has it is put into its room, and the caller's phone is rung. Each conversation of a call has its turn in
    the address, so that a webhook that comes again rings nobody again.
    """
    turn = request.args.get("turn", "0")
    turn = turn if turn.isdecimal() and len(turn) < 4 else "0"
    incident, assignment = delivery["subject"], delivery["refs"]["assignment"]
    try:
        bridging.open_bridge(
            incident,
            assignment,
            by=delivery["recipient"]["id"],
            via="voice",
            key=f"{request.form.get('CallSid', '')}-{turn}",
            now=services().clock(),
        )
    except (Conflict, NotFound):
        return say(f"{words('call_accepted', language)} {words('call_no_bridge', language)}", language)
    services().enqueue("drain", "incidents", incident)
    return join(
        words("call_bridging", language),
        language,
        _room(assignment),
        over_url=here(turn=str(int(turn) + 1)),
        wait_url=here(wait="1"),
    )


def waiting(delivery: Delivery, language: str) -> str:
    """What a responder hears who is alone in the room: whether the caller's phone rings, or nobody answers it."""
    rung = [
        each
        for each in told.of_subject(delivery["subject"])
        if each["purpose"] == "bridge_caller" and each["refs"]["assignment"] == delivery["refs"]["assignment"]
    ]
    last = rung[-1] if rung else None
    return wait(words("call_bridge_unanswered" if last and _is_lost(last) else "call_bridge_rings", language), language)


def _is_lost(delivery: Delivery) -> bool:
    attempts = delivery["attempts"]
    newest = attempts[max(attempts, key=int)]["state"] if attempts else ""
    return delivery["status"] in _OVER or newest in _FAILED


def caller(delivery: Delivery, key: str, language: str) -> str:
    """The caller's phone: not a word that tells a stranger anything, then the room, which is over when she leaves it."""
    if CONTENT[delivery["purpose"]].overtaken(delivery):
        return hang_up()
    text = words("bridge_caller", language)
    if "wait" in request.args:
        return wait(text, language)
    refs = delivery["refs"]
    bridging.answered(delivery["subject"], refs["assignment"], refs["n"], now=services().clock())
    return join(text, language, _room(delivery["refs"]["assignment"]), wait_url=here(wait="1"), ends=True)


def over(delivery_id: str) -> None:
    """A call of ours has ended: where it was the caller's, the next one who wants to speak rings her anew."""
    delivery = deliveries.get(delivery_id)
    if delivery["purpose"] == "bridge_caller":
        refs = delivery["refs"]
        bridging.ended(delivery["subject"], refs["assignment"], refs["n"], now=services().clock())


def joined(delivery: Delivery, key: str, language: str) -> str:
    """The control room, or the unit that it brings in."""
    content = CONTENT[delivery["purpose"]]
    if content.overtaken(delivery):
        return hang_up()
    if "wait" in request.args:
        return waiting(delivery, language)
    text = render(
        delivery["purpose"],
        "voice",
        language,
        content.params(delivery, reach(delivery["recipient"], services().settings), services().settings),
    )
    return join(text, language, _room(delivery["refs"]["assignment"]), wait_url=here(wait="1"))


def _room(assignment: str) -> str:
    return bridging.room_of(services().settings.signing_key, assignment)
