"""From a journey to its SOS: derived from the journey by key, so that it is one however often the step runs.

What was told openly makes an ordinary SOS with the track so far. What a duress PIN set off makes one of which neither
the phone nor a guardian ever learns.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from domain.cities import queries as cities
from domain.geo import cells
from domain.incidents import rules as incident_rules
from domain.incidents import service as incidents
from domain.incidents.calls import CallForHelp, facts
from domain.incidents.service import Incident
from domain.journeys import service
from domain.journeys.queries import Journey
from domain.journeys.states import Reason
from domain.people.documents import PersonDoc
from domain.tracks import service as tracks

CATEGORY: Final = "not_arrived"
"""The city's category for it; a city without one has its default."""
_FIELDS: Final = ("phone", "language")


def raise_incident(doc: Journey, reason: Reason, *, secret: str, link_ttl: timedelta, now: datetime) -> Incident:
    """The journey's SOS, made if it is not there; its track copied; the journey told which it is. Runs twice alike."""
    hidden = reason is Reason.DURESS
    openly = (doc.get("sos") or {}).get("incident")
    if hidden and openly:  # it is an SOS already, openly: that one rises, and the phone goes on seeing it as it was
        return _forced(openly, now)
    person: Any = PersonDoc.objects(id=doc["person"], erased_at=None).only(*_FIELDS).first()
    found = facts(
        CallForHelp(
            channel="journey",
            position=_position(doc.get("position")),
            phone=person.phone if person else None,
            person=doc["person"],
            verified=True,
            category=CATEGORY,
            silent=hidden or bool(doc.get("silent")),
            battery_pct=doc.get("battery_pct"),
            note=_note(doc),
            language=person.language if person else None,
            key=f"{doc['_id']}:{'hidden' if hidden else 'open'}",
            city=doc["city"],
        ),
        now=now,
    )
    found = replace(found, about={"journey": doc["_id"]})
    if hidden:
        found = replace(found, hidden=True, severity="Extreme", flags=(*found.flags, "duress"))
    raised = incidents.raise_sos(found, now=now, secret=secret, link_ttl=link_ttl, merge=False)
    tracks.copy(doc["_id"], raised.incident["_id"], city=doc["city"])
    service.note_incident(doc["_id"], hidden, raised.incident["_id"])
    if not hidden and doc.get("hidden"):  # she was forced before: whoever comes must know, and the phone must not
        return _forced(raised.incident["_id"], now)
    return raised.incident


def _forced(incident_id: str, now: datetime) -> Incident:
    return incidents.change(incident_id, lambda draft: incident_rules.duress(draft, by=None, hide=False), now=now)


def pass_on(doc: Journey, *, now: datetime) -> list[str]:
    """Give the SOS that a journey became the positions that came since. Returns their ids."""
    told = [each["incident"] for name in ("sos", "hidden") if (each := doc.get(name) or {}).get("incident")]
    place = _position(doc.get("position"))
    for incident_id in told:
        tracks.copy(doc["_id"], incident_id, city=doc["city"], since=now - timedelta(hours=1))
        if place:
            found = cells(place["lat"], place["lon"])
            where = {"r5": found.r5, "r7": found.r7, "r9": found.r9}
            position = {**place, "received_at": doc["position"]["at"]}
            incidents.change(
                incident_id,
                lambda draft, position=position, where=where: incident_rules.move(draft, position, where),  # type: ignore[misc]
                now=now,
            )
    return told


def _position(position: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not position:
        return None
    return {
        "lat": position["lat"],
        "lon": position["lon"],
        "accuracy_m": position.get("accuracy_m"),
        "captured_at": position.get("captured_at") or position["at"],
        "source": "app",
    }


def _note(doc: Journey) -> str:
    """What whoever comes should know: where she was going and since when she is missed; then her own words."""
    zone = cities.current(doc["city"]).zone
    goal = doc["destination"]
    lines = [
        f"Journey to {goal.get('name') or 'a place'} ({goal['lat']:.5f}, {goal['lon']:.5f}), "
        f"expected {doc['expected_arrival'].astimezone(zone):%H:%M}.",
        f"Last heard {doc['heard_at'].astimezone(zone):%H:%M}.",
        doc.get("note") or "",
    ]
    return "\n".join(line for line in lines if line)
