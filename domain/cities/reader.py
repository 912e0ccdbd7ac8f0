"""Reads nested data by expected type and names the key of whatever is wrong. Pure.

A mistyped key would silently leave a city without what it meant to set, so `done()` refuses keys that nobody read.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import time
from enum import StrEnum
from typing import Any, TypeVar

from domain.cities.errors import BadCity

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class Reader:
    """One table of a configuration. Every getter takes a key and raises `BadCity` with `source` and the key's path."""

    def __init__(self, table: Any, source: str, path: str = "") -> None:
        self._source = source
        self._path = path
        if not isinstance(table, Mapping):
            raise self.wrong("", "must be a table")
        self._table = table
        self._read: set[str] = set()

    def wrong(self, key: str, problem: str) -> BadCity:
        """The error for a key of this table, to be raised."""
        where = f"{self._path}.{key}".strip(".") or "(top)"
        return BadCity(f"{self._source}: {where} {problem}", errors={where: [problem]})

    def done(self) -> None:
        """Refuse keys that were never asked for."""
        unknown = sorted(set(self._table) - self._read)
        if unknown:
            raise self.wrong(unknown[0], "is not a known key")

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._table

    def keys(self) -> list[str]:
        """All keys, for tables whose keys are data; each is still to be read."""
        return list(self._table)

    def raw(self, key: str) -> Any:
        """The value as it is; it must be there."""
        self._read.add(key)
        if key not in self._table:
            raise self.wrong(key, "is missing")
        return self._table[key]

    def text(self, key: str, *, empty: bool = False) -> str:
        """A string; not empty unless said."""
        value = self.raw(key)
        if not isinstance(value, str) or not (value.strip() or empty):
            raise self.wrong(key, "must be text")
        return value

    def identifier(self, key: str) -> str:
        """A short lower-case name such as `punjab_police`."""
        value = self.text(key)
        if not _IDENTIFIER.fullmatch(value):
            raise self.wrong(key, "must be lower-case letters, digits, _ or -, starting with a letter, at most 40")
        return value

    def integer(self, key: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number in a range."""
        if default is not None and not self.has(key):
            return default
        value = self.raw(key)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(key, f"must be a whole number from {least} to {most}")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false; `default` where absent."""
        value = self.raw(key) if self.has(key) else default
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false")
        return value

    def one_of(self, key: str, kind: type[E]) -> E:
        """A member of an enumeration."""
        value = self.raw(key)
        try:
            return kind(value)
        except ValueError:
            raise self.wrong(key, f"must be one of {', '.join(kind)}") from None

    def some_of(self, key: str, kind: type[E], *, empty: bool = False) -> tuple[E, ...]:
        """A list of members, in order, none twice; not empty unless said."""
        values = self.texts(key, empty=empty)
        try:
            return tuple(kind(value) for value in values)
        except ValueError:
            raise self.wrong(key, f"must be a list of {', '.join(kind)}") from None

    def texts(self, key: str, *, empty: bool = True) -> tuple[str, ...]:
        """A list of strings, none twice; absent is empty where that is allowed."""
        if empty and not self.has(key):
            return ()
        value = self.raw(key)
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.wrong(key, "must be a list of text")
        if not (value or empty):
            raise self.wrong(key, "must not be empty")
        if len(set(value)) != len(value):
            raise self.wrong(key, "has something twice")
        return tuple(value)

    def clock(self, key: str) -> time:
        """A local time of day, `HH:MM`; `24:00` is the midnight that ends a day."""
        value = self.text(key)
        try:
            return time(0, 0) if value == "24:00" else time.fromisoformat(value)
        except ValueError:
            raise self.wrong(key, "must be a time such as 22:00") from None

    def table(self, key: str) -> "Reader":
        """A table within this one."""
        value = self.raw(key)
        if not isinstance(value, Mapping):
            raise self.wrong(key, "must be a table")
        return Reader(value, self._source, f"{self._path}.{key}".strip("."))

    def tables(self, key: str, *, empty: bool = False) -> Iterator["Reader"]:
        """The tables of a list."""
        value = self.raw(key) if self.has(key) or not empty else []
        if not isinstance(value, list) or not (value or empty):
            raise self.wrong(key, "must be a list of tables")
        for index, item in enumerate(value):
            yield Reader(item, self._source, f"{self._path}.{key}[{index}]".strip("."))

    def keyed(self, key: str, field: str, read: Callable[["Reader"], T], *, empty: bool = False) -> dict[str, T]:
        """The tables of a list by the text in `field`, which must differ, each turned into something and finished."""
        found: dict[str, T] = {}
        for table in self.tables(key, empty=empty):
            name = table.text(field)
            if name in found:
                raise table.wrong(field, f"stands twice: {name}")
            found[name] = read(table)
            table.done()
        return found
