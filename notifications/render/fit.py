"""Shortens what may be shortened until an SMS has at most two segments and its link ends within the first.

A line of a template whose placeholders are all empty falls away, so that what is optional costs nothing when it is
missing.
"""

from collections.abc import Mapping, Sequence

from notifications.render.catalogue import placeholders
from notifications.render.segments import JOINED, encoding_of, split, units

MOST_SEGMENTS = 2


def fill(template: str, params: Mapping[str, str]) -> str:
    """The template with its placeholders filled; a line that has placeholders and all of them empty is left out."""
    lines = []
    for line in template.split("\n"):
        names = placeholders(line)
        if not names or any(params[name] for name in names):
            lines.append(line.format_map(params))
    return "\n".join(lines)


def fit(
    template: str, params: Mapping[str, str], *, shorten: Mapping[str, int], drop: Sequence[str], links: Sequence[str]
) -> str:
    """Fill the template so that it fits. The fields in `links` are never touched, and should end in the first segment.

    First the longest field in `shorten` (name → fewest characters left) loses a character at a time, only fields
    before the link where the link is what does not fit; then the fields in `drop` are emptied in order. A text that
    does not fit even so (a link longer than a segment) is returned as short as it got: an alarm goes out in three
    segments rather than not at all.
    """
    values = dict(params)
    names = placeholders(template)
    link = next((name for name in names if name in links and values[name]), "")
    head = names[: names.index(link)] if link else []
    to_drop = list(drop)
    dots = ".." if encoding_of(template) == "gsm7" else "…"  # not to cost a text the short alphabet
    while True:
        text = fill(template, values)
        encoding = encoding_of(text)
        parts = split(text)
        link_late = bool(link) and values[link] not in parts[0]
        if len(parts) <= MOST_SEGMENTS and not link_late:
            return text
        able = {
            name
            for name in (head if link_late else names)
            if name in shorten and len(values[name]) > max(shorten[name], 1)
        }
        if able:
            start = text[: text.index(values[link]) + len(values[link])] if link_late else text
            excess = units(start, encoding) - JOINED[encoding] * (1 if link_late else MOST_SEGMENTS)
            longest = max(sorted(able), key=lambda name: len(values[name]))
            # Half of its share of what is too much, so that no field loses more than it must.
            length = len(values[longest]) - max(1, excess // (2 * len(able)))
            values[longest] = _shorter(params[longest], max(length, shorten[longest], 1), dots)
        elif to_drop:
            values[to_drop.pop(0)] = ""
        else:
            return text


def _shorter(full: str, length: int, dots: str) -> str:
    kept = full[: max(length - len(dots), 0)].rstrip()
    return (kept + dots)[:length]
