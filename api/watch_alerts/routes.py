"""Alerts of watch groups: a coordinator, a deputy or the control room warns members, and sees how many know of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from api.admin.scope import audited
from api.blueprint import Blueprint, Call
from api.paging import Listed, cut
from api.watch_alerts import schemas
from domain import permissions
from domain.campaigns.rules import told
from domain.cities import queries as cities
from domain.deliveries.bulk import COUNTED
from domain.errors import NotFound
from domain.permissions import Target
from domain.watch import queries as watch
from domain.watch import settled
from domain.watch.errors import GroupNotFound
from domain.watch.states import Standing
from domain.watch_alerts import queries, service
from domain.watch_alerts.errors import WatchAlertInvalid, WatchAlertNotFound
from domain.watch_alerts.queries import WatchAlert
from domain.watch_alerts.service import Words

blp = Blueprint("watch_alerts", __name__, url_prefix="/v1/watch/alerts", description="A group warns its members.")

READ, ALERT = "watch.read", "watch.alert"
SHOWN: Final = 4
"""Rows of a page at most: in two languages they fit in 8 KiB."""


def _of_staff(call: Call, city: str) -> bool:
    return permissions.reaches(call.who, ALERT, Target(city=city))


def _leads(call: Call, alert: Mapping[str, Any]) -> bool:
    """Whether the caller may see how far it got: of one of its groups, or of the city."""
    targets = [Target(city=alert["city"], group_id=group) for group in alert["groups"]]
    return any(permissions.reaches(call.who, ALERT, target) for target in targets)


def _shown(call: Call, alert: WatchAlert) -> dict[str, Any]:
    view = {**alert, "id": alert["_id"], "progress": None}
    view["acknowledged"] = service.has_acknowledged(alert, call.who.person_id)
    if _leads(call, alert):
        counts = alert.get("progress") or {}
        broadcast = alert.get("broadcast") or {}
        found = {**{name: int(counts.get(name, 0)) for name in COUNTED}, "people": int(broadcast.get("people") or 0)}
        if alert.get("campaign"):  # told as the campaign tells it
            k = cities.current(alert["city"]).place_audits_k
            found = {name: told(number, k) for name, number in found.items()}
        view["progress"] = {**found, "state": broadcast.get("state") or ""}
    return view


def _seen(call: Call, alert_id: str) -> WatchAlert:
    """The alert, for members of its groups, those who lead one, and the control room. Raises WatchAlertNotFound."""
    alert = queries.get(alert_id)
    if _leads(call, alert) or set(watch.joined(call.who.person_id)) & set(alert["groups"]):
        return alert
    raise WatchAlertNotFound("no such alert")


@blp.endpoint(
    "POST ",
    permission=ALERT,
    body=schemas.NewWatchAlert,
    answer=schemas.WatchAlertAnswer,
    status=201,
    creates=True,
    also={
        403: "A circle reaches groups that the caller does not lead, and theirs, or their account, is too new (`not_settled`).",
        409: "The key was used for another alert, or a group was closed.",
        429: "More than ten in a day.",
    },
)
def issue(call: Call) -> Any:
    """Warn the members of watch groups, by name or in a circle. It goes out at once; on the audit chain.

    What is about a circle is told in groups that the caller does not lead as well, once theirs has stood for some days.
    """
    body = call.body
    city, limited = _where(call)
    alert_id = call.new_id("wal")
    audited(call, city, "watch_alert.issued", alert_id)
    alert, fresh = service.issue(
        alert_id,
        Words(
            texts=body["texts"],
            groups=body.get("groups") or (),
            around=body.get("around"),
            urgent=body["urgent"],
            expires=body.get("expires"),
            limited=limited,
        ),
        city=city,
        by=call.who.person_id,
        fingerprint=call.fingerprint,
        secret=call.services.settings.signing_key,
        now=call.now,
    )
    call.services.enqueue("broadcast", alert_id)
    return _shown(call, alert), 201 if fresh else 200


def _where(call: Call) -> tuple[str, bool]:
    """(city, whether the caller is limited as a coordinator is). Raises NotFound for groups that the caller leads not."""
    around = call.body.get("around")
    if around:
        city = cities.city_at(around["lat"], around["lon"])
        if city is None:
            raise WatchAlertInvalid("in no city", errors={"around": ["In no city that Amaan knows."]})
        if _of_staff(call, city):
            return city, False
        led = [group for group in watch.at(city, around["lat"], around["lon"]) if _reaches(call, group)]
        if not led:
            raise GroupNotFound("no group of yours is there")
        told = queries.touched(city, around["lat"], around["lon"], around["radius_m"], limit=service.MOST_GROUPS)
        if not all(_reaches(call, group) for group in told):
            settled.check(call.who.person_id, led, say="name your own groups, or ask the control room", now=call.now)
        return city, True
    found = [watch.get(each) for each in call.body.get("groups") or []]
    if not found:
        raise WatchAlertInvalid("to whom", errors={"groups": ["Exactly one of groups and around."]})
    for group in found:
        if not _reaches(call, group):
            raise GroupNotFound("no such group")
    return found[0]["city"], not _of_staff(call, found[0]["city"])


def _reaches(call: Call, group: Mapping[str, Any]) -> bool:
    return permissions.reaches(call.who, ALERT, Target(city=group["city"], group_id=group["_id"]))


@blp.endpoint("GET ", permission=READ, query=schemas.WatchAlertsQuery, answer=schemas.WatchAlertAnswer, paged=True)
def list_alerts(call: Call) -> Any:
    """What was told to one's groups, or to one of them, the newest first."""
    wanted = call.query.get("group")
    ids = [wanted] if wanted else watch.joined(call.who.person_id)
    if wanted:
        held = watch.membership(wanted, call.who.person_id)
        if not (held and held["standing"] == Standing.MEMBER) and not _reaches(call, watch.get(wanted)):
            raise NotFound("no such group", code="group_not_found")
    after, limit = call.after(datetime), min(call.limit, SHOWN)
    rows = queries.of_groups(ids, before=after[0] if after else None, limit=limit)
    page, more = cut(rows, limit, "issued_at")
    return Listed([_shown(call, row) for row in page], more)


@blp.endpoint("GET /<alert_id>", permission=READ, answer=schemas.WatchAlertAnswer, etag=True)
def read(call: Call, alert_id: str) -> Any:
    """One alert; for those who lead a group of it, with how far it got."""
    return _shown(call, _seen(call, alert_id))


@blp.endpoint(
    "POST /<alert_id>/acknowledge",
    permission=READ,
    answer=schemas.WatchAlertAnswer,
    also={409: "It was withdrawn."},
)
def acknowledge(call: Call, alert_id: str) -> Any:
    """Say that one knows of it; counted once, of those to whom it was sent."""
    alert = _seen(call, alert_id)
    service.acknowledge(alert_id, call.who.person_id, now=call.now)
    return _shown(call, alert)


@blp.endpoint("POST /<alert_id>/withdraw", permission=ALERT, answer=schemas.WatchAlertAnswer)
def withdraw(call: Call, alert_id: str) -> Any:
    """Take an alert back: who was not told yet is not. Whoever issued it, or the control room. On the audit chain."""
    alert = _seen(call, alert_id)
    if alert["by"] != call.who.person_id and not _of_staff(call, alert["city"]):
        raise WatchAlertNotFound("not yours")
    audited(call, alert["city"], "watch_alert.withdrawn", alert_id)
    return _shown(call, service.withdraw(alert_id, now=call.now))
