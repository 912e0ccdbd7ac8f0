"""Ids and link tokens.

Ids are prefixed lower-case strings. Where we make them they are time-ordered (48 bits of milliseconds, 64 random bits,
Crockford base 32). Where a request brought a key they are derived from it, so that a retry meets the same `_id` and the
store's primary key is the only uniqueness needed.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def _base32(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def _first(digest: bytes, length: int) -> str:
    """The first bits of a digest, five a character: the standard library's base 32 in Crockford's letters."""
    return base64.b32encode(digest)[:length].translate(_CROCKFORD).decode("ascii")


_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", _ALPHABET.encode())


def new_id(prefix: str, now: datetime) -> str:
    """A fresh id such as `inc_01jd…`: sorts by `now`, 64 random bits against collision."""
    return f"{prefix}_{_base32(int(now.timestamp() * 1000), 10)}{_base32(secrets.randbits(65), 13)}"


def derived_id(prefix: str, *parts: str) -> str:
    """The id that these parts always give: 115 bits of SHA-256 over the parts, each with its length."""
    digest = hashlib.sha256(b"".join(f"{len(part.encode())}:".encode() + part.encode() for part in parts)).digest()
    return f"{prefix}_{_first(digest, 23)}"


def link_token(secret: str, purpose: str, subject: str, generation: int = 0) -> str:
    """The 12 characters of a signed link: 60 bits of HMAC-SHA256(secret, purpose, id, generation).

    A job that runs again makes the same link; raising the generation revokes it.
    """
    message = f"{purpose}\x1f{subject}\x1f{generation}".encode()
    return _first(hmac.digest(secret.encode(), message, "sha256"), 12)


def token_hash(token: str) -> str:
    """What is stored of a token, so that a stolen database opens no link."""
    return hashlib.sha256(token.encode()).hexdigest()


def random_token() -> str:
    """A bearer token of 256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)
