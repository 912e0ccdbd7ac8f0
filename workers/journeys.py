"""Reactions to what happens on a journey: who is asked, who is told, and the SOS that it becomes.

Each telling has a key made of ids, and the SOS is derived from the journey, so a reaction that runs again does nothing new.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

from domain.deliveries.service import Recipient, Telling
from domain.journeys import fake_calls, queries, raising, service
from domain.journeys.queries import Journey
from domain.journeys.states import GOING_ON, FakeCallBy, JourneyStatus, Reason
from domain.outbox import Event
from domain.people.documents import PersonDoc
from domain.people.states import GuardianStatus
from notifications.fanout import tell
from workers.context import Context
from workers.timers import step

BATCH: Final = 200
CALL_MATTERS: Final = timedelta(minutes=2)
NEWS_MATTERS: Final = timedelta(hours=1)
MISSED_MATTERS: Final = timedelta(minutes=30)
_SHARED_WITH: Final = frozenset({GuardianStatus.CONFIRMED})
"""A guardian confirms before being messaged;"""
_ALARMED: Final = frozenset({GuardianStatus.CONFIRMED, GuardianStatus.INVITED})
"""but somebody who is missed is asked for everywhere, as with an SOS."""


def share(event: Event, context: Context) -> None:
    """Guardians may look on from the start."""
    doc = queries.get(event["subject"])
    if doc["status"] in GOING_ON and doc.get("sharing"):
        _tell_guardians(event, doc, "journey_shared", _SHARED_WITH, context)


def ask(event: Event, context: Context) -> None:
    """She is asked first, and nobody else knows yet."""
    doc = queries.get(event["subject"])
    _ask_her(event, doc, timedelta(seconds=doc["grace_s"]), context)


def concern(event: Event, context: Context) -> None:
    """Something worries: her guardians hear of it, and she is asked to look at her phone."""
    doc = queries.get(event["subject"])
    if doc["status"] not in GOING_ON or event["concern"] not in (doc.get("concerns") or {}):
        return
    _tell_guardians(event, doc, "journey_concern", _SHARED_WITH, context, variant=event["concern"])
    _ask_her(event, doc, NEWS_MATTERS, context, concern=event["concern"])


def missed(event: Event, context: Context) -> None:
    """She did not answer: her guardians are asked to reach her, by a call where an SMS is not enough."""
    doc = queries.get(event["subject"])
    plan = ("sms", "voice")
    _tell_guardians(event, doc, "journey_missed", _ALARMED, context, plan=plan, urgent=True)


def answered(event: Event, context: Context) -> None:
    """She was missed, and answered, or a guardian has spoken to her: whoever was alarmed hears that too."""
    doc = queries.get(event["subject"])
    variant = "answered" if event["by"] == "traveller" else "reached"
    _tell_guardians(event, doc, "journey_over", _ALARMED, context, variant=variant)


def ended(event: Event, context: Context) -> None:
    """Arrived, or taken back: whoever looked on or was alarmed hears of it."""
    doc = queries.get(event["subject"])
    was_missed = any(entry["kind"] == "missed" for entry in doc.get("timeline") or [])
    if doc.get("sharing") or doc.get("told") or was_missed:
        variant = "arrived" if doc["status"] == JourneyStatus.ARRIVED else ""
        _tell_guardians(event, doc, "journey_over", _ALARMED if was_missed else _SHARED_WITH, context, variant=variant)


def raise_sos(event: Event, context: Context) -> None:
    """It becomes an SOS, the same one however often this runs; units and guardians follow from that."""
    doc = queries.get(event["subject"])
    ttl = timedelta(seconds=context.settings.link_ttl_s)
    secret = context.settings.signing_key
    incident = raising.raise_incident(doc, Reason(event["reason"]), secret=secret, link_ttl=ttl, now=context.clock())
    if incident.get("pending_events"):
        context.enqueue("drain", "incidents", incident["_id"])


def pass_on(event: Event, context: Context) -> None:
    """Positions that came after it became an SOS belong to that as well."""
    for incident_id in raising.pass_on(queries.get(event["subject"]), now=context.clock()):
        context.enqueue("drain", "incidents", incident_id)


def _ask_her(event: Event, doc: Journey, valid_for: timedelta, context: Context, **refs: str) -> None:
    silent = bool(doc.get("silent")) or bool(refs)
    tell(
        [
            Telling(
                key=event["id"],
                city=doc["city"],
                purpose="journey_due",
                subject=doc["_id"],
                recipient=Recipient("person", doc["person"]),
                plan=("fcm",) if silent else ("fcm", "sms"),
                valid_for=valid_for,
                refs=refs,
                life_critical=not refs,
                receipt_wait_s=10,
            )
        ],
        context.post,
    )


def _tell_guardians(
    event: Event,
    doc: Journey,
    purpose: str,
    standing: frozenset[GuardianStatus],
    context: Context,
    *,
    variant: str = "",
    plan: Sequence[str] = ("sms",),
    urgent: bool = False,
) -> None:
    person: Any = PersonDoc.objects(id=doc["person"], erased_at=None).first()
    if person is None:
        return
    chosen = set(doc.get("guardians") or [])
    told = sorted(each.id for each in person.guardians.values() if each.id in chosen and each.status in standing)
    if not told:
        return
    service.open_pages(doc["_id"], told, secret=context.settings.signing_key, now=context.clock())
    tell(
        [
            Telling(
                key=event["id"],
                city=doc["city"],
                purpose=purpose,
                subject=doc["_id"],
                recipient=Recipient("guardian", guardian_id, of=person.id),
                plan=plan,
                valid_for=MISSED_MATTERS if urgent else NEWS_MATTERS,
                refs={"variant": variant} if variant else {},
                life_critical=urgent,
            )
            for guardian_id in told
        ],
        context.post,
    )


def due_journeys(context: Context, pool: ThreadPoolExecutor) -> int:
    """The sweep of journeys whose earliest timer has run out: she is asked, then missed, then it becomes an SOS."""
    rows = queries.due(now=context.clock(), limit=BATCH)
    list(
        pool.map(
            lambda row: step(context, "journeys", row["_id"], row["due_at"], service.timers, service.put_off), rows
        )
    )
    return len(rows)


def due_fake_calls(context: Context, pool: ThreadPoolExecutor) -> int:
    """The sweep of calls that are to ring now."""
    rows = fake_calls.due(now=context.clock(), limit=BATCH)
    for row in rows:
        tell(
            [
                Telling(
                    key=row["_id"],
                    city=row["city"],
                    purpose="call_due",
                    subject=row["_id"],
                    recipient=Recipient("person", row["person"]),
                    plan=("voice",) if row["by"] == FakeCallBy.VOICE else ("fcm",),
                    valid_for=CALL_MATTERS,
                    receipt_wait_s=15,
                )
            ],
            context.post,
        )
        fake_calls.rung(row["_id"])
    return len(rows)


def old_journeys(context: Context, pool: ThreadPoolExecutor) -> int:
    """Journeys that a city has kept for as long as it keeps tracks are gone, and their tracks with them."""
    now = context.clock()
    return service.forget_old(now=now) + fake_calls.forget_old(now=now)
