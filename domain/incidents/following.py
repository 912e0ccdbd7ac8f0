"""What comes after an SOS from its phone: where it is now, words, and who may look on.

After a cancel the answers are the same whichever PIN it was: they are decided by the time of the cancel alone.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from domain import geo
from domain.errors import Conflict
from domain.ids import derived_id, token_hash
from domain.incidents import rules
from domain.incidents import service as incidents
from domain.incidents.draft import Draft
from domain.incidents.errors import TooBusy
from domain.incidents.service import Incident
from domain.tracks import service as tracks


def positions(
    doc: Incident,
    points: Sequence[Mapping[str, Any]],
    *,
    age_of: Callable[[Mapping[str, Any]], datetime],
    now: datetime,
) -> None:
    """Keep a batch as the incident's track, and the freshest as its place. `age_of` gives a point's server time.

    They are kept whenever they come. Raises Conflict `incident_closed` when the phone should have stopped: 30 minutes
    after it was told that it is over.
    """
    tracks.add(doc["city"], doc["_id"], points, now=now)
    heard, freshest = max(((age_of(point), index, point) for index, point in enumerate(points)), key=_by_time)[::2]
    found = geo.cells(freshest["lat"], freshest["lon"])
    position = {
        "lat": freshest["lat"],
        "lon": freshest["lon"],
        "accuracy_m": freshest.get("accuracy_m"),
        "captured_at": freshest.get("captured_at") or heard,
        "source": "app",
        "received_at": now,
    }
    cells = {"r5": found.r5, "r7": found.r7, "r9": found.r9}
    with contextlib.suppress(TooBusy):  # the track has it, and so many come at once that the next one moves the place
        incidents.change(doc["_id"], lambda draft: rules.move(draft, position, cells), now=now)
    if not rules.takes_positions(doc, now):
        raise Conflict("it is over: no more positions are needed", code="incident_closed", current="closed")


def _by_time(each: tuple[datetime, int, Any]) -> tuple[datetime, int]:
    return each[0], each[1]


def message(doc: Incident, text: str, *, sender: str, by: str | None, key: str, now: datetime) -> Incident:
    """Say something. `sender` is `citizen` or `control_room`; `key` makes a retry the same message."""
    found = {
        "id": message_id(doc["_id"], sender, key),
        "at": now,
        "from": sender,
        "text": text,
        "by": by or sender,
    }
    return incidents.change(doc["_id"], lambda draft: rules.say(draft, found), now=now)


def message_id(incident_id: str, sender: str, key: str) -> str:
    """The id of the message that this key makes."""
    return derived_id("msg", incident_id, sender, key)


def holds_message(doc: Incident, found_id: str) -> bool:
    """Whether a message of this id is among those that are kept."""
    return any(each["id"] == found_id for each in (doc.get("citizen") or {}).get("messages") or ())


def new_share_link(doc: Incident, *, secret: str, ttl: timedelta, now: datetime) -> Incident:
    """Take every live page back and open a new one. The page of the new link is the citizen's own to pass on."""

    def rule(draft: Draft) -> None:
        rules.take_links_back(draft)
        token = incidents.share_token(secret, draft.doc)
        link = {"h": token_hash(token), "kind": "share", "id": doc["_id"], "until": now + ttl}
        draft.set("links", [*draft.doc["links"], link])

    return incidents.change(doc["_id"], rule, now=now)
