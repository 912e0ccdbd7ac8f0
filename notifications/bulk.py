"""One text to hundreds of people: a batch of deliveries taken as far as it goes now, with few writes.

Policy decides for each person as for a single delivery; only reading, writing and rendering are done for many at once.
People are told through a window: slices of deliveries are written down with their attempt under way, sent side by side, and
their outcomes written as they come, many in one go. So what a process that is killed leaves in doubt is one window at most.
Whoever takes the batch up repeats the pushes among them (a phone shows one delivery once) and looks for each SMS at the
carrier by its nonce before it sends it again (docs/adr: broadcast in batches).

The caller holds the batch by a lease, so nobody else has these deliveries in hand; receipts may come at any time.
"""

import contextlib
import queue
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any, Final

from domain.cities import hours
from domain.cities import queries as cities
from domain.deliveries import bulk as store
from domain.deliveries.service import Delivery, Recipient, Telling, delivery_id
from domain.deliveries.service import receipt_token as receipt_token_of
from domain.deliveries.states import ENDED, AttemptState, DeliveryStatus, Held, Priority, Suppressed
from domain.people import service as people
from notifications import everywhere, optouts, policy, purposes, recipients
from notifications.channel import ChannelError, FailureCode, Permanent, Temporary, Unknown
from notifications.channels.bounded import hold_this_thread
from notifications.compose import report_address
from notifications.content import CONTENT, Content
from notifications.deliveries import SEND_TIMEOUT_S, Post
from notifications.gateways import Gateways
from notifications.messages import Address, Message, Sent, nonce_of
from notifications.post import trait
from notifications.recipients import Reached
from notifications.render.push import push_payload
from notifications.render.text import render, render_sms
from runtime import logging

SLICE: Final = 50
"""Deliveries that are written down together."""
WINDOW: Final = 100
"""Messages of one batch that are under way or not yet written up: what may be in doubt after a kill."""
FLUSH_S: Final = 0.1
"""How long outcomes are gathered before they are written."""
SENDERS: Final = 24
"""Threads. More do not send faster from one core, and hold more in flight."""
KEEP_S: Final = 2.0
"""How often the lease is renewed while carriers are waited for."""
ROUNDS: Final = 6
"""Steps of one delivery without a pause: push, SMS, another gateway."""
PLAN: Final = ("fcm", "sms")
_STAND_IN: Final = nonce_of("the nonce of every text before it has its own")

log = logging.get(__name__)


@dataclass(frozen=True)
class Batch:
    """Who is told what. `people` are ids; `refs` as in a delivery."""

    id: str
    city: str
    purpose: str
    subject: str
    people: Sequence[str]
    life_critical: bool
    receipt_wait_s: int
    valid_until: datetime
    refs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """How far it went: `due` is when something is to be tried again (None: never), `told` whether everybody was tried.
    `lost`: somebody else has the batch now, and nothing should be written about it. `stopped`: it is not worth telling any
    more.
    """

    due: datetime | None
    told: bool
    lost: bool = False
    stopped: bool = False


@dataclass
class _Try:
    """One message on its way."""

    delivery: Delivery
    step: policy.Step
    reached: Reached
    number: int
    new: bool = False
    repeats: bool = False


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(SENDERS, thread_name_prefix="bulk", initializer=hold_this_thread)


def deliver(batch: Batch, post: Post, *, keep: Callable[[], bool]) -> Ended:
    """Take every delivery of the batch as far as it goes without waiting. `keep` renews the lease; False: it is lost."""
    run = _Run(batch, post, keep)
    for _ in range(ROUNDS):
        if not run.round():
            break
    else:
        run.go_on_soon()
    return Ended(run.due, told=run.whole and not run.lost, lost=run.lost, stopped=run.stopped)


class _Run:
    """One go at a batch."""

    def __init__(self, batch: Batch, post: Post, keep: Callable[[], bool]) -> None:
        self.batch, self.post, self.keep = batch, post, keep
        self.content: Content = CONTENT[batch.purpose]
        self.reached = recipients.reach_people(batch.people)
        self.due: datetime | None = None
        self.lost = self.whole = self.stopped = False
        self._again = False
        self._done: queue.SimpleQueue[tuple[_Try, Any]] = queue.SimpleQueue()
        self._texts: dict[tuple[str, str, str], Any] = {}
        self._probe = self._fresh("", post.clock())  # a delivery to nobody: what is read for it holds for all
        config = cities.current(batch.city)
        self._quiet_until = None if batch.life_critical else hours.quiet_until(config, post.clock())

    def round(self) -> bool:
        """Take each delivery one step. True where another round has something to do at once."""
        self.due, self._again = None, False
        held = {row["recipient"]["id"]: row for row in store.of_batch(self.batch.id)}
        self._probe = self._fresh("", self.post.clock())
        if reason := self.content.overtaken(self._probe):
            self._stop(held, reason)
            return False
        tries = self._decide(held, self.batch.people)
        if left_out := self._left_out(tries):
            tries = [each for each in tries if _person(each) not in left_out] + self._decide(held, left_out)
        self._go(tries)
        self.whole = not self.lost
        return self._again and not self.lost

    def go_on_soon(self) -> None:
        """There is more to do at once, and others have their turn first."""
        self.due = self.post.clock()

    def _go(self, tries: Sequence[_Try]) -> None:
        """Send all of these, a window of them at a time: the threads have work while others are written down."""
        under_way = begun = 0
        while under_way or (begun < len(tries) and not self.lost):
            while begun < len(tries) and under_way + SLICE <= WINDOW and not self.lost:
                ours = self._begin(tries[begun : begun + SLICE])
                begun += SLICE
                under_way += len(ours)
                for each in ours:
                    _pool().submit(self._send_and_tell, each)
            ended = self._ended(min(under_way, SLICE))
            if not self.keep():
                self.lost = True  # whoever has the batch now looks into what we have under way
            under_way -= len(ended)
            known_as = {
                each.delivery["_id"]: self._known_as(each, result) for each, result in ended if isinstance(result, Sent)
            }
            outcomes = {each.delivery["_id"]: (each.number, self._outcome(each, result)) for each, result in ended}
            store.finish(outcomes, known_as)

    def _ended(self, most: int) -> list[tuple[_Try, Any]]:
        """Some that have ended, as many as there are within a moment; none where carriers let wait for longer."""
        found: list[tuple[_Try, Any]] = []
        if not most:
            return found
        with contextlib.suppress(queue.Empty):
            found.append(self._done.get(timeout=KEEP_S))
            until = time.monotonic() + FLUSH_S
            while len(found) < most:
                found.append(self._done.get(timeout=max(0.0, until - time.monotonic())))
        return found

    def _stop(self, held: Mapping[str, Delivery], reason: str) -> None:
        """It is no longer worth telling: who was not told yet is not, and nothing is tried again."""
        going_on = [row for row in held.values() if row["status"] not in ENDED and not _has_gone(row)]
        now = self.post.clock()
        store.end({row["_id"]: (DeliveryStatus.SUPPRESSED, reason) for row in going_on}, now=now)
        self.whole = self.stopped = True

    # deciding

    def _left_out(self, tries: Sequence[_Try]) -> list[str]:
        """Whose number wants no SMS of ours, of those who are to get one now: as if it were not there from here on.

        Asked of the number itself as for a single delivery (it may have said so before it was this person's), with one
        read for all.
        """
        phones = {
            _person(each): each.reached.addresses["sms"].value
            for each in tries
            if each.step.do == policy.Do.SEND and each.step.channel == "sms"
        }
        found = optouts.left_out_among(self.post.settings.signing_key, phones, now=self.post.clock())
        for person in found:
            reached = self.reached[person]
            others = {kind: address for kind, address in reached.addresses.items() if kind != "sms"}
            self.reached[person] = replace(reached, addresses=others)
        return sorted(found)

    def _decide(self, held: Mapping[str, Delivery], people: Sequence[str]) -> list[_Try]:
        """What the delivery of each of these needs now; those that need nothing are left out."""
        tries: list[_Try] = []
        endings: dict[str, tuple[DeliveryStatus, str]] = {}
        waiting: list[Delivery] = []
        nowhere: list[Delivery] = []
        now = self.post.clock()
        for person in people:
            delivery = held.get(person)
            new = delivery is None
            if delivery is None:
                delivery = self._fresh(person, now)
            if delivery["status"] in ENDED:
                continue
            reached = self.reached.get(person, recipients.NOWHERE)
            step, repeats = self._step(delivery, reached, now)
            if step.do == policy.Do.SEND and self._sleeps(delivery, step.channel):
                self._look_again(self._quiet_until)
                if new:
                    waiting.append({**delivery, "held": {"reason": str(Held.QUIET_HOURS), "at": now}})
            elif step.do in {policy.Do.SEND, policy.Do.RECONCILE}:
                number = step.number if step.do == policy.Do.RECONCILE else delivery["tries"] + 1
                tries.append(_Try(delivery, step, reached, number, new, repeats))
            elif step.do == policy.Do.GIVE_UP:
                ending = (_given_up(delivery, step.reason), step.reason)
                if new:
                    nowhere.append({**delivery, "status": str(ending[0]), "reason": step.reason})
                else:
                    endings[delivery["_id"]] = ending
            else:
                self._look_again(step.until)
                if new:
                    waiting.append(delivery)
        store.insert([*waiting, *nowhere])
        store.end(endings, now=now)
        return tries

    def _step(self, delivery: Delivery, reached: Reached, now: datetime) -> tuple[policy.Step, bool]:
        """(the next step, whether it repeats a push of a process that died)."""
        last = _last(delivery)
        if last is not None and last["state"] == AttemptState.SENDING:
            # We hold the batch, so whoever began this is dead.
            if last["channel"] == "fcm" and "fcm" in reached.addresses:
                return policy.Step(policy.Do.SEND, channel="fcm", gateway=last.get("gateway") or ""), True
            if last["channel"] in reached.addresses and last["channel"] != "fcm":
                return policy.Step(policy.Do.RECONCILE, channel=last["channel"], number=delivery["tries"]), False
        reachable = self._reachable(delivery, reached)
        routes = {
            kind: channel.route(reached.addresses[kind].value, now, life_critical=self.batch.life_critical)
            for kind in reachable
            if isinstance(channel := self.post.channels.get(kind), Gateways)
        }
        return policy.next_step(delivery, reachable, now, routes), False

    def _reachable(self, delivery: Delivery, reached: Reached) -> list[str]:
        """An SMS instead of a push that failed only for now, or that has no receipt, is for what a life depends on."""
        names = [name for name in PLAN if name in reached.addresses and name in self.post.channels]
        last = _last(delivery)
        pushed = sum(each["channel"] == "fcm" for each in delivery["attempts"].values())
        if self.batch.life_critical or "fcm" not in names or pushed >= policy.TRIES_A_CHANNEL:
            return names
        return names if last is not None and last["state"] == AttemptState.PERMANENT else ["fcm"]

    def _sleeps(self, delivery: Delivery, channel: str) -> bool:
        return self._quiet_until is not None and purposes.sleeps(delivery, channel)

    def _look_again(self, at: datetime | None) -> None:
        """At that time, or when it no longer matters: then what is still open is given up."""
        if at is not None and self.post.clock() < self.batch.valid_until:
            self.due = min(at, self.batch.valid_until, self.due or at)

    def _fresh(self, person: str, now: datetime) -> Delivery:
        """A delivery that is not written down yet."""
        batch, recipient = self.batch, Recipient("person", person)
        telling = Telling(
            batch.subject, batch.city, batch.purpose, batch.subject, recipient, PLAN, timedelta(0), batch.refs
        )
        return {
            "_id": delivery_id(telling),
            "city": batch.city,
            "purpose": batch.purpose,
            "subject": batch.subject,
            "batch": batch.id,
            "recipient": {"kind": "person", "id": person, "of": ""},
            "refs": dict(batch.refs),
            "plan": list(PLAN),
            "status": str(DeliveryStatus.QUEUED),
            "life_critical": batch.life_critical,
            "priority": int(Priority.BULK),
            "receipt_wait_s": batch.receipt_wait_s,
            "valid_until": batch.valid_until,
            "attempts": {},
            "tries": 0,
            "created_at": now,
            "version": 1,
        }

    # writing down

    def _begin(self, tries: Sequence[_Try]) -> list[_Try]:
        """Write down that these attempts start. Those that somebody else wrote down, or a receipt ended, are left out."""
        now = self.post.clock()
        made: list[Delivery] = []
        again: dict[str, tuple[int, int, Mapping[str, Any]]] = {}
        for each in tries:
            if each.step.do == policy.Do.RECONCILE:
                continue
            attempt = self._attempt(each, now)
            if each.new:
                made.append({**each.delivery, "attempts": {"1": attempt}, "tries": 1, "created_at": now})
            else:
                again[each.delivery["_id"]] = (each.delivery["version"], each.number, attempt)
        others = store.insert(made)
        ours = store.begin(again)
        return [
            each
            for each in tries
            if each.step.do == policy.Do.RECONCILE
            or (each.delivery["_id"] not in others if each.new else each.delivery["_id"] in ours)
        ]

    def _attempt(self, each: _Try, now: datetime) -> dict[str, Any]:
        channel = each.step.channel
        attempt: dict[str, Any] = {
            "channel": channel,
            "state": str(AttemptState.SENDING),
            "at": now,
            "device": each.reached.device if channel == "fcm" else None,
            "gateway": self._gateway_name(each),
        }
        if each.repeats:
            attempt["repeats"] = True
        return attempt

    def _gateway_name(self, each: _Try) -> str:
        """The carrier of this try: what policy says, the one that had it before, else the channel's only one."""
        return each.step.gateway or _gateway_of(each) or self.post.channels[each.step.channel].name

    def _known_as(self, each: _Try, sent: Sent) -> list[str]:
        """What its carrier will report it by, where that is only an id of the carrier's own."""
        gateway = self._gateway_name(each)
        if trait(self.post, each.step.channel, gateway).reports != "by_id":
            return []
        return [f"{gateway}:{part}" for part in sent.vendor_id.split("+")]

    # sending

    def _send_and_tell(self, each: _Try) -> None:
        """In a thread. Whatever happens, it is heard of."""
        result: Any = None
        try:
            result = self._send(each)
        except Exception as fault:
            # Ours, not the carrier's, before anything was sent or after: not known, so look before it is sent again.
            log.error("bulk_send_failed", delivery=each.delivery["_id"], kind=type(fault).__name__)
            result = Unknown(FailureCode.NO_ANSWER, vendor_code="fault")
        finally:
            self._done.put((each, result))

    def _send(self, each: _Try) -> Sent | ChannelError | None:
        """In a thread: ask the carrier. None where a reconciled attempt is not there."""
        channel = each.step.channel
        carrier = self.post.channels[channel]
        known = isinstance(carrier, Gateways)
        gateway = carrier.named(self._gateway_name(each)) if isinstance(carrier, Gateways) else carrier
        timeout_s = SEND_TIMEOUT_S[channel]
        try:
            message = self._message(each)
            if each.step.do == policy.Do.RECONCILE:
                return gateway.reconcile(message, since=each.delivery["attempts"][str(each.number)]["at"])
            if known:
                carrier.went(each.step.gateway, self.post.clock())  # type: ignore[attr-defined]
            also = each.reached.also if channel == "fcm" else ()
            result: Sent | ChannelError = everywhere.send(
                gateway, message, also, timeout_s=timeout_s, dead=partial(_retire_push, self.post)
            )
        except ChannelError as error:
            result = error
        if known and each.step.do == policy.Do.SEND:
            failed = result if isinstance(result, ChannelError) else None
            carrier.told(each.step.gateway, failed, self.post.clock())  # type: ignore[attr-defined]
        return result

    def _message(self, each: _Try) -> Message:
        delivery, reached, channel = each.delivery, each.reached, each.step.channel
        key = f"{delivery['_id']}-{each.number}"
        ttl_s = max(10, int((self.batch.valid_until - self.post.clock()).total_seconds()))
        address, settings = reached.addresses[channel], self.post.settings
        if channel == "fcm":
            title, body, params = self._said(channel, reached)
            data = push_payload(
                self.content.push,
                delivery_id=delivery["_id"],
                receipt_token=receipt_token_of(settings.signing_key, delivery["_id"]),
                params=params,
            )
            return Message(
                key=key, to=address, title=title, body=body, data=data, urgent=self.batch.life_critical,
                quiet=self._quiet_until is not None, ttl_s=ttl_s, language=reached.language, city=self.batch.city,
            )  # fmt: skip
        nonce = nonce_of(key)
        word = self.content.word if trait(self.post, channel, self._gateway_name(each)).two_way else ""
        text = self._said(channel, reached, word).replace(_STAND_IN, nonce)
        status_url = report_address(self.post, channel, self._gateway_name(each), delivery["_id"], each.number)
        return Message(
            key=key, to=address, text=text, nonce=nonce, ttl_s=ttl_s, language=reached.language,
            status_url=status_url, city=self.batch.city,
        )  # fmt: skip

    def _said(self, channel: str, reached: Reached, word: str = "") -> Any:
        """The words on a channel in a language, rendered once: everybody reads the same. `word`: what may be answered."""
        found = self._texts.get((channel, reached.language, word))
        if found is None:
            params = self.content.params(self._probe, reached, self.post.settings)
            purpose = ".".join(filter(None, (self.batch.purpose, params.get("variant"))))
            if channel == "fcm":
                title = render(purpose, "push_title", reached.language, params)
                found = (title, render(purpose, "push_body", reached.language, params), params)
            else:
                found = render_sms(purpose, reached.language, {**params, "nonce": _STAND_IN, "reply": word}).text
            self._texts[channel, reached.language, word] = found
        return found

    # what became of it

    def _outcome(self, each: _Try, result: Any) -> dict[str, Any]:
        now = self.post.clock()
        if isinstance(result, Sent):
            if each.step.channel == "fcm" and self.batch.life_critical:
                self._look_again(now + timedelta(seconds=self.batch.receipt_wait_s))
            return {
                "state": str(AttemptState.SENT),
                "vendor_id": result.vendor_id,
                "segments": result.segments,
                "done_at": now,
            }
        if result is None:
            self._again = True
            return {"state": str(AttemptState.TEMPORARY), "code": "not_taken", "done_at": now}
        return self._failure(each, result, now)

    def _failure(self, each: _Try, error: ChannelError, now: datetime) -> dict[str, Any]:
        state, channel = _STATE_OF[type(error)], each.step.channel
        tried = 1 + sum(attempt["channel"] == channel for attempt in each.delivery["attempts"].values())
        retry_at = now + policy.backoff(tried, random.random(), error.retry_after)
        if state == AttemptState.UNKNOWN:
            retry_at = now + timedelta(seconds=error.retry_after or 0.0)
            if channel == "sms":
                self._look_again(max(retry_at, now + policy.UNKNOWN_WAIT))
            else:
                self._again = True
        else:
            self._again = True
        if isinstance(error, Permanent) and error.retire and channel != "fcm":
            recipients.retire(each.delivery["recipient"], channel, str(error.code), tried_at=now)
        if error.code == FailureCode.OPTED_OUT and channel == "sms":
            number = each.reached.addresses[channel].value
            optouts.refused(self.post.settings.signing_key, number, each.delivery["recipient"], now=now)
        return {
            "state": str(state),
            "code": str(error.code),
            "vendor_code": error.vendor_code,
            "retry_at": retry_at,
            "done_at": now,
        }


_STATE_OF: Mapping[type[ChannelError], AttemptState] = {
    Temporary: AttemptState.TEMPORARY,
    Permanent: AttemptState.PERMANENT,
    Unknown: AttemptState.UNKNOWN,
}


def _last(delivery: Delivery) -> dict[str, Any] | None:
    attempts = delivery.get("attempts") or {}
    return attempts[max(attempts, key=int)] if attempts else None


def _person(each: _Try) -> str:
    return str(each.delivery["recipient"]["id"])


def _given_up(delivery: Delivery, reason: str) -> DeliveryStatus:
    """What waited until it no longer mattered, and was never tried, did not fail."""
    waited = reason == Suppressed.EXPIRED and (delivery.get("held") or not delivery["attempts"])
    return DeliveryStatus.SUPPRESSED if waited else DeliveryStatus.FAILED_PERMANENT


def _has_gone(delivery: Delivery) -> bool:
    """Whether a message of it is out, or may be."""
    last = _last(delivery)
    gone = {AttemptState.SENDING, AttemptState.SENT, AttemptState.DELIVERED, AttemptState.UNKNOWN}
    return last is not None and last["state"] in gone


def _gateway_of(each: _Try) -> str:
    return str((each.delivery["attempts"].get(str(each.number)) or {}).get("gateway") or "")


def _retire_push(post: Post, address: Address) -> None:
    people.retire_address(address.value, now=post.clock())
