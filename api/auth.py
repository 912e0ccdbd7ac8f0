"""Who asks. The token says subject, session and expiry; everything else is read from the store for each request.

`principal` is strict. `soft_principal` is for the SOS intake: it never raises, reads no store, and still gives the
subject of an expired token that we signed, because an SOS is taken whoever sends it.
"""

from dataclasses import dataclass

from flask import request

from api.services import services
from domain.errors import Unauthenticated
from domain.people import queries
from domain.people.errors import TokenExpired
from domain.people.tokens import Claims, read_access_token
from domain.permissions import Principal


@dataclass(frozen=True)
class SoftPrincipal:
    """What a token says, unchecked against the store. `person_id` is empty without a token that we signed."""

    person_id: str = ""
    session_id: str = ""
    expired: bool = False


def _claims() -> Claims | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    found = services()
    return read_access_token(found.settings.signing_key, token.strip(), now=found.clock())


def principal() -> Principal:
    """The person behind the bearer token, with the roles of this moment. One read. Raises Unauthenticated."""
    claims = _claims()
    if claims is None:
        raise Unauthenticated("a bearer token is needed")
    if claims.expired:
        raise TokenExpired("the access token is over: refresh it")
    return queries.principal(claims.person_id, claims.session_id, now=services().clock())


def soft_principal() -> SoftPrincipal:
    """What can be made out of the token without a store; never raises."""
    claims = _claims()
    return SoftPrincipal(claims.person_id, claims.session_id, claims.expired) if claims else SoftPrincipal()
