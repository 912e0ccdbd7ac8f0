"""A member's calendar as iCalendar (RFC 5545): what their groups hold and the patrols that they are on, at an address of their
own to which a calendar app subscribes. What is changed comes with a higher SEQUENCE, what is cancelled with its STATUS.

The address is a signed link, kept hashed; a new one ends the one before. Times are UTC, which every calendar shows in the
zone of its phone; times of publishing again (REFRESH-INTERVAL) and the calendar's name are RFC 7986's.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from icalendar import Alarm, Calendar, Event
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain.cities.config import Text
from domain.gatherings import queries
from domain.gatherings.errors import CalendarNotFound
from domain.gatherings.queries import calendars
from domain.gatherings.states import Coming, GatheringStatus
from domain.ids import derived_id, link_token, token_hash
from domain.patrols import queries as patrols
from domain.patrols.states import PatrolStatus
from domain.watch import queries as watch

BACK: Final = timedelta(days=30)
MOST: Final = 200
AGAIN: Final = timedelta(hours=1)
ALARM: Final = timedelta(hours=2)
NAME: Final = Text(en="Neighbourhood watch", ur="محلہ گروپ")
PATROL: Final = Text(en="Patrol", ur="گشت")
_PURPOSE: Final = "watch_calendar"


@dataclass(frozen=True)
class Entry:
    """One thing in a calendar. `sequence` grows whenever what it says of time, place or name does; `stamp` is when."""

    uid: str
    sequence: int
    stamp: datetime
    starts_at: datetime
    ends_at: datetime
    summary: str
    description: str = ""
    location: str = ""
    place: tuple[float, float] | None = None
    cancelled: bool = False
    tentative: bool = False


def calendar_id(person: str) -> str:
    """The one id of a person's calendar."""
    return derived_id("cal", person)


def renew(person: str, secret: str, *, now: datetime) -> str:
    """The token of a new address; the one before it opens nothing any more."""
    key = {"_id": calendar_id(person)}
    with contextlib.suppress(DuplicateKeyError):  # two at once: the other one made it
        calendars().insert_one({**key, "person": person, "generation": 0, "created_at": now})
    held = calendars().find_one_and_update(key, {"$inc": {"generation": 1}}, return_document=ReturnDocument.AFTER) or {}
    generation = int(held.get("generation") or 0)
    token = link_token(secret, _PURPOSE, person, generation)
    calendars().update_one({**key, "generation": generation}, {"$set": {"link_hash": token_hash(token)}})
    return token


def end(person: str) -> None:
    """Its address opens nothing any more. None is no error."""
    calendars().update_one({"_id": calendar_id(person)}, {"$unset": {"link_hash": ""}})


def owner(token: str) -> str:
    """Whose calendar an address opens; raises CalendarNotFound."""
    found = calendars().find_one({"link_hash": token_hash(token)}, {"person": 1})
    if found is None:
        raise CalendarNotFound("no such calendar")
    return str(found["person"])


def of_gathering(doc: Mapping[str, Any], person: str = "") -> Entry:
    """A gathering as an entry; tentative for who does not say that they come."""
    place = doc["place"]
    return Entry(
        uid=doc["_id"],
        sequence=doc["sequence"],
        stamp=doc["revised_at"],
        starts_at=doc["starts_at"],
        ends_at=doc["ends_at"],
        summary=doc["title"],
        description=doc.get("note") or "",
        location=place.get("name") or "",
        place=(place["lat"], place["lon"]),
        cancelled=doc["status"] == GatheringStatus.CANCELLED,
        tentative=(doc["answers"].get(person) or {}).get("answer") != Coming.GOING,
    )


def of_patrol(doc: Mapping[str, Any], beat: Mapping[str, Any], language: str) -> Entry:
    """A patrol as an entry. Time and place of one never change; it is cancelled at most."""
    cancelled = doc["status"] == PatrolStatus.CANCELLED
    return Entry(
        uid=doc["_id"],
        sequence=int(cancelled),
        stamp=doc["changed_at"] if cancelled else doc["created_at"],
        starts_at=doc["starts_at"],
        ends_at=doc["ends_at"],
        summary=f"{PATROL.in_language(language)}: {beat['name']}",
        location=beat["name"],
        cancelled=cancelled,
    )


def entries(person: str, language: str, *, now: datetime) -> list[Entry]:
    """All that stands in a person's calendar: of the last month, and to come. Not what they said they do not come to."""
    held = queries.of_groups(watch.joined(person), since=now - BACK, limit=MOST)
    walks = patrols.of_person(person, since=now - BACK, limit=MOST)
    beats = patrols.some_beats([doc["beat"] for doc in walks])
    declined = str(Coming.NOT_GOING)
    found = [of_gathering(doc, person) for doc in held if (doc["answers"].get(person) or {}).get("answer") != declined]
    return found + [of_patrol(doc, beats[doc["beat"]], language) for doc in walks]


def ics(shown: Sequence[Entry], *, language: str, host: str) -> bytes:
    """As text/calendar. `host` makes the UIDs unique in the world (RFC 5545, §3.8.4.7)."""
    made = Calendar()
    made.add("prodid", "-//Amaan//Neighbourhood watch//EN")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("method", "PUBLISH")
    made.add("name", NAME.in_language(language))
    made.add("x-wr-calname", NAME.in_language(language))
    made.add("refresh-interval", AGAIN, parameters={"VALUE": "DURATION"})
    for entry in shown:
        made.add_component(_event(entry, host))
    return bytes(made.to_ical())


def _event(entry: Entry, host: str) -> Event:
    event = Event()
    event.add("uid", f"{entry.uid}@{host}")
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.stamp.astimezone(UTC))
    event.add("last-modified", entry.stamp.astimezone(UTC))
    event.add("dtstart", entry.starts_at.astimezone(UTC))
    event.add("dtend", entry.ends_at.astimezone(UTC))
    event.add("summary", entry.summary)
    if entry.description:
        event.add("description", entry.description)
    if entry.location:
        event.add("location", entry.location)
    if entry.place:
        event.add("geo", entry.place)
    event.add("status", "CANCELLED" if entry.cancelled else "TENTATIVE" if entry.tentative else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if entry.cancelled or entry.tentative else "OPAQUE")
    if not entry.cancelled and not entry.tentative:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", entry.summary)
        alarm.add("trigger", -ALARM)
        event.add_component(alarm)
    return event
