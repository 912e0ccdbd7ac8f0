"""One plate in one form, whoever wrote it and however it was misread. Pure.

`canonical` is what two writings of the same plate have in common. `fold` also takes as one what is mistaken most, O and
0, I and 1; `blur` takes together all that cameras mix up. A match is never an identity: a human looks at the picture.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Final

from domain.plates.countries import Country, Format

LONGEST: Final = 12
SHORTEST: Final = 3

_FOLD: Final = str.maketrans({"O": "0", "I": "1"})
LOOK_ALIKE: Final = ("0ODQ", "1IL", "2Z", "5S", "6G", "8B", "7T", "UV", "4A")
"""What is mistaken for each other, most often first within a group."""
_BLUR: Final = str.maketrans({each: group[0] for group in LOOK_ALIKE for each in group})

_TO_LETTER: Final[Mapping[str, str]] = {"0": "O", "1": "I", "2": "Z", "5": "S", "6": "G", "8": "B", "7": "T", "4": "A"}
_TO_DIGIT: Final[Mapping[str, str]] = {
    "O": "0", "D": "0", "Q": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "G": "6", "B": "8", "T": "7", "A": "4",
}  # fmt: skip
_LATER_COSTS: Final = 0.2
"""Of a look-alike: so much less likely is each format than the one before it in its country's list."""
_OFTEN: Final = frozenset("OI01")
"""Mistaken so often that it is no sign of a wrong shape."""

ALIKE_COST: Final = 0.15
UNSURE_BELOW: Final = 0.6
UNSURE_COST: Final = 0.5
MATCHES_UP_TO: Final = 0.65
"""The most that a reading may cost and still be asked about: look-alikes, and one sign that was read unsurely."""


@dataclass(frozen=True)
class Char:
    """One sign as it was read, with the reader's own confidence in 0–1."""

    text: str
    score: float


@dataclass(frozen=True)
class Fit:
    """A reading in a country's shape: `text` with look-alikes set right, how many were, and the shape."""

    text: str
    swapped: int
    format: Format | None


@dataclass(frozen=True)
class Match:
    """How near a reading is to a listed plate. `score` is 1 for the same one; `cost` is what had to be forgiven."""

    score: float
    cost: float


def canonical(text: str) -> str:
    """Capital Latin letters and digits alone: `lea-07 ۱۲۳` is LEA07123. Other scripts' digits become Latin ones."""
    plain = unicodedata.normalize("NFKD", text)
    signs = (str(unicodedata.digit(each)) if each.isdigit() else each.upper() for each in plain)
    return "".join(each for sign in signs for each in sign if each.isascii() and each.isalnum())


def is_plate(text: str) -> bool:
    """Whether a canonical text can be a plate at all: not too short, not too long, and a digit in it."""
    return SHORTEST <= len(text) <= LONGEST and any(each.isdigit() or each in _TO_DIGIT for each in text)


def fold(text: str) -> str:
    """The canonical form in which O is 0 and I is 1."""
    return canonical(text).translate(_FOLD)


def blur(text: str) -> str:
    """The canonical form in which everything that looks alike is one sign."""
    return canonical(text).translate(_BLUR)


def alike(one: str, other: str) -> bool:
    """Whether two signs are mistaken for each other."""
    return one.translate(_BLUR) == other.translate(_BLUR)


def keys(text: str) -> frozenset[str]:
    """By what a plate is looked up: its blur, and its blur with any one sign left out.

    Two plates of which one sign was missed, added or misread share a key, so that an index finds them.
    """
    whole = blur(text)
    return frozenset({whole, *(whole[:at] + whole[at + 1 :] for at in range(len(whole)))})


def match(read: Sequence[Char], listed: str) -> Match | None:
    """How near a reading is to a listed plate; None when it is another one.

    Signs are aligned by least cost: look-alikes cost little, a sign that was read unsurely half, any other a whole one.
    """
    wanted = canonical(listed)
    cost = distance(read, wanted)
    if not wanted or cost > MATCHES_UP_TO:
        return None
    return Match(round(max(0.0, 1.0 - cost / max(len(wanted), len(read))), 3), round(cost, 3))


def distance(read: Sequence[Char], wanted: str) -> float:
    """What has to be forgiven for a reading to be this plate (canonical): 0 for the same one, 1 for each other sign."""
    row = [float(at) for at in range(len(wanted) + 1)]
    for char in read:
        lost = UNSURE_COST if char.score < UNSURE_BELOW else 1.0
        above, row = row, [row[0] + lost]
        for at, sign in enumerate(wanted, start=1):
            row.append(min(above[at - 1] + _swap(char, sign), above[at] + lost, row[at - 1] + 1.0))
    return row[-1]


def _swap(char: Char, sign: str) -> float:
    if char.text.translate(_FOLD) == sign.translate(_FOLD):
        return 0.0
    if alike(char.text, sign):
        return ALIKE_COST
    return UNSURE_COST if char.score < UNSURE_BELOW else 1.0


def fit(text: str, country: Country) -> Fit:
    """The reading in the country's likeliest shape: that which sets the fewest look-alikes right, the surer one before.

    A reading that fits no shape stays as it was read.
    """
    plain = without_words(canonical(text), country)
    found = [
        (fitted[1] + rank * _LATER_COSTS, rank, Fit(*fitted, shape))
        for rank, shape in enumerate(country.formats)
        if (fitted := _into(plain, shape.shape))
    ]
    return min(found, default=(0.0, 0, Fit(plain, 0, None)))[2]


def without_words(text: str, country: Country) -> str:
    """Without the words that stand beside the number, however they were misread, where a number is left: letters and digits.

    What has one of the country's shapes as it is keeps all of it: ICT 123 and PKA 123 are plates, too.
    """
    if any(_exactly(text, each.shape) for each in country.formats):
        return text
    first, last = _number_in(blur(text), 0, len(text), tuple(blur(each) for each in country.words))
    cut = text[first:last]
    found = is_plate(cut) and any(each.isdigit() for each in cut) and any(each.isalpha() for each in cut)
    return cut if found else text


def _number_in(text: str, first: int, last: int, words: Sequence[str]) -> tuple[int, int]:
    for word in sorted(words, key=len, reverse=True):
        if text.startswith(word, first, last):
            return _number_in(text, first + len(word), last, words)
        if text.endswith(word, first, last):
            return _number_in(text, first, last - len(word), words)
    return first, last


def bare(read: Sequence[Char], country: Country) -> tuple[Char, ...]:
    """A reading without the words that stand beside the number."""
    text = written(read)
    plain = without_words(canonical(text), country)
    if len(text) != len(read) or canonical(text) != text or plain == text:
        return tuple(read)
    at = text.index(plain)
    return tuple(read[at : at + len(plain)])


def _exactly(text: str, shape: str) -> bool:
    return any(
        all(sign.isdigit() == (kind == "D") for sign, kind in zip(text, kinds, strict=True))
        for kinds in _kinds(shape, len(text))
    )


def _into(text: str, shape: str) -> tuple[str, int] | None:
    fitted = [found for kinds in _kinds(shape, len(text)) if (found := _set_right(text, kinds))]
    return min(fitted, key=lambda each: each[1], default=None)


def _set_right(text: str, kinds: str) -> tuple[str, int] | None:
    made, swapped = [], 0
    for sign, kind in zip(text, kinds, strict=True):
        if sign.isdigit() == (kind == "D"):
            made.append(sign)
            continue
        other = (_TO_DIGIT if kind == "D" else _TO_LETTER).get(sign)
        if other is None:
            return None
        made.append(other)
        swapped += 1 if sign in _OFTEN else 2
    return "".join(made), swapped


@lru_cache(maxsize=512)
def _kinds(shape: str, length: int) -> tuple[str, ...]:
    """Every way to write a shape with so many signs: `L{2,3}D` with 3 is `LLD`."""
    runs = [
        (kind, range(int(least or 1), int(most or least or 1) + 1))
        for kind, least, most in re.findall(r"([LD])(?:\{(\d+)(?:,(\d+))?\})?", shape)
    ]
    ways: Iterator[tuple[int, ...]] = product(*(counts for _, counts in runs))
    return tuple(
        "".join(kind * count for (kind, _), count in zip(runs, way, strict=True)) for way in ways if sum(way) == length
    )


def vote(readings: Iterable[Sequence[Char]]) -> tuple[Char, ...]:
    """What several readings of one plate say together, sign by sign.

    Of different lengths the one counts that is believed most in all. At each place the signs' scores are added; the
    winner's confidence is its share of all, times the mean of its own scores. Look-alikes O/0 and I/1 stand together.
    """
    by_length: dict[int, list[Sequence[Char]]] = {}
    for each in readings:
        if each:
            by_length.setdefault(len(each), []).append(each)
    if not by_length:
        return ()
    counted = max(by_length.values(), key=lambda same: (sum(confidence(each) for each in same), len(same[0])))
    return tuple(_elected(place) for place in zip(*counted, strict=True))


def _elected(place: Sequence[Char]) -> Char:
    folded: dict[str, list[Char]] = {}
    for char in place:
        folded.setdefault(char.text.translate(_FOLD), []).append(char)
    best = max(folded.values(), key=lambda same: sum(char.score for char in same))
    share = sum(char.score for char in best) / (sum(char.score for char in place) or 1.0)
    mean = sum(char.score for char in best) / len(best)
    return Char(max(best, key=lambda char: char.score).text, round(share * mean, 4))


def confidence(read: Sequence[Char]) -> float:
    """Of a whole reading: the mean of its signs' confidence, 0–1."""
    return sum(char.score for char in read) / len(read) if read else 0.0


def written(read: Sequence[Char]) -> str:
    """The reading as one text."""
    return "".join(char.text for char in read)
