"""Reads an SMS to the city's number: AML, `SOS lat,lon text`, or anything at all. Pure, and it never raises.

People write coordinates in many ways; digits may be Urdu or Arabic ones. What cannot be read is kept as it came.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any, Final

from domain.geo import is_position
from domain.incidents import aml

NOTE_CHARS: Final = 1600
_SOS: Final = re.compile(r"\W*(?:s\W?o\W?s(?![a-z])|ایس\s?او\s?ایس|مدد)[^\w+-]*", re.IGNORECASE)
_DECIMAL: Final = r"([+-]?\d{1,3}[.,٫]\d+)(?:\s?°)?(?:\s*([NSEW])(?![A-Za-z]))?"
_PAIR: Final = re.compile(rf"(?<![\d.]){_DECIMAL}\s*[,،;/\s]\s*{_DECIMAL}(?![\d.])", re.IGNORECASE)
_WHOLE: Final = re.compile(r"([+-]?\d{1,3}(?:\.\d+)?)\s*[,،;]\s*([+-]?\d{1,3}(?:\.\d+)?)(?![\d.])")
_INVISIBLE: Final = {"Cf", "Cc", "Cs", "Co", "Cn"}


@dataclass(frozen=True)
class Text:
    """What an SMS says. `called` is true where it names itself a call for help (SOS, AML)."""

    called: bool = False
    automatic: bool = False
    """Sent by the phone itself (AML): nobody waits for an answer, and none may light up the screen."""
    position: dict[str, Any] | None = None
    note: str | None = None
    unreadable: tuple[dict[str, str], ...] = field(default=())


def plain(text: str) -> str:
    """One line: digits as 0–9, letters in their usual form, nothing invisible."""
    letters = []
    for letter in unicodedata.normalize("NFKC", text).replace("−", "-"):
        digit = unicodedata.decimal(letter, None)
        if digit is not None:
            letters.append(str(digit))
        elif letter.isspace():
            letters.append(" ")
        elif unicodedata.category(letter) not in _INVISIBLE:
            letters.append(letter)
    return " ".join("".join(letters).split())


def read(text: str) -> Text:
    """Make out what a message says."""
    if aml.is_aml(text):
        return _automatic(text)
    said = plain(text)[:NOTE_CHARS]
    called = _SOS.match(said)
    rest = said[called.end() :] if called else said
    pair = _PAIR.search(rest)
    whole = None if pair or not called else _WHOLE.match(rest)
    found = pair or whole
    if found is None:
        return Text(called=bool(called), note=rest or None)
    lat, lon = _degrees(found, whole=bool(whole))
    note = " ".join(f"{rest[: found.start()]} {rest[found.end() :]}".split()).strip(" ,;،") or None
    if not is_position(lat, lon) or (lat == 0.0 and lon == 0.0):
        return Text(bool(called), note=note, unreadable=({"field": "position", "value": found[0].strip()},))
    return Text(bool(called), position={"lat": lat, "lon": lon, "source": "sms"}, note=note)


def _degrees(found: "re.Match[str]", *, whole: bool) -> tuple[float, float]:
    """(lat, lon) as written; `74.35E 31.52N` names its halves itself."""
    if whole:
        return float(found[1]), float(found[2])
    first, second = (float(found[n].replace(",", ".").replace("٫", ".")) for n in (1, 3))
    one, two = (found[2] or "").upper(), (found[4] or "").upper()
    first, second = (-first if one in ("S", "W") else first), (-second if two in ("S", "W") else second)
    return (second, first) if one in ("E", "W") or two in ("N", "S") else (first, second)


def _automatic(text: str) -> Text:
    message = aml.parse(text)
    kept: tuple[dict[str, str], ...] = ()
    if not message.sound:
        # Which attributes, not the text: it has the phone's IMSI and IMEI in it.
        kept = ({"field": "aml", "value": ", ".join(message.problems)[:200]},)
    return Text(called=True, automatic=True, position=message.position, unreadable=kept)
