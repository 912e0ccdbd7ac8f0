"""How many parts an SMS takes, after 3GPP TS 23.038: 160 septets or 70 UTF-16 units alone, 153 or 67 in one of many."""

from __future__ import annotations

_BASIC = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = set("\f^{}\\[~]|€")


def _parts(sizes: list[int], alone: int, each: int) -> int:
    if sum(sizes) <= alone:
        return 1
    parts, used = 1, 0
    for size in sizes:
        # A character of two units (an escape or a surrogate pair) is not split over two parts.
        if used + size > each:
            parts, used = parts + 1, 0
        used += size
    return parts


def segments(body: str) -> int:
    """The number of parts that the carrier sends and bills."""
    if all(c in _BASIC or c in _EXTENDED for c in body):
        return _parts([2 if c in _EXTENDED else 1 for c in body], 160, 153)
    return _parts([2 if ord(c) > 0xFFFF else 1 for c in body], 70, 67)
