"""What dispatching in a city needs, made from this application's services."""

from api.services import services
from domain.cities import queries as cities
from domain.dispatch.service import Desk


def desk(city: str) -> Desk:
    """The city's configuration, the live positions and the key that signs links."""
    found = services()
    return Desk(cities.current(city), found.positions, found.settings.signing_key)
