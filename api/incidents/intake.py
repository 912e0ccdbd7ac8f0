"""Reads a call for help, whatever came. Pure, and it never raises.

An SOS is taken for as long as a position, a phone number or a device can be made out of it. So each part is read for
itself: what cannot be read is kept as it came (`unreadable`) and the rest is used. A body cut off by a bad network still
has its coordinates in it; they are fished out of the text.
"""

import json
import math
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

import marshmallow as ma

from api.schemas import Time
from domain.cities.config import ALARMS
from domain.errors import Invalid
from domain.geo import is_position
from domain.phones import parse_phone

SERVICES: Final = tuple(str(service) for service in ALARMS)
NOTE_CHARS: Final = 2000
BODY_BYTES: Final = 256 * 1024
_GZIP: Final = b"\x1f\x8b"
_KEPT_CHARS: Final = 500
_KEPT_PARTS: Final = 20
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_DEVICE: Final = re.compile(r"[A-Za-z0-9._:\-]{1,128}")
_LAT: Final = re.compile(r"""["']?\blat(?:itude)?["']?\s*[:=]\s*["']?(-?\d{1,2}(?:\.\d+)?)""", re.IGNORECASE)
_LON: Final = re.compile(
    r"""["']?\b(?:lon|lng|long|longitude)["']?\s*[:=]\s*["']?(-?\d{1,3}(?:\.\d+)?)""", re.IGNORECASE
)
_PAIR: Final = re.compile(r"(?:geo:|^|\s)(-?\d{1,2}\.\d+)\s*,\s*(-?\d{1,3}\.\d+)")
_PHONE: Final = re.compile(r"""["']?\bphone["']?\s*[:=]\s*["']?(\+?[0-9][0-9 \-]{7,18})""", re.IGNORECASE)
_TIME: Final = Time()
_UNREADABLE: Final = (ValueError, TypeError, AttributeError, OverflowError, OSError, ma.ValidationError, Invalid)
_TRUE: Final = frozenset({"true", "yes", "1", "on"})
_FALSE: Final = frozenset({"false", "no", "0", "off", ""})


@dataclass
class Reading:
    """What could be made out. `unreadable` is [{field, value}] with the value as text."""

    position: dict[str, Any] | None = None
    phone: str | None = None
    device: str | None = None
    category: str | None = None
    services: tuple[str, ...] = ()
    silent: bool = False
    practice: bool = False
    battery_pct: float | None = None
    note: str | None = None
    language: str | None = None
    unreadable: list[dict[str, str]] = field(default_factory=list)

    def keep(self, name: str, value: Any) -> None:
        """Keep what could not be read."""
        if len(self.unreadable) < _KEPT_PARTS:
            try:
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            except RecursionError:
                text = "nested too deep"
            self.unreadable.append({"field": name, "value": storable(text)[:_KEPT_CHARS]})


def storable(text: str) -> str:
    """Text without what no store can keep: NUL and halves of surrogate pairs."""
    return _UNSTORABLE.sub("\ufffd", text)


def read(raw: bytes) -> Reading:
    """Make out what the body says. Unknown fields are ignored: a new phone meets an old city's server."""
    reading = Reading()
    raw = _unpacked(raw)
    try:
        body = json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        text = raw.decode("utf-8", "replace")
        reading.keep("body", text)
        body = _fished(text)
    for name, reader in _READERS.items():
        value = body.get(name)
        if value is not None:
            try:
                reader(reading, value)
            except _UNREADABLE:
                reading.keep(name, value)
    if reading.position is None and ("lat" in body or "latitude" in body):
        try:
            _read_position(reading, body)
        except _UNREADABLE:
            reading.keep("lat", {name: body.get(name) for name in ("lat", "lon", "latitude", "longitude")})
    return reading


def _unpacked(raw: bytes) -> bytes:
    """A body that was packed with gzip, as much of it as is there; anything else as it is."""
    if not raw.startswith(_GZIP):
        return raw
    try:
        return zlib.decompressobj(wbits=31).decompress(raw, BODY_BYTES)
    except zlib.error:
        return raw


def _fished(text: str) -> dict[str, Any]:
    """What can be fished out of text that is not a JSON object: a form, half a JSON, `geo:31.5,74.3`."""
    found: dict[str, Any] = {}
    if "=" in text and "{" not in text:
        found = dict(parse_qsl(text[:8192], max_num_fields=50)) if text.count("&") < 50 else {}
    lat, lon = _LAT.search(text), _LON.search(text)
    if lat and lon:
        found |= {"position": {"lat": lat[1], "lon": lon[1]}}
    elif pair := _PAIR.search(text):
        found |= {"position": {"lat": pair[1], "lon": pair[2]}}
    if "phone" not in found and (phone := _PHONE.search(text)):
        found["phone"] = phone[1]
    return found


def number(value: Any) -> float:
    """A finite number, also written as text; raises ValueError or TypeError."""
    if isinstance(value, bool):
        raise TypeError("a truth value is no number")
    found = float(value)
    if not math.isfinite(found):
        raise ValueError("not finite")
    return found


def _first(value: Mapping[str, Any], *names: str) -> Any:
    return next((value[name] for name in names if value.get(name) is not None), None)


def _read_position(reading: Reading, value: Any) -> None:
    if isinstance(value, str):
        pair = _PAIR.search(value)
        if pair is None:
            raise ValueError("no coordinates")
        value = {"lat": pair[1], "lon": pair[2]}
    elif isinstance(value, list) and len(value) == 2:
        value = {"lat": value[0], "lon": value[1]}
    lat, lon = number(_first(value, "lat", "latitude")), number(_first(value, "lon", "lng", "longitude"))
    if not is_position(lat, lon) or (lat == 0.0 and lon == 0.0):  # 0, 0 is a phone without a fix
        raise ValueError("out of range")
    position: dict[str, Any] = {"lat": lat, "lon": lon, "source": "app"}
    for name, reader in (("accuracy_m", _accuracy), ("captured_at", moment)):
        if value.get(name) is not None:
            try:
                position[name] = reader(value[name])
            except _UNREADABLE:
                reading.keep(f"position.{name}", value[name])
    reading.position = position


def _accuracy(value: Any) -> float:
    found = number(value)
    if not 0.0 <= found <= 1e7:
        raise ValueError("out of range")
    return found


def moment(value: Any) -> datetime:
    """A time as RFC 3339, or in seconds or milliseconds since 1970; raises ValueError, TypeError or ValidationError."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = value / 1000 if abs(value) > 1e11 else value
        return datetime.fromtimestamp(round(seconds, 3), UTC)
    found: datetime = _TIME.deserialize(value)
    return found


def _read_phone(reading: Reading, value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError("not text")
    reading.phone = parse_phone(value)


def _read_device(reading: Reading, value: Any) -> None:
    found = value.get("id") if isinstance(value, Mapping) else value
    if not isinstance(found, str) or not _DEVICE.fullmatch(found):
        raise ValueError("not an id")
    reading.device = found


def _read_category(reading: Reading, value: Any) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_\-]{1,60}", value):
        raise ValueError("not a code")
    reading.category = value.lower()


def _read_services(reading: Reading, value: Any) -> None:
    if isinstance(value, list):
        value = {name: True for name in value if isinstance(name, str)}
    asked = set()
    for name in SERVICES:
        if name not in value:
            continue
        try:
            if truth(value[name]):
                asked.add(name)
        except ValueError:
            asked.add(name)  # named, whatever was meant beside it: in doubt somebody comes
            reading.keep(f"services.{name}", value[name])
    reading.services = tuple(name for name in SERVICES if name in asked)


def truth(value: Any) -> bool:
    """A truth value, also as people's code writes it; raises ValueError for what is neither."""
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower() if isinstance(value, (str, int)) else "?"
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError("neither true nor false")


def _read_silent(reading: Reading, value: Any) -> None:
    """Something that cannot be read asks for silence: a phone that rings can cost more than one that does not."""
    reading.silent = True
    reading.silent = truth(value)


def _read_practice(reading: Reading, value: Any) -> None:
    """Only a plain true is a practice: in doubt somebody comes."""
    if not isinstance(value, bool):
        raise TypeError("not a truth value")
    reading.practice = value


def _read_battery(reading: Reading, value: Any) -> None:
    found = number(value)
    if not 0.0 <= found <= 100.0:
        raise ValueError("out of range")
    reading.battery_pct = found


def _read_note(reading: Reading, value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError("not text")
    reading.note = storable(value).strip()[:NOTE_CHARS] or None


def _read_language(reading: Reading, value: Any) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", value):
        raise ValueError("not a language")
    reading.language = re.split("[-_]", value)[0].lower()


_READERS: Final[Mapping[str, Callable[[Reading, Any], None]]] = {
    "position": _read_position,
    "phone": _read_phone,
    "device": _read_device,
    "device_id": _read_device,
    "category": _read_category,
    "services": _read_services,
    "silent": _read_silent,
    "practice": _read_practice,
    "battery_pct": _read_battery,
    "note": _read_note,
    "language": _read_language,
}
