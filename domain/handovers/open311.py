"""Handovers in the shapes of Open311 GeoReport v2 (wiki.open311.org/GeoReport_v2), before they are JSON or XML. Pure.

Field names are the standard's. A request's place is the one that the public is shown, but for the agency that has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.reports.categories import CATEGORIES, ReportCategory
from domain.reports.states import ReportStatus

GROUPS: Final[Mapping[str, tuple[str, str]]] = {
    "street_light": ("street", "lamp, dark, light, بتی"),
    "open_manhole": ("street", "gutter, sewer, cover, ڈھکن"),
    "hanging_wire": ("electricity", "cable, pole, current, تار"),
    "stray_dogs": ("animals", "dog, bite, کتے"),
    "noise": ("public order", "music, loudspeaker, شور"),
}
"""Category → its group and further words for it."""
_OVER: Final = frozenset({ReportStatus.REMOVED, ReportStatus.WITHDRAWN})


@dataclass(frozen=True)
class Attribute:
    """A further question about a kind of request."""

    code: str
    datatype: str
    required: bool
    description: str
    values: tuple[tuple[str, str], ...] = ()


ATTRIBUTES: Final[Mapping[str, tuple[Attribute, ...]]] = {
    "street_light": (
        Attribute(
            "STATE", "singlevaluelist", False, "What is wrong with it?",
            (("out", "It is out"), ("flickers", "It flickers"), ("by_day", "It burns by day"), ("broken", "It is broken")),
        ),
        Attribute("POLE", "string", False, "The number on the pole"),
    ),
    "hanging_wire": (
        Attribute(
            "SPARKS", "singlevaluelist", True, "Does it spark, or lie on the ground? Then keep away.",
            (("no", "No"), ("sparks", "It sparks"), ("ground", "It lies on the ground")),
        ),
    ),
}  # fmt: skip


def services(codes: Sequence[str], language: str) -> list[dict[str, Any]]:
    """The kinds of request that are taken."""
    return [_service(CATEGORIES[code], language) for code in codes]


def _service(category: ReportCategory, language: str) -> dict[str, Any]:
    group, words = GROUPS.get(category.code, ("other", ""))
    name = category.names.in_language(language)
    return {
        "service_code": category.code,
        "service_name": name,
        "description": name,
        "metadata": category.code in ATTRIBUTES,
        "type": "realtime",
        "keywords": words,
        "group": group,
    }


def definition(code: str) -> dict[str, Any]:
    """What else is asked about a kind of request."""
    return {
        "service_code": code,
        "attributes": [
            {
                "variable": True,
                "code": each.code,
                "datatype": each.datatype,
                "required": each.required,
                "datatype_description": None,
                "order": number,
                "description": each.description,
                "values": [{"key": key, "name": name} for key, name in each.values],
            }
            for number, each in enumerate(ATTRIBUTES.get(code, ()), 1)
        ],
    }


def missing(code: str, answers: Mapping[str, str]) -> list[str]:
    """Codes of required attributes without an answer, and of lists answered with what is not on them."""
    found = []
    for each in ATTRIBUTES.get(code, ()):
        said = answers.get(each.code, "")
        if (each.required and not said) or (said and each.values and said not in dict(each.values)):
            found.append(each.code)
    return found


def picture(report: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The file of a report that an agency may see: of what is published, the first picture that has a copy with every face
    blurred. What came as it came, films and voices are for nobody by this way.
    """
    if report["status"] != ReportStatus.PUBLISHED:
        return None
    files = report.get("media") or []
    return next((each for each in files if each.get("redacted") and not each.get("not_blurred")), None)


def expected(doc: Mapping[str, Any]) -> datetime | None:
    """When the agency is expected to have seen to it, by the table of categories."""
    within = CATEGORIES[doc["category"]].answer
    found: datetime | None = doc["requested_at"] + within if within else None
    return found


def request(
    doc: Mapping[str, Any],
    report: Mapping[str, Any],
    *,
    agency_name: str,
    language: str,
    exact: bool,
    media_url: str | None = None,
) -> dict[str, Any]:
    """One service request. `exact`: for the agency that has it. Of what its author took back, or a human took out, it reads
    that it was asked for, and neither the words nor the exact place any more.
    """
    over = report["status"] in _OVER
    exact = exact and not over
    place, due = report["position"] if exact else report["public"], expected(doc)
    return {
        "service_request_id": doc["_id"],
        "status": doc["status"],
        "status_notes": doc["notes"] or None,
        "service_name": CATEGORIES[doc["category"]].names.in_language(language),
        "service_code": doc["category"],
        "description": None if over else report["note"] or None,
        "agency_responsible": agency_name,
        "service_notice": None,
        "requested_datetime": moment(doc["requested_at"]),
        "updated_datetime": moment(doc["updated_at"]),
        "expected_datetime": moment(due) if due else None,
        "address": (doc.get("address") or None) if exact else None,
        "address_id": None,
        "zipcode": None,
        "lat": round(place["lat"], 6),
        "long": round(place["lon"], 6),
        "media_url": media_url,
    }


def moment(at: datetime) -> str:
    """W3C date-time with seconds, as GeoReport wants it."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
