"""The sweep that ends what each city has kept for as long as it says: tracks, deliveries, uploads, footage, closed incidents,
the audit chain. In batches, so that it holds nobody up; one that is interrupted goes on where it was. A legal hold goes
before every time, and nothing of a case goes while it is open.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from domain import retention
from domain.audit import chain
from domain.audit import retention as audit
from domain.cities import queries as cities
from domain.cities.config import CityConfig, Fate, Kept
from domain.clusters import retention as clusters
from domain.correlation import service as correlation
from domain.evidence import retention as evidence
from domain.evidence.states import Kind
from domain.faces import service as faces
from domain.incidents import retention as incidents
from domain.incidents.retention import Held
from domain.reports import personal as reports
from domain.reviews import service as reviews
from domain.watchlists import hashing
from domain.watchlists import retention as watchlists
from runtime import logging
from runtime.media import Media
from runtime.vault import vault
from workers.context import Context

BATCH = 200
ROUNDS = 20
"""Batches of a kind that one sweep ends; what is left is over the next time."""
ACTOR = "system:retention"

log = logging.get(__name__)


def kept_long_enough(context: Context, pool: ThreadPoolExecutor) -> int:
    """End what is over in every city. What went is counted on the city's audit chain."""
    gone = 0
    for city in cities.known():
        found = of_city(cities.current(city), context)
        gone += sum(found.values())
        if found:
            counts = {kind: str(number) for kind, number in found.items()}
            chain.append(city, ACTOR, "retention.applied", city, now=context.clock(), **counts)
            log.info("retention_applied", city=city, **found)
    return gone


def of_city(config: CityConfig, context: Context) -> dict[str, int]:
    """End what is over in one city: how many of each kind went."""
    media, now = Media(context.settings.media_url), context.clock()
    ends = evidence.Bytes(media.delete, vault(context.settings))

    def uploads(held: Held) -> int:
        before = retention.before(config, Kept.MEDIA, now)
        keep = held.incidents | incidents.still_open(config.id, before)
        return evidence.expire(config.id, Kind.UPLOAD, before, keep=keep, ends=ends, now=now, limit=BATCH)

    def footage(held: Held) -> int:
        before = retention.before(config, Kept.EVIDENCE, now)
        keep = held.incidents | incidents.still_open(config.id, before)
        return evidence.expire(config.id, Kind.FOOTAGE, before, keep=keep, ends=ends, now=now, limit=BATCH)

    def unasked(held: Held) -> int:
        before = retention.before(config, Kept.OBSERVATIONS, now)
        keep = held.incidents | incidents.still_open(config.id, before)
        return evidence.expire(
            config.id, Kind.FOOTAGE, before, keep=keep, ends=ends, now=now, limit=BATCH, unasked=True
        )

    def custody(held: Held) -> int:
        before = retention.before(config, Kept.AUDIT, now)
        return evidence.expire_custody(config.id, before, keep=held.incidents, limit=BATCH)

    def cases(held: Held) -> int:
        before = retention.before(config, Kept.INCIDENTS, now)
        ended = incidents.over(config.id, before, limit=BATCH)
        return sum(_end(each, config, ends, context) for each in ended if incidents.claim(each, before, now=now))

    def entries(held: Held) -> int:
        before = retention.before(config, Kept.AUDIT, now)
        return audit.expire(config.id, before, keep=held.incidents, limit=BATCH)

    def keys_of_plates(held: Held) -> int:
        before = retention.before(config, Kept.PLATES, now)
        return hashing.forget_keys(config.id, before, vault(context.settings), now=now)

    def plates(held: Held) -> int:
        return watchlists.forget_sightings(config.id, retention.before(config, Kept.PLATES, now))

    def hits(held: Held) -> int:
        before = retention.before(config, Kept.OBSERVATIONS, now)
        keep = held.incidents | incidents.still_open(config.id, now)
        gone = watchlists.forget_hits(config.id, before, keep=keep, drop=media.delete, limit=BATCH)
        reviews.withdraw(gone, now=now)
        return len(gone)

    def listed(held: Held) -> int:
        return watchlists.forget_entries(config.id, retention.before(config, Kept.OBSERVATIONS, now))

    def neighbours(held: Held) -> int:
        before = retention.before(config, Kept.REPORTS, now)
        keep = held.incidents | incidents.still_open(config.id, now)
        return reports.expire(config.id, before, keep=keep, drop=media.delete, now=now, limit=BATCH)

    def happenings(held: Held) -> int:
        before = retention.before(config, Kept.REPORTS, now)
        keep = held.incidents | incidents.still_open(config.id, now)
        return clusters.expire(config.id, before, keep=keep, limit=BATCH)

    steps: list[tuple[str, Callable[[Held], int]]] = [
        ("media", uploads),
        ("footage", footage),
        ("footage_unasked", unasked),
        ("plate_keys", keys_of_plates),
        ("plate_sightings", plates),
        ("hits", hits),
        ("watchlist", listed),
        *(
            (str(ends.document._get_collection_name()), partial(_plain, ends, config, context))
            for ends in retention.ENDS
        ),
        ("incidents", cases),
        ("reports", neighbours),
        ("clusters", happenings),
        ("custody", custody),
        ("audit", entries),
    ]
    found = {name: _rounds(step, config.id) for name, step in steps}
    return {name: number for name, number in found.items() if number}


def _plain(ends: retention.Ends, config: CityConfig, context: Context, held: Held) -> int:
    now = context.clock()
    keep = held.incidents | incidents.still_open(config.id, retention.before(config, ends.kept, now))
    return retention.expire(ends, config, keep=keep, now=now, limit=BATCH)


def _rounds(step: Callable[[Held], int], city: str) -> int:
    """Batch after batch; what is held is asked anew before each."""
    gone = 0
    for _ in range(ROUNDS):
        if not (ended := step(incidents.held(city))):
            break
        gone += ended
    return gone


def _end(incident_id: str, config: CityConfig, ends: evidence.Bytes, context: Context) -> int:
    """What belongs to it goes first: an incident whose end was interrupted is found again."""
    evidence.forget(incident_id, ends=ends, now=context.clock())
    faces.end_all(incident_id, ACTOR, now=context.clock())
    retention.forget(incident_id)
    correlation.forget([incident_id])
    incidents.forget_timeline(incident_id)
    if config.closed_incidents == Fate.DELETE:
        incidents.delete(incident_id)
    else:
        incidents.anonymise(incident_id)
    return 1
