"""Issuing, acknowledging and withdrawing alerts of watch groups. Each is one conditional write; those who hear it are found
and told in batches afterwards, so that a worker that dies leaves nobody out and nobody is told twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import shapely
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError
from shapely.geometry import shape

from domain.alerts import batches
from domain.alerts import rules as alert_rules
from domain.deliveries import service as deliveries
from domain.deliveries.service import Delivery, Recipient, Telling, delivery_id
from domain.errors import Conflict, NotFound
from domain.limits import service as limits
from domain.reports.wording import held_for
from domain.watch import queries as watch
from domain.watch.errors import GroupClosed
from domain.watch.queries import Group
from domain.watch.states import GroupStatus
from domain.watch_alerts import queries
from domain.watch_alerts.errors import WatchAlertInvalid, WatchAlertOver
from domain.watch_alerts.queries import WatchAlert, get, touched, watch_alerts
from domain.watch_alerts.states import WatchAlertStatus

PURPOSE: Final = "group_alert"
USUAL: Final = timedelta(hours=6)
LONGEST: Final = timedelta(days=3)
MOST_GROUPS: Final = 50
A_DAY: Final = 10
"""Alerts of one coordinator or deputy, and of them so many urgent ones: each may send an SMS to everybody."""
URGENT_A_DAY: Final = 3
LOOKED_AT: Final = 20
"""So many of the newest alerts of somebody's groups are looked at for one that they acknowledge by SMS."""
PARTS: Final = ("headline", "instruction")


@dataclass(frozen=True)
class Words:
    """What is to be told. Exactly one of `groups` and `around` ({lat, lon, radius_m}); `texts`: language → {headline,
    instruction}.
    """

    texts: Mapping[str, Mapping[str, str]]
    groups: Sequence[str] = ()
    around: Mapping[str, float] | None = None
    urgent: bool = False
    expires: datetime | None = None
    campaign: str = ""
    limited: bool = field(default=True)
    """Of a coordinator: counted by day, and read by the rules of reports. The control room is neither."""


def audience(city: str, wanted: Words) -> list[Group]:
    """The groups whose members hear it. Raises WatchAlertInvalid for none, GroupClosed, GroupNotFound."""
    if bool(wanted.groups) == bool(wanted.around):
        raise WatchAlertInvalid("to whom", errors={"groups": ["Exactly one of groups and around."]})
    if wanted.around:
        at = wanted.around
        found = touched(city, at["lat"], at["lon"], at["radius_m"], limit=MOST_GROUPS)
        if not found:
            raise WatchAlertInvalid("nobody there", errors={"around": ["No watch group's area is there."]})
        return found
    found = [watch.get(each) for each in sorted(set(wanted.groups))]
    for group in found:
        if group["status"] != GroupStatus.ACTIVE:
            raise GroupClosed("the group was closed", current=group["status"])
        if group["city"] != city:
            raise WatchAlertInvalid("another city", errors={"groups": ["All of one city."]})
    return found


def lies_in(group: Group, around: Mapping[str, float]) -> bool:
    """Whether the middle of a circle lies in a group's area."""
    return bool(shapely.intersects(shape(group["area"]), shapely.Point(around["lon"], around["lat"])))


def issue(
    alert_id: str, wanted: Words, *, city: str, by: str, fingerprint: str, secret: str, now: datetime
) -> tuple[WatchAlert, bool]:
    """(alert, whether it is new): from now on its people are found and told. The same id again is the same alert; with
    another body it is a Conflict. Raises WatchAlertInvalid, GroupClosed, LimitReached.
    """
    held = watch_alerts().find_one({"_id": alert_id})
    fresh = held is None
    if held is None:
        held = _document(alert_id, wanted, city=city, by=by, fingerprint=fingerprint, now=now)
        if wanted.limited:
            limits.take(secret, "watch_alert", by, limit=A_DAY, window_s=86_400, now=now)
        if wanted.limited and wanted.urgent:
            limits.take(secret, "watch_alert_urgent", by, limit=URGENT_A_DAY, window_s=86_400, now=now)
        try:
            watch_alerts().insert_one(held)
        except DuplicateKeyError:
            held, fresh = get(alert_id), False
    if held["fingerprint"] != fingerprint or held["by"] != by:
        raise Conflict("this key was used for another alert", code="idempotency_conflict")
    return held, fresh


def _document(alert_id: str, wanted: Words, *, city: str, by: str, fingerprint: str, now: datetime) -> WatchAlert:
    expires = wanted.expires or now + USUAL
    if not now < expires <= now + LONGEST:
        raise WatchAlertInvalid("the times do not fit", errors={"expires": [f"Ahead, at most {LONGEST.days} days."]})
    made: WatchAlert = {
        "_id": alert_id,
        "city": city,
        "groups": [group["_id"] for group in audience(city, wanted)],
        "texts": plain_texts(wanted),
        "urgent": wanted.urgent,
        "by": by,
        "status": str(WatchAlertStatus.ISSUED),
        "issued_at": now,
        "expires": expires,
        "changed_at": now,
        "fingerprint": fingerprint,
        "version": 1,
        "broadcast": {"state": "finding", "cursor": "", "pages": 0, "people": 0},
        "broadcast_due": now,
    }
    if wanted.around:
        made["around"] = {name: float(wanted.around[name]) for name in ("lat", "lon", "radius_m")}
    if wanted.campaign:
        made["campaign"] = wanted.campaign
    return made


def plain_texts(wanted: Words) -> dict[str, dict[str, str]]:
    """The words as they are kept: plain, with a headline in a language at least. Raises WatchAlertInvalid."""
    texts = {
        language: {name: plain for name in PARTS if (plain := alert_rules.plain((written or {}).get(name) or ""))}
        for language, written in wanted.texts.items()
    }
    texts = {language: written for language, written in texts.items() if written}
    errors = {f"texts.{language}.headline": ["Needed."] for language, each in texts.items() if "headline" not in each}
    if not texts:
        errors = {"texts": ["In a language at least."]}
    if wanted.limited:
        for language, written in texts.items():
            for name, text in written.items():
                if found := held_for(text):
                    errors[f"texts.{language}.{name}"] = [f"This does not go to all: {', '.join(found)}."]
    if errors:
        raise WatchAlertInvalid("it cannot go out so", errors=errors)
    return texts


def is_over(alert: Mapping[str, Any], now: datetime) -> bool:
    """Whether nobody need hear of it any more."""
    return alert["status"] != WatchAlertStatus.ISSUED or bool(alert["expires"] <= now)


def withdraw(alert_id: str, *, now: datetime) -> WatchAlert:
    """Take it back: who was not told yet is not. Again is harmless."""
    found = watch_alerts().find_one_and_update(
        {"_id": alert_id, "status": str(WatchAlertStatus.ISSUED)},
        {"$set": {"status": str(WatchAlertStatus.WITHDRAWN), "changed_at": now}, "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )
    return found or get(alert_id)


def acknowledge(alert_id: str, person: str, *, now: datetime) -> bool:
    """A member says that they know of it: kept on what was sent to them, and counted. False where nothing was sent to
    them, which is no error: a member who came later reads it too. Again is harmless. Raises WatchAlertOver.
    """
    alert = get(alert_id)
    if alert["status"] != WatchAlertStatus.ISSUED:
        raise WatchAlertOver("it was withdrawn", current=alert["status"])
    try:
        batch = deliveries.acknowledged(_sent_as(alert, person), now=now)
    except NotFound:
        return False
    batches.count_again(batch, now=now)
    return True


def acknowledge_latest(person: str, *, now: datetime) -> bool:
    """A member without the app says that they know: of the newest alert in force that was sent to them and that they did not
    say it of before. True as well where they said it of all of them; False where nothing was sent to them.
    """
    rows = queries.of_groups(watch.joined(person), before=None, limit=LOOKED_AT)
    sent = [_delivered(row, person) for row in rows if not is_over(row, now)]
    held = [each for each in sent if each is not None]
    waits = next((each for each in held if not each.get("acknowledged_at")), None)
    if waits is not None:
        batches.count_again(deliveries.acknowledged(waits["_id"], now=now), now=now)
    return bool(held)


def _delivered(alert: Mapping[str, Any], person: str) -> Delivery | None:
    """What of it was sent to somebody."""
    try:
        return deliveries.get(_sent_as(alert, person))
    except NotFound:
        return None


def has_acknowledged(alert: Mapping[str, Any], person: str) -> bool:
    """Whether somebody said that they know of it."""
    return bool((_delivered(alert, person) or {}).get("acknowledged_at"))


def _sent_as(alert: Mapping[str, Any], person: str) -> str:
    """The id of what is sent to somebody."""
    key, recipient = str(alert["_id"]), Recipient("person", person)
    return delivery_id(Telling(key, alert["city"], PURPOSE, key, recipient, (), timedelta(0)))


def forget(person: str) -> None:
    """Somebody asked to be forgotten: what they issued stays with the group, and does not know them."""
    watch_alerts().update_many({"by": person}, {"$set": {"by": "erased"}})
