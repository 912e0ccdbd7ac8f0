"""The safe and the duress PIN. Hashed with argon2id over a keyed digest, so that four digits are worth something even
to somebody who has the database: without the secret there is nothing to try against.

Both hashes are always checked, also when none is set: how long it takes tells nothing.
"""

import hashlib
import hmac
from datetime import datetime
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.limits import service as limits
from domain.people import queries, rules
from domain.people.errors import PinsInvalid, PinWrong, ProofNeeded
from domain.people.states import PinMatch
from domain.people.tokens import purpose_key

# OWASP's second choice for argon2id (19 MiB, 2 passes, 1 lane): eight threads of a small machine can afford it at once.
_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODYS: Final = _hasher.hash("no PIN has letters")


def _keyed(secret: str, person_id: str, pin: str) -> str:
    return hmac.new(purpose_key(secret, "pin"), f"{person_id}|{pin}".encode(), hashlib.sha256).hexdigest()


def _matches(stored: str | None, keyed: str) -> bool:
    try:
        return _hasher.verify(stored or _NOBODYS, keyed)
    except (VerificationError, InvalidHashError):
        return False


def check_pins(person: Any, pin: str, *, secret: str) -> PinMatch:
    """Which PIN this is. Always two argon2 verifications, whatever is set and whatever matches."""
    keyed = _keyed(secret, person.id, pin)
    safe = _matches(person.safe_pin, keyed)
    duress = _matches(person.duress_pin, keyed)
    return PinMatch.SAFE if safe else PinMatch.DURESS if duress else PinMatch.WRONG


def set_pins(
    person: Any,
    safe_pin: str,
    duress_pin: str,
    *,
    old_pin: str | None,
    proven: bool,
    secret: str,
    now: datetime,
) -> None:
    """Set both PINs. Needs the old safe PIN, or `proven` (a fresh one-time code). Raises PinsInvalid for PINs that cannot be.

    With the old *duress* PIN the answer is the same, but the safe PIN stays and the PIN that was called safe becomes
    the duress one: whoever forces a change gets a PIN that calls for help.
    """
    if reason := rules.pins_problem(safe_pin, duress_pin):
        raise PinsInvalid(reason, errors={"duress_pin": [reason]})
    match = PinMatch.SAFE if proven else PinMatch.WRONG
    if old_pin is not None and not proven:
        limits.take(secret, "pin_change", person.id, limit=rules.PIN_TRIES, window_s=rules.PIN_WINDOW_S, now=now)
        match = check_pins(person, old_pin, secret=secret)
        if match is PinMatch.WRONG:
            raise PinWrong("the old PIN is not right")
    elif not proven:
        raise ProofNeeded("give the old PIN, or sign in with a fresh code")
    changes = {
        "safe_pin": _hasher.hash(_keyed(secret, person.id, safe_pin)),
        "duress_pin": _hasher.hash(_keyed(secret, person.id, duress_pin)),
    }
    if match is PinMatch.DURESS:
        changes = {"duress_pin": changes["safe_pin"]}
    queries.collection().update_one(
        {"_id": person.id, "erased_at": None}, {"$set": {**changes, "changed_at": now}, "$inc": {"version": 1}}
    )


def has_pins(person: Any) -> bool:
    """Whether a cancel needs a PIN."""
    return bool(person.safe_pin)
