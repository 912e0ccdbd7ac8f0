"""What can go wrong with a city."""

from typing import ClassVar

from domain.errors import Conflict, Invalid, NotFound


class UnknownCity(NotFound):
    """No such city, neither in the store nor among the presets."""

    code: ClassVar[str] = "city_not_found"


class CityInvalid(Invalid):
    """The field must name a city of this installation."""

    code: ClassVar[str] = "city_invalid"


class BadCity(Invalid):
    """A city's configuration cannot be used; the detail names the file and the key, `data["errors"]` the key."""

    code: ClassVar[str] = "bad_city_config"


class CityChanged(Conflict):
    """Somebody else made the next version first; `data["current"]` is the version that now stands."""

    code: ClassVar[str] = "city_changed"


class UnknownAgency(NotFound):
    """The city has no such agency."""

    code: ClassVar[str] = "agency_not_found"
