"""Reactions of watch groups: whoever is asked, succeeded, sanctioned or left without a group hears of it; sweeps of what has
become due.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

from domain import sync
from domain.audit import chain
from domain.deliveries.service import Recipient, Telling
from domain.outbox import Event
from domain.people import queries as people
from domain.permissions import Role
from domain.reviews import service as reviews
from domain.reviews.states import ReviewKind, ReviewStatus
from domain.watch import founding, queries, sanctions, service, succession
from domain.watch.queries import Group
from domain.watch.states import GroupStatus, Sanction, Standing
from notifications.fanout import tell
from workers.context import Context

NEWS_MATTERS: Final = timedelta(days=3)
PAGE: Final = 200
RULE: Final = "rule"


def members_of(group: str, standing: Standing = Standing.MEMBER) -> Iterator[list[dict[str, Any]]]:
    """Everybody who stands so to a group, a page at a time."""
    after = ""
    while page := queries.members_of(group, standing, after=after, limit=PAGE):
        yield page
        after = page[-1]["_id"]


def plan_of(membership: dict[str, Any]) -> tuple[str, ...]:
    """How a member is told: who joined without the app is written to."""
    return ("sms",) if membership.get("by_sms") else ("fcm",)


def _news(event: Event, group: Group, variant: str, rows: Iterable[dict[str, Any]]) -> list[Telling]:
    return [
        Telling(
            key=event["id"],
            city=group["city"],
            purpose="watch_group",
            subject=group["_id"],
            recipient=Recipient("person", row["person"]),
            plan=plan_of(row),
            valid_for=NEWS_MATTERS,
            refs={"variant": variant},
        )
        for row in rows
    ]


def tell_invited(event: Event, context: Context) -> None:
    """Whoever is invited and was not told yet gets an SMS, app or not: how it is told says nothing about a number."""
    group = queries.get(event["subject"])
    for page in members_of(group["_id"], Standing.INVITED):
        tellings = [
            Telling(
                key=f"{row['_id']}-invited-{int(row['changed_at'].timestamp())}",
                city=group["city"],
                purpose="group_invited",
                subject=group["_id"],
                recipient=Recipient("person", row["person"]),
                plan=("sms",),
                valid_for=NEWS_MATTERS,
                refs={"rules": group["rules_version"]},
            )
            for row in page
            if event["at"] - row["changed_at"] < NEWS_MATTERS
        ]
        tell(tellings, context.post)


def rules_changed(event: Event, context: Context) -> None:
    """Every member is asked to read the new rules."""
    group = queries.get(event["subject"])
    for page in members_of(group["_id"]):
        tell(_news(event, group, "rules", page), context.post)


def led(event: Event, context: Context) -> None:
    """Every member hears that somebody else leads the group."""
    group = queries.get(event["subject"])
    for page in members_of(group["_id"]):
        tell(_news(event, group, "led", page), context.post)


def ask_coordinator(event: Event, context: Context) -> None:
    """The coordinator is silent: they are asked whether they go on."""
    group = queries.get(event["subject"])
    tell(_news(event, group, "silent", [{"person": group["coordinator"]}]), context.post)


def ask_successor(event: Event, context: Context) -> None:
    """Somebody is asked to lead the group."""
    group = queries.get(event["subject"])
    asked = (group.get("succession") or {}).get("asked")
    if asked:
        tell(_news(event, group, "asked", [{"person": asked}]), context.post)


def leaderless(event: Event, context: Context) -> None:
    """Nobody would lead it: the city's control room hears of it."""
    group = queries.get(event["subject"])
    told = {person.id for person in people.with_role(group["city"], Role.OPERATOR)}
    tell(_news(event, group, "leaderless", [{"person": each} for each in sorted(told)]), context.post)


def closed(event: Event, context: Context) -> None:
    """Members hear that their group is gone, then nothing is kept of their membership but that."""
    group, now = queries.get(event["subject"]), context.clock()
    for standing in (Standing.MEMBER, Standing.SUSPENDED, Standing.REQUESTED, Standing.INVITED, Standing.REMOVED):
        while page := queries.members_of(group["_id"], standing, after="", limit=PAGE):
            if standing == Standing.MEMBER:
                tell(_news(event, group, "closed", page), context.post)
            founding.end_memberships(page, keep=sync.KEPT, now=now)


def imposed(event: Event, context: Context) -> None:
    """A sanction takes effect, and whoever it is imposed on hears of it."""
    row = sanctions.get(event["subject"])
    if row["kind"] == Sanction.SUSPENSION and not row.get("lifted") and row["until"] > context.clock():
        group = queries.get(row["group"])
        service.suspend(group, row["person"], by=row["by"], reason=row["reason"], now=context.clock())
    _say(event, row, "sanctioned", context)


def ended(event: Event, context: Context) -> None:
    """It was lifted: what it changed is changed back, and they hear of it."""
    row = sanctions.get(event["subject"])
    _give_back(row, context)
    _say(event, row, "lifted", context)


def _give_back(row: dict[str, Any], context: Context) -> None:
    now = context.clock()
    if row["kind"] == Sanction.SUSPENSION and not sanctions.suspended_until(row["person"], row["group"], now=now):
        service.admit_again(queries.get(row["group"]), row["person"], by=RULE, now=now)
    if row.get("ends_due"):
        sanctions.settled(row)


def _say(event: Event, row: dict[str, Any], variant: str, context: Context) -> None:
    telling = Telling(
        key=event["id"],
        city=row["city"],
        purpose="watch_moderation",
        subject=row["_id"],
        recipient=Recipient("person", row["person"]),
        plan=("fcm",),
        valid_for=NEWS_MATTERS,
        refs={"variant": variant},
    )
    tell([telling], context.post)


def appealed(event: Event, context: Context) -> None:
    """Whoever is sanctioned says why not: somebody else than who imposed it is asked."""
    row = sanctions.get(event["subject"])
    if row.get("appeal") and not row["appeal"].get("answered_at"):
        _ask(row, event, context)


def _ask(row: dict[str, Any], event: Event, context: Context) -> None:
    review, _ = reviews.ask(
        ReviewKind.SANCTION_APPEAL,
        city=row["city"],
        subject=row["_id"],
        asked_by=row["person"],
        reason=row["appeal"]["reason"],
        key=event["id"],
        but_not=[row["by"]],
        now=context.clock(),
    )
    context.enqueue("drain", "reviews", review["_id"])


def heard(event: Event, context: Context) -> None:
    """The appeal was answered: it takes effect, and whoever appealed hears of it."""
    row = sanctions.get(event["subject"])
    if row.get("lifted"):
        _give_back(row, context)
    _say(event, row, "heard", context)


def reviewed(event: Event, context: Context) -> None:
    """An answer to an appeal against a sanction: a yes ends it. One that nobody answered is asked about again."""
    if event.get("asks") != ReviewKind.SANCTION_APPEAL:
        return
    doc = reviews.get(event["subject"])
    row = sanctions.sanctions().find_one({"_id": doc["subject"]})
    if row is None:
        return
    if doc["status"] == ReviewStatus.EXPIRED:
        if row["until"] > context.clock() and not row.get("lifted"):
            _ask(row, event, context)
        return
    last = doc["answers"][-1]
    upheld = doc["status"] != ReviewStatus.APPROVED
    sanctions.heard(row["_id"], upheld=upheld, by=last["by"], reason=last["reason"], now=context.clock())
    context.enqueue("drain", "watch_sanctions", row["_id"])


def silent_coordinators(context: Context, pool: ThreadPoolExecutor) -> int:
    """Groups of which it is time to look whether somebody leads them; what follows stands on the audit chain."""
    rows = queries.without_a_lead(now=context.clock())
    for group in rows:
        if group["status"] != GroupStatus.ACTIVE:
            continue
        after = succession.step(group, now=context.clock())
        if after is not None and after.get("pending_events"):
            chain.append(group["city"], RULE, "group.succession", group["_id"], now=context.clock())
            context.enqueue("drain", "watch_groups", group["_id"])
    return len(rows)


def ended_sanctions(context: Context, pool: ThreadPoolExecutor) -> int:
    """Sanctions whose time is over: who was kept out belongs again."""
    rows = sanctions.ended(now=context.clock())
    for row in rows:
        _give_back(row, context)
    return len(rows)


def old_tombstones(context: Context, pool: ThreadPoolExecutor) -> int:
    """Memberships that only told phones that a group is gone."""
    return service.sweep(now=context.clock())
