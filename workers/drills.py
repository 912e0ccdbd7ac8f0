"""Carrying a drill out: whoever is on it is told, a few at a time, each on each channel; at the deadline it is reported.

On `bulk`: a drill never stands before an SOS. Dying at any point costs nothing: the drill is due again when its lease
runs out, and telling somebody again is the same delivery.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from domain.cities import queries as cities
from domain.deliveries.service import Recipient, Telling
from domain.drills import queries, service
from domain.drills.queries import Drill
from domain.drills.states import DrillStatus
from domain.ids import token_hash
from notifications.fanout import settle, tell
from workers.context import Context, current

BATCH: Final = 20
"""People told at a time; their calls and messages are under way before the next ones' begin."""
ONE_RUN_S: Final = 60.0
"""How long one job goes on; the rest is the next job's."""


def due_drills(context: Context, pool: ThreadPoolExecutor) -> int:
    """Drills that must begin, go on or end: to the queue.

    Without one they wait, for nobody's life hangs on a drill; only a report, which sends nothing, is made here.
    """
    now = context.clock()
    ids = queries.due(now=now, limit=20)
    for drill_id in ids:
        drill = service.claim(drill_id, now=now)
        if drill is None or context.enqueue("drill", drill_id):
            continue
        if drill["status"] == DrillStatus.RUNNING and now >= drill["deadline"]:
            go_on(drill_id, context)
    return len(ids)


def plan_drills(context: Context, pool: ThreadPoolExecutor) -> int:
    """The next scheduled drill of each city that was loaded stands there; one that is only a preset is nobody's yet."""
    loaded = [config for config in map(cities.current, cities.known()) if config.version]
    for config in loaded:
        service.plan(config, now=context.clock())
    return len(loaded)


def carry_out(drill_id: str) -> None:
    """The job: take a drill as far as it goes now."""
    go_on(drill_id, current())


def go_on(drill_id: str, context: Context) -> None:
    """Begin, tell, or report. Whatever somebody else does meanwhile with the same drill ends this run."""
    drill: Drill | None = queries.get(drill_id)
    if drill is not None and drill["status"] == DrillStatus.PLANNED and drill["at"] <= context.clock():
        without = [channel for channel in drill["channels"] if channel not in context.channels]
        drill = service.begin(drill, cities.current(drill["city"]), without, now=context.clock())
    if drill is None or drill["status"] != DrillStatus.RUNNING:
        return
    began = time.monotonic()
    while context.clock() < drill["deadline"]:
        found = queries.people_of(
            drill["city"], drill["roles"], agency=drill.get("agency") or "", after=drill["cursor"], limit=BATCH
        )
        if not found:
            service.rest(drill)
            return
        _tell(drill, found, context)
        enough = time.monotonic() - began > ONE_RUN_S
        due_at = context.clock() + (timedelta(0) if enough else service.LEASE)
        drill = service.went_on(drill, found[-1], len(found), due_at=due_at)
        if drill is None or enough:
            return
    service.end(drill, service.report(drill, now=context.clock()), now=context.clock())


def _tell(drill: Drill, people: list[str], context: Context) -> None:
    now, secret = context.clock(), context.settings.signing_key
    hashes = {person: token_hash(service.link(secret, drill["_id"], person)) for person in people}
    ids = tell(
        [
            Telling(
                key=f"{drill['_id']}-{channel}",
                city=drill["city"],
                purpose="drill_ping",
                subject=drill["_id"],
                recipient=Recipient("person", person),
                plan=(channel,),
                valid_for=drill["deadline"] - now,
                # One link a person; only the SMS carries it.
                refs={"link_h": hashes[person]} if channel == "sms" else {},
            )
            for person in people
            for channel in drill["channels"]
        ],
        context.post,
    )
    settle(ids, timeout_s=service.LEASE.total_seconds() / 2)
