"""Campaigns: a coordinator or the control room informs groups in a series of messages, and sees how far they reach."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from api.admin.scope import audited
from api.blueprint import Blueprint, Call
from api.campaigns import schemas
from api.paging import Listed, cut
from domain import permissions
from domain.alerts import rules as alert_rules
from domain.campaigns import queries, service
from domain.campaigns.errors import CampaignNotFound
from domain.campaigns.queries import Campaign
from domain.campaigns.service import Plan
from domain.cities import queries as cities
from domain.permissions import Target
from domain.watch import queries as watch
from domain.watch.errors import GroupNotFound

blp = Blueprint("campaigns", __name__, url_prefix="/v1/watch/campaigns", description="Groups are informed.")

ALERT: Final = "watch.alert"
SHOWN: Final = 1
"""Rows of a page at most: ten messages in Urdu fit in 8 KiB."""


def _of_staff(call: Call, city: str) -> bool:
    return permissions.reaches(call.who, ALERT, Target(city=city))


def _campaign(call: Call, campaign_id: str) -> Campaign:
    """The campaign, for those who lead one of its groups, and for the control room. Raises CampaignNotFound."""
    doc = queries.get(campaign_id)
    targets = [Target(city=doc["city"], group_id=group) for group in doc["groups"]]
    if not any(permissions.reaches(call.who, ALERT, target) for target in targets):
        raise CampaignNotFound("no such campaign")
    return doc


def _shown(call: Call, doc: Campaign) -> dict[str, Any]:
    reach = service.reach(doc)
    language = call.who.language
    messages = [
        {
            "at": each["at"],
            "alert": each.get("alert"),
            "headline": alert_rules.in_language(each["texts"], language, "headline"),
            **found,
        }
        for each, found in zip(doc["messages"], reach, strict=True)
    ]
    return {**doc, "id": doc["_id"], "k": cities.current(doc["city"]).place_audits_k, "messages": messages}


def _reaches(call: Call, group: Mapping[str, Any]) -> bool:
    return permissions.reaches(call.who, ALERT, Target(city=group["city"], group_id=group["_id"]))


@blp.endpoint(
    "POST ",
    permission=ALERT,
    body=schemas.NewCampaign,
    answer=schemas.CampaignAnswer,
    status=201,
    creates=True,
    also={409: "The key was used for another campaign, or a group was closed.", 429: "Three are under way already."},
)
def plan(call: Call) -> Any:
    """Plan a series of messages to groups that one leads; the control room, to any of its city. On the audit chain."""
    body = call.body
    groups = [watch.get(each) for each in body["groups"]]
    if not all(_reaches(call, group) for group in groups):
        raise GroupNotFound("no such group")
    city, campaign_id = groups[0]["city"], call.new_id("cmp")
    audited(call, city, "campaign.planned", campaign_id)
    wanted = Plan(body["name"], body["groups"], body["messages"], limited=not _of_staff(call, city))
    doc, fresh = service.plan(
        campaign_id, wanted, city=city, by=call.who.person_id, fingerprint=call.fingerprint, now=call.now
    )
    return _shown(call, doc), 201 if fresh else 200


@blp.endpoint("GET ", permission=ALERT, query=schemas.CampaignsQuery, answer=schemas.CampaignAnswer, paged=True)
def list_campaigns(call: Call) -> Any:
    """The campaigns of a group that one leads, the newest first."""
    group = watch.get(call.query["group"])
    if not _reaches(call, group):
        raise GroupNotFound("no such group")
    after, limit = call.after(datetime), min(call.limit, SHOWN)
    rows = queries.of_group(group["_id"], before=after[0] if after else None, limit=limit)
    page, more = cut(rows, limit, "created_at")
    return Listed([_shown(call, row) for row in page], more)


@blp.endpoint("GET /<campaign_id>", permission=ALERT, answer=schemas.CampaignAnswer, etag=True)
def read(call: Call, campaign_id: str) -> Any:
    """One campaign, with how far each message got; never in numbers of fewer than k persons."""
    return _shown(call, _campaign(call, campaign_id))


@blp.endpoint(
    "POST /<campaign_id>/stop", permission=ALERT, answer=schemas.CampaignAnswer, also={409: "Everything has gone out."}
)
def stop(call: Call, campaign_id: str) -> Any:
    """What has not gone out does not. Whoever planned it, or the control room; on the audit chain."""
    doc = _campaign(call, campaign_id)
    service.check_own(doc, call.who.person_id, staff=_of_staff(call, doc["city"]))
    audited(call, doc["city"], "campaign.stopped", campaign_id)
    return _shown(call, service.stop(campaign_id, now=call.now))
