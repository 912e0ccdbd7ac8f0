"""The texts, by language.

Gettext's own files, read as text, so that a translator's tool opens them and git shows changes. A language is one file
in `locale/`, named by its tag, and nothing else: what it does not say yet is said in English, and so is a text that names
other fields than the English one. `voice.locale` and `voice.name` in it are who speaks it on a call; without them calls
are in English.
"""

import string
from collections.abc import Mapping
from functools import cached_property, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from babel import Locale, UnknownLocaleError
from babel.messages.pofile import PoFileError, read_po

from runtime import logging

_DEFAULT = "en"

log = logging.get(__name__)


class NoText(KeyError):
    """There is no such purpose or part: a fault in the code that asked, never in its data."""


class Catalogue:
    """The texts of one folder, each language read when it is first asked for."""

    def __init__(self, folder: Traversable) -> None:
        self._folder = folder
        self._read: dict[str, Mapping[str, str]] = {}

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages that the folder has a file for."""
        return tuple(sorted(file.name[:-3] for file in self._folder.iterdir() if file.name.endswith(".po")))

    def messages(self, language: str) -> Mapping[str, str]:
        """Message id → text, of one of `languages`; what cannot be used is left out (`problems`)."""
        found = self._read.get(language)
        if found is None:
            found = self._read[language] = self._usable(language)
        return found

    def _usable(self, language: str) -> Mapping[str, str]:
        """A translation may be wrong or not be readable at all: an alarm goes out in English then."""
        try:
            wrong, written = self.problems(language), self.written(language)
        except (PoFileError, UnicodeDecodeError) as error:
            if language == _DEFAULT:
                raise
            log.error("texts_not_read", language=language, kind=type(error).__name__)
            return {}
        if wrong:
            log.error("texts_left_out", language=language, texts=sorted(wrong))
        return {name: text for name, text in written.items() if name not in wrong}

    def written(self, language: str) -> Mapping[str, str]:
        """Message id → text as it stands in the file."""
        with (self._folder / f"{language}.po").open("rb") as file:
            entries = read_po(file, locale=language, abort_invalid=True)
        return {str(entry.id): str(entry.string) for entry in entries if entry.id and entry.string}

    def problems(self, language: str) -> Mapping[str, str]:
        """Message id → what is wrong with its fields: others than in English, or braces that do not close."""
        english, found = self.written(_DEFAULT), {}
        for name, text in self.written(language).items():
            try:
                fields = placeholders(text)
            except ValueError as error:
                found[name] = str(error)
                continue
            wanted = set(placeholders(english[name])) if name in english and language != _DEFAULT else set(fields)
            if set(fields) != wanted:
                found[name] = f"has {sorted(set(fields))}, not {sorted(wanted)}"
        return found


CATALOGUE = Catalogue(files("notifications.render") / "locale")
LANGUAGES = CATALOGUE.languages


def placeholders(text: str) -> list[str]:
    """The names in braces, in order, with repeats. Raises ValueError where braces do not close."""
    return [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]


def best_language(tag: str) -> str:
    """The language that we have for a BCP 47 tag: `ur-PK` gives ur, anything unknown gives en."""
    primary = tag.replace("_", "-").split("-", 1)[0].lower()
    return primary if primary in CATALOGUE.languages else _DEFAULT


@lru_cache(maxsize=64)
def is_right_to_left(language: str) -> bool:
    """Whether a language is written from right to left (Unicode CLDR)."""
    try:
        return Locale.parse(language).text_direction == "rtl"
    except (UnknownLocaleError, ValueError):
        return False


def messages(language: str) -> Mapping[str, str]:
    """Message id → text of one of LANGUAGES."""
    return CATALOGUE.messages(language)


def language_of(purpose: str, part: str, tag: str) -> str:
    """The language in which `text` gives this: the person's own, else English."""
    ours = best_language(tag)
    if part == "voice" and "voice.name" not in messages(ours):
        return _DEFAULT
    return ours if _id(purpose, part, messages(ours)) else _DEFAULT


def text(purpose: str, part: str, language: str) -> str:
    """The template of a purpose's part.

    A variant (`assignment_offered.priority`) without its own has its purpose's, else `any`'s.
    """
    known = messages(language_of(purpose, part, language))
    found = _id(purpose, part, known)
    if not found:
        raise NoText(f"{purpose}.{part}")
    return known[found]


def _id(purpose: str, part: str, known: Mapping[str, str]) -> str:
    stem = purpose
    while stem:
        if f"{stem}.{part}" in known:
            return f"{stem}.{part}"
        stem = stem.rpartition(".")[0]
    return f"any.{part}" if f"any.{part}" in known else ""


def voice(language: str) -> tuple[str, str]:
    """(locale, voice) that speaks a language on a call; the English one where it has none."""
    known = messages(best_language(language))
    if "voice.name" not in known:
        known = messages(_DEFAULT)
    return known["voice.locale"], known["voice.name"]
