"""Makes text that people wrote safe to stand inside a message of ours.

A citizen's name or a place's name goes to a stranger's phone under the city's sender. It may not break the message's
lines, turn its direction around, hide characters, or smuggle in a link that looks like ours.
"""

import re
import unicodedata

from notifications.render.segments import BASIC, EXTENSION

_ZWNJ = "\u200c"  # joins nothing, yet Urdu needs it inside some words
_LRM = "\u200e"
_LAST_OF_BMP = "\uffff"  # beyond are emoji and disguised letters: two units each in an SMS, and in nobody's name here
_MOST_MARKS = 2  # combining marks on one letter; a shadda with a vowel is two, a heap of them hides the line above
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
_PUNCTUATION = str.maketrans(
    {"‘": "'", "’": "'", "ʼ": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "…": "...", "•": "-", "`": "'"}
)
_LINKLIKE_DOT = re.compile(r"(?<=\w)[.。．](?=[^\W\d_])")
_SIGNED_NUMBER = re.compile(r"[+#*-]\d(?:[\d ().-]*\d)?")
_SCHEME = re.compile(r"\b[a-z][a-z0-9+.-]*:/*/", re.IGNORECASE)


def clean(value: str, longest: int) -> str:
    """One line of at most `longest` characters, without controls, direction overrides, zero-width or link tricks."""
    letters: list[str] = []
    marks = 0
    for letter in unicodedata.normalize("NFKC", value):
        category = unicodedata.category(letter)
        if letter.isspace() or category in {"Zl", "Zp", "Zs"}:
            letter = " "
        elif (category in _HIDDEN and letter != _ZWNJ) or letter > _LAST_OF_BMP:
            continue
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks <= _MOST_MARKS and letter not in "{}":
            letters.append(letter)
    text = _SCHEME.sub(" ", "".join(letters))
    text = _LINKLIKE_DOT.sub(" ", text)
    text = re.sub(rf"(?<![\u0600-\u06ff]){_ZWNJ}|{_ZWNJ}(?![\u0600-\u06ff])", "", text)
    return " ".join(text.split())[:longest].rstrip()


def to_gsm7(text: str) -> str:
    """The same text with typographic marks and accents replaced where the 7-bit alphabet lacks them; Urdu stays."""
    out = []
    for letter in text.translate(_PUNCTUATION):
        if letter in BASIC or letter in EXTENSION:
            out.append(letter)
            continue
        plain = unicodedata.normalize("NFKD", letter)
        out.append(plain[0] if plain[0] in BASIC and all(map(unicodedata.combining, plain[1:])) else letter)
    return "".join(out)


def left_to_right(text: str) -> str:
    """The same text for a right-to-left line: signed numbers (`+92 300 …`) keep their sign on the left."""
    return _SIGNED_NUMBER.sub(lambda number: f"{_LRM}{number[0]}{_LRM}", text)
