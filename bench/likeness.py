"""How well near-duplicates are found: precision and recall on our own labelled pairs (`bench/likeness.tsv`).

python -m bench.likeness

Odd rows set the figures of `domain/reports/likeness.py`, even rows are what is stated.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.figures import Figure, keep
from domain import geo
from domain.reports import likeness

FILE = Path(__file__).with_name("likeness.tsv")
COMMAND = "python -m bench.likeness"
_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
_PLACE = (31.5102, 74.3441)


@dataclass(frozen=True)
class Pair:
    """Two reports as the public sees them, and whether they are of one thing."""

    same: bool
    one: dict[str, Any]
    other: dict[str, Any]


def pairs(file: Path = FILE) -> list[Pair]:
    """The labelled pairs, in the order of the file."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        same, first, second, metres, minutes, said, also = (*line.split("\t"), "", "")[:7]
        one = _report(first, 0.0, 0.0, said)
        found.append(Pair(same == "1", one, _report(second, float(metres), float(minutes), also)))
    return found


def _report(category: str, metres: float, minutes: float, note: str) -> dict[str, Any]:
    lat, lon = geo.destination(*_PLACE, 60.0, metres)
    at = _AT + timedelta(minutes=minutes)
    return {"category": category, "public": {"lat": lat, "lon": lon}, "at": at, "note": note}


def measured(rows: Iterable[Pair], *, since: float = likeness.SAME_FROM, words: bool = True) -> tuple[float, float]:
    """(precision, recall) of what is offered from a likeness on; `words`: with them."""
    right = offered = wanted = 0
    for pair in rows:
        one, other = (pair.one, pair.other) if words else ({**pair.one, "note": ""}, {**pair.other, "note": ""})
        found = likeness.likeness(one, other) >= since
        right += found and pair.same
        offered += found
        wanted += pair.same
    return right / max(1, offered), right / max(1, wanted)


def main() -> list[Figure]:
    """Measure and keep the figures."""
    rows = pairs()
    stated = rows[1::2]
    precision, recall = measured(stated)
    without = measured(stated, words=False)
    figures = [
        Figure("near-duplicates, labelled pairs", len(rows), "pairs", "≥ 150", COMMAND),
        Figure("near-duplicates, precision", precision, "share", "≥ 0.85", COMMAND),
        Figure("near-duplicates, recall", recall, "share", "≥ 0.85", COMMAND),
        Figure("near-duplicates, precision without words", without[0], "share", "", COMMAND),
        Figure("near-duplicates, recall without words", without[1], "share", "", COMMAND),
    ]
    keep(figures)
    for figure in figures:
        print(f"{figure.name:58} {figure.value:10.3f} {figure.unit:10} {figure.aim}")
    return figures


if __name__ == "__main__":
    main()
