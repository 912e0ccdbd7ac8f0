"""Looking after Amaan itself: what is measured becomes notices, and whoever is on duty is told once a cause."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from redis.exceptions import RedisError

from domain import outbox
from domain.cities import queries as cities
from domain.deliveries import queries as deliveries
from domain.deliveries.service import Recipient, Telling
from domain.drills import queries as drills
from domain.incidents import service as incidents
from domain.insights import carriers
from domain.notices import queries, rules, service
from domain.notices.rules import EVERYWHERE, Seen
from domain.notices.states import NoticeKind, NoticeStatus
from domain.outbox import Event
from domain.people import queries as people
from domain.people.documents import PersonDoc
from domain.permissions import Role
from notifications.fanout import tell
from runtime import logging
from workers.context import Context

MATTERS = timedelta(hours=1)

log = logging.get(__name__)


def look_after(context: Context, pool: ThreadPoolExecutor) -> int:
    """Measure, open what is wrong, clear what no longer is. Two sweepers at it do the same once."""
    now = context.clock()
    standing = {(NoticeKind(each["kind"]), each["cause"]) for each in queries.standing(rules.MEASURED)}
    wrong = rules.wrong(_seen(context, now), standing)
    for (kind, cause), figures in wrong.items():
        found = service.see(kind, cause, city=EVERYWHERE, figures=figures, now=now)
        if (kind, cause) not in standing:
            log.error("notice", notice=found, kind=str(kind), cause=cause, **figures)
            context.enqueue("drain", "notices", found)
    for kind, cause in standing - wrong.keys():
        service.clear(kind, cause, city=EVERYWHERE, now=now)
    return len(wrong)


def _seen(context: Context, now: datetime) -> Seen:
    late = {name: _late(outbox.oldest_due(name), now) for name in outbox.names()}
    return Seen(
        carriers=carriers.lately(now),
        jobs=_jobs(context),
        events_late_s=late,
        messages_late_s=_late(deliveries.oldest_due(), now),
        stubborn={name: len(outbox.stubborn(name)) for name in outbox.names()},
        free_bytes=_free(context),
    )


def _free(context: Context) -> int | None:
    try:
        return shutil.disk_usage(context.settings.var_dir).free
    except OSError:
        return None


def _late(due: datetime | None, now: datetime) -> float:
    return 0.0 if due is None else max(0.0, (now - due).total_seconds())


def _jobs(context: Context) -> dict[str, int] | None:
    depth = getattr(context.enqueue, "depth", None)
    if depth is None:
        return {}
    try:
        found: dict[str, int] = depth()
    except (RedisError, OSError):
        return None
    return found


def opened(event: Event, context: Context) -> None:
    """A notice opened: operators and admins of its city, or of all, hear of it, once for this opening."""
    notice = queries.get(event["subject"])
    if notice["status"] != NoticeStatus.OPEN:
        return
    tellings = [
        Telling(
            key=f"{notice['_id']}-{event['v']}",
            city=city,
            purpose="notice_opened",
            subject=notice["_id"],
            recipient=Recipient("person", person),
            plan=("fcm", "sms"),
            valid_for=MATTERS,
            refs={"kind": notice["kind"]},
            receipt_wait_s=30,
        )
        for city, told in _on_duty(notice["city"]).items()
        for person in told
    ]
    if not tellings:
        log.warning("nobody_to_notify", purpose="notice_opened", type=event["type"], subject=event["subject"])
    tell(tellings, context.post)


def _on_duty(city: str) -> dict[str, list[str]]:
    """City → whom to tell. Who is on duty; where nobody says so, everybody: somebody must hear."""
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for each in [city] if city != EVERYWHERE else cities.known():
        staff: dict[str, PersonDoc] = {}
        for role in (Role.OPERATOR, Role.ADMIN):
            staff |= {person.id: person for person in people.with_role(each, role)}
        awake = {found_id for found_id, person in staff.items() if person.duty != "off_duty"}
        found[each] = sorted((awake or staff.keys()) - seen)
        seen |= staff.keys()
    return found


def ladder_unanswered(event: Event, context: Context) -> None:
    """A whole ladder found nobody: it stands among the notices until somebody has it. `tell.py` tells the operators."""
    if "unanswered" not in incidents.get(event["subject"])["flags"]:
        return  # somebody has it by now
    service.see(NoticeKind.LADDER_UNANSWERED, event["subject"], city=event["city"], now=event["at"], tell=False)


def ladder_answered(event: Event, context: Context) -> None:
    """Somebody has it, or it is over; not while another service still has nobody."""
    if "unanswered" in incidents.get(event["subject"])["flags"] and event["type"] != "incident.closed":
        return
    service.clear(NoticeKind.LADDER_UNANSWERED, event["subject"], city=event["city"], now=context.clock())


def drill_ended(event: Event, context: Context) -> None:
    """People whom a drill reached on no channel at all would not be reached by an SOS either. It stands until the next."""
    drill = drills.get(event["subject"])
    unreachable = drill.get("unreachable") or 0
    log.info("drill_ended", drill=drill["_id"], people=drill["people"], unreachable=unreachable)
    kind = NoticeKind.PEOPLE_UNREACHABLE
    for notice in queries.standing([kind]):
        if notice["city"] != drill["city"] or notice["cause"] == drill["_id"]:
            continue
        other = drills.drills().find_one({"_id": notice["cause"]}, {"ended_at": 1}) or {}
        if other.get("ended_at") and other["ended_at"] > drill["ended_at"]:
            return  # a later one has said more
        service.clear(kind, notice["cause"], city=drill["city"], now=event["at"])
    if unreachable:
        figures = {"people": drill["people"], "unreachable": unreachable}
        found = service.see(kind, drill["_id"], city=drill["city"], figures=figures, now=event["at"])
        context.enqueue("drain", "notices", found)
