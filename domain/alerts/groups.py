"""The port to watch groups: which area a group stands for. No group is known here yet, so each is refused by name.

The concept `watch` gives its own function at start (`use`); until then an alert goes to an area or the whole city.
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
