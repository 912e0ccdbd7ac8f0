"""The sweep that lets a campaign's messages out when it is their time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from domain.campaigns import queries, service
from domain.outbox import Event
from domain.watch_alerts import service as watch_alerts
from runtime import logging
from runtime.mongo import STORE_DOWN
from workers.context import Context

BATCH: Final = 50
AGAIN: Final = timedelta(seconds=30)

log = logging.get(__name__)


def due_campaigns(context: Context, pool: ThreadPoolExecutor) -> int:
    """Campaigns of which a message is due. Who hears it is found and told as of any alert."""
    rows = queries.due(now=context.clock(), limit=BATCH)
    for row in rows:
        now = context.clock()
        try:
            alert = service.let_out(row["_id"], secret=context.settings.signing_key, now=now)
        except STORE_DOWN:
            continue
        except Exception:
            log.exception("campaign_failed", subject=row["_id"])
            service.put_off(row["_id"], row["due_at"], until=now + AGAIN)
            continue
        if alert:
            context.enqueue("broadcast", alert)
    return len(rows)


def forget(event: Event, context: Context) -> None:
    """What somebody issued or planned stays with its groups, and does not know them once they are erased."""
    watch_alerts.forget(event["subject"])
    service.forget(event["subject"])
