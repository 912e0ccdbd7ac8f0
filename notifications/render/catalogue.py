"""The texts, by language.

Gettext's own files, read as text, so that a translator's tool opens them and git shows changes.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from babel.messages.pofile import read_po

LANGUAGES = ("en", "ur")
RIGHT_TO_LEFT = frozenset({"ur"})
_DEFAULT = "en"


class NoText(KeyError):
    """There is no such purpose or part: a fault in the code that asked, never in its data."""


def best_language(tag: str) -> str:
    """The language that we have for a BCP 47 tag: `ur-PK` gives ur, anything unknown gives en."""
    primary = tag.replace("_", "-").split("-", 1)[0].lower()
    return primary if primary in LANGUAGES else _DEFAULT


@cache
def messages(language: str) -> Mapping[str, str]:
    """Message id → text of one of LANGUAGES."""
    with (files("notifications.render") / "locale" / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language, abort_invalid=True)
    return {str(entry.id): str(entry.string) for entry in catalogue if entry.id and entry.string}


def text(purpose: str, part: str, language: str) -> str:
    """The template of a purpose's part.

    A variant (`assignment_offered.priority`) without its own has its purpose's, else `any`'s.
    """
    known = messages(best_language(language))
    stem = purpose
    while stem:
        if f"{stem}.{part}" in known:
            return known[f"{stem}.{part}"]
        stem = stem.rpartition(".")[0]
    if f"any.{part}" in known:
        return known[f"any.{part}"]
    raise NoText(f"{purpose}.{part}")
