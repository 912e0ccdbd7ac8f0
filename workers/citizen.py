"""Reactions that tell a citizen how her SOS stands. What her phone gets follows from her own view of it alone
(`domain/incidents/projection.py`), which does not know of duress: neither whether it is told, nor how loud it is.

Each telling has a key made of ids, so a reaction that runs again tells nobody twice.
"""

from datetime import timedelta

from domain.deliveries.service import Recipient, Telling
from domain.incidents import seen
from domain.incidents import service as incidents
from domain.incidents.projection import is_quiet, stands_still
from domain.outbox import Event
from notifications.fanout import tell
from workers.context import Context

NEWS_MATTERS = timedelta(hours=2)

_HEARS = {
    "assignment.accepted": "acknowledged",
    "assignment.en_route": "en_route",
    "assignment.on_scene": "on_scene",
    "incident.closed": "closed",
}


_GOES_ON = frozenset(_HEARS.values()) - {"closed"}


def how_it_stands(event: Event, context: Context) -> None:
    """The citizen hears that somebody has it, is on the way, is there; and so do those whose SOS were merged into it, each
    by their own. Nothing rings on a silent SOS: push alone.

    Of a merged SOS nothing is over when it closes: help comes by the other incident, and its citizen hears how that stands.
    """
    doc = incidents.get(event["subject"])
    into = seen.merged_into(doc)
    status = _HEARS[event["type"]]
    if into is not None:
        if event["type"] != "incident.closed" or into["status"] not in _GOES_ON:
            return
        status = into["status"]
    target = into or doc
    told: set[str] = set()
    tellings = []
    for each in [doc, *seen.merged_here(doc)]:
        person = (each.get("citizen") or {}).get("person")
        merged = each["_id"] != target["_id"]
        if not person or person in told or stands_still(each, target if merged else None):
            continue
        told.add(person)
        rings = status == "acknowledged" and not is_quiet(each)
        tellings.append(
            Telling(
                key=f"{event['id']}-{each['_id']}" if each is not doc else event["id"],
                city=each["city"],
                purpose="incident_updated",
                subject=each["_id"],
                recipient=Recipient("person", person),
                plan=["fcm", "sms"] if rings else ["fcm"],
                valid_for=NEWS_MATTERS,
                refs={"status": status, **({"into": target["_id"]} if merged else {})},
                receipt_wait_s=15,
            )
        )
    tell(tellings, context.post)


def message(event: Event, context: Context) -> None:
    """The control room wrote to the citizen: a quiet push that something is there. Her own words go to the screens."""
    doc = incidents.get(event["subject"])
    citizen = doc.get("citizen") or {}
    written = next((each for each in citizen.get("messages") or [] if each["id"] == event["message"]), None)
    if written is None or written["from"] != "control_room" or not citizen.get("person") or citizen.get("cancel"):
        return
    tell(
        [
            Telling(
                key=event["message"],
                city=doc["city"],
                purpose="incident_updated",
                subject=doc["_id"],
                recipient=Recipient("person", citizen["person"]),
                plan=["fcm"],
                valid_for=NEWS_MATTERS,
                refs={"status": doc["status"]},
                receipt_wait_s=15,
            )
        ],
        context.post,
    )
