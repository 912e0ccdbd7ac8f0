"""What follows from helpline events: whoever can answer hears that somebody waits, she hears that somebody is there.

No event, job or delivery of the helpline names her: a delivery's recipient is the request, and who that is stays in the
vault until the moment of sending (`notifications/recipients.py`).
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import islice

from domain.cities import queries as cities
from domain.cities.config import Kept
from domain.deliveries.service import Recipient, Telling
from domain.errors import DomainError, NotFound
from domain.helpline import calling, cases, casework, erasing, filing, joining, line, rules, shifts, timing
from domain.helpline import service as helpline
from domain.helpline.rules import Request, Step
from domain.helpline.states import Channel, CounsellorState, HelplineStatus, Side
from domain.outbox import Event
from domain.people import queries as people
from domain.people import sessions
from domain.permissions import Role
from notifications.fanout import tell, tell_one
from runtime import logging
from runtime.media import Media
from runtime.vault import vault
from workers.context import Context

BATCH = 200
ASKING_MATTERS = timedelta(minutes=10)
ANSWER_MATTERS = timedelta(hours=12)
FORGET_MATTERS = timedelta(days=28)
"""As long as FCM keeps a push for a phone that is off."""

log = logging.get(__name__)


def _desk(event: Event, context: Context, told: list[str], *, request: str = "", sms: bool = False) -> None:
    tell(
        [
            Telling(
                key=f"{event['id']}-desk",
                city=event["city"],
                purpose="helpline_desk",
                subject=request or event["subject"],
                recipient=Recipient("person", person_id),
                plan=("fcm", "sms") if sms else ("fcm",),
                valid_for=ASKING_MATTERS,
                life_critical=sms,
            )
            for person_id in sorted(set(told))
        ],
        context.post,
    )


def _her(
    event: Event,
    context: Context,
    doc: Request,
    *,
    purpose: str = "helpline_message",
    plan: Sequence[str] = ("fcm",),
    valid_for: timedelta = ANSWER_MATTERS,
    refs: Mapping[str, str] | None = None,
) -> None:
    """By push alone where nothing else is said: an SMS would be read by whoever holds her phone."""
    tell(
        [
            Telling(
                key=f"{event['id']}-her",
                city=doc["city"],
                purpose=purpose,
                subject=doc["_id"],
                recipient=Recipient("helpline", doc["_id"]),
                plan=plan,
                valid_for=valid_for,
                refs=refs or {},
                receipt_wait_s=15,
            )
        ],
        context.post,
    )


def _request(event: Event, request_id: str = "") -> Request | None:
    """The request as it is now; None where it is gone meanwhile."""
    try:
        return helpline.get(request_id or event["subject"])
    except NotFound:
        return None


def asked(event: Event, context: Context) -> None:
    """Whoever is on shift, is whom she wants and speaks her language hears of it; as many as come nearest to that."""
    doc = _request(event)
    if doc is None or doc["status"] != HelplineStatus.WAITING:
        return
    if to := event.get("to"):
        _desk(event, context, [to])
        return
    on_duty = shifts.on_duty(doc["city"])
    suited = [each for each in on_duty if rules.suits(doc, each.get("gender") or "")] or on_duty
    speaking = [each for each in suited if doc["language"] in (each.get("languages") or [])] or suited
    _desk(event, context, [each["_id"] for each in speaking])


def claimed(event: Event, context: Context) -> None:
    """She hears that somebody is there."""
    doc = _request(event)
    if doc is not None and doc["status"] == HelplineStatus.CLAIMED:
        _her(event, context, doc)
        if event.get("before"):
            _desk(event, context, [event["before"]])


def offered(event: Event, context: Context) -> None:
    """Whom she wants is not free; somebody else is: she hears that there is something to decide."""
    doc = _request(event)
    if doc is not None and doc["status"] == HelplineStatus.WAITING:
        _her(event, context, doc)


def message(event: Event, context: Context) -> None:
    """The other side hears that there is something to read. Whoever took it since has read it with all the rest."""
    doc = _request(event, event["request"])
    if doc is None:
        return
    if event["side"] == Side.COUNSELLOR and doc["channel"] == Channel.SMS:
        _her(event, context, doc, purpose="helpline_text", plan=("sms",), refs={"message": event["subject"]})
    elif event["side"] == Side.COUNSELLOR:
        _her(event, context, doc)
    elif doc.get("counsellor") and doc["claimed_at"] <= event["at"]:
        _desk(event, context, [doc["counsellor"]], request=doc["_id"])


def unclaimed(event: Event, context: Context) -> None:
    """Nobody took it for a while: the supervisors hear of it, by SMS where no push is received; when it goes on so, the
    control room as well: that somebody waits, and not who or why.
    """
    doc = _request(event)
    if doc is None or doc["status"] != HelplineStatus.WAITING:
        return
    roles = (Role.HELPLINE_SUPERVISOR, *((Role.OPERATOR,) if event.get("to") == "room" else ()))
    told = [person.id for role in roles for person in people.with_role(event["city"], role)]
    if not told:
        log.warning("nobody_to_notify", purpose="helpline_desk", type=event["type"], subject=event["subject"])
    _desk(event, context, told, sms=True)


def to_counsellor(event: Event, context: Context) -> None:
    """It ended, or she stopped contact: the counsellor who has it hears."""
    doc = _request(event)
    if doc is not None and doc.get("counsellor"):
        _desk(event, context, [doc["counsellor"]])


def became_sos(event: Event, context: Context) -> None:
    """The other side hears that it is an SOS now: her counsellor, or she herself."""
    doc = _request(event)
    if doc is None:
        return
    if event["by"] == Side.COUNSELLOR:
        _her(event, context, doc)
    elif doc.get("counsellor"):
        _desk(event, context, [doc["counsellor"]], sms=True)


def expire_local(event: Event, context: Context) -> None:
    """Her phone forgets its copy: the push says nothing else."""
    doc = _request(event)
    if doc is not None:
        _her(event, context, doc, purpose="helpline_expire", valid_for=FORGET_MATTERS)


def call(event: Event, context: Context) -> None:
    """The counsellor's own phone rings first."""
    tell_one(
        event, Recipient("person", event["counsellor"]), context.post,
        purpose="helpline_call_desk", plan=("voice",), valid_for=calling.RINGS_FOR, refs={"call": event["call"]},
    )  # fmt: skip


def listen_call(event: Event, context: Context) -> None:
    """The supervisor's own phone rings: she wants to hear the call that goes on."""
    tell_one(
        event, Recipient("person", event["supervisor"]), context.post,
        purpose="helpline_call_desk", plan=("voice",), valid_for=calling.RINGS_FOR,
        refs={"call": event["call"], "as": "listener"},
    )  # fmt: skip


def call_joined(event: Event, context: Context) -> None:
    """The counsellor is on the line: her phone is rung, for no longer than it is safe. Looked at again here: an event
    that waited must not ring her at the wrong time.
    """
    doc = _request(event)
    if doc is None:
        return
    try:
        rings, _ = calling.safe_for(doc, vault(context.settings).box(doc["_id"]), now=context.clock())
    except DomainError as error:
        log.info("helpline_call_kept_back", subject=doc["_id"], reason=error.error_code)
        return
    _her(event, context, doc, purpose="helpline_call", plan=("voice",), valid_for=rings, refs={"call": event["call"]})


def follow_up(event: Event, context: Context) -> None:
    """Something was to be looked after at this time: whoever does the casework hears, else whoever is on shift."""
    try:
        mine = cases.get(event["subject"]).get("counsellor") or ""
    except NotFound:
        return  # erased meanwhile
    on_duty = [each["_id"] for each in shifts.on_duty(event["city"])]
    _desk(event, context, [mine] if mine in on_duty else on_duty)


def case_joined(event: Event, context: Context) -> None:
    """Two cases are one: what is in the newer one is moved, if whoever joined them died in between."""
    joining.absorb(event["subject"], vault(context.settings), now=context.clock())


def session_ended(event: Event, context: Context) -> None:
    """A counsellor is signed in nowhere any more (a stolen laptop, shut out): what she had is back in the line."""
    now = context.clock()
    if shifts.get(event["subject"])["state"] == CounsellorState.OFF or sessions.listed(event["subject"], now=now):
        return
    shifts.end_now(event["subject"], now=now)
    _release(event["subject"], "signed_out", context)


def person_erased(event: Event, context: Context) -> None:
    """Whoever is forgotten is forgotten here as well: the keys of their requests are destroyed."""
    keys, now = vault(context.settings), context.clock()
    for row in line.of_person(keys.index("person", event["subject"]), limit=1000):
        erasing.erase(row["_id"], keys, Media(context.settings.media_url).delete, now=now)


def _release(person_id: str, reason: str, context: Context) -> None:
    for request_id in filing.release(person_id, reason, now=context.clock()):
        context.enqueue("drain", "helpline_requests", request_id)


def due_helpline(context: Context, pool: ThreadPoolExecutor) -> int:
    """Requests that nobody took, whose counsellor is gone, or with which nothing was done for as long as a city waits."""
    now = context.clock()
    rows = line.due(now=now, limit=BATCH)
    for row in rows:

        def rule(doc: Request) -> Step | None:
            if doc.get("due_at") is None or doc["due_at"] > now:
                return None
            absent = bool(doc.get("counsellor")) and not shifts.is_there(doc["counsellor"], now=now)
            idle_after = timedelta(days=cities.current(doc["city"]).helpline_idle_days)
            return timing.overdue(doc, now, free=line.free(doc["city"]), absent=absent, idle_after=idle_after)

        try:
            helpline.change(row["_id"], rule, now=now)
        except DomainError as error:
            log.info("helpline_step_put_off", subject=row["_id"], reason=error.error_code)
            continue
        context.enqueue("drain", "helpline_requests", row["_id"])
    return len(rows)


def due_follow_ups(context: Context, pool: ThreadPoolExecutor) -> int:
    """Cases of which a follow-up is due."""
    ids = casework.due(now=context.clock(), limit=BATCH)
    for case_id in ids:
        try:
            casework.remind(case_id, now=context.clock())
        except DomainError as error:
            log.info("helpline_step_put_off", subject=case_id, reason=error.error_code)
            continue
        context.enqueue("drain", "helpline_cases", case_id)
    return len(ids)


def ended_shifts(context: Context, pool: ThreadPoolExecutor) -> int:
    """Breaks and shifts whose time is up."""
    now = context.clock()
    rows = shifts.over(now=now)
    for row in rows:
        if shifts.end(row, now=now) == CounsellorState.OFF:
            _release(row["_id"], "shift_over", context)
    return len(rows)


def helpline_kept(context: Context, pool: ThreadPoolExecutor) -> int:
    """Requests that are over for as long as the city keeps them: their keys are destroyed, but for those in whose case
    something was done since, or is still to be done. Older master keys are retired.
    """
    keys, now = vault(context.settings), context.clock()
    gone, drop = 0, Media(context.settings.media_url).delete
    for city in cities.known():
        kept = timedelta(days=cities.current(city).retention_days[Kept.HELPLINE])
        left = (row for row in line.old(city, kept=kept, now=now) if not cases.worked_on(row, since=now - kept))
        for row in islice(left, BATCH):
            gone += erasing.erase(row["_id"], keys, drop, now=now)
    return gone + keys.rotate(now=now)  # last: a key that cannot be opened must not keep what is to be forgotten
