"""Appending to the chain, verifying it, and signing a day's head.

Each entry holds the hash of the one before it, so that whoever changes, removes or slips in an entry must change every
later one; the day's head, signed and kept elsewhere, then gives them away. Appending is one insert whose (chain, seq)
is unique: when two come at once, one of them tries again on the other's end. A sensitive read appends before it answers.
"""

import hashlib
import hmac
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from domain.audit.documents import AuditDoc
from domain.errors import Unavailable
from domain.people.tokens import purpose_key

GENESIS: Final = "0" * 64
"""What the first entry of a chain has before it."""
_COVERED: Final = ("chain", "seq", "city", "at", "actor", "action", "subject", "reason", "refs", "prev")
_TRIES: Final = 40


class ChainBusy(Unavailable):
    """So many append at once that no place on the chain was free."""

    code = "audit_busy"


@dataclass(frozen=True)
class Verdict:
    """What a verification found. `broken_at` is the first seq that does not hold, None when all do."""

    chain: str
    entries: int
    head: str
    broken_at: int | None = None


def _audit() -> Any:
    return AuditDoc._get_collection()


def chain_of(city: str, at: datetime) -> str:
    """The chain of a city's day (UTC)."""
    return f"{city or '-'}:{at.astimezone(UTC):%Y-%m-%d}"


def digest(entry: Mapping[str, Any]) -> str:
    """SHA-256 over the entry's fields as canonical JSON (sorted keys, no blanks, times in milliseconds)."""
    plain = {name: entry[name] for name in _COVERED} | {"at": round(entry["at"].timestamp() * 1000)}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def append(
    city: str, actor: str, action: str, subject: str, *, now: datetime, reason: str = "", **refs: str
) -> dict[str, Any]:
    """Add an entry and give it back. Raises ChainBusy when the chain is so busy that no place was free."""
    chain = chain_of(city, now)
    for attempt in range(_TRIES):
        last = _audit().find_one({"chain": chain}, {"seq": 1, "hash": 1}, sort=[("seq", -1)])
        seq = last["seq"] + 1 if last else 1
        entry = {
            "_id": f"{chain}:{seq:09d}",
            "chain": chain,
            "seq": seq,
            "city": city or "-",
            "at": now,
            "actor": actor,
            "action": action,
            "subject": subject,
            "reason": reason,
            "refs": refs,
            "prev": last["hash"] if last else GENESIS,
        }
        entry["hash"] = digest(entry)
        try:
            _audit().insert_one(entry)
        except DuplicateKeyError:
            time.sleep(random.uniform(0, 0.002 * (attempt + 1)))
            continue
        return entry
    raise ChainBusy("the audit chain is busy", retry_after=1)


def verify(city: str, day: datetime) -> Verdict:
    """Walk a city's day from its start; the first entry that does not hold is named."""
    chain = chain_of(city, day)
    prev, seq = GENESIS, 0
    for entry in _audit().find({"chain": chain}).sort("seq", 1):
        if entry["seq"] != seq + 1 or entry["prev"] != prev or entry["hash"] != digest(entry):
            return Verdict(chain, seq, prev, broken_at=seq + 1)
        prev, seq = entry["hash"], entry["seq"]
    return Verdict(chain, seq, prev)


def first_day(city: str) -> datetime | None:
    """The midnight (UTC) with which a city's chain begins; None where there is none."""
    first = _audit().find_one({"city": city or "-"}, {"at": 1}, sort=[("_id", 1)])
    if first is None:
        return None
    return first["at"].astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)  # type: ignore[no-any-return]


def signed_head(secret: str, city: str, day: datetime) -> dict[str, Any] | None:
    """`{chain, seq, hash, signature}`: the day's head, to be kept where the store's keeper cannot reach; None for a day
    that does not hold, since nobody should vouch for it.

    The signature is HMAC-SHA256 over `chain|seq|hash`.
    """
    verdict = verify(city, day)
    if verdict.broken_at is not None:
        return None
    message = f"{verdict.chain}|{verdict.entries}|{verdict.head}".encode()
    signature = hmac.new(purpose_key(secret, "audit"), message, hashlib.sha256).hexdigest()
    return {"chain": verdict.chain, "seq": verdict.entries, "hash": verdict.head, "signature": signature}


def head_holds(secret: str, head: Mapping[str, Any]) -> bool:
    """Whether a kept head is ours and the chain still passes through it. Whether the day ends with it is for whoever
    knows that the day was over when it was signed.
    """
    message = f"{head['chain']}|{head['seq']}|{head['hash']}".encode()
    expected = hmac.new(purpose_key(secret, "audit"), message, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, str(head["signature"])):
        return False
    if head["seq"] == 0:
        return True
    entry = _audit().find_one({"chain": head["chain"], "seq": head["seq"]}, {"hash": 1})
    return entry is not None and entry["hash"] == head["hash"]
