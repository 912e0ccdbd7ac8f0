"""A state or a reason in a sentence, for whoever reads it on a screen: the one that stands beside the member in the code."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

from api.contract.states import sentences


@cache
def _all(of: type[StrEnum]) -> Mapping[str, str]:
    return sentences(of)


def reading(of: type[StrEnum], value: str | None) -> str | None:
    """The sentence of a member; None for no value, or one that the enum does not have."""
    return _all(of).get(str(value)) if value else None
