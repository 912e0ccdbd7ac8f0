"""Who is rung when a responder or the control room wants to speak with whoever called for help."""

from datetime import timedelta

from domain.deliveries.service import Recipient, Telling
from domain.incidents import service as incidents
from domain.outbox import Event
from notifications.fanout import tell
from workers.context import Context
from workers.tell import responders

RINGS_FOR = timedelta(seconds=50)
"""One ring, and another try where the line was busy: whoever wants to speak waits meanwhile."""


def opened(event: Event, context: Context) -> None:
    """The caller's phone rings; the unit's too where the control room opened the bridge."""
    doc = incidents.get(event["subject"])
    assignment = doc["assignments"].get(event["assignment"])
    if assignment is None:
        return  # it was asked again since: its bridge went with it
    told = [("bridge_caller", Recipient("caller", doc["_id"]))]
    if event["unit"]:
        told += [("bridge_joined", each) for each in responders([assignment["unit"]])[assignment["unit"]]]
    tell([_ring(event, purpose, recipient) for purpose, recipient in told], context.post)


def joined(event: Event, context: Context) -> None:
    """The operator's own phone rings."""
    tell([_ring(event, "bridge_joined", Recipient("person", event["person"]))], context.post)


def _ring(event: Event, purpose: str, recipient: Recipient) -> Telling:
    return Telling(
        key=event["id"],
        city=event["city"],
        purpose=purpose,
        subject=event["subject"],
        recipient=recipient,
        plan=("voice",),
        valid_for=RINGS_FOR,
        refs={"assignment": event["assignment"], "n": event.get("n", 0)},
        life_critical=True,
    )
