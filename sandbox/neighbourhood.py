"""People who live around a place and have had the app for a while, signed in, and an office that takes what they hand over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.handovers import service as handovers
from domain.people.documents import PersonDoc
from domain.people.tokens import access_token
from sandbox import crowd

AGENCY = "sui_northern"
"""Stands in for the office that sees to street lights: each city says which of its agencies takes what."""
TAKES = ("street_light", "hanging_wire", "open_manhole")
AGE = timedelta(days=60)


@dataclass(frozen=True)
class Resident:
    """One of them: who, with which push address, and what their app sends as bearer token."""

    person: str
    push_token: str
    bearer: str


@dataclass(frozen=True)
class Neighbourhood:
    """All of them, and the api_key of the office."""

    residents: list[Resident]
    agency: str
    api_key: str


def settle_in(
    city: str, place: tuple[float, float], count: int, *, secret: str, now: datetime, seed: str = "around"
) -> Neighbourhood:
    """Put them into the store, as their sign-ins would have over the weeks before."""
    people = crowd.settle_in(city, place, count, now=now - AGE, app_share=1.0, seed=seed, first=20_000)
    session = {
        "id": "crowd",
        "created_at": now - AGE,
        "seen_at": now,
        "expires_at": now + AGE,
        "generation": 0,
        "ended_at": None,
    }
    ids = [each.person for each in people]
    PersonDoc._get_collection().update_many({"_id": {"$in": ids}}, {"$set": {"sessions.crowd": session}})
    _, key = handovers.open_desk(city, AGENCY, TAKES, now=now)
    residents = [
        Resident(each.person, each.token, access_token(secret, each.person, "crowd", now=now, ttl_s=900))
        for each in people
    ]
    return Neighbourhood(residents, AGENCY, key)
