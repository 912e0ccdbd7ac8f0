"""A text in its plain form, so that a word is found however it is disguised. Pure.

Done in this order: NFKC (compatibility forms, Arabic presentation forms, mathematical letters); what is invisible goes
(categories Cf, Mn, Me, Cc: zero-width characters, joiners, direction marks, tatweel, marks above and below); look-alikes of
Latin letters become Latin; variants of one Arabic-script letter become one; digits become 0–9; then case is folded. From
that, `words` makes what is compared: between letters, leet figures are letters; a letter that is repeated counts once.

The look-alikes are the Cyrillic, Greek, Armenian, Cherokee and Latin-extended rows that matter of Unicode's confusables
(unicode.org/Public/security, UTS 39): whole scripts are not, since Urdu must stay Urdu.
"""

import re
import unicodedata
from typing import Final

_LATIN: Final = {
    "a": "аαɑӑ⍺ꭺ", "b": "ЬвβɓƄ", "c": "сϲⅽꮯ", "d": "ԁɗⅾ", "e": "еєεҽꬲ", "f": "ƒꬵ", "g": "ɡցɢ", "h": "һհнη",
    "i": "іıɩιӏɪ", "j": "јϳ", "k": "кκқ", "l": "ⅼǀᏞ", "m": "мϻⅿ", "n": "ոпήɴ", "o": "оοօσ⍬ꭴ", "p": "рρ⍴", "q": "ԛգ",
    "r": "гꭇɼ", "s": "ѕꜱꮪ", "t": "тτŧ", "u": "υսʋц", "v": "ѵνⅴ", "w": "ԝшѡ", "x": "хχ×ⅹ", "y": "уүγʏ", "z": "ᴢʐ",
}  # fmt: skip
_ARABIC: Final = {
    "ی": "يىئېۍ",
    "ک": "كڪګ",
    "ہ": "هةھۀۂە",
    "و": "ؤۆۇۈۉ",
    "ا": "أإآٱ",
    "ں": "ن",
    "ت": "ٹط",
    "س": "ثص",
    "ز": "ذضظ",
}
_FOLD: Final = {
    ord(odd): plain
    for table, cases in ((_LATIN, (str.lower, str.upper)), (_ARABIC, (str,)))
    for letter, odds in table.items()
    for case in cases
    for odd, plain in ((case(each), case(letter)) for each in odds)
    if len(odd) == 1 and not odd.isascii()
}
_GONE: Final = frozenset({"Cf", "Mn", "Me", "Cc", "Cs", "Co", "Cn"})
_LEET: Final = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s", "!": "i"}
)
_TOKEN: Final = re.compile(r"[^\W_]+(?:[@$!*][^\W_]+)*|[@$][^\W_]+")
_SPACED: Final = re.compile(r"(?<!\w)(?:[^\W\d_][ .\-_*]){2,}[^\W\d_](?!\w)")
_REPEATED: Final = re.compile(r"(.)\1+")
_MOST: Final = 4_000


def folded(text: str) -> str:
    """The text with its disguises off, upper and lower case and figures as they are: what shapes of numbers are sought in."""
    letters: list[str] = []
    for letter in unicodedata.normalize("NFKC", text[:_MOST]):
        digit = unicodedata.decimal(letter, None)
        if digit is not None:
            letters.append(str(digit))
        elif letter.isspace():
            letters.append(" ")
        elif letter != "ـ" and unicodedata.category(letter) not in _GONE:
            base = unicodedata.normalize("NFD", letter)[0] if letter < "ɐ" else letter
            letters.append(base)
    return "".join(letters).translate(_FOLD)


def words(text: str) -> str:
    """The text as words between single blanks, for comparing: ` kill them ` of `K i l l  th3mm`."""
    plain = folded(text).casefold()
    plain = _SPACED.sub(lambda found: re.sub(r"[ .\-_*]", "", found[0]), plain)
    found = (_word(each) for each in _TOKEN.findall(plain))
    return f" {' '.join(each for each in found if each)} "


def _word(token: str) -> str:
    if any(char.isalpha() for char in token):
        token = token.translate(_LEET)
    return _REPEATED.sub(r"\1", "".join(char for char in token if char.isalnum()))
