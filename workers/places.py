"""Reactions to place audits: each is folded into its cell."""

from domain.outbox import Event
from domain.place_audits import service
from runtime.media import Media
from workers.context import Context


def fold_audit(event: Event, context: Context) -> None:
    """Count it once enough people have rated the same cell and hour."""
    service.fold(event["subject"], secret=context.settings.signing_key)


def forget_audits(event: Event, context: Context) -> None:
    """Audits go with their person; figures of many stay."""
    media = Media(context.settings.media_url)
    service.forget(event["subject"], secret=context.settings.signing_key, drop=media.delete)
