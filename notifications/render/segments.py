"""How long an SMS is. Carriers bill and deliver by segment, so that every text is counted before it is sent.

Source: 3GPP TS 23.038 (the 7-bit default alphabet, its extension table, UCS-2) and TS 23.040 (joined messages). A
segment has 140 octets: 160 septets or 70 UTF-16 units. A joined message spends 6 octets of each on its header: 153 or
67 are left, and neither an escaped character nor a surrogate pair is ever parted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Encoding = Literal["gsm7", "ucs2"]

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet: a character's index is its code.

0x1B is the escape to the extension table, never a character.
"""

EXTENSION = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
"""Characters that cost two septets, with their code after the escape."""

_ONE_SEPTET = frozenset(BASIC) - {"\x1b"}
_SINGLE: dict[Encoding, int] = {"gsm7": 160, "ucs2": 70}
JOINED: dict[Encoding, int] = {"gsm7": 153, "ucs2": 67}
"""Units in each segment of a joined message."""


@dataclass(frozen=True)
class Count:
    """What a text costs: `units` are septets (gsm7) or UTF-16 units (ucs2)."""

    encoding: Encoding
    units: int
    segments: int


def encoding_of(text: str) -> Encoding:
    """gsm7 if every character is in the default alphabet or its extension, else ucs2."""
    return "gsm7" if all(letter in _ONE_SEPTET or letter in EXTENSION for letter in text) else "ucs2"


def split(text: str) -> list[str]:
    """The text as its segments carry it; an empty text is one empty segment."""
    encoding = encoding_of(text)
    if units(text, encoding) <= _SINGLE[encoding]:
        return [text]
    parts: list[str] = []
    room, start = JOINED[encoding], 0
    for index, width in enumerate(_widths(text, encoding)):
        if width > room:
            parts.append(text[start:index])
            room, start = JOINED[encoding], index
        room -= width
    return [*parts, text[start:]]


def count(text: str) -> Count:
    """Encoding, units and segments of a text."""
    encoding = encoding_of(text)
    return Count(encoding, units(text, encoding), len(split(text)))


def units(text: str, encoding: Encoding) -> int:
    """Septets or UTF-16 units of a text."""
    return sum(_widths(text, encoding))


def _widths(text: str, encoding: Encoding) -> Iterator[int]:
    if encoding == "gsm7":
        return (1 if letter in _ONE_SEPTET else 2 for letter in text)
    return (1 if ord(letter) < 0x10000 else 2 for letter in text)
