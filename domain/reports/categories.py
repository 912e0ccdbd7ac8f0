"""What neighbours report, and the rules of each kind: the table `cities/shared/report-categories.toml`, whose head says what
its columns mean. A kind without an incident is no emergency: nobody is dispatched to it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from domain.cities.config import Text
from domain.cities.presets import PRESETS

FILE: Final = PRESETS / "shared" / "report-categories.toml"
_COLUMNS: Final = frozenset(
    {"code", "name_en", "name_ur", "incident", "cell", "looks", "hours", "camera", "minors", "answer"}
)


@dataclass(frozen=True, slots=True)
class ReportCategory:
    """A kind of report. `incident` is the city's category of what it becomes, or empty."""

    code: str
    names: Text
    incident: str
    cell: int
    """The H3 resolution of the place that others see."""
    looks: int
    """So many descriptors are needed before others read how somebody looks; 0: they never do."""
    shown_for: timedelta
    camera: bool
    """Whether cameras near by are asked to look once it is believed."""
    minors: bool
    """It is about a child: what is written is read by a human first."""
    answer: timedelta | None = None
    """Of what nobody is dispatched to: within what time the office that has it is expected to have seen to it."""


def read(file: Path = FILE) -> Mapping[str, ReportCategory]:
    """The table, by code. Raises ValueError for one that cannot be."""
    found: dict[str, ReportCategory] = {}
    for row in tomllib.loads(file.read_text(encoding="utf-8"))["categories"]:
        unknown = row.keys() - _COLUMNS
        made = ReportCategory(
            code=row["code"],
            names=Text(en=row["name_en"], ur=row["name_ur"]),
            incident=row.get("incident", ""),
            cell=row.get("cell", 9),
            looks=row.get("looks", 0),
            shown_for=timedelta(hours=row["hours"]),
            camera=row.get("camera", False),
            minors=row.get("minors", False),
            answer=timedelta(hours=row["answer"]) if "answer" in row else None,
        )
        answered = bool(made.answer) != bool(made.incident) and 0 < row.get("answer", 1) <= 24 * 90
        if unknown or made.code in found or not 7 <= made.cell <= 9 or not 1 <= row["hours"] <= 24 * 30 or not answered:
            raise ValueError(f"{file.name}: {made.code} cannot be {sorted(unknown)}")
        found[made.code] = made
    return found


CATEGORIES: Final[Mapping[str, ReportCategory]] = read()
"""Code → category, in the order in which a phone shows them."""
