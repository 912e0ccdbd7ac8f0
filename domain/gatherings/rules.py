"""Who comes to a gathering. Pure."""

from collections.abc import Mapping
from typing import Any

from domain.gatherings.states import Coming


def who(doc: Mapping[str, Any], *answers: Coming) -> list[str]:
    """Those who answered so."""
    return sorted(person for person, each in doc["answers"].items() if each["answer"] in answers)


def wanted_by(doc: Mapping[str, Any]) -> list[str]:
    """Those who come, or may."""
    return who(doc, Coming.GOING, Coming.MAYBE)
