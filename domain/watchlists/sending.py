"""What a confirmed hit becomes: an incident where the camera stands, dispatched as an SOS is; or, while one of the same
vehicle goes on, the next line of that one.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from domain.incidents import service as incidents
from domain.incidents.calls import CallForHelp, facts
from domain.incidents.draft import Draft
from domain.incidents.errors import IncidentNotFound
from domain.incidents.service import Incident
from domain.incidents.states import IncidentStatus
from domain.watchlists import queries, readings
from domain.watchlists.queries import Entry, Hit, entries, hits
from domain.watchlists.rules import why_over
from domain.watchlists.states import CATEGORY, HitStatus, ListReason

CHANNEL: Final = "watchlist"
SAME_CHASE: Final = timedelta(hours=2)
CAMERA_SEES_M: Final = 50.0
TRIES: Final = 5
"""So many hits on one entry may take the lead at once, each after the incident of the one before it was closed."""


def send(hit_id: str, *, secret: str, link_ttl: timedelta, now: datetime) -> Incident | None:
    """The incident of a confirmed hit, the same one however often this runs. None where a human did not say yes, or
    nobody looks for the vehicle any more: then the hit says why.
    """
    hit = queries.hit(hit_id)
    if hit["status"] != HitStatus.CONFIRMED:
        return None
    if hit.get("incident"):
        return incidents.get(hit["incident"])
    entry = entries().find_one({"_id": hit["entry"]}) or {}
    if why := why_over(entry, now):
        readings.not_sent(hit, why)
        return None
    own = partial(_own, entry=entry, secret=secret, link_ttl=link_ttl, now=now)
    incident = _going_on(hit) or _led(hit, entry, own)
    incident = incidents.change(incident["_id"], lambda draft: _seen(draft, hit), now=now)
    hits().update_one({"_id": hit_id}, {"$set": {"incident": incident["_id"]}, "$inc": {"version": 1}})
    return incident


def _going_on(hit: Hit) -> Incident | None:
    """The incident of another hit on the same entry, while it is not closed."""
    for other in queries.hits_on(hit["entry"], since=hit["at"] - SAME_CHASE):
        if other.get("incident"):
            try:
                found = incidents.get(other["incident"])
            except IncidentNotFound:  # its time to be kept was over
                continue
            if found["status"] != IncidentStatus.CLOSED:
                return found
    return None


def _led(hit: Hit, entry: Entry, own: Callable[[Hit], Incident]) -> Incident:
    """The incident of the hit that leads the chase of an entry: this one, or one that a human confirmed at the same moment.

    Of two at once one takes the lead, by a conditional write. The other raises the leader's incident, which is the same one
    whoever raises it, so that nobody waits for somebody who may have died.
    """
    for _ in range(TRIES):
        leads = entry.get("chase")
        if leads is not None and (found := _incident_of(leads, hit, own)):
            return found
        if entries().update_one({"_id": entry["_id"], "chase": leads}, {"$set": {"chase": hit["_id"]}}).matched_count:
            break
        entry = entries().find_one({"_id": entry["_id"]}) or entry
    return own(hit)


def _incident_of(leads: str, hit: Hit, own: Callable[[Hit], Incident]) -> Incident | None:
    """What the leader's is, while that goes on; None where it is over, or of another chase."""
    if leads == hit["_id"]:
        return own(hit)
    leader = hits().find_one({"_id": leads, "at": {"$gte": hit["at"] - SAME_CHASE}})
    if leader is None:
        return None
    with suppress(IncidentNotFound):
        found = incidents.get(leader["incident"]) if leader.get("incident") else own(leader)
        return found if found["status"] != IncidentStatus.CLOSED else None
    return None


def _own(hit: Hit, entry: Entry, *, secret: str, link_ttl: timedelta, now: datetime) -> Incident:
    place: dict[str, Any] = {
        **hit["position"],
        "accuracy_m": CAMERA_SEES_M,
        "captured_at": hit["at"],
        "source": "camera",
    }
    call = CallForHelp(
        channel=CHANNEL,
        position=place,
        verified=True,
        category=CATEGORY[ListReason(entry["why"])],
        note=". ".join(part for part in (entry["plate"], entry["description"]) if part),
        key=f"{hit['_id']}:confirmed-watchlist-hit",
        city=hit["city"],
    )
    found = replace(facts(call, now=now), about={"hit": hit["_id"]})
    return incidents.raise_sos(found, now=now, secret=secret, link_ttl=link_ttl, merge=False).incident


def _seen(draft: Draft, hit: Hit) -> None:
    known = (each.get("hit") for each in draft.doc.get("timeline") or [] if each["kind"] == "plate_seen")
    if hit["_id"] not in known:
        draft.entry("plate_seen", hit=hit["_id"], camera=hit["camera"], observation=hit["observation"])
