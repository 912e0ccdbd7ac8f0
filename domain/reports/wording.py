"""What of a text makes a human read it before neighbours do, and what its author is asked to say otherwise. Pure.

The words are data (`cities/shared/report-words.toml`), compared in their plain form (`plain.py`); numbers are shapes.
Each finding has a stable code. A finding holds a report and never takes one away: words have contexts, rules do not.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from domain.cities.presets import PRESETS
from domain.reports.plain import folded, words
from domain.reports.states import Nudge

FILE: Final = PRESETS / "shared" / "report-words.toml"
HOLDS: Final = ("hate", "incitement", "doxxing", "minors")
"""Tables of words that hold a report; the others nudge."""
BEHAVIOUR_CHARS: Final = 15
"""So much says what somebody does, at least."""

_NUMBERS: Final = (
    ("phone_number", re.compile(r"(?:\+?92|0092|0)[\s-]?3\d{2}[\s-]?\d{3}[\s-]?\d{4}\b")),
    ("identity_number", re.compile(r"\b\d{5}[\s-]?\d{7}[\s-]?\d\b")),
    ("plate_number", re.compile(r"\b(?:[A-Z]{2,4}[\s-]?(?:\d{2}[\s-])?|[a-z]{2,4}-?(?:\d{2}-)?)\d{3,4}\b")),
    ("email_address", re.compile(r"\b[\w.+-]+@[\w-]+\.[A-Za-z]{2,}\b")),
)
_PLATES: Final = (
    re.compile(r"\b[A-Z]{2,4}[\s\W_]*(?:\d{2}[\s\W_]+)?(?:\d[\s\W_]?){3,4}\b"),
    re.compile(r"\ble[a-z]{1,2}[\s\W_]*(?:\d{2}[\s\W_]+)?\d{3,4}\b", re.IGNORECASE),  # Lahore's, as people type them
)


@lru_cache(maxsize=2)
def _tables(file: Path = FILE) -> Mapping[str, re.Pattern[str]]:
    """Table → one pattern over words in plain form."""
    found: dict[str, re.Pattern[str]] = {}
    for name, table in tomllib.loads(file.read_text(encoding="utf-8")).items():
        shapes = []
        for entry in table["any"]:
            parts = [(words(part.removesuffix("*")).strip(), part.endswith("*")) for part in entry.split()]
            shapes.append(" ".join(re.escape(plain) + (r"\S*" if longer else "") for plain, longer in parts))
        found[name] = re.compile(f"(?<= )(?:{'|'.join(shapes)})(?= )")
    return found


def held_for(*texts: str, minors: bool = False) -> list[str]:
    """Why a human must read these texts before others do; codes, sorted. Digits and letters of any script, disguised or not.

    `minors`: the kind of report is about a child, so that whatever is written may tell who it is.
    """
    whole = "\n".join(texts)
    plain = folded(whole)
    found = {name for name, shape in _NUMBERS if shape.search(plain)}
    if any(shape.search(plain) for shape in _PLATES):
        found.add("plate_number")
    said = words(whole)
    tables = _tables()
    found |= {name for name in HOLDS if tables[name].search(said)}
    if minors and said.strip():
        found.add("minors")
    return sorted(found)


def nudges(note: str, looks: Sequence[Mapping[str, Any]], *, needed: int) -> list[Nudge]:
    """What its author is asked to say otherwise or as well. `needed`: how many descriptors the kind of report asks for before
    looks are shown; 0: they never are.
    """
    said, tables = words(note), _tables()
    described = " ".join(str(each["text"]) for each in looks)
    found: list[Nudge] = []
    if (looks or tables["looks"].search(said)) and not says_behaviour(note):
        found.append(Nudge.BEHAVIOUR_FIRST)
    if looks and needed and len(distinct(looks)) < needed:
        found.append(Nudge.MORE_DESCRIPTORS)
    if looks and not needed:
        found.append(Nudge.LOOKS_NOT_SHOWN)
    if not looks and tables["looks"].search(said):
        found.append(Nudge.LOOKS_APART)
    if tables["origin"].search(said) or tables["origin"].search(words(described)):
        found.append(Nudge.ORIGIN_IS_NO_DESCRIPTION)
    return found


def says_behaviour(note: str) -> bool:
    """Whether something is said of what somebody does, beside how they look and what they are."""
    left = words(note)
    for name in ("looks", "origin"):
        left = _tables()[name].sub("", left)
    return len(" ".join(left.split())) >= BEHAVIOUR_CHARS


def distinct(looks: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The different descriptors that say something; where somebody comes from, or what they believe, is none."""
    origin = _tables()["origin"]
    return frozenset(
        str(each["part"])
        for each in looks
        if len(words(str(each["text"])).strip()) >= 2 and not origin.search(words(str(each["text"])))
    )


def shows_looks(note: str, looks: Sequence[Mapping[str, Any]], *, needed: int) -> bool:
    """Whether neighbours may read how somebody looks: enough different descriptors, and what they did is said first."""
    return bool(needed) and len(distinct(looks)) >= needed and says_behaviour(note)
