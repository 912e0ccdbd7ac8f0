"""Whether two texts speak of the same: in English, Urdu or Roman Urdu, one in each. Pure.

A text becomes its words in plain form (`plain.py`), without those that say nothing. Of each is known its meaning, by the
table `cities/shared/same-words.toml`, or else its sounds: consonants as Roman Urdu writes them, so that چوبرجی and
"Chouburji" are the same. What no table knows (a shop's name, a street's) tells most; words of places tell less; what the
category says already tells least. Spellings that differ by a letter count by rapidfuzz's ratio.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from rapidfuzz import fuzz, process

from domain.cities.presets import PRESETS
from domain.reports.categories import CATEGORIES
from domain.reports.plain import words

FILE: Final = PRESETS / "shared" / "same-words.toml"
LEAST: Final = 2
"""A text with fewer words that say something is no evidence."""
_SPELT: Final = 84.0
_KNOWN, _NAME, _CATEGORY = 0.7, 1.0, 0.25
_VOWELS: Final = frozenset("aeiouwyh")


@dataclass(frozen=True)
class _Table:
    letters: Mapping[str, str]
    sounds: tuple[tuple[str, str], ...]
    stop: frozenset[str]
    meanings: Mapping[str, str]
    """Word in plain form, or its sounds where no other meaning has them, → meaning."""


@lru_cache(maxsize=1)
def _table(file: Path = FILE) -> _Table:
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    sounds = tuple(sorted(read["sounds"].items(), key=lambda each: -len(each[0])))
    bare = _Table(read["letters"], sounds, frozenset(words(read["stop"]["words"]).split()), {})
    known: dict[str, str] = {}
    by_sound: dict[str, set[str]] = {}
    for meaning, said in read["meanings"].items():
        for word in words(said).split():
            known.setdefault(word, meaning)
            by_sound.setdefault(_sounds(word, bare), set()).add(meaning)
    for sound, meant in by_sound.items():
        if len(meant) == 1 and len(sound) >= 3:
            known.setdefault(f"/{sound}", *meant)
    return _Table(bare.letters, bare.sounds, bare.stop, known)


def _sounds(word: str, table: _Table) -> str:
    """The consonants of a word of either script; its first letter stays."""
    roman = "".join(table.letters.get(letter, letter) for letter in word)
    for spelt, sound in table.sounds:
        roman = roman.replace(spelt, sound)
    kept = roman[:1] + "".join(letter for letter in roman[1:] if letter not in _VOWELS)
    return "".join(letter for number, letter in enumerate(kept) if number == 0 or letter != kept[number - 1])


@lru_cache(maxsize=4096)
def keys(text: str) -> Mapping[str, float]:
    """What a text says: meaning, or sounds with a "/" before them, → how much it tells (0–1)."""
    table = _table()
    found: dict[str, float] = {}
    for word in words(text).split():
        if word in table.stop:
            continue
        sounds = f"/{_sounds(word, table)}"
        meaning = table.meanings.get(word) or table.meanings.get(sounds) or _misspelt(word)
        if meaning:
            found[meaning] = _CATEGORY if meaning in CATEGORIES else _KNOWN
        elif len(sounds) >= 3 or word.isdigit():
            found[sounds] = _NAME
    return found


def _misspelt(word: str) -> str | None:
    if len(word) < 6:
        return None
    table = _table()
    match = process.extractOne(word, table.meanings.keys(), scorer=fuzz.ratio, score_cutoff=_SPELT)
    return table.meanings[match[0]] if match else None


def likeness(one: str, other: str) -> float | None:
    """How far two texts speak of the same, 0–1, the same whichever comes first; None where either says too little."""
    first, second = keys(one), keys(other)
    if min(len(first), len(second)) < LEAST:
        return None
    few, many = sorted((first, second), key=lambda each: (len(each), sorted(each)))
    shared = sum(told * _best(key, many) for key, told in few.items())
    least, both = sum(few.values()), sum(first.values()) + sum(second.values())
    # Half by how much of the shorter text is in the longer, half by how much of both is shared.
    return round(0.5 * shared / least + 0.5 * min(1.0, 2 * shared / both), 3)


def _best(key: str, others: Mapping[str, float]) -> float:
    if key in others:
        return 1.0
    if not key.startswith("/") or len(key) < 4:
        return 0.0
    names = [each for each in others if each.startswith("/") and len(each) >= 4]
    match = process.extractOne(key, names, scorer=fuzz.ratio, score_cutoff=75.0)
    return match[1] / 100 if match else 0.0
