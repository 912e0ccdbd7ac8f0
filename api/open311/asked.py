"""What a GeoReport v2 client asks: its arguments, read leniently where the standard is, refused in a sentence else."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import marshmallow as ma
from flask import request

from api.schemas import Time
from api.services import services
from domain import geo
from domain.cities import queries as cities
from domain.handovers import open311, queries
from domain.handovers.errors import HandoverInvalid, JurisdictionNotFound, ServiceNotFound, WrongKey
from domain.handovers.queries import Desk
from domain.handovers.states import HandoverStatus
from domain.ids import derived_id, link_token, new_id
from domain.limits import service as limits

SPAN: Final = timedelta(days=90)
TEXT_CHARS: Final = 600
WRONG_KEYS: Final = 20
WRONG_WINDOW_S: Final = 600
READS: Final = 300
"""Of one address without a key in a minute: a map that everybody behind one router looks at, and nobody who copies it all."""
_MINUTE_S: Final = 60


def argument(name: str) -> str:
    """An argument of the form or the query; empty is as left out."""
    return (request.form.get(name) or request.args.get(name) or "").strip()


def jurisdiction() -> str:
    """The city that is asked. Raises HandoverInvalid where none is named, JurisdictionNotFound for one that is not ours."""
    city = argument("jurisdiction_id")
    if not city:
        raise HandoverInvalid("jurisdiction_id was not provided")
    if city not in cities.known():
        raise JurisdictionNotFound("jurisdiction_id was not found")
    return city


def codes_of(city: str) -> list[str]:
    """What agencies of this city take."""
    return sorted({code for desk in queries.desks_of(city) for code in desk["takes"]})


def service_code(city: str, code: str) -> str:
    """A kind of request that is taken here. Raises HandoverInvalid, ServiceNotFound."""
    if not code:
        raise HandoverInvalid("service_code was not provided")
    if code not in codes_of(city):
        raise ServiceNotFound("service_code was not found")
    return code


def desk(city: str) -> Desk:
    """The agency whose api_key came, in this city. Raises WrongKey, and LimitReached for an address that guesses."""
    found = services()
    try:
        held = queries.desk_of(argument("api_key"))
        if held["city"] != city:
            raise WrongKey("the api_key is another jurisdiction's")
    except WrongKey:
        limits.take(
            found.settings.signing_key, "wrong_api_key", request.remote_addr or "",
            limit=WRONG_KEYS, window_s=WRONG_WINDOW_S, now=found.clock(),
        )  # fmt: skip
        raise
    return held


def check_rate() -> None:
    """Count what is asked without a key that opens something here; raises LimitReached for an address that asks too much."""
    found = services()
    if argument("api_key"):
        try:
            queries.desk_of(argument("api_key"))
        except WrongKey:
            pass
        else:
            return
    address = request.remote_addr or ""
    limits.take(
        found.settings.signing_key, "open311", address, limit=READS, window_s=_MINUTE_S, now=found.clock(),
    )  # fmt: skip


def language() -> str:
    """Urdu for who asks for it, else English."""
    return request.accept_languages.best_match(["en", "ur"]) or "en"


def span(now: datetime) -> tuple[datetime, datetime]:
    """(since, until) as asked: the last 90 days, and never more. Raises HandoverInvalid."""
    start, end = _moment("start_date"), _moment("end_date")
    try:
        until = end or (min(now, start + SPAN) if start else now)
        since = start or until - SPAN
    except OverflowError:  # within 90 days of where the calendar ends
        raise HandoverInvalid("start_date and end_date are not of our time") from None
    if until < since or until - since > SPAN:
        raise HandoverInvalid("start_date and end_date may not span more than 90 days")
    return since, until


def _moment(name: str) -> datetime | None:
    said = argument(name)
    try:
        found: datetime | None = Time().deserialize(said) if said else None
    except ma.ValidationError:
        raise HandoverInvalid(f"{name} is no W3C date and time") from None
    return found


def listed(name: str) -> list[str]:
    """A comma-delimited argument."""
    return [each.strip() for each in argument(name).split(",") if each.strip()]


def statuses() -> list[str]:
    """Raises HandoverInvalid for one that is none."""
    found = listed("status")
    if unknown := [each for each in found if each not in list(HandoverStatus)]:
        raise HandoverInvalid(f"status is open or closed, not {unknown[0][:40]}")
    return found


def place(city: str) -> dict[str, Any]:
    """{lat, lon, accuracy_m}. Raises HandoverInvalid where it is none, or not in this city: then it says whom to turn to."""
    try:
        lat, lon = float(argument("lat")), float(argument("long"))
    except ValueError:
        raise HandoverInvalid("lat and long are needed: an address alone is not enough here") from None
    if not geo.is_position(lat, lon):
        raise HandoverInvalid("lat and long are no place")
    if (found := cities.city_at(lat, lon)) != city:
        where = f"in jurisdiction_id={found}" if found else "in no city that is served here"
        raise HandoverInvalid(f"That place lies {where}. In an emergency call 15 (police), 1122 (rescue) or 112.")
    return {"lat": lat, "lon": lon, "accuracy_m": None}


def answers(code: str) -> Mapping[str, str]:
    """attribute[CODE]=value, and attribute[CODE][]=value several times. Raises HandoverInvalid naming what is missing."""
    known = {each.code for each in open311.ATTRIBUTES.get(code, ())}
    found: dict[str, str] = {}
    for each in known:
        said = request.form.get(f"attribute[{each}]") or ", ".join(request.form.getlist(f"attribute[{each}][]"))
        if said.strip():
            found[each] = said.strip()[:200]
    if wrong := open311.missing(code, found):
        raise HandoverInvalid(f"attribute[{wrong[0]}] is missing or not on its list")
    return found


def description() -> str:
    """What was written, and what was answered is beside it. Raises HandoverInvalid for a text that is too long."""
    text = argument("description")
    if len(text) > TEXT_CHARS:
        raise HandoverInvalid(f"description has more than {TEXT_CHARS} characters")
    if "\x00" in text:
        raise HandoverInvalid("description has a character that cannot be kept")
    return text


def sender(city: str, agency: str) -> str:
    """The id by which who sends much through an agency is known. Of what names them nothing is kept: the id is keyed, else
    whoever has the database finds the number of which it was made by trying them all.
    """
    found = services()
    who = next((said for name in ("account_id", "device_id", "phone", "email") if (said := argument(name))), "")
    if who:
        known = link_token(found.settings.signing_key, "open311_sender", f"{city}|{agency}|{who}")
    else:
        known = new_id("x", found.clock())
    return derived_id("per", "open311", known)
