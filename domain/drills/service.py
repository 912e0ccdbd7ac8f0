"""Planning, beginning, going on with and ending drills. Each step is one conditional write; a drill that was left in the
middle is due again when its lease has run out, and whoever takes it up tells only those who were not told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.cities.config import CityConfig
from domain.cities.hours import is_quiet
from domain.deliveries import service as deliveries
from domain.drills import queries, rules
from domain.drills.errors import DrillNotFound, DrillOver, DrillRunning, QuietHours
from domain.drills.queries import Drill, drills
from domain.drills.rules import Result
from domain.drills.states import ENDED, DrillStatus, Unreached
from domain.errors import Conflict
from domain.ids import derived_id, link_token, token_hash

LEASE: Final = timedelta(seconds=60)
"""Longer than one batch may take; after that, whoever had the drill counts as dead."""
SCHEDULE: Final = "system:schedule"


@dataclass(frozen=True)
class Wanted:
    """Whom to test and how. `agency` empty: the whole city."""

    city: str
    by: str
    roles: Sequence[str]
    channels: Sequence[str]
    answer_within: timedelta
    agency: str = ""
    at: datetime | None = None
    """When it is to begin; now where left out."""
    fingerprint: str = ""
    """Of the request: the same key with another body is another wish."""


def plan(config: CityConfig, *, now: datetime) -> str | None:
    """See to it that the city's next scheduled drill stands there, and no other one. Returns its id; None without a plan.

    The id is derived from the city and the time, so that two sweepers plan one drill. A change of the city's plan
    withdraws what was planned before.
    """
    wanted_id, at = None, None
    planned = {each["_id"]: each for each in queries.planned(config.id) if each["by"] == SCHEDULE}
    due = [each for each in planned.values() if each["at"] <= now]
    if config.drills is not None:
        at = rules.next_time(config.drills, config.zone, now)
        wanted_id = derived_id("drl", config.id, SCHEDULE, at.isoformat())
    for each in planned.values():
        if each["_id"] != wanted_id and each not in due:
            withdraw(each["_id"], now=now, reason="plan_changed")
    if wanted_id is not None and wanted_id not in planned and config.drills is not None:
        chosen = config.drills
        _insert(
            wanted_id,
            Wanted(config.id, SCHEDULE, chosen.roles, chosen.channels, chosen.answer_within, at=at),
            now=now,
        )
    return wanted_id


def start(drill_id: str, wanted: Wanted, config: CityConfig, *, now: datetime) -> tuple[Drill, bool]:
    """Begin a drill by hand, and whether this call made it. Raises QuietHours, DrillRunning, and Conflict where the same id
    (the same key) stands for another drill.
    """
    try:
        return _same(queries.get(drill_id), wanted), False
    except DrillNotFound:
        pass
    if is_quiet(config, now):
        raise QuietHours("nobody is called for a drill at night")
    if running := queries.going_on(wanted.city, agency=wanted.agency):
        raise DrillRunning("another drill goes on", current=running["_id"])
    return _insert(drill_id, wanted, now=now)


def _same(drill: Drill, wanted: Wanted) -> Drill:
    if (drill.get("fingerprint") or "") != wanted.fingerprint:
        raise Conflict("the key was used for another drill", code="idempotency_conflict")
    return drill


def _insert(drill_id: str, wanted: Wanted, *, now: datetime) -> tuple[Drill, bool]:
    at = wanted.at or now
    made: Drill = {
        "_id": drill_id,
        "city": wanted.city,
        "agency": wanted.agency,
        "by": wanted.by,
        "status": str(DrillStatus.PLANNED),
        "roles": [str(role) for role in wanted.roles],
        "channels": [str(channel) for channel in wanted.channels],
        "answer_within_s": int(wanted.answer_within.total_seconds()),
        "at": at,
        "due_at": at,
        "cursor": "",
        "people": 0,
        "fingerprint": wanted.fingerprint,
        "version": 1,
    }
    try:
        drills().insert_one(made)
    except DuplicateKeyError:
        return _same(queries.get(drill_id), wanted), False
    return made, True


def claim(drill_id: str, *, now: datetime) -> Drill | None:
    """Take a due drill for LEASE; None when somebody else has it."""
    return drills().find_one_and_update(
        {"_id": drill_id, "due_at": {"$lte": now}},
        {"$set": {"due_at": now + LEASE}},
        return_document=ReturnDocument.AFTER,
    )


def begin(drill: Drill, config: CityConfig, without_carrier: Sequence[str], *, now: datetime) -> Drill | None:
    """From planned to running. A scheduled one whose time was missed, or that fell into the night, is withdrawn: None."""
    if drill["by"] == SCHEDULE and (is_quiet(config, now) or now - drill["at"] > rules.MISSED_AFTER):
        withdraw(drill["_id"], now=now, reason="missed")
        return None
    changes = {
        "status": str(DrillStatus.RUNNING),
        "started_at": now,
        "deadline": now + timedelta(seconds=drill["answer_within_s"]),
        "without_carrier": list(without_carrier),
    }
    return _change(drill, {"$set": changes}, status=DrillStatus.PLANNED)


def went_on(drill: Drill, last: str, count: int, *, due_at: datetime) -> Drill | None:
    """So many more people were told, up to `last`; look again at `due_at`. None when somebody else goes on with it."""
    update = {"$set": {"cursor": last, "due_at": due_at}, "$inc": {"people": count}}
    return _change(drill, update, status=DrillStatus.RUNNING)


def rest(drill: Drill) -> Drill | None:
    """Everybody was told: nothing to do before the deadline."""
    return _change(drill, {"$set": {"due_at": drill["deadline"]}}, status=DrillStatus.RUNNING)


def end(drill: Drill, report: "Report", *, now: datetime) -> Drill | None:
    """The deadline has passed: keep the figures and say so, once."""
    found = {"results": report.by_channel, "unreachable": len(report.unreachable)}
    event = outbox.event("drill.ended", drill["_id"], version=drill["version"] + 1, now=now, city=drill["city"])
    update = outbox.merge(
        {"$set": {"status": str(DrillStatus.ENDED), "ended_at": now, **found}, "$unset": {"due_at": ""}},
        outbox.pending([event], now),
    )
    return _change(drill, update, status=DrillStatus.RUNNING)


def stop(drill_id: str, *, now: datetime) -> Drill:
    """Call it off: before it began nobody is told; a running one ends now. Raises DrillNotFound, DrillOver."""
    found = queries.get(drill_id)
    if found["status"] in ENDED:
        raise DrillOver("this drill is over", current=found["status"])
    if found["status"] == DrillStatus.PLANNED:
        withdraw(drill_id, now=now, reason="called_off")
    else:
        sooner = min(now, found["deadline"])
        drills().update_one(
            {"_id": drill_id, "status": str(DrillStatus.RUNNING)},
            {"$set": {"deadline": sooner, "due_at": now, "reason": "called_off"}, "$inc": {"version": 1}},
        )
    return queries.get(drill_id)


def withdraw(drill_id: str, *, now: datetime, reason: str) -> bool:
    """Call off a drill that has not begun."""
    done = drills().update_one(
        {"_id": drill_id, "status": str(DrillStatus.PLANNED)},
        {
            "$set": {"status": str(DrillStatus.WITHDRAWN), "reason": reason, "ended_at": now},
            "$unset": {"due_at": ""},
            "$inc": {"version": 1},
        },
    )
    return bool(done.modified_count)


def _change(drill: Drill, update: dict[str, Any], *, status: DrillStatus) -> Drill | None:
    joined = outbox.merge(update, {"$inc": {"version": 1}})
    return drills().find_one_and_update(
        {"_id": drill["_id"], "version": drill["version"], "status": str(status)},
        joined,
        return_document=ReturnDocument.AFTER,
    )


@dataclass(frozen=True)
class Report:
    """What became of a drill so far: figures by channel, and who was reached on no channel at all."""

    by_channel: dict[str, dict[str, Any]]
    unreachable: Sequence[str] = field(default_factory=tuple)


def report(drill: Drill, *, now: datetime) -> Report:
    """Fold the drill's deliveries. Of one that has ended, the kept figures."""
    if drill["status"] == DrillStatus.PLANNED or drill["status"] == DrillStatus.WITHDRAWN:
        return Report(rules.counts([], drill["channels"]))
    if drill.get("results"):
        return Report(drill["results"])
    rows = list(queries.told(drill["_id"]))
    results = results_of(rows, drill, now=now)
    silent = {row["recipient"]["id"] for row in rows}
    silent -= {row["recipient"]["id"] for row, each in zip(rows, results, strict=True) if not each.why}
    return Report(rules.counts(results, drill["channels"]), tuple(sorted(silent)))


def results_of(rows: Sequence[Any], drill: Drill, *, now: datetime) -> list[Result]:
    """What each delivery says; who has no address because it was found dead earlier is told apart."""
    found = [rules.result(row, drill["deadline"], now) for row in rows]
    without = [
        row["recipient"]["id"] for row, each in zip(rows, found, strict=True) if each.why == Unreached.NO_ADDRESS
    ]
    people = queries.of_people(without) if without else {}
    for index, (row, each) in enumerate(zip(rows, found, strict=True)):
        if each.why != Unreached.NO_ADDRESS:
            continue
        if each.channel in (drill.get("without_carrier") or []):
            found[index] = Result(each.channel, why=Unreached.NO_CARRIER)
        elif why := rules.known_dead(people.get(row["recipient"]["id"], {}), each.channel):
            found[index] = Result(each.channel, why=why)
    return found


@dataclass(frozen=True)
class Missed:
    """One person who was not reached on one channel."""

    person_id: str
    name: str
    channel: str
    why: Unreached
    delivery_id: str


def missed(
    drill: Drill, *, after: tuple[datetime, str] | None, limit: int, now: datetime
) -> tuple[list[Missed], tuple[datetime, str] | None]:
    """Up to `limit` of those who were not reached, and where to go on; None at the end."""
    found: list[Missed] = []
    if "deadline" not in drill:
        return found, None
    while rows := queries.told_after(drill["_id"], after=after, limit=_STRETCH):
        results = results_of(rows, drill, now=now)
        names = queries.of_people(row["recipient"]["id"] for row, each in zip(rows, results, strict=True) if each.why)
        for row, each in zip(rows, results, strict=True):
            after = (row["created_at"], row["_id"])
            if each.why is None:
                continue
            person = row["recipient"]["id"]
            found.append(Missed(person, names.get(person, {}).get("name") or "", each.channel, each.why, row["_id"]))
            if len(found) == limit:
                return found, after
        if len(rows) < _STRETCH:
            break
    return found, None


_STRETCH: Final = 200
"""Deliveries that are read at a time for a page of those who were missed."""


def link(secret: str, drill_id: str, person_id: str) -> str:
    """The token of the page on which one person confirms; `refs.link_h` of the delivery is its hash."""
    return link_token(secret, "drill", f"{drill_id}:{person_id}")


def confirm(token: str, *, now: datetime) -> Drill:
    """The person behind the link confirms. Again, or after the deadline, changes nothing. Raises DrillNotFound."""
    delivery, drill = behind(token)
    if drill["status"] == DrillStatus.RUNNING and now <= drill["deadline"]:
        deliveries.opened(delivery["_id"], now=now)
    return drill


def behind(token: str) -> tuple[Any, Drill]:
    """(delivery, drill) behind a link's token. Raises DrillNotFound."""
    delivery = queries.by_link(token_hash(token))
    if delivery is None:
        raise DrillNotFound("no such drill")
    return delivery, queries.get(delivery["subject"])
