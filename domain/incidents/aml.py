"""Advanced Mobile Location: what a phone sends by itself when its owner calls for help. Pure: text in, facts out.

Formats: ETSI TS 103 625 (the SMS, `A"ML=1;lt=…;ml=127`, and the HTTPS form), before it ETSI TR 103 393 and EENA's "AML
Specifications & Requirements"; version 2 of the SMS as Google's Emergency Location Service sends it. Degrees are WGS 84,
`rd` is the radius in metres, `top` is UTC. IMSI and IMEI (`si`, `ei`) are checked and dropped: nobody needs them here.

Nothing is refused. A message that is not as it should be has `problems` (a receiver by the book rejects it), and whatever
in it is sound on its own is still used: an SOS with half a message is an SOS.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from domain.geo import is_position

LENGTH_OFF: Final = 1
"""Senders count the length that they state (`ml`) differently by one."""
METHODS: Final[Mapping[str, str]] = {"G": "gnss", "W": "wifi", "C": "cell", "N": "none"}
_HEADER: Final = re.compile(r"\s*A[\"'“”″]?ML=(\d)\s*;", re.IGNORECASE)
_FORM: Final = re.compile(r"(?=.*\blocation_latitude=)\s*[a-z_]+=[^&\s]*(&[a-z_]+=[^&\s]*)+\s*", re.DOTALL)
_DEGREES: Final = re.compile(r"[+-]?\d{1,3}(\.\d{1,10})?")
_LONGEST: Final = 1600


@dataclass(frozen=True)
class Aml:
    """What a message says. `position` is {lat, lon, accuracy_m?, captured_at?, source, method?}, None without a fix."""

    version: str
    position: dict[str, Any] | None = None
    confidence_pct: float | None = None
    problems: tuple[str, ...] = ()
    """The attributes that are not as they should be; `message` for its shape."""

    @property
    def sound(self) -> bool:
        """Whether a receiver by the book takes it."""
        return not self.problems


def is_aml(text: str) -> bool:
    """Whether a text claims to be such a message."""
    return bool(_HEADER.match(text) or _FORM.fullmatch(text[:_LONGEST]))


def parse(text: str) -> Aml:
    """Read a message that `is_aml`. Never raises; other text is an Aml with nothing but a problem."""
    header = _HEADER.match(text)
    if header is None:
        return _form(text) if is_aml(text) else Aml("", problems=("message",))
    fields, wrong = _fields(text[header.end() :])
    return _version_1(text, fields, wrong) if header[1] == "1" else _version_2(header[1], fields, wrong)


def _fields(text: str) -> tuple[dict[str, str], list[str]]:
    found: dict[str, str] = {}
    wrong = []
    for part in text.strip().rstrip(";").split(";"):
        name, mark, value = (piece.strip() for piece in part.partition("="))
        if not mark or not name or name.lower() in found:
            wrong.append("message")
        else:
            found[name.lower()] = value
    return found, wrong


def _version_1(text: str, fields: Mapping[str, str], wrong: list[str]) -> Aml:
    wrong += [name for name in fields if name not in _KNOWN]
    wrong += [name for name, shape in _KNOWN.items() if name in fields and not shape.fullmatch(fields[name])]
    captured_at = _time(fields.get("top"), wrong)
    confidence = _number(fields.get("lc"), 0, 100, "lc", wrong)
    if (stated := fields.get("ml", "")).isdecimal() and abs(int(stated) - len(text.strip())) > LENGTH_OFF:
        wrong.append("ml")
    method = METHODS.get(fields.get("pm", "").upper(), "")
    accuracy = None if fields.get("rd", "N").upper() == "N" else _number(fields["rd"], 0, 1e7, "rd", wrong)
    position = None
    if method != "none":
        position = _position(fields.get("lt"), fields.get("lg"), ("lt", "lg"), accuracy, captured_at, method, wrong)
    return Aml("1", position, confidence, _once(wrong))


_KNOWN: Final[Mapping[str, re.Pattern[str]]] = {
    "lt": re.compile(r"[+-]?\d{1,2}\.\d{1,10}"),
    "lg": re.compile(r"[+-]?\d{1,3}\.\d{1,10}"),
    "rd": re.compile(r"\d{1,7}|[Nn]"),
    "top": re.compile(r"\d{14}"),
    "lc": re.compile(r"\d{1,3}"),
    "pm": re.compile(r"[GWCNgwcn]"),
    "si": re.compile(r"\d{5,16}"),
    "ei": re.compile(r"\d{14,17}"),
    "mcc": re.compile(r"\d{1,3}"),
    "mnc": re.compile(r"\d{1,3}"),
    "ml": re.compile(r"\d{1,3}"),
}


def _version_2(version: str, fields: Mapping[str, str], wrong: list[str]) -> Aml:
    """`lo` is latitude, longitude and radius; `et` the second of the call since 1970; fields that we do not know pass."""
    if version != "2":
        wrong.append("message")
    at = [part.strip() for part in fields.get("lo", "").split(",")]
    lat, lon, radius = [*at, "", "", ""][:3]
    accuracy = _number(radius or None, 0, 1e7, "lo", wrong)
    captured_at = _epoch(fields.get("et"), 1, "et", wrong)
    method = METHODS.get(fields.get("ls", "").upper(), "")
    position = None
    if method != "none" and "lo" in fields:
        position = _position(lat, lon, ("lo", "lo"), accuracy, captured_at, method, wrong)
    return Aml(version, position, _number(fields.get("lc"), 0, 100, "lc", wrong), _once(wrong))


def _form(text: str) -> Aml:
    fields = dict(parse_qsl(text.strip()[:_LONGEST], keep_blank_values=True, max_num_fields=60))
    wrong: list[str] = []
    accuracy = _number(fields.get("location_accuracy") or None, 0, 1e7, "location_accuracy", wrong)
    captured_at = _epoch(fields.get("location_time"), 1000, "location_time", wrong)
    names = ("location_latitude", "location_longitude")
    position = _position(fields.get(names[0]), fields.get(names[1]), names, accuracy, captured_at, "", wrong)
    confidence = _number(fields.get("location_certainty") or None, 0, 100, "location_certainty", wrong)
    return Aml(f"form {fields.get('v', '')}".strip(), position, confidence, _once(wrong))


def _once(wrong: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(wrong))


def _position(
    lat: str | None,
    lon: str | None,
    names: tuple[str, str],
    accuracy: float | None,
    captured_at: datetime | None,
    method: str,
    wrong: list[str],
) -> dict[str, Any] | None:
    """A place in range; none where one half is missing or both are nought, which is how a phone says that it has no fix."""
    if lat is None or lon is None:
        return None
    bad = [name for name, value in zip(names, (lat, lon), strict=True) if not _DEGREES.fullmatch(value)]
    if bad:
        wrong += bad
        return None
    north, east = float(lat), float(lon)
    if not is_position(north, east):
        wrong.append(names[0] if abs(north) > 90 else names[1])
        return None
    if north == 0.0 and east == 0.0:
        return None
    found: dict[str, Any] = {"lat": north, "lon": east, "source": "aml"}
    more = {"accuracy_m": accuracy, "captured_at": captured_at, "method": method}
    return found | {name: value for name, value in more.items() if value not in (None, "")}


def _number(value: str | None, least: float, most: float, name: str, wrong: list[str]) -> float | None:
    if value is None:
        return None
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if least <= found <= most:
        return found
    wrong.append(name)
    return None


def _time(value: str | None, wrong: list[str]) -> datetime | None:
    if value is None:
        return None
    try:
        return datetime.strptime(value, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        wrong.append("top")
        return None


def _epoch(value: str | None, per_second: int, name: str, wrong: list[str]) -> datetime | None:
    if not value:
        return None
    try:
        return datetime.fromtimestamp(int(value) / per_second, UTC)
    except (ValueError, OverflowError, OSError):
        wrong.append(name)
        return None
