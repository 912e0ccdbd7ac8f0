"""Writing, issuing, updating and withdrawing alerts. Each change is one conditional write with its event.

An alert that was issued is never changed: an update or a cancel is an alert of its own that refers to it (CAP 1.2, §3.2:
references), and goes to everybody who follows any place of the chain when it is issued.
"""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.alerts import area as areas
from domain.alerts import rules
from domain.alerts.errors import AlertChanged, AlertInvalid, AlertOver
from domain.alerts.following import city_key
from domain.alerts.groups import resolve
from domain.alerts.queries import Alert, alerts, get
from domain.alerts.states import AlertStatus, MsgType
from domain.cities import queries as cities
from domain.cities.config import CityConfig, Text
from domain.ids import derived_id

FACTS: Final = ("category", "urgency", "severity", "certainty", "response", "onset", "expires", "texts", "area")
"""What a member of staff says of an alert; all else is ours."""
MAX_CHAIN: Final = 50
"""Alerts that one may refer to."""


def _kept(facts: Mapping[str, Any], config: CityConfig, *, now: datetime) -> dict[str, Any]:
    """The facts as they are stored. Raises AlertInvalid, UnknownGroup."""
    kept = {name: facts[name] for name in FACTS if facts.get(name) is not None}
    if "expires" not in kept:
        kept["expires"] = now + rules.USUAL
    rules.check_times(kept.get("onset"), kept["expires"], now=now)
    kept["texts"] = {
        language: {
            name: plain
            for name, text in (written or {}).items()
            if name in rules.TEXT_FIELDS and (plain := rules.plain(text or ""))
        }
        for language, written in (kept.get("texts") or {}).items()
    }
    kept["area"] = _area(kept.get("area") or {}, config)
    return kept


def _area(given: Mapping[str, Any], config: CityConfig) -> dict[str, Any]:
    """{whole_city, geometry, name}. One of the whole city, an area, or watch groups (whose areas it then has)."""
    named = [name for name in ("whole_city", "geometry", "groups") if given.get(name)]
    if len(named) != 1:
        problem = ["Exactly one of whole_city, geometry and groups."]
        raise AlertInvalid("which area", errors={"area": problem})
    names = given.get("name") or {}
    shown = {"en": names.get("en") or config.names.en, "ur": names.get("ur") or config.names.ur}
    if named == ["groups"]:
        return {"geometry": resolve(config.id, given["groups"]), "name": shown, "groups": list(given["groups"])}
    if named == ["whole_city"]:
        return {"whole_city": True, "name": shown}
    return {"geometry": areas.parse(given["geometry"], cities.boundary(config.id)), "name": shown}


def draft(
    alert_id: str,
    facts: Mapping[str, Any],
    config: CityConfig,
    *,
    by: str,
    now: datetime,
    updates: str | None = None,
    fingerprint: str = "",
    source: Mapping[str, Any] | None = None,
) -> tuple[Alert, bool]:
    """(the draft, whether it is new). `updates` is the alert in whose place it is to come.

    Raises AlertInvalid, UnknownGroup, AlertOver when the alert to be updated is not in force, and AlertChanged when the
    same id (the same key) stands for another alert.
    """
    kept = _kept(facts, config, now=now)
    chain = _chain(get(updates)) if updates else []
    if updates:
        _require_in_force(get(updates), now)
    made: Alert = {
        "_id": alert_id,
        "city": config.id,
        "status": str(AlertStatus.DRAFT),
        "msg_type": str(MsgType.UPDATE if updates else MsgType.ALERT),
        "references": chain,
        **kept,
        "source": dict(source or {"kind": "staff"}),
        "created_at": now,
        "created_by": by,
        "changed_at": now,
        "fingerprint": fingerprint,
        "version": 1,
    }
    try:
        alerts().insert_one(made)
    except DuplicateKeyError:
        found = get(alert_id)
        if found.get("fingerprint") != fingerprint:
            raise AlertChanged("the key was used for another alert", code="idempotency_conflict") from None
        return found, False
    return made, True


def _chain(alert: Alert) -> list[str]:
    return [*(alert.get("references") or []), alert["_id"]][-MAX_CHAIN:]


def _require_in_force(alert: Alert, now: datetime) -> None:
    if not rules.is_in_force(alert, now):
        current = "expired" if alert["status"] == AlertStatus.ISSUED else alert["status"]
        raise AlertOver("the alert is not in force", current=current)


def change(alert_id: str, facts: Mapping[str, Any], config: CityConfig, *, now: datetime, if_version: int) -> Alert:
    """Set what is given of a draft. Raises as `draft`, AlertOver for what is no draft, AlertChanged."""
    held = get(alert_id)
    if held["status"] != AlertStatus.DRAFT:
        raise AlertOver("only a draft can be changed", current=held["status"])
    merged = {name: held.get(name) for name in FACTS} | dict(facts)
    kept = _kept(merged, config, now=now)
    found = alerts().find_one_and_update(
        {"_id": alert_id, "version": if_version, "status": str(AlertStatus.DRAFT)},
        {"$set": {**kept, "changed_at": now}, "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )
    if found is None:
        raise AlertChanged("it changed in between", current=get(alert_id)["version"])
    return found


def discard(alert_id: str, *, now: datetime) -> Alert:
    """Throw a draft away; again is harmless. Raises AlertOver for what was issued."""
    held = get(alert_id)
    event = outbox.event("alert.discarded", alert_id, version=held["version"] + 1, now=now, city=held["city"])
    ended = {"status": str(AlertStatus.DISCARDED), "ended_at": now, "changed_at": now}
    found = alerts().find_one_and_update(
        {"_id": alert_id, "status": str(AlertStatus.DRAFT)},
        outbox.merge({"$set": ended, "$inc": {"version": 1}}, outbox.pending([event], now)),
        return_document=ReturnDocument.AFTER,
    )
    if found is None:
        found = get(alert_id)
        if found["status"] != AlertStatus.DISCARDED:
            raise AlertOver("it was issued: cancel it", current=found["status"])
    return found


def issue(alert_id: str, config: CityConfig, *, sender: str, by: str, now: datetime, broadcast: bool = True) -> Alert:
    """Publish a draft and send it; what it updates or cancels is over. Again gives the same alert.

    `sender` is CAP's: who we are to other systems. One write makes it public and due to be sent; should the next write,
    which ends its predecessors, be lost with this process, whoever sends it does that (`end_predecessors`).
    Raises AlertInvalid where a language of the city is missing, AlertOver for what was discarded or has passed.
    """
    alert = get(alert_id)
    if alert["status"] == AlertStatus.DRAFT:
        rules.check_texts(alert["texts"], config.languages)
        rules.check_times(None, alert["expires"], now=now)
        if alert.get("references"):
            _require_in_force(get(alert["references"][-1]), now)
        event = outbox.event("alert.issued", alert_id, version=alert["version"] + 1, now=now, city=alert["city"])
        reached = _reach(alert)
        started = {
            "status": str(AlertStatus.ISSUED),
            "issued_at": now,
            "issued_by": by,
            "sender": sender,
            "changed_at": now,
            **reached,
        }
        if broadcast:
            started |= {"broadcast": {"state": "finding", "cursor": "", "pages": 0, "people": 0}, "broadcast_due": now}
        update = outbox.merge({"$set": started, "$inc": {"version": 1}}, outbox.pending([event], now))
        found = alerts().find_one_and_update(
            {"_id": alert_id, "status": str(AlertStatus.DRAFT), "version": alert["version"]},
            update,
            return_document=ReturnDocument.AFTER,
        )
        if found is None and get(alert_id)["status"] == AlertStatus.DRAFT:
            raise AlertChanged("it changed in between", current=get(alert_id)["version"])
        alert = found or get(alert_id)
    if alert["status"] == AlertStatus.DISCARDED:
        raise AlertOver("it was discarded", current=alert["status"])
    end_predecessors(alert, now=now)
    return alert


def _reach(alert: Alert) -> dict[str, Any]:
    """The cells and areas of an alert and of all that it refers to: who was warned there hears how it went on.

    Places, not people: who was found by their phone's whereabouts alone and has gone elsewhere since is not told again.
    """
    geometries: list[Any] = []
    keys: set[str] = set()
    earlier = [get(each) for each in alert.get("references") or []]
    for each in [alert, *earlier]:
        geometry = each["area"].get("geometry")
        if each["area"].get("whole_city"):
            keys.add(city_key(each["city"]))
            geometry = areas.outline(cities.boundary(each["city"]))
        if geometry not in geometries:
            geometries.append(geometry)
    cells = {cell for geometry in geometries for cell in areas.cells(geometry)}
    asked = cells
    if len(cells) > areas.MOST_KEYS:
        asked = {cell for geometry in geometries for cell in areas.cells(geometry, areas.WIDE)}
    return {"cells": sorted(cells), "keys": sorted(keys | asked), "geometries": geometries}


def end_predecessors(alert: Alert, *, now: datetime) -> None:
    """What an issued alert refers to is over; again is harmless."""
    over = AlertStatus.CANCELLED if alert["msg_type"] == MsgType.CANCEL else AlertStatus.SUPERSEDED
    for each in alert.get("references") or []:
        alerts().update_one(
            {"_id": each, "status": str(AlertStatus.ISSUED)},
            {
                "$set": {"status": str(over), "followed_by": alert["_id"], "ended_at": now, "changed_at": now},
                "$inc": {"version": 1},
            },
        )


def cancel(
    alert_id: str,
    config: CityConfig,
    *,
    by: str,
    now: datetime,
    sender: str,
    reasons: Mapping[str, str] | None = None,
    source: Mapping[str, Any] | None = None,
) -> tuple[Alert, bool]:
    """Withdraw an alert in force: (the cancel, whether it is new). Again gives the same one. Raises AlertOver."""
    alert = get(alert_id)
    cancel_id = derived_id("alt", alert_id, "cancel")
    if alerts().find_one({"_id": cancel_id}, {"_id": 1}):
        return issue(cancel_id, config, sender=sender, by=by, now=now), False
    _require_in_force(alert, now)
    made: Alert = {
        **{name: alert[name] for name in FACTS if name in alert},
        "_id": cancel_id,
        "city": alert["city"],
        "status": str(AlertStatus.DRAFT),
        "msg_type": str(MsgType.CANCEL),
        "references": _chain(alert),
        "texts": _over(alert["texts"], reasons or {}),
        "response": "AllClear",
        "source": dict(source or {"kind": "staff"}),
        "created_at": now,
        "created_by": by,
        "changed_at": now,
        "fingerprint": "",
        "version": 1,
    }
    made.pop("onset", None)
    with contextlib.suppress(DuplicateKeyError):  # another call was first: its cancel is issued
        alerts().insert_one(made)
    return issue(cancel_id, config, sender=sender, by=by, now=now), True


_OVER = Text(en="Over: {headline}", ur="ختم: {headline}")


def _over(texts: Mapping[str, Mapping[str, str]], reasons: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The texts of a cancel: the same event, a headline that says that it is over, and why."""
    return {
        language: {
            "event": written.get("event", ""),
            "headline": _OVER.in_language(language).format(headline=written.get("headline", ""))[:160],
            **({"description": reasons[language]} if reasons.get(language) else {}),
        }
        for language, written in texts.items()
    }


def references_of(alert: Alert, earlier: Sequence[Alert]) -> list[tuple[str, str, datetime]]:
    """(sender, identifier, sent) of what an alert refers to, oldest first, for CAP's `references`."""
    found = {each["_id"]: each for each in earlier if each.get("issued_at")}
    return [
        (found[each]["sender"], each, found[each]["issued_at"])
        for each in alert.get("references") or []
        if each in found
    ]
