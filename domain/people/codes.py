"""Codes and tokens that are derived instead of stored.

The one-time code of a challenge is HMAC(secret, challenge, phone) mod 10^6, where the challenge is the *hash* of the id
that the phone holds. So the store keeps no code in any form; whoever sends the SMS derives it again when the text is
rendered; a stolen database without the secret gives no code, and a phone that holds a challenge id cannot compute one.
"""

import hashlib
import hmac
from typing import Any, Final

from domain.ids import link_token, random_token, token_hash
from domain.people.tokens import purpose_key

OTP_DIGITS: Final = 6


def otp_code(secret: str, challenge: Any) -> str:
    """The six digits of a stored challenge (`ChallengeDoc`)."""
    message = f"{challenge.id}|{challenge.phone}".encode()
    digest = hmac.new(purpose_key(secret, "otp"), message, hashlib.sha256).digest()
    return f"{int.from_bytes(digest, 'big') % 10**OTP_DIGITS:0{OTP_DIGITS}d}"


def challenge_token(secret: str, phone: str, key: str | None) -> str:
    """The challenge id that a phone is given: random, or always the same for one Idempotency-Key and number."""
    if key is None:
        return f"otp_{random_token()}"
    message = f"{phone}|{key}".encode()
    return f"otp_{hmac.new(purpose_key(secret, 'challenge'), message, hashlib.sha256).hexdigest()}"


def challenge_id(token: str) -> str:
    """What stands in the store for a challenge id."""
    return f"chl_{token_hash(token)[:40]}"


def guardian_token(secret: str, person_id: str, guardian_id: str, generation: int) -> str:
    """The 12 characters of the link by which a guardian says yes or no."""
    return link_token(secret, "guardian_invite", f"{person_id}:{guardian_id}", generation)
