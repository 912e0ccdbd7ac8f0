"""What makes a city's data usable, and what can be told from it. Pure: no file, no clock, no store.

`parse` is the only way to a `CityConfig`. It refuses a city that would let an SOS fall through: a service without a
ladder, a ladder that ends before everybody on duty was asked, a category for which nobody is sent.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers

from domain.cities.camera_sources import parse_detectors, parse_source
from domain.cities.cap_feeds import parse_feed
from domain.cities.config import (
    ALARMS,
    Agency,
    AgencyKind,
    Category,
    Certainty,
    ChannelName,
    CityConfig,
    DrillPlan,
    Embassy,
    Fate,
    Helpline,
    Hours,
    Kept,
    Ladder,
    Price,
    Purpose,
    Rung,
    Service,
    Severity,
    Span,
    Targets,
    Text,
    Urgency,
    Who,
)
from domain.cities.hours import in_span
from domain.cities.reader import Reader
from domain.geo import MAX_RADIUS_M
from domain.permissions import Role
from domain.plates.countries import COUNTRIES

MAX_CALLBACK_S = 60
"""A call-back may come before units for no longer than this, however low the trust."""

MAX_RECORDING_MINUTES = 24 * 60
"""A rolling recording is a memory of the last minutes, not an archive of a street."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EVERY_DAY = frozenset(range(7))


def parse(table: Mapping[str, Any], source: str, *, version: int = 0) -> CityConfig:
    """The city that this data describes; `source` (a file's name) and the key stand in every `BadCity`."""
    top = Reader(table, source)
    agencies = top.keyed("agencies", "id", _agency)
    config = CityConfig(
        id=top.identifier("id"),
        names=_names(top),
        zone=_zone(top),
        languages=top.texts("languages", empty=False),
        boundary_file=top.text("boundary"),
        places_file=top.text("places"),
        boundary_slack_m=float(top.integer("boundary_slack_m", 0, 20_000, 0)),
        inbound=top.keyed("inbound", "number", _inbound),
        agencies=agencies,
        helplines=tuple(top.keyed("helplines", "number", _helpline).values()),
        categories=top.keyed("categories", "code", _category),
        ladders=tuple(top.keyed("ladders", "id", _ladder).values()),
        quiet=_quiet(top.table("quiet_hours")),
        retention_days=_retention(top.table("retention_days")),
        closed_incidents=top.one_of("closed_incidents", Fate) if top.has("closed_incidents") else Fate.ANONYMISE,
        targets=_targets(top.table("targets")),
        camera_sources=tuple(parse_source(source) for source in top.tables("camera_sources", empty=True)),
        camera_detectors=parse_detectors(top.tables("camera_detectors", empty=True), top),
        cap_feeds=top.keyed("cap_feeds", "id", parse_feed, empty=True),
        default_category=top.text("default_category"),
        embassies=tuple(top.keyed("embassies", "number", _embassy, empty=True).values()),
        place_audits_k=top.integer("place_audits_k", 3, 100, 5),
        watch_settled_days=top.integer("watch_settled_days", 1, 90, 7),
        helpline_idle_days=top.integer("helpline_idle_days", 1, 365, 14),
        drills=_drills(top.table("drills")) if top.has("drills") else None,
        prices=tuple(_price(price) for price in top.tables("prices", empty=True)),
        face_search=top.flag("face_search"),
        report_looks=frozenset(top.texts("report_looks")) if top.has("report_looks") else frozenset(),
        plates_country=_plates_country(top),
        recording_minutes=top.integer("recording_minutes", 0, MAX_RECORDING_MINUTES, 0),
        keep_footage=frozenset(top.texts("keep_footage")),
        version=version,
    )
    top.done()
    _check_whole(config, top)
    return config


def _check_whole(config: CityConfig, top: Reader) -> None:
    """What holds between the parts."""
    if config.default_category not in config.categories:
        raise top.wrong("default_category", f"is not a category: {config.default_category}")
    if unknown := config.keep_footage - config.categories.keys():
        raise top.wrong("keep_footage", f"names an unknown category: {min(unknown)}")
    usual = [ladder.service for ladder in config.ladders if not ladder.categories]
    if usual.count(Service.ESCORT) > 1:
        raise top.wrong("ladders", "need at most one for escort without categories")
    if Service.ESCORT not in usual and config.agencies_for(Service.ESCORT):
        raise top.wrong("ladders", "need one for escort: an agency gives it")
    for service in ALARMS:
        if usual.count(service) != 1:
            raise top.wrong(
                "ladders", f"need exactly one for {service} without categories, there are {usual.count(service)}"
            )
        if not config.agencies_for(service):
            raise top.wrong("agencies", f"have none that gives {service}")
    special: set[tuple[str, str]] = set()
    for ladder in config.ladders:
        for code in sorted(ladder.categories):
            if code not in config.categories:
                raise top.wrong(f"ladders.{ladder.id}", f"names an unknown category: {code}")
            if (ladder.service, code) in special:
                raise top.wrong(f"ladders.{ladder.id}", f"is the second for {ladder.service} and {code}")
            special.add((ladder.service, code))
    for category in config.categories.values():
        if category.agency is not None and category.agency not in config.agencies:
            raise top.wrong(f"categories.{category.code}.agency", f"is not an agency: {category.agency}")
    if config.drills is not None and in_span(config.quiet, datetime.combine(_A_DAY, config.drills.at)):
        raise top.wrong("drills.at", "is within the quiet hours: nobody is called for a drill at night")
    numbers = {helpline.number for helpline in config.helplines}
    for helpline in config.helplines:
        if helpline.fallback and (helpline.fallback not in numbers or helpline.fallback == helpline.number):
            raise top.wrong(f"helplines.{helpline.number}.fallback", "must be another helpline's number")


def _plates_country(reader: Reader) -> str:
    code = reader.text("plates_country", empty=True) if reader.has("plates_country") else ""
    if code and code not in COUNTRIES:
        raise reader.wrong("plates_country", f"must be one of {', '.join(sorted(COUNTRIES))}, or empty")
    return code


def _names(reader: Reader) -> Text:
    return Text(en=reader.text("name_en"), ur=reader.text("name_ur"))


def _zone(reader: Reader) -> ZoneInfo:
    try:
        return ZoneInfo(reader.text("timezone"))
    except (KeyError, ValueError, OSError):
        raise reader.wrong("timezone", "must be an IANA time zone such as Asia/Karachi") from None


def _inbound(reader: Reader) -> Purpose:
    number = reader.text("number")
    try:
        possible = phonenumbers.is_possible_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        possible = False
    if not possible and not (number.isdigit() and 3 <= len(number) <= 6):
        raise reader.wrong("number", "must be E.164 or a short code")
    return reader.one_of("purpose", Purpose)


def _phone(reader: Reader, key: str) -> str:
    """A public number as it is dialled at home: a short code, or a national number that exists."""
    number = reader.text(key)
    digits = number.replace("-", "")
    if digits.isdigit() and 2 <= len(digits) <= 4:
        return number
    try:
        if phonenumbers.is_valid_number(phonenumbers.parse(number, "PK")):
            return number
    except phonenumbers.NumberParseException:
        pass
    raise reader.wrong(key, f"is not a number that can be dialled: {number}")


def _agency(reader: Reader) -> Agency:
    return Agency(
        id=reader.identifier("id"),
        names=_names(reader),
        kind=reader.one_of("kind", AgencyKind),
        services=reader.some_of("services", Service, empty=True),
        phone=_phone(reader, "phone"),
        hours=_hours(reader),
    )


def _helpline(reader: Reader) -> Helpline:
    verified = reader.flag("verified")
    line = Helpline(
        number=_phone(reader, "number"),
        names=_names(reader),
        region=reader.text("region"),
        hours=_hours(reader),
        source=reader.text("source"),
        last_verified=reader.text("last_verified", empty=True),
        fallback=reader.text("fallback", empty=True),
        verified=verified,
    )
    try:
        datetime.fromisoformat(line.last_verified or "0001-01-01")
    except ValueError:
        raise reader.wrong("last_verified", "must be a date such as 2025-01-31, or empty") from None
    if verified and not line.last_verified:
        raise reader.wrong("last_verified", "must be stated for a verified number")
    return line


def _embassy(reader: Reader) -> Embassy:
    country, verified = reader.text("country"), reader.flag("verified")
    if not (len(country) == 2 and country.isascii() and country.isupper()):
        raise reader.wrong("country", "must be an ISO 3166 code such as GB")
    embassy = Embassy(
        country=country,
        names=_names(reader),
        number=_phone(reader, "number"),
        source=reader.text("source"),
        last_verified=reader.text("last_verified", empty=True),
        verified=verified,
    )
    if verified and not embassy.last_verified:
        raise reader.wrong("last_verified", "must be stated for a verified number")
    return embassy


def _category(reader: Reader) -> Category:
    return Category(
        code=reader.identifier("code"),
        names=_names(reader),
        services=reader.some_of("services", Service),
        severity=reader.one_of("severity", Severity),
        urgency=reader.one_of("urgency", Urgency),
        certainty=reader.one_of("certainty", Certainty),
        skills=reader.texts("skills"),
        discreet=reader.flag("discreet"),
        agency=reader.identifier("agency") if reader.has("agency") else None,
    )


def _ladder(reader: Reader) -> Ladder:
    rungs = tuple(_rung(rung) for rung in reader.tables("rungs"))
    if rungs[-1].who != Who.ALL_ON_DUTY:
        raise reader.wrong("rungs", "must end in all_on_duty: a ladder never ends in silence")
    if rungs[0].who != Who.UNITS:
        raise reader.wrong("rungs", "must begin with units")
    return Ladder(
        id=reader.identifier("id"),
        service=reader.one_of("service", Service),
        categories=frozenset(reader.texts("categories")),
        rungs=rungs,
        callback_s=reader.integer("callback_s", 0, MAX_CALLBACK_S),
        offer_ttl_s=reader.integer("offer_ttl_s", 10, 3600),
        receipt_wait_s=reader.integer("receipt_wait_s", 1, 60),
        stall_after_s=reader.integer("stall_after_s", 30, 3600),
        repeat_after_s=reader.integer("repeat_after_s", 10, 3600),
    )


def _rung(reader: Reader) -> Rung:
    who = reader.one_of("who", Who)
    if who == Who.OPERATOR_CALLBACK:
        raise reader.wrong("who", "is not a rung of its own: set callback_s")
    counted = who in {Who.UNITS, Who.WIDER}
    rung = Rung(
        who=who,
        channels=reader.some_of("channels", ChannelName),
        after_s=reader.integer("after_s", 0, 3600),
        k=reader.integer("k", 1, 100) if counted else 0,
        radius_m=float(reader.integer("radius_m", 100, int(MAX_RADIUS_M))) if counted else 0.0,
    )
    if rung.channels == (ChannelName.FCM,):
        raise reader.wrong("channels", "must have another beside fcm: a push may never arrive")
    reader.done()
    return rung


def _quiet(reader: Reader) -> Span:
    span = Span(_EVERY_DAY, reader.clock("from"), reader.clock("to"))
    reader.done()
    return span


def _hours(reader: Reader) -> Hours:
    """`"always"`, `"not stated"`, or a list of `{days, from, to}`; without times, the whole of those days."""
    if reader.has("hours") and isinstance(reader.raw("hours"), str):
        word = reader.text("hours")
        if word not in {"always", "not stated"}:
            raise reader.wrong("hours", 'must be "always", "not stated" or a list of {days, from, to}')
        return Hours((), stated=word == "always")
    spans = []
    for table in reader.tables("hours"):
        days = table.texts("days", empty=False)
        if not set(days) <= set(_DAYS):
            raise table.wrong("days", f"must be a list of {', '.join(_DAYS)}")
        timed = table.has("from") or table.has("to")
        since, until = (table.clock("from"), table.clock("to")) if timed else (datetime.min.time(), datetime.min.time())
        spans.append(Span(frozenset(_DAYS.index(day) for day in days), since, until))
        table.done()
    return Hours(tuple(spans))


_A_DAY = date(2026, 1, 2)
"""Quiet hours are the same every day, so any will do."""


def _drills(reader: Reader) -> DrillPlan:
    days = reader.raw("days")
    if not (isinstance(days, list) and days and all(type(day) is int and 1 <= day <= 28 for day in days)):
        raise reader.wrong("days", "must be a list of days of the month, from 1 to 28: every month has them")
    roles = reader.some_of("roles", Role)
    if Role.CITIZEN in roles:
        raise reader.wrong("roles", "must not have citizen: a drill is for those whom Amaan must be able to call")
    plan = DrillPlan(
        days=tuple(days),
        at=reader.clock("at"),
        roles=tuple(str(role) for role in roles),
        channels=reader.some_of("channels", ChannelName),
        answer_within=timedelta(minutes=reader.integer("answer_within_min", 5, 24 * 60)),
    )
    reader.done()
    return plan


def _price(reader: Reader) -> Price:
    amount = reader.raw("amount")
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 <= amount < 1000:
        raise reader.wrong("amount", "must be a number from 0 to 1000")
    currency = reader.text("currency")
    if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise reader.wrong("currency", "must be an ISO 4217 code such as PKR")
    price = Price(reader.identifier("carrier"), reader.text("prefix", empty=True), currency, float(amount))
    reader.done()
    return price


def _retention(reader: Reader) -> dict[Kept, int]:
    days = {kind: reader.integer(kind, 1, 36_500) for kind in Kept}
    reader.done()
    return days


_ARRIVAL = {Service.ESCORT: 1800}
"""Of a city that does not say."""


def _targets(reader: Reader) -> Targets:
    arrival = reader.table("arrival_s")
    targets = Targets(
        answer_s=reader.integer("answer_s", 1, 600),
        dispatch_s=reader.integer("dispatch_s", 1, 3600),
        arrival_s={service: arrival.integer(service, 30, 24 * 3600, _ARRIVAL.get(service)) for service in Service},
    )
    arrival.done()
    reader.done()
    return targets
