"""What becomes of an alert that another system's feed brought: a draft for an operator, or, where the city trusts the feed
so far, an alert that goes out by itself.

Each message (sender, identifier, time sent) is taken once; what came of it is kept, refused ones with their reason. An
update or a cancel follows what it refers to, if the same feed and the same sender brought that.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from pymongo.errors import DuplicateKeyError

from domain.alerts import area as areas
from domain.alerts import rules, service
from domain.alerts.cap_reading import Info, Reading
from domain.alerts.errors import AlertOver, CapRefused
from domain.alerts.queries import alerts, inbound
from domain.alerts.states import AlertStatus, Taken
from domain.cities import queries as cities
from domain.cities.config import CapFeed, CityConfig
from domain.errors import DomainError
from domain.ids import derived_id

USUAL: Final = timedelta(hours=24)
"""How long an alert that says no end is taken to be in force."""
KEPT: Final = timedelta(days=30)
_LIMITS: Final = {"event": 80, "headline": 160, "description": 600, "instruction": 300}
BY: Final = "system:cap_feed"


class Came(NamedTuple):
    """What became of one message."""

    state: Taken
    reason: str
    alert: str = ""


def key_of(city: str, feed: str, sender: str, identifier: str, sent: str) -> str:
    """The id under which a message is kept: the same message of the same feed is one."""
    return derived_id("cin", city, feed, sender, identifier, sent)


def refused(city: str, feed: CapFeed, document: bytes, error: CapRefused, *, now: datetime) -> bool:
    """Keep that a document was refused, and why; once for the same bytes. False when it was known."""
    digest = hashlib.sha256(document).hexdigest()
    reason = str(error.data.get("reason") or error.error_code)
    return _keep(derived_id("cin", city, feed.id, digest), city, feed, Came(Taken.REFUSED, reason), now, error.detail)


def _keep(key: str, city: str, feed: CapFeed, came: Came, now: datetime, detail: str = "") -> bool:
    row = {
        "_id": key, "city": city, "feed": feed.id, "state": str(came.state), "reason": came.reason,
        "detail": detail[:300], "alert": came.alert or None, "at": now,
    }  # fmt: skip
    try:
        inbound().insert_one(row)
    except DuplicateKeyError:
        return False
    return True


def take(reading: Reading, feed: CapFeed, config: CityConfig, *, sender: str, now: datetime) -> Came | None:
    """Take one message; None when it was taken before. Each step has an id derived from the message, so that a run after
    one that died in between does the rest.
    """
    key = key_of(config.id, feed.id, reading.sender, reading.identifier, reading.sent_text)
    if inbound().find_one({"_id": key}, {"_id": 1}):
        return None
    try:
        came = _come(key, reading, feed, config, sender, now)
    except DomainError as error:
        came = Came(Taken.REFUSED, error.error_code)
    _keep(key, config.id, feed, came, now)
    return came


def _come(key: str, reading: Reading, feed: CapFeed, config: CityConfig, sender: str, now: datetime) -> Came:
    if reading.status != "Actual":
        return Came(Taken.IGNORED, f"status_{reading.status.lower()}")
    if reading.scope != "Public":
        return Came(Taken.IGNORED, "not_public")
    if reading.msg_type in {"Ack", "Error"}:
        return Came(Taken.IGNORED, f"type_{reading.msg_type.lower()}")
    if reading.sent > now + rules.CLOCKS_APART:
        return Came(Taken.REFUSED, "from_the_future")
    earlier = _earlier(reading, feed, config)
    if reading.msg_type == "Cancel":
        return _cancel(reading, earlier, feed, config, sender, now)
    if not reading.infos:
        return Came(Taken.IGNORED, "no_info")
    facts, reason = facts_of(reading, config, now=now)
    if facts is None:
        if reason == "elsewhere" and earlier and reading.msg_type == "Update":
            return _cancel(reading, earlier, feed, config, sender, now)  # it has moved away
        return Came(Taken.IGNORED, reason)
    return _alert(key, reading, facts, earlier, feed, config, sender, now)


def _earlier(reading: Reading, feed: CapFeed, config: CityConfig) -> list[str]:
    """Our alerts for what it refers to, oldest first: only its own sender's, from the same feed."""
    keys = [
        key_of(config.id, feed.id, who, which, sent) for who, which, sent in reading.references if who == reading.sender
    ]
    rows = {row["_id"]: row.get("alert") for row in inbound().find({"_id": {"$in": keys[-service.MAX_CHAIN :]}})}
    return [str(rows[key]) for key in keys if rows.get(key)]


def _source(reading: Reading, feed: CapFeed) -> dict[str, Any]:
    return {
        "kind": "feed", "feed": feed.id, "sender": reading.sender, "identifier": reading.identifier,
        "sent": reading.sent,
    }  # fmt: skip


def _alert(
    key: str,
    reading: Reading,
    facts: dict[str, Any],
    earlier: Sequence[str],
    feed: CapFeed,
    config: CityConfig,
    sender: str,
    now: datetime,
) -> Came:
    """A draft, in the place of what it updates; issued where the feed may."""
    in_force: str | None = None
    for alert_id in earlier:
        found = alerts().find_one({"_id": alert_id})
        if found is not None and found["status"] == AlertStatus.DRAFT:
            service.discard(alert_id, now=now)  # nobody issued it, and it is old news
        elif found is not None and rules.is_in_force(found, now):
            in_force = alert_id
    alert_id = derived_id("alt", key)
    service.draft(
        alert_id, facts, config, by=BY, now=now, updates=in_force, fingerprint=key, source=_source(reading, feed)
    )
    if not feed.issues:
        return Came(Taken.TAKEN, "draft", alert_id)
    service.issue(alert_id, config, sender=sender, by=BY, now=now)
    return Came(Taken.TAKEN, "issued", alert_id)


def _cancel(
    reading: Reading, earlier: Sequence[str], feed: CapFeed, config: CityConfig, sender: str, now: datetime
) -> Came:
    """What it refers to is over: a draft is thrown away, an alert in force withdrawn, if the feed may."""
    if not earlier:
        return Came(Taken.IGNORED, "refers_to_nothing")
    came = Came(Taken.IGNORED, "over_already")
    for alert_id in earlier:
        found = alerts().find_one({"_id": alert_id})
        if found is None:
            continue
        if found["status"] == AlertStatus.DRAFT:
            service.discard(alert_id, now=now)
            came = Came(Taken.TAKEN, "discarded", alert_id)
        elif rules.is_in_force(found, now):
            if not feed.issues:
                came = Came(Taken.IGNORED, "operator_must_cancel", alert_id)
                continue
            try:
                made, _ = service.cancel(alert_id, config, by=BY, now=now, sender=sender, source=_source(reading, feed))
            except AlertOver:
                continue
            came = Came(Taken.TAKEN, "cancelled", made["_id"])
    return came


def facts_of(reading: Reading, config: CityConfig, *, now: datetime) -> tuple[dict[str, Any] | None, str]:
    """(the facts of our alert, or why there are none): what `service.draft` takes."""
    best = _in_our_languages(reading.infos)
    main = best.get("en") or best.get("ur") or reading.infos[0]
    expires = min(main.expires or reading.sent + USUAL, now + rules.LONGEST)
    if expires <= now:
        return None, "expired"
    area, reason = _area(reading.infos, config)
    if area is None:
        return None, reason
    texts = {language: _texts(best.get(language) or main) for language in ("en", "ur")}
    onset = main.onset if main.onset and now < main.onset < expires else None
    return {
        "category": str(main.category),
        "urgency": str(main.urgency),
        "severity": str(main.severity),
        "certainty": str(main.certainty),
        "response": str(main.response) if main.response else None,
        "onset": onset,
        "expires": expires,
        "texts": texts,
        "area": area,
    }, ""


def _in_our_languages(infos: Sequence[Info]) -> dict[str, Info]:
    found: dict[str, Info] = {}
    for info in infos:
        found.setdefault(info.language.split("-")[0].lower(), info)
    return found


def _texts(info: Info) -> dict[str, str]:
    """Cut to what fits; a feed without a headline has its event for one."""
    words = {
        "event": info.event,
        "headline": info.headline or f"{info.event}: {', '.join(info.areas)[:100]}",
        "description": info.description,
        "instruction": info.instruction,
    }
    return {name: _cut(" ".join(text.split()), _LIMITS[name]) for name, text in words.items() if text.strip()}


def _cut(text: str, longest: int) -> str:
    plain = "".join(char for char in text if char.isprintable())
    return plain if len(plain) <= longest else plain[: longest - 1].rstrip() + "…"


def _area(infos: Sequence[Info], config: CityConfig) -> tuple[dict[str, Any] | None, str]:
    """What of its areas lies in the city; the whole city where it has no shapes and names the city."""
    shapes = [shape for info in infos for shape in info.shapes]
    named = [name for info in infos for name in info.areas]
    shown = _cut(", ".join(dict.fromkeys(named)), 80)
    if shapes:
        geometry = areas.clipped(shapes, cities.boundary(config.id))
        if geometry is None:
            return None, "elsewhere"
        return {"geometry": geometry, "name": {"en": shown, "ur": shown}}, ""
    if any(own.lower() in name.lower() for name in named for own in (config.names.en, config.names.ur)):
        return {"whole_city": True, "name": {"en": shown, "ur": shown}}, ""
    return None, "no_area"


def forget(*, now: datetime) -> int:
    """What feeds brought long ago; how many rows went."""
    return int(inbound().delete_many({"at": {"$lt": now - KEPT}}).deleted_count)
