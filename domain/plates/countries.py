"""What number plates look like, by country: data, with where it was said and what is doubted of it.

To add a country, add a line to COUNTRIES. A shape is written with L for a letter, D for a digit and {n} or {n,m} for how
many; blanks and hyphens count for nothing. No letter is excluded anywhere: articles say that Pakistan has no I, O and U,
and show RIZ 3725 as an example. A shape never refuses a plate: it only says which of two look-alikes was meant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Format:
    """One way in which plates are written. `doubt`: what no source settles; empty where they agree."""

    code: str
    area: str
    shape: str
    example: str
    since: str = ""
    until: str = ""
    source: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class Country:
    """Formats from the surest to the widest, and words that stand on plates and are no part of the number."""

    code: str
    formats: tuple[Format, ...]
    words: tuple[str, ...] = ()


_ARTICLE: Final = "Wikipedia, Vehicle registration plates of Pakistan"
_OLDER: Final = "Wikipedia, the same article about 2008"
_LATER: Final = "Wikipedia, the same article about 2015"
_PUNJAB: Final = "announcements of Punjab's Excise and Taxation, 2017–2019"
_UNCOUNTED: Final = "no source read says how many letters and digits"

PAKISTAN: Final = Country(
    "pk",
    (
        Format("punjab_car", "punjab", "L{3}D{3}", "AAA-000", since="2020", source=_PUNJAB,
               doubt="government, ambulances and commercial ones begin with G; said by announcements only"),
        Format("punjab_motorcycle", "punjab", "L{3}D{4}", "AAA-0000", since="2020", source=_PUNJAB),
        Format("sindh", "sindh", "L{3}D{3}", "AAA-001", since="1996", source=_OLDER,
               doubt="government series GS, GP, GL, courts HC and police SP are written with two letters"),
        Format("sindh_government", "sindh", "L{2}D{1,4}", "GS-1234", since="1996", source=_LATER, doubt=_UNCOUNTED),
        Format("sindh_old", "sindh", "LD{4}", "A-1234", until="1996", source=_OLDER),
        Format("punjab_city", "punjab", "L{2,3}D{1,4}", "MNE 6762", until="2020", source=_OLDER,
               doubt="series of a city (LEA, RN, BW, MA): withdrawn, and still on the road"),
        Format("punjab_city_year", "punjab", "L{2,3}D{2}D{1,4}", "LEA-07-1234", until="2020", source=_OLDER,
               doubt="the two digits of the year are small, or left out"),
        Format("islamabad", "islamabad", "L{2,3}D{3,4}", "ABC-123", source=_ARTICLE, doubt=_UNCOUNTED),
        Format("khyber_pakhtunkhwa", "kp", "LD{4}", "A-1234", source=_LATER, doubt=_UNCOUNTED),
        Format("shared", "", "L{1,4}D{1,4}", "ABCD-1234", source="what every province's have in common",
               doubt="Balochistan, Azad Kashmir, Gilgit-Baltistan, diplomatic and federal plates: " + _UNCOUNTED),
        Format("shared_year", "", "L{1,4}D{2}D{3,4}", "ABC-20-1234", source="what public code takes",
               doubt="its authors' choice, no law"),
    ),
    (
        "PAKISTAN", "ISLAMABAD", "PUNJAB", "SINDH", "KARACHI", "LAHORE", "BALOCHISTAN", "KHYBERPAKHTUNKHWA", "PESHAWAR",
        "RAWALPINDI", "MULTAN", "GOVTOFPUNJAB", "GOVTOFSINDH", "GOVTOFPAKISTAN", "ICT", "KPK", "PK",
    ),
)  # fmt: skip

BRAZIL: Final = Country(
    "br",
    (
        Format("mercosul", "", "L{3}DLD{2}", "ABC1D23", since="2018", source="Contran, resolution 729 of 2018"),
        Format("grey", "", "L{3}D{4}", "ABC-1234", until="2018", source="Contran, resolution 231 of 2007"),
    ),
    ("BRASIL",),
)

COUNTRIES: Final[Mapping[str, Country]] = {country.code: country for country in (PAKISTAN, BRAZIL)}
ANY: Final = Country("", ())
"""Where nothing is known: a plate is what was read."""


def country(code: str) -> Country:
    """The country of that code (ISO 3166, small letters); ANY for one that is not in the table."""
    return COUNTRIES.get(code.lower(), ANY)
