"""One go at a batch: who is told what, what was read for all of them, and when it is to be looked at again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from domain.cities import hours
from domain.cities import queries as cities
from domain.deliveries.service import Delivery, Recipient, Telling, delivery_id
from domain.deliveries.states import DeliveryStatus, Priority
from notifications import policy, recipients
from notifications.content import CONTENT, Content
from notifications.deliveries import Post
from notifications.recipients import Reached

PLAN: Final = ("fcm", "sms")


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


@dataclass
class Try:
    """One message on its way."""

    delivery: Delivery
    step: policy.Step
    reached: Reached
    number: int
    new: bool = False
    repeats: bool = False


class Go:
    """What the steps of one go share. `due`: when something is to be tried again; `again`: whether that is at once."""

    def __init__(self, batch: Batch, post: Post) -> None:
        self.batch, self.post = batch, post
        self.content: Content = CONTENT[batch.purpose]
        self.reached = recipients.reach_people(batch.people)
        self.due: datetime | None = None
        self.again = False
        self.texts: dict[tuple[str, str, str], Any] = {}
        self.probe = self.fresh("", post.clock())  # a delivery to nobody: what is read for it holds for all
        config = cities.current(batch.city)
        self.quiet_until = None if batch.life_critical else hours.quiet_until(config, post.clock())

    def look_again(self, at: datetime | None) -> None:
        """At that time, or when it no longer matters: then what is still open is given up."""
        if at is not None and self.post.clock() < self.batch.valid_until:
            self.due = min(at, self.batch.valid_until, self.due or at)

    def fresh(self, person: str, now: datetime) -> Delivery:
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

    def gateway_name(self, each: Try) -> str:
        """The carrier of this try: what policy says, the one that had it before, else the channel's only one."""
        return each.step.gateway or _gateway_of(each) or self.post.channels[each.step.channel].name


def last(delivery: Delivery) -> dict[str, Any] | None:
    """Its latest attempt; None where there was none."""
    attempts = delivery.get("attempts") or {}
    return attempts[max(attempts, key=int)] if attempts else None


def person_of(each: Try) -> str:
    """The id of whom it goes to."""
    return str(each.delivery["recipient"]["id"])


def _gateway_of(each: Try) -> str:
    return str((each.delivery["attempts"].get(str(each.number)) or {}).get("gateway") or "")
