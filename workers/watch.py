"""Reactions of neighbourhood watch."""

from domain.outbox import Event
from domain.watch import service as watch
from workers.context import Context


def forget_memberships(event: Event, context: Context) -> None:
    """Memberships go with their person."""
    watch.forget(event["subject"], now=context.clock())
