"""Shortens what may be shortened until an SMS has at most two segments and its link ends within the first.

A line of a template whose placeholders are all empty falls away, so that what is optional costs nothing when it is
missing.
"""

import string
from collections.abc import Mapping, Sequence

from notifications.render.segments import encoding_of, split

MOST_SEGMENTS = 2


def fill(template: str, params: Mapping[str, str]) -> str:
    """The template with its placeholders filled; a line that has placeholders and all of them empty is left out."""
    lines = []
    for line in template.split("\n"):
        names = placeholders(line)
        if not names or any(params[name] for name in names):
            lines.append(line.format_map(params))
    return "\n".join(lines)


def placeholders(text: str) -> list[str]:
    """The names in braces, in order, with repeats."""
    return [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]


def fit(template: str, params: Mapping[str, str], *, shorten: Mapping[str, int], drop: Sequence[str], link: str) -> str:
    """Fill the template so that it fits; `params[link]`, where the template has it, is never touched.

    First the longest field in `shorten` (name → fewest characters left) loses a character at a time, only fields
    before the link where the link is what does not fit; then the fields in `drop` are emptied in order. A text that
    does not fit even so (a link longer than a segment) is returned as short as it got: an alarm goes out in three
    segments rather than not at all.
    """
    values = dict(params)
    full = dict(params)
    names = placeholders(template)
    head = names[: names.index(link)] if link in names else []
    to_drop = list(drop)
    while True:
        text = fill(template, values)
        parts = split(text)
        link_late = bool(head) and values[link] not in parts[0]
        if len(parts) <= MOST_SEGMENTS and not link_late:
            return text
        able = [
            name
            for name in (head if link_late else names)
            if name in shorten and len(values[name]) > max(shorten[name], 1)
        ]
        if able:
            longest = max(able, key=lambda name: len(values[name]))
            values[longest] = _shorter(full[longest], len(values[longest]) - 1, text)
        elif to_drop:
            values[to_drop.pop(0)] = ""
        else:
            return text


def _shorter(full: str, length: int, text: str) -> str:
    """`full` in `length` characters, ending in dots that the message's alphabet has."""
    dots = ".." if encoding_of(text) == "gsm7" else "…"
    kept = full[: max(length - len(dots), 0)].rstrip()
    return (kept + dots)[:length]
