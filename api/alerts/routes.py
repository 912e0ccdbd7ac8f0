"""Public alerts: staff write, issue and withdraw them; everybody reads those in force."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from api.admin.scope import audited, city_of
from api.alerts import schemas
from api.alerts.views import alert_view, row_view
from api.blueprint import Blueprint, Call
from api.paging import Listed, cut
from domain import permissions
from domain.alerts import cap, following, queries, service
from domain.alerts.area import Inside
from domain.alerts.errors import AlertNotFound
from domain.alerts.states import AlertStatus
from domain.cities import queries as cities
from domain.cities.errors import UnknownCity
from domain.permissions import Target

blp = Blueprint("alerts", __name__, url_prefix="/v1/alerts", description="Warnings to the public.")

READ, ISSUE = "alert.read", "alert.issue"
_PUBLIC = frozenset({AlertStatus.ISSUED, AlertStatus.SUPERSEDED, AlertStatus.CANCELLED})


def _is_staff(call: Call, city: str) -> bool:
    return permissions.reaches(call.who, ISSUE, Target(city=city))


def _alert(call: Call, alert_id: str, *, staff: bool = True) -> queries.Alert:
    """The alert: for staff whatever it is, for everybody once it was issued. Raises AlertNotFound."""
    alert = queries.get(alert_id)
    if _is_staff(call, alert["city"]) or (not staff and alert["status"] in _PUBLIC):
        return alert
    raise AlertNotFound("no such alert")


@blp.endpoint("GET ", permission=READ, query=schemas.AlertsQuery, answer=schemas.AlertRow, paged=True, etag=True)
def list_alerts(call: Call) -> Any:
    """The alerts in force in a city, those that end first first; for staff also drafts and what is over."""
    city = call.query.get("city") or call.who.city
    if city not in cities.known():
        raise UnknownCity("no such city")
    if call.query.get("status"):
        call.require_reach(ISSUE, Target(city=city))
        return _history(call, city)
    rows = queries.in_force(city, now=call.now)
    if call.query.get("at"):
        lat, lon = map(float, call.query["at"].split(","))
        rows = [row for row in rows if _is_for(row, following.cell_of(lat, lon))]
    if call.query.get("mine"):
        mine = following.of(call.who.person_id)
        rows = [row for row in rows if _is_mine(row, mine)]
    after = call.after(str)
    ids = [row["_id"] for row in rows]
    start = ids.index(after[0]) + 1 if after and after[0] in ids else 0
    page = rows[start : start + call.limit]
    more = start + call.limit < len(rows)
    return Listed([row_view(row) for row in page], [page[-1]["_id"]] if more and page else None)


def _is_for(alert: Mapping[str, Any], cell: str) -> bool:
    return bool(alert["area"].get("whole_city")) or Inside([alert["area"]["geometry"]])(cell)


def _is_mine(alert: Mapping[str, Any], mine: following.Followed) -> bool:
    if alert["area"].get("whole_city") and following.city_key(alert["city"]) in mine.keys:
        return True
    return mine.device_cell in (alert.get("cells") or []) or any(_is_for(alert, cell) for cell in mine.cells)


def _history(call: Call, city: str) -> Listed:
    status = None if call.query["status"] == "all" else call.query["status"]
    after = call.after(datetime)
    rows = queries.listed(city, before=after[0] if after else None, limit=call.limit, status=status)
    page, more = cut(rows, call.limit, "created_at")
    return Listed([row_view(row) for row in page], more)


@blp.endpoint(
    "POST ",
    permission=ISSUE,
    body=schemas.NewAlert,
    answer=schemas.AlertAnswer,
    status=201,
    creates=True,
    also={409: "The key was used for another alert, or what it updates is not in force."},
)
def write_alert(call: Call) -> Any:
    """Write an alert, as a draft, or with `issue` to go out at once."""
    updates = call.body.get("updates")
    city = _alert(call, updates)["city"] if updates else city_of(call, ISSUE, call.body.get("city"))
    alert_id = call.new_id("alt")
    audited(call, city, "alert.written", alert_id)
    alert, created = service.draft(
        alert_id,
        call.body,
        cities.current(city),
        by=call.who.person_id,
        now=call.now,
        updates=updates,
        fingerprint=call.fingerprint,
    )
    if call.body["issue"]:
        alert = _issue(call, alert)
    return alert_view(alert, call, staff=True), 201 if created else 200


def _issue(call: Call, alert: Mapping[str, Any]) -> dict[str, Any]:
    city, alert_id = alert["city"], alert["_id"]
    if alert["status"] == AlertStatus.DRAFT:
        audited(call, city, "alert.issued", alert_id)
    sender = cap.sender_of(city, call.services.settings.public_url)
    issued = service.issue(alert_id, cities.current(city), sender=sender, by=call.who.person_id, now=call.now)
    call.services.enqueue("drain", "alerts", alert_id)
    return issued


@blp.endpoint("GET /<alert_id>", permission=READ, answer=schemas.AlertAnswer, etag=True)
def get_alert(call: Call, alert_id: str) -> Any:
    """One alert; for staff with how far the telling is."""
    alert = _alert(call, alert_id, staff=False)
    return alert_view(alert, call, staff=_is_staff(call, alert["city"])), 200, alert["version"]


@blp.endpoint(
    "PATCH /<alert_id>",
    permission=ISSUE,
    body=schemas.AlertFields,
    answer=schemas.AlertAnswer,
    also={
        409: "It is no draft any more, or somebody else changed it.",
        412: "If-Match is not the version that stands.",
    },
)
def change_alert(call: Call, alert_id: str) -> Any:
    """Change a draft; what is left out stays."""
    alert = _alert(call, alert_id)
    call.require_match(alert["version"])
    audited(call, alert["city"], "alert.changed", alert_id)
    config = cities.current(alert["city"])
    changed = service.change(alert_id, call.body, config, now=call.now, if_version=alert["version"])
    return alert_view(changed, call, staff=True)


@blp.endpoint(
    "POST /<alert_id>/issue",
    permission=ISSUE,
    answer=schemas.AlertAnswer,
    also={
        409: "It was discarded, or what it updates is not in force.",
        412: "If-Match is not the version that stands.",
    },
)
def issue_alert(call: Call, alert_id: str) -> Any:
    """Publish a draft and tell the people of its area. Again gives the same alert."""
    alert = _alert(call, alert_id)
    if alert["status"] == AlertStatus.DRAFT:
        call.require_match(alert["version"])
    return alert_view(_issue(call, alert), call, staff=True)


@blp.endpoint(
    "POST /<alert_id>/cancel",
    permission=ISSUE,
    body=schemas.CancelAlert,
    answer=schemas.AlertAnswer,
    status=201,
    also={200: "It was withdrawn already: the same cancel.", 409: "The alert is not in force."},
)
def cancel_alert(call: Call, alert_id: str) -> Any:
    """Withdraw an alert: answers with the cancel, an alert of its own that goes to everybody who was told."""
    alert = _alert(call, alert_id)
    city = alert["city"]
    audited(call, city, "alert.cancelled", alert_id)
    cancel, created = service.cancel(
        alert_id,
        cities.current(city),
        by=call.who.person_id,
        now=call.now,
        sender=cap.sender_of(city, call.services.settings.public_url),
        reasons=call.body.get("reason") or {},
    )
    call.services.enqueue("drain", "alerts", cancel["_id"])
    return alert_view(cancel, call, staff=True), 201 if created else 200


@blp.endpoint("DELETE /<alert_id>", permission=ISSUE, status=204, also={409: "It was issued: cancel it."})
def discard_alert(call: Call, alert_id: str) -> Any:
    """Throw a draft away."""
    alert = _alert(call, alert_id)
    audited(call, alert["city"], "alert.discarded", alert_id)
    service.discard(alert_id, now=call.now)
    call.services.enqueue("drain", "alerts", alert_id)
    return None, 204
