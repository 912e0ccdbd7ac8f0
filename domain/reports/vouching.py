"""Whose word alone makes a report believed: somebody who leads a group there, and is not the author by another name."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.people import queries as people
from domain.reports import rules
from domain.reports.errors import NotIndependent
from domain.reports.rules import Voice
from domain.reports.states import Stand
from domain.reports.voices import author_of, voice_of


def check_independent(doc: Mapping[str, Any], person: str, session: str, *, origin: str, now: datetime) -> None:
    """Raises NotIndependent where the author and this person count as one hand (`rules.independent`), or the report came from
    any phone on which this person is signed in.
    """
    author, word = author_of(doc), voice_of(person, session, Stand.CONFIRM, 0.0, address=origin)
    if author.device and author.device in _phones(person):
        word = Voice(word.person, word.stand, word.metres, word.made, device=author.device)
    if len(rules.independent([author, word], now=now)) == 1:
        raise NotIndependent("somebody else says that it is so")


def _phones(person: str) -> set[str]:
    sessions = (people.collection().find_one({"_id": person}, {"sessions": 1}) or {}).get("sessions") or {}
    return {each.get("device_id") or "" for each in sessions.values()} - {""}
