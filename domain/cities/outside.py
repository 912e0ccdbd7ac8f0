"""No wrong door: whoever asks from where no city of ours is, is told whom to turn to."""

from typing import Any, Final

from domain import geo
from domain.cities import queries

NUMBERS: Final = (
    {"number": "15", "name": "Police, in all of Pakistan"},
    {"number": "1122", "name": "Rescue: ambulance and fire"},
    {"number": "112", "name": "Emergency, from any mobile phone in any country (3GPP TS 22.101, 10.1)"},
)
"""What is answered wherever no city of ours is (PRODUCT, "Words": verified in public sources)."""
_FAR_M: Final = 100_000.0


def turn_to(lat: float, lon: float) -> dict[str, Any]:
    """{numbers, city, km}: the numbers that answer there, and the nearest city of ours where one is within 100 km."""
    near = [
        (metres, city)
        for city in queries.known()
        if (region := queries.boundary(city)).is_near(lat, lon, _FAR_M)
        and (metres := region.distance_m(lat, lon)) <= _FAR_M
    ]
    found: dict[str, Any] = {"numbers": [dict(each) for each in NUMBERS]}
    if near and geo.is_position(lat, lon):
        metres, city = min(near)
        found |= {"city": city, "km": round(metres / 1000, 1)}
    return found
