"""How well a member is known, by more than a phone number: the coordinator vouches for them, or they give back a code that was
put into their letter box. Each change is one conditional write.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain.ids import token_hash
from domain.limits import service as limits
from domain.watch import queries
from domain.watch.errors import DoorCodeWrong
from domain.watch.queries import Group, Member
from domain.watch.states import Level
from domain.watch.writing import belongs, check_active, put

DOOR_TRIES: Final = 5
_DOOR: Final = "watch_door"


def vouch(group: Group, person: str, *, by: str, now: datetime) -> Member:
    """Whoever leads the group knows them. Raises MemberNotFound."""
    check_active(group)

    def rule(held: Member | None) -> Mapping[str, Any]:
        belongs(held)
        return {"level": str(Level.COORDINATOR)}

    return put(group, person, rule, by=by, now=now)


def door_code(group: Group, person: str, *, by: str, secret: str, now: datetime) -> str:
    """A code of six digits, to be put into somebody's letter box; the one before it is worth nothing any more."""
    check_active(group)

    def rule(held: Member | None) -> Mapping[str, Any]:
        letter = belongs(held)
        generation = int((letter.get("door") or {}).get("generation") or 0) + 1
        code = _door_code(secret, letter["_id"], generation)
        return {"door": {"generation": generation, "hash": token_hash(code), "at": now}}

    written = put(group, person, rule, by=by, now=now)
    return _door_code(secret, written["_id"], written["door"]["generation"])


def _door_code(secret: str, membership: str, generation: int) -> str:
    digest = hmac.digest(secret.encode(), f"{_DOOR}|{membership}|{generation}".encode(), "sha256")
    return f"{int.from_bytes(digest[:8], 'big') % 1_000_000:06d}"


def at_the_door(group: Group, person: str, code: str, *, secret: str, now: datetime) -> Member:
    """They give back the code from their letter box. Raises DoorCodeWrong, LimitReached after a few tries."""
    check_active(group)
    key = belongs(queries.membership(group["_id"], person))["_id"]
    limits.take(secret, "watch_door", key, limit=DOOR_TRIES, window_s=86_400, now=now)

    def rule(held: Member | None) -> Mapping[str, Any]:
        here = belongs(held)
        if not hmac.compare_digest(token_hash(code), (here.get("door") or {}).get("hash") or ""):
            raise DoorCodeWrong("that is not the code", errors={"code": ["Not the code of the last letter."]})
        return {"level": str(Level.COORDINATOR if here.get("level") == Level.COORDINATOR else Level.ADDRESS)}

    return put(group, person, rule, by=person, now=now)
