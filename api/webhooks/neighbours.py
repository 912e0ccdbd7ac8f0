"""What members of watch groups without the app answer by a reply code: that they join, and what they see; and by a word that
they know of an alert.
"""

from collections.abc import Callable, Mapping
from typing import Final

from api.services import services
from api.webhooks.answers import Step
from domain.deliveries import service as deliveries
from domain.deliveries.service import Delivery
from domain.errors import DomainError
from domain.reports import believing
from domain.reports.states import Stand
from domain.watch import queries, service
from domain.watch_alerts import service as alerting
from notifications.watch import SEEN_WORDS


def to_invitation(delivery: Delivery, step: Step) -> str:
    """Accept the rules that the invitation names, and join; or not. Which text answers it."""
    group, person = queries.get(delivery["subject"]), delivery["recipient"]["id"]
    if step == Step.DECLINE:
        service.leave(group, person, now=services().clock())
        return "reply_not_joined"
    if queries.membership(group["_id"], person) is None:
        return "reply_group_over"  # said no before, or the invitation was taken back
    service.join(group, person, rules_version=delivery["refs"]["rules"], by_sms=True, now=services().clock())
    return "reply_joined"


def to_report(delivery: Delivery, step: Step) -> str:
    """They see it too, or it is not so. Which text answers it."""
    stand = Stand.DENY if step == Step.DECLINE else Stand.CONFIRM
    believing.speak(delivery["subject"], delivery["recipient"]["id"], stand, session="", now=services().clock())
    services().enqueue("drain", "watch_reports", delivery["subject"])
    return "reply_heard"


def seen(plain: str, person: str | None) -> str | None:
    """They write the word that says that they know of their group's alert: which text answers it. None where it is no such
    word, or nothing was sent to them. Again has the same answer and counts once.
    """
    if person is None or plain.strip(" .!۔").upper() not in SEEN_WORDS:
        return None
    return "reply_seen" if alerting.acknowledge_latest(person, now=services().clock()) else None


ANSWERS: Final[Mapping[str, Callable[[Delivery, Step], str]]] = {
    "group_invited": to_invitation,
    "watch_alert": to_report,
}
"""By the purpose of what is answered."""


def answered(delivery: Delivery, step: Step) -> str:
    """Do what a reply code says; the text that answers it. Again has the same answer and changes nothing."""
    if step not in (Step.ACCEPT, Step.DECLINE):
        return "reply_group_over"
    try:
        said = ANSWERS[delivery["purpose"]](delivery, step)
    except DomainError:
        said = "reply_group_over"
    deliveries.opened(delivery["_id"], now=services().clock())
    return said
