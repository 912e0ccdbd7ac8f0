"""Who looks after cameras hears of one that stays blind, and of many at once only once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from domain.cameras import health, health_rules, looks, queries
from domain.cameras.queries import Health
from domain.notices import queries as notices
from domain.notices import service
from domain.notices.states import NoticeKind, NoticeStatus
from runtime import logging
from workers.context import Context

MOST: Final = 2000
"""Cameras that one look at them takes in; of more, the longest blind."""

log = logging.get(__name__)


def blind_cameras(context: Context, pool: ThreadPoolExecutor) -> int:
    """Open and clear the notices of blind cameras. Two sweepers at it do the same once."""
    now = context.clock()
    blind = _in_service(queries.blind_since(now - health_rules.TELL_AFTER, limit=MOST))
    unwatched = queries.unwatched_since(now - health_rules.UNWATCHED_AFTER, limit=MOST)
    kinds = (NoticeKind.CAMERA_BLIND, NoticeKind.CAMERAS_BLIND, NoticeKind.CAMERAS_UNWATCHED)
    standing = notices.standing(kinds)
    wrong = health_rules.to_tell(
        [(row["city"], row["_id"]) for row in blind if health_rules.is_watched(row, now)],
        {each["cause"] for each in standing if each["kind"] == NoticeKind.CAMERA_BLIND},
        open_ones={each["cause"] for each in standing if each["status"] == NoticeStatus.OPEN},
    )
    for city in {row["city"] for row in unwatched}:
        count = sum(row["city"] == city for row in unwatched)
        wrong[(NoticeKind.CAMERAS_UNWATCHED, city, city)] = {"cameras": count}
    for (kind, cause, city), figures in wrong.items():
        found = service.see(kind, cause, city=city, figures=figures, now=now)
        context.enqueue("drain", "notices", found)
    for each in standing:
        if (NoticeKind(each["kind"]), each["cause"], each["city"]) not in wrong:
            service.clear(NoticeKind(each["kind"]), each["cause"], city=each["city"], now=now)
    return len(wrong)


def _in_service(blind: list[Health]) -> list[Health]:
    """Without those that were taken out of service since: nobody waits for what they show."""
    ids = [row["_id"] for row in blind]
    there = {row["_id"] for row in queries.by_ids(ids) if not looks.is_out_of_service(row)}
    if gone := [each for each in ids if each not in there]:
        health.forget(gone)
    return [row for row in blind if row["_id"] in there]
