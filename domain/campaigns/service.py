"""Planning and stopping a campaign, and letting its messages out. A message goes out as an alert of its groups, under an id
that is derived from it: however often the step runs, and wherever it dies, it goes out once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain.campaigns import queries, rules
from domain.campaigns.errors import CampaignInvalid, CampaignNotFound, CampaignOver, TooManyCampaigns
from domain.campaigns.queries import Campaign, campaigns, get
from domain.campaigns.states import CampaignStatus
from domain.cities import hours
from domain.cities import queries as cities
from domain.errors import Conflict
from domain.ids import derived_id
from domain.watch import queries as watch
from domain.watch.states import GroupStatus
from domain.watch_alerts import queries as watch_alerts
from domain.watch_alerts import service as alerts
from domain.watch_alerts.errors import WatchAlertInvalid
from domain.watch_alerts.service import Words

MOST_UNDER_WAY: Final = 3
MATTERS: Final = timedelta(days=1)
"""How long a phone that is away may still get a message."""
_UNDER_WAY: Final = str(CampaignStatus.UNDER_WAY)


@dataclass(frozen=True)
class Plan:
    """A series: each message has `at` and `texts` (language → {headline, instruction}). `limited` as in an alert's words."""

    name: str
    groups: Sequence[str]
    messages: Sequence[Mapping[str, Any]]
    limited: bool = True


def plan(
    campaign_id: str, wanted: Plan, *, city: str, by: str, fingerprint: str, now: datetime
) -> tuple[Campaign, bool]:
    """(campaign, whether it is new). The same id again is the same one; with another body it is a Conflict. Raises
    CampaignInvalid, TooManyCampaigns, GroupClosed.
    """
    held = campaigns().find_one({"_id": campaign_id})
    fresh = held is None
    if held is None:
        rules.check_times([each["at"] for each in wanted.messages], now=now)
        if queries.under_way(by, limit=MOST_UNDER_WAY) >= MOST_UNDER_WAY:
            raise TooManyCampaigns("let one of them end first", retry_after=86_400)
        held = {
            "_id": campaign_id,
            "city": city,
            "groups": [group["_id"] for group in alerts.audience(city, Words(texts={}, groups=wanted.groups))],
            "name": wanted.name,
            "messages": [{"at": each["at"], "texts": _texts(each, wanted)} for each in wanted.messages],
            "status": _UNDER_WAY,
            "by": by,
            "limited": wanted.limited,
            "due_at": wanted.messages[0]["at"],
            "fingerprint": fingerprint,
            "created_at": now,
            "changed_at": now,
            "version": 1,
        }
        try:
            campaigns().insert_one(held)
        except DuplicateKeyError:
            held, fresh = get(campaign_id), False
    if held["fingerprint"] != fingerprint or held["by"] != by:
        raise Conflict("this key was used for another campaign", code="idempotency_conflict")
    return held, fresh


def _texts(message: Mapping[str, Any], wanted: Plan) -> dict[str, dict[str, str]]:
    try:
        return alerts.plain_texts(Words(texts=message["texts"], limited=wanted.limited))
    except WatchAlertInvalid as error:
        said = sorted({each for found in error.data["errors"].values() for each in found})
        raise CampaignInvalid(error.detail, errors={"messages": said}) from error


def stop(campaign_id: str, *, now: datetime) -> Campaign:
    """What has not gone out does not. Again is harmless. Raises CampaignOver where everything has."""
    found = campaigns().find_one_and_update(
        {"_id": campaign_id, "status": _UNDER_WAY},
        {
            "$set": {"status": str(CampaignStatus.STOPPED), "changed_at": now},
            "$unset": {"due_at": ""},
            "$inc": {"version": 1},
        },
        return_document=ReturnDocument.AFTER,
    )
    found = found or get(campaign_id)
    if found["status"] == CampaignStatus.OVER:
        raise CampaignOver("everything has gone out", current=found["status"])
    return found


def let_out(campaign_id: str, *, secret: str, now: datetime) -> str:
    """Let out the message whose time has come: the alert that it became, "" where there is none now. By night it waits for
    the morning; groups that were closed meanwhile, or that its author leads no more, are left out. Twice is harmless.
    """
    doc = get(campaign_id)
    if doc["status"] != _UNDER_WAY or not doc.get("due_at") or doc["due_at"] > now:
        return ""
    number = next((at for at, each in enumerate(doc["messages"]) if not each.get("alert")), None)
    wakes = hours.quiet_until(cities.current(doc["city"]), now)
    if wakes is not None and number is not None:
        put_off(campaign_id, doc["due_at"], until=wakes)
        return ""
    open_groups = [group["_id"] for group in watch.some(doc["groups"]) if _still(doc, group)]
    if number is None or not open_groups:
        _write(doc, doc["messages"], None, now)
        return ""
    alert_id = derived_id("wal", campaign_id, str(number))
    alerts.issue(
        alert_id,
        Words(
            texts=doc["messages"][number]["texts"],
            groups=open_groups,
            campaign=campaign_id,
            limited=False,
            expires=now + MATTERS,
        ),
        city=doc["city"],
        by=doc["by"],
        fingerprint=campaign_id,
        secret=secret,
        now=now,
    )
    messages = [{**each, "alert": alert_id} if at == number else each for at, each in enumerate(doc["messages"])]
    _write(doc, messages, messages[number + 1]["at"] if number + 1 < len(messages) else None, now)
    return alert_id


def _still(doc: Campaign, group: Mapping[str, Any]) -> bool:
    """Whether a group hears the next message: it is not closed, and whoever planned it still may."""
    if group["status"] != GroupStatus.ACTIVE:
        return False
    return not doc["limited"] or any(row["person"] == doc["by"] for row in watch.leaders(group["_id"]))


def _write(doc: Campaign, messages: list[Any], due: datetime | None, now: datetime) -> None:
    change: dict[str, Any] = {"$set": {"messages": messages, "changed_at": now}, "$inc": {"version": 1}}
    if due is None:
        change["$set"]["status"] = str(CampaignStatus.OVER)
        change["$unset"] = {"due_at": ""}
    else:
        change["$set"]["due_at"] = due
    campaigns().update_one({"_id": doc["_id"], "version": doc["version"], "status": _UNDER_WAY}, change)


def put_off(campaign_id: str, due: datetime, *, until: datetime) -> None:
    """It is looked at again later."""
    campaigns().update_one({"_id": campaign_id, "due_at": due}, {"$set": {"due_at": until}})


def reach(doc: Campaign) -> list[dict[str, int]]:
    """How far each message that went out got, in numbers of k persons and more (`place_audits_k` of the city)."""
    sent = {row["_id"]: row for row in watch_alerts.of_campaign(doc["_id"])}
    progresses = []
    for each in doc["messages"]:
        row = sent.get(each.get("alert") or "") or {}
        people = (row.get("broadcast") or {}).get("people") or 0
        progresses.append({**(row.get("progress") or {}), "people": people})
    return rules.reach(progresses, cities.current(doc["city"]).place_audits_k)


def forget(person: str) -> None:
    """Somebody asked to be forgotten: what they planned goes no further, and does not know them."""
    gone = {"status": str(CampaignStatus.STOPPED), "by": "erased"}
    campaigns().update_many({"by": person, "status": _UNDER_WAY}, {"$set": gone, "$unset": {"due_at": ""}})
    campaigns().update_many({"by": person}, {"$set": {"by": "erased"}})


def check_own(doc: Campaign, person: str, *, staff: bool) -> None:
    """Raise CampaignNotFound unless it is theirs, or they are of the control room."""
    if doc["by"] != person and not staff:
        raise CampaignNotFound("no such campaign")
