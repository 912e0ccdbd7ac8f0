"""When it is time for an escort, its incident is raised; what follows is the dispatch of any incident."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from domain.escorts import queries, service
from domain.incidents import service as incidents
from domain.outbox import Event
from workers.context import Context
from workers.timers import step

BATCH: Final = 200


def raise_incident(event: Event, context: Context) -> None:
    """Units that give escorts are asked, by an incident that is the same one however often this runs."""
    ttl = timedelta(seconds=context.settings.link_ttl_s)
    doc = queries.get(event["subject"])
    incident = service.raise_incident(doc, secret=context.settings.signing_key, link_ttl=ttl, now=context.clock())
    if incident is not None and incident.get("pending_events"):
        context.enqueue("drain", "incidents", incident["_id"])


def call_police(event: Event, context: Context) -> None:
    """Who is forced to take an escort back needs more than company."""
    incidents.change(event["subject"], service.call_police, now=context.clock())


def forget(event: Event, context: Context) -> None:
    """Requests go with their person."""
    service.forget(event["subject"])


def old_escorts(context: Context, pool: ThreadPoolExecutor) -> int:
    """The sweep of requests that were kept for long enough."""
    return service.forget_old(now=context.clock())


def due_escorts(context: Context, pool: ThreadPoolExecutor) -> int:
    """The sweep of escorts for which it is time."""
    rows = queries.due(now=context.clock(), limit=BATCH)
    list(
        pool.map(lambda row: step(context, "escorts", row["_id"], row["due_at"], service.begin, service.put_off), rows)
    )
    return len(rows)
