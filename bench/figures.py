"""The figures of a run: one list, a table made from it, and the growth as a picture.

`bench/results.json` is a list of {name, value, unit, aim, met, command}. A figure that misses its aim stays in the list
and says so. `aim` is text such as "≥ 0.6" or "< 1"; `met` is None where there is no aim.
"""

import json
import operator
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS, TABLE = HERE / "results.json", HERE / "results.md"

_COMPARE = {"≥": operator.ge, "≤": operator.le, "<": operator.lt, ">": operator.gt, "=": operator.eq}


@dataclass(frozen=True)
class Figure:
    """One measured value."""

    name: str
    value: float
    unit: str
    aim: str = ""
    command: str = "make bench"

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None without one."""
        if not self.aim:
            return None
        sign, _, wanted = self.aim.partition(" ")
        return bool(_COMPARE[sign](self.value, float(wanted)))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0–1) of the values lie, by nearest rank. Raises ValueError for none."""
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def peak_mb() -> float:
    """The most memory that this process has held, in MB. Not `ru_maxrss`: that begins with what its parent held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def keep(figures: Iterable[Figure]) -> list[dict[str, object]]:
    """Put figures into the list, each in place of an older one of its name, and write list and table."""
    held: list[dict[str, object]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    by_name = {str(row["name"]): row for row in held}
    for figure in figures:
        by_name[figure.name] = {**asdict(figure), "value": round(figure.value, 4), "met": figure.met}
    rows = list(by_name.values())
    RESULTS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    TABLE.write_text(table(rows))
    return rows


def table(rows: Sequence[dict[str, object]]) -> str:
    """The list as Markdown."""
    lines = [
        "# Figures",
        "",
        "Made by `make bench` from `results.json`; one machine, one run. A missed aim is printed as such.",
        "",
        "| figure | value | unit | aim | met | command |",
        "| --- | ---: | --- | --- | --- | --- |",
    ]
    for row in rows:
        met = {True: "yes", False: "**no**", None: ""}[row["met"]]  # type: ignore[index]
        lines.append(f"| {row['name']} | {row['value']} | {row['unit']} | {row['aim']} | {met} | `{row['command']}` |")
    return "\n".join(lines) + "\n"
