"""Reactions that ask cameras, and link what they saw."""

from domain.cameras import service as cameras
from domain.correlation import service as correlation
from domain.outbox import Event
from workers.context import Context


def ask_cameras(event: Event, context: Context) -> None:
    """Ask the cameras that may have seen it. The looks are jobs of their own: sending help never waits for them."""
    for look_id in cameras.ask(event["subject"], now=context.clock()):
        context.enqueue("look", look_id)


def link_incident(event: Event, context: Context) -> None:
    """Link a new incident with what is near in space and time."""
    correlation.link_incident(event["subject"], now=context.clock())


def link_observation(event: Event, context: Context) -> None:
    """Link what a camera saw with the incidents near it."""
    correlation.link_observation(event["observation"], now=context.clock())
