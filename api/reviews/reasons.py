"""Why somebody asks or answers, as it is kept. What is said about a helpline request may name her or tell her story, so it
is sealed with the request's own key, and goes when that is destroyed; the audit chain has a code in its place.
"""

from typing import Any, Final

from api.services import services
from domain.reviews.service import Review
from domain.reviews.states import ReviewKind
from domain.vault.errors import Destroyed
from domain.vault.service import Box, NotSealed
from runtime.vault import vault

SEALED: Final = frozenset({ReviewKind.VAULT_OPENING})
"""Kinds whose subject has a key in the vault."""


def are_sealed(kind: str) -> bool:
    """Whether reasons of this kind stand in the vault alone."""
    return kind in SEALED


def kept(kind: str, subject: str, by: str, text: str) -> str:
    """The reason as it is stored. Raises Destroyed where the subject was erased."""
    return _box(subject).seal(f"reason:{by}", text) if are_sealed(kind) else text


def shown(doc: Review) -> dict[str, Any]:
    """The review's `reason` and `answers` in clear; empty words where the subject was erased."""
    answers = [dict(each) for each in doc["answers"]]
    if not are_sealed(doc["kind"]):
        return {"reason": doc["reason"], "answers": answers}
    try:
        box = _box(doc["subject"])
    except Destroyed:
        return {"reason": "", "answers": [{**each, "reason": ""} for each in answers]}
    return {
        "reason": _opened(box, doc["asked_by"], doc["reason"]),
        "answers": [{**each, "reason": _opened(box, each["by"], each["reason"])} for each in answers],
    }


def _box(subject: str) -> Box:
    return vault(services().settings).box(subject)


def _opened(box: Box, by: str, text: str) -> str:
    try:
        return box.open(f"reason:{by}", text)
    except NotSealed:
        return text  # of before reasons were sealed
