"""Access and refresh tokens: signed, and nothing of them is stored.

An access token is a JWT with subject, session and expiry only; roles are read per request, so that a stolen laptop can
be shut out. A refresh token is `person.session.generation.signature`: only the session's present generation is good,
and an older one that carries our signature proves that somebody has a copy (OAuth 2.0 Security BCP, RFC 9700, 4.14).
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import jwt

_ALGORITHM: Final = "HS256"
MAX_CHARS: Final = 1024


def purpose_key(secret: str, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose, so that no signature made for one thing opens another."""
    return hmac.new(secret.encode(), f"amaan/{purpose}".encode(), hashlib.sha256).digest()


@dataclass(frozen=True)
class Claims:
    """What an access token says. `expired` is true for one that was ours and is over."""

    person_id: str
    session_id: str
    expired: bool


def access_token(secret: str, person_id: str, session_id: str, *, now: datetime, ttl_s: int) -> str:
    """A JWT for `ttl_s` seconds."""
    claims = {"sub": person_id, "sid": session_id, "exp": int((now + timedelta(seconds=ttl_s)).timestamp())}
    return jwt.encode(claims, purpose_key(secret, "access"), algorithm=_ALGORITHM)


def read_access_token(secret: str, token: str, *, now: datetime) -> Claims | None:
    """The claims of a token that we signed, expired or not; None for anything else. Touches no store."""
    if len(token) > MAX_CHARS:
        return None
    try:
        claims = jwt.decode(
            token,
            purpose_key(secret, "access"),
            algorithms=[_ALGORITHM],
            options={"require": ["sub", "sid", "exp"], "verify_exp": False},
        )
    except (jwt.InvalidTokenError, ValueError):
        return None
    return Claims(claims["sub"], claims["sid"], float(claims["exp"]) <= now.timestamp())


def refresh_token(secret: str, person_id: str, session_id: str, generation: int) -> str:
    """The refresh token of a session's generation; the same each time it is asked for."""
    message = f"{person_id}.{session_id}.{generation}"
    signature = hmac.new(purpose_key(secret, "refresh"), message.encode(), hashlib.sha256).hexdigest()
    return f"{message}.{signature}"


def read_refresh_token(secret: str, token: str) -> tuple[str, str, int] | None:
    """(person id, session id, generation) of a refresh token that we signed; None for anything else."""
    parts = token.split(".")
    if len(token) > MAX_CHARS or len(parts) != 4 or not (parts[2].isascii() and parts[2].isdigit()):
        return None
    expected = refresh_token(secret, parts[0], parts[1], int(parts[2]))
    if not hmac.compare_digest(expected.encode(), token.encode(errors="replace")):
        return None
    return parts[0], parts[1], int(parts[2])
