"""The safe and the duress PIN. Hashed with argon2id over a keyed digest, so that four digits are worth something even
to somebody who has the database: without the secret there is nothing to try against.

All hashes are always checked, also when none is set: how long it takes tells nothing. A change of PINs that was forced
looks like any other to whoever forced it (docs/adr/0008-forced-pin-change.md).
"""

import hashlib
import hmac
from datetime import datetime
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.limits import service as limits
from domain.people import queries, rules
from domain.people.errors import PinsInvalid, ProofNeeded, WrongPin
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
    """Which PIN this is. Always three argon2 verifications, whatever is set and whatever matches.

    Duress comes first: where a forced change hit upon the safe PIN by chance, it calls for help.
    """
    keyed = _keyed(secret, person.id, pin)
    safe = _matches(person.safe_pin, keyed)
    duress = _matches(person.duress_pin, keyed)
    decoy = _matches(person.decoy_pin, keyed)
    return PinMatch.DURESS if duress or decoy else PinMatch.SAFE if safe else PinMatch.WRONG


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

    With the old *duress* PIN all answers are the same, now and later, but the safe PIN stays, and both new ones call for
    help: whoever forces a change gets a decoy, and trying it tells nothing. With the code alone the change holds, and is
    remembered for SOS that go on meanwhile (`cancelling`), also when the PINs that it set are changed once more.
    """
    if reason := rules.pins_problem(safe_pin, duress_pin):
        raise PinsInvalid(reason, errors={"duress_pin": [reason]})
    if old_pin is None and not proven:
        raise ProofNeeded("give the old PIN, or sign in with a fresh code")
    if not proven:
        limits.take(secret, "pin_change", person.id, limit=rules.PIN_TRIES, window_s=rules.PIN_WINDOW_S, now=now)
    match = check_pins(person, old_pin or "", secret=secret)
    if match is PinMatch.WRONG and not proven:
        raise WrongPin("the old PIN is not right")
    safe, duress = (_hasher.hash(_keyed(secret, person.id, pin)) for pin in (safe_pin, duress_pin))
    changes: dict[str, Any] = {"safe_pin": safe, "duress_pin": duress, "decoy_pin": None}
    if match is PinMatch.DURESS:
        changes = {"decoy_pin": safe, "duress_pin": duress}
    elif match is PinMatch.WRONG and has_pins(person):
        changes["pins_reset_at"] = now
    queries.collection().update_one(
        {"_id": person.id, "erased_at": None}, {"$set": {**changes, "changed_at": now}, "$inc": {"version": 1}}
    )


def has_pins(person: Any) -> bool:
    """Whether a cancel needs a PIN."""
    return bool(person.safe_pin)
