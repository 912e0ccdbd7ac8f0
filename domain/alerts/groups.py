"""The port to watch groups: which area a group stands for. Alerts know nothing of groups but this.

The app hands the groups' own function over at start (`use`, `domain/watch/queries.py: area_of`); where none was handed over,
each group is refused by name.
"""

from collections.abc import Callable, Sequence
from typing import Any

from domain.alerts.errors import UnknownGroup

Resolve = Callable[[str, Sequence[str]], dict[str, Any]]
"""(city, group ids) → one GeoJSON geometry; raises UnknownGroup."""


def _none(city: str, groups: Sequence[str]) -> dict[str, Any]:
    raise UnknownGroup(
        "no such watch group", errors={"area.groups": [f"No such group: {each}." for each in groups[:5]]}
    )


_resolve: list[Resolve] = [_none]


def use(resolve: Resolve) -> None:
    """Let this function find groups from now on."""
    _resolve[0] = resolve


def resolve(city: str, groups: Sequence[str]) -> dict[str, Any]:
    """The area of these groups of a city, as GeoJSON; raises UnknownGroup."""
    return _resolve[0](city, groups)
