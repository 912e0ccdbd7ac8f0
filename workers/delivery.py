"""The job that takes one delivery its next step: a receipt that did not come, a retry that is due."""

from notifications.fanout import advance_all
from workers.context import current


def advance(delivery_id: str) -> None:
    """Take the delivery its next step."""
    advance_all([delivery_id], current().post)
