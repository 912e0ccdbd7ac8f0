"""The chain of custody: what was done with a piece of evidence, by whom, when and why, and that nothing of it was changed.

Each entry holds the hash of the one before it, and the city's audit chain holds the hash of each: whoever rewrites,
removes or cuts off entries here must rewrite the audit chain too, whose days are signed and kept elsewhere. What an entry
says is never changed; entries outlive the evidence for as long as the audit chain is kept.
"""

import hashlib
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from domain.audit import chain as audit
from domain.audit.chain import GENESIS, ChainBusy
from domain.audit.documents import AuditDoc
from domain.evidence.documents import CustodyDoc
from domain.evidence.states import Act

Entry = dict[str, Any]

ACTION: Final = "evidence."
"""What the audit chain calls an act begins so: `evidence.taken`."""
_COVERED: Final = ("evidence", "seq", "city", "incident", "at", "actor", "act", "reason", "refs", "prev")
_TRIES: Final = 40


@dataclass(frozen=True)
class Verdict:
    """What a verification found. `broken_at`: the first seq that does not hold; `unanchored`: seqs that the audit chain
    does not tell of (the process died in between, or the day's chain is no longer kept).
    """

    evidence: str
    entries: int
    head: str
    broken_at: int | None = None
    unanchored: tuple[int, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the chain is whole and as it was written."""
        return self.broken_at is None


def custody() -> Collection[Entry]:
    """The raw collection."""
    found: Collection[Entry] = CustodyDoc._get_collection()
    return found


def digest(entry: Mapping[str, Any]) -> str:
    """SHA-256 over the entry's fields as canonical JSON (sorted keys, no blanks, times in milliseconds)."""
    plain = {name: entry[name] for name in _COVERED} | {"at": round(entry["at"].timestamp() * 1000)}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def manifest(files: Mapping[str, str]) -> str:
    """One hash for several files: SHA-256 over lines `name sha256`, by name. What an entry names of footage in parts."""
    lines = "".join(f"{name} {files[name]}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def append(
    evidence: Mapping[str, Any],
    act: Act,
    actor: str,
    *,
    now: datetime,
    reason: str = "",
    key: str = "",
    refs: Mapping[str, str] | None = None,
) -> Entry:
    """Add an entry for a piece of evidence ({_id, city, incident}) and give it back. With `key` it is added once,
    however often this runs. Raises ChainBusy when so many append at once that no place was free.
    """
    evidence_id = str(evidence["_id"])
    for attempt in range(_TRIES):
        # The end first, then the key: what is added in between takes our place, and we look again.
        last = custody().find_one({"evidence": evidence_id}, {"seq": 1, "hash": 1}, sort=[("seq", -1)])
        if key and (known := custody().find_one({"evidence": evidence_id, "key": key})):
            _anchor(known, now)
            return known
        seq = last["seq"] + 1 if last else 1
        entry: Entry = {
            "_id": f"{evidence_id}:{seq:06d}",
            "evidence": evidence_id,
            "seq": seq,
            "city": evidence["city"],
            "incident": evidence["incident"],
            "at": now,
            "actor": actor,
            "act": str(act),
            "reason": reason,
            "refs": dict(refs or {}),
            "prev": last["hash"] if last else GENESIS,
        }
        entry["hash"] = digest(entry)
        entry |= {"key": key} if key else {}
        try:
            custody().insert_one(entry)
        except DuplicateKeyError:
            time.sleep(random.uniform(0, 0.002 * (attempt + 1)))
            continue
        _anchor(entry, now)
        return entry
    raise ChainBusy("the chain of custody is busy", retry_after=1)


def _anchor(entry: Entry, now: datetime) -> None:
    """Put the entry's hash on the city's audit chain of today; `anchor` is a mark beside what the hash covers."""
    if entry.get("anchor"):
        return
    on_chain = audit.append(
        entry["city"],
        entry["actor"],
        ACTION + entry["act"],
        entry["evidence"],
        now=now,
        reason=entry["reason"],
        incident=entry["incident"],
        custody=entry["hash"],
        custody_seq=str(entry["seq"]),
    )
    custody().update_one({"_id": entry["_id"]}, {"$set": {"anchor": on_chain["_id"]}})


def entries(evidence_id: str) -> list[Entry]:
    """All entries of a piece of evidence, in order."""
    return list(custody().find({"evidence": evidence_id}).sort("seq", 1))


def verify(city: str, evidence_id: str) -> Verdict:
    """Walk the chain from its start and compare it with what the audit chain says of it; what does not hold is named."""
    prev, seq, hashes = GENESIS, 0, {}
    for entry in entries(evidence_id):
        if entry["seq"] != seq + 1 or entry["prev"] != prev or entry["hash"] != digest(entry):
            return Verdict(evidence_id, seq, prev, broken_at=seq + 1)
        prev, seq = entry["hash"], entry["seq"]
        hashes[seq] = prev
    anchored = set()
    for row in AuditDoc._get_collection().find({"city": city, "subject": evidence_id}).sort("_id", 1):
        if not (named := row["refs"].get("custody")):
            continue
        at = int(row["refs"]["custody_seq"])
        if hashes.get(at) != named:  # changed, or cut off at its end
            return Verdict(evidence_id, seq, prev, broken_at=at)
        anchored.add(at)
    return Verdict(evidence_id, seq, prev, unanchored=tuple(sorted(hashes.keys() - anchored)))
