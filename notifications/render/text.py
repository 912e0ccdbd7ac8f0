"""Fills a purpose's text for one person: cleans what people wrote, keeps what is ours, fits an SMS."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from notifications.render.catalogue import is_right_to_left, language_of, placeholders
from notifications.render.catalogue import text as template_of
from notifications.render.clean import clean, left_to_right, to_gsm7
from notifications.render.fit import fill, fit
from notifications.render.segments import Encoding, count

_LINK = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+/[A-Za-z0-9/_.~-]*\Z")
_CODE = re.compile(r"[A-Za-z0-9]{1,12}\Z")


class MissingParam(ValueError):
    """A link or code that the text cannot do without is missing or malformed: a fault in the code that asked."""


class UnknownField(ValueError):
    """A text names a field that nothing fills: a fault in the text, found by its test in every language."""


@dataclass(frozen=True)
class _Words:
    """A field that people or maps wrote: cleaned, and shortened where an SMS is full."""

    longest: int
    fewest: int
    stand_in: str = ""
    """Which of the catalogue's words stands in where it is empty; none: it is left out."""


_WORDS = {
    "category": _Words(longest=40, fewest=6, stand_in="emergency"),
    "area": _Words(longest=60, fewest=6, stand_in="place_unknown"),
    "first_name": _Words(longest=30, fewest=6, stand_in="somebody"),
    "city": _Words(longest=30, fewest=6, stand_in="your_city"),
    "handled_by": _Words(longest=40, fewest=8, stand_in="another_unit"),
    "what": _Words(longest=160, fewest=20, stand_in="look_at_amaan"),
    "where": _Words(longest=60, fewest=12),
    "when": _Words(longest=20, fewest=12),
    "headline": _Words(longest=160, fewest=40, stand_in="look_at_amaan"),
    "instruction": _Words(longest=400, fewest=20),
}
_CODES = frozenset({"code", "nonce", "reply"})
_OPTIONAL_CODES = frozenset({"nonce", "reply"})
_LINKS = frozenset({"link", "page"})
_OPTIONAL_LINKS = frozenset({"page"})
_MADE = frozenset({"replies"})
"""Made by `render_sms` out of a text of its own."""
FIELDS = frozenset(_WORDS) | _CODES | _LINKS | _MADE
"""All that a text may name."""
_DROPPED_FIRST = (
    "where",
    "replies",
    "page",
)  # the nonce stays: without it an attempt of unknown outcome is never found again


@dataclass(frozen=True)
class Sms:
    """An SMS ready to send."""

    text: str
    encoding: Encoding
    segments: int


def render(purpose: str, part: str, language: str, params: Mapping[str, str]) -> str:
    """The text of one part. `language` is any BCP 47 tag; params that the text does not name are ignored.

    Two params are not in any text: `variant` chooses a wording of the purpose (`priority`, or an incident's status)
    where the catalogue has one, and `metres` is said as a distance where there is no `where` (else the area, if not
    yet said).

    Raises NoText for a purpose or part that does not exist, MissingParam for a link or code that is missing or malformed
    and UnknownField for a text that names what does not exist; empty words are replaced by general ones, since an alarm
    must not fail for want of a place's name.
    """
    if part == "sms":
        return render_sms(purpose, language, params).text
    purpose = _with_variant(purpose, params)
    ours = language_of(purpose, part, language)
    template = template_of(purpose, part, ours)
    values = _values(template, params, ours)
    if part == "voice":
        values = {name: ", ".join(value) if name in _CODES else value for name, value in values.items()}
    return fill(template, values)


def render_sms(purpose: str, language: str, params: Mapping[str, str]) -> Sms:
    """The SMS of a purpose, at most two segments, the first with who, where and the link; see `render`.

    `reply`, the recipient's number in reply codes such as `1a`, is given only where the sender can receive; `nonce`
    is the message's (`notifications.messages.nonce_of`).
    """
    ours = language_of(_with_variant(purpose, params), "sms", language)
    template = template_of(_with_variant(purpose, params), "sms", ours)
    values = _values(template, params, ours)
    if "replies" in values:
        codes = template_of(purpose, "sms_replies", ours)
        values["replies"] = fill(codes, _values(codes, params, ours)) if params.get("reply") else ""
    if not is_right_to_left(ours):
        values = {name: value if name in _LINKS else to_gsm7(value) for name, value in values.items()}
    shorten = {name: words.fewest for name, words in _WORDS.items()}
    text = fit(template, values, shorten=shorten, drop=[n for n in _DROPPED_FIRST if n in values], links=sorted(_LINKS))
    counted = count(text)
    return Sms(text, counted.encoding, counted.segments)


def distance(metres: float, language: str) -> str:
    """A distance as people say it: `850 m`, `1.2 km`; rounded to 50 m below one kilometre and to 100 m above."""
    if metres < 975:
        return template_of("word", "metres", language).format(n=max(50, round(metres / 50) * 50))
    return template_of("word", "kilometres", language).format(n=f"{metres / 1000:.1f}")


def _with_variant(purpose: str, params: Mapping[str, str]) -> str:
    return f"{purpose}.{params.get('variant', '')}".rstrip(".")


def _values(template: str, params: Mapping[str, str], language: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for name in set(placeholders(template)):
        given = params.get(name, "")
        if name in _WORDS:
            words = _WORDS[name]
            if name == "where" and not given:
                given = _where(template, params, language)
            value = clean(given, words.longest)
            if is_right_to_left(language):
                value = left_to_right(value)
            values[name] = value or (template_of("word", words.stand_in, language) if words.stand_in else "")
        elif name in _LINKS:
            if not _LINK.match(given) and (given or name not in _OPTIONAL_LINKS):
                raise MissingParam(name)
            values[name] = given
        elif name in _CODES:
            if not _CODE.match(given) and (given or name not in _OPTIONAL_CODES):
                raise MissingParam(name)
            values[name] = given
        elif name in _MADE:
            values[name] = ""
        else:
            raise UnknownField(name)
    return values


def _where(template: str, params: Mapping[str, str], language: str) -> str:
    """Said where nobody said it better: the distance, or the area where the text does not name it already."""
    if params.get("metres"):
        return distance(float(params["metres"]), language)
    return "" if "area" in placeholders(template) else params.get("area", "")
