"""Reads a list of people to invite, as somebody made it in a spreadsheet: rows that can be read, and by line what is wrong
with the others. Pure, and it never raises for a row.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from domain.errors import Invalid
from domain.phones import parse_phone

MOST_ROWS: Final = 200
MOST_CHARS: Final = 40_000
MOST_TOLD: Final = 50
"""Bad rows that are named; of more, their number."""
_HEADS: Final = frozenset({"phone", "number", "mobile", "phone number", "tel", "فون", "نمبر", "موبائل"})
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


class Problem(StrEnum):
    """What is wrong with a row."""

    NO_PHONE = "no_phone"
    """There is no number in it."""
    BAD_PHONE = "bad_phone"
    """What stands there is no phone number."""
    TWICE = "twice"
    """The same number stands further up."""
    TOO_MANY = "too_many"
    """It is beyond the most that one list may have."""
    NOT_A_ROW = "not_a_row"
    """It is neither a number nor an object with `phone`."""


@dataclass(frozen=True)
class Read:
    """The numbers, each once, in the list's order; and (line from 1, problem) of the other rows."""

    phones: tuple[str, ...]
    bad: tuple[tuple[int, Problem], ...]


def from_csv(text: str) -> Read:
    """Of CSV or plain lines: commas, semicolons or tabs; with a heading that names the column or without, then the first
    cell that looks like a number counts.
    """
    return _read(_csv_cells(text))


def from_rows(rows: Sequence[Any]) -> Read:
    """Of JSON: numbers as strings, or objects with `phone`."""
    return _read((line, _of_row(row)) for line, row in enumerate(rows, start=1))


def _of_row(row: Any) -> str | Problem:
    value = row.get("phone") if isinstance(row, dict) else row
    if value is None or value == "":
        return Problem.NO_PHONE
    return value if isinstance(value, str) else Problem.NOT_A_ROW


def _csv_cells(text: str) -> Iterator[tuple[int, str | Problem]]:
    first = text.partition("\n")[0]
    mark = next((each for each in "\t;," if each in first), ",")
    column: int | None = None
    begun = False
    # Line by line: a quote that nobody closed spoils its own line, and not the rest of the list.
    for number, line in enumerate(text.replace("\x00", "").splitlines(), start=1):
        try:
            cells = [_plain(each) for each in next(csv.reader([line], delimiter=mark), [])]
        except csv.Error:
            yield number, Problem.NOT_A_ROW
            continue
        if not any(cells):
            continue
        if not begun:
            begun = True
            column = next((at for at, cell in enumerate(cells) if cell.casefold() in _HEADS), None)
            if column is not None:
                continue
        yield number, _cell(cells, column)


def _cell(cells: list[str], column: int | None) -> str | Problem:
    if column is not None:
        return (cells[column] if column < len(cells) else "") or Problem.NO_PHONE
    return next((cell for cell in cells if sum(char.isdigit() for char in cell) >= 7), Problem.NO_PHONE)


def _plain(cell: str) -> str:
    return _INVISIBLE.sub("", cell).strip()


def _read(found: Iterable[tuple[int, str | Problem]]) -> Read:
    phones: dict[str, None] = {}
    bad: list[tuple[int, Problem]] = []
    for line, value in found:
        if isinstance(value, Problem):
            bad.append((line, value))
            continue
        try:
            phone = parse_phone(_plain(value))
        except Invalid:
            bad.append((line, Problem.BAD_PHONE))
            continue
        if phone in phones:
            bad.append((line, Problem.TWICE))
        elif len(phones) >= MOST_ROWS:
            bad.append((line, Problem.TOO_MANY))
        else:
            phones[phone] = None
    return Read(tuple(phones), tuple(bad))
