"""What is no area is refused by name, whatever stands in its place."""

from typing import Any, cast

import pytest

from domain import geo
from domain.alerts import area
from domain.alerts.errors import AlertInvalid

NOWHERE = cast(geo.Region, None)
"""No boundary is asked: none of these gets so far."""


@pytest.mark.parametrize("kind", ["Polygon", "MultiPolygon"])
@pytest.mark.parametrize(
    "coordinates",
    [[], [[]], [[[1]]], [[["a", 1]]], [[[True, None]]], [[[1, 2], [3, 4]]], [[[10**400, 1], [1, 2], [2, 3]]],
     [[[float("inf"), 1], [1, 2], [2, 3], [float("inf"), 1]]], {}, "31.5,74.3", None],
)  # fmt: skip
def test_what_cannot_be_an_area_is_refused(kind: str, coordinates: Any) -> None:
    with pytest.raises(AlertInvalid):
        area.parse({"type": kind, "coordinates": coordinates}, NOWHERE)
