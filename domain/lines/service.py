"""Reply codes and the SOS of a phone number. Each step is one conditional write on the number's own document.

A reply code such as `2a` names an offer among those that this phone got: small, and unique among the live ones. It is
kept by the delivery that it stands for, so a job that runs again finds the same one; and it is not given to another offer
for hours, so that a late answer never accepts something else.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from domain.lines.documents import LineDoc

CODE_LIVES: Final = timedelta(hours=6)
"""As long as the signed link of the same SMS."""
SAME_CALL: Final = timedelta(minutes=30)
"""A call and the messages that follow it from the same phone are one SOS for so long."""
MOST_CODES: Final = 99
_TRIES: Final = 12

Line = dict[str, Any]


def lines() -> Collection[Line]:
    """The raw collection."""
    found: Collection[Line] = LineDoc._get_collection()
    return found


def line_id(secret: str, phone: str) -> str:
    """The document of a number (E.164): a keyed hash."""
    return "lin_" + hmac.new(secret.encode(), f"amaan/line|{phone}".encode(), hashlib.sha256).hexdigest()[:32]


def _line(secret: str, phone: str) -> Line:
    found = line_id(secret, phone)
    return lines().find_one({"_id": found}) or {"_id": found, "version": 0}


def code_for(secret: str, phone: str, delivery_id: str, *, now: datetime) -> str:
    """The number of this delivery's reply codes on this phone, as text; "" when every number is taken."""
    for _ in range(_TRIES):
        line = _line(secret, phone)
        codes = line.get("codes") or {}
        for number, held in codes.items():
            if held["delivery"] == delivery_id:
                return str(number)
        free = (n for n in range(1, MOST_CODES + 1) if str(n) not in codes or codes[str(n)]["until"] <= now)
        number = next((str(n) for n in free), "")
        until = now + CODE_LIVES
        if not number or _write(line, {f"codes.{number}": {"delivery": delivery_id, "until": until}}, until=until):
            return number
    return ""


def delivery_of(secret: str, phone: str, number: str) -> str | None:
    """The delivery that a reply code of this phone stands for, whatever became of it; None for a foreign code."""
    held = (_line(secret, phone).get("codes") or {}).get(number)
    return str(held["delivery"]) if held else None


def has_codes(secret: str, phone: str) -> bool:
    """Whether we ever asked somebody at this number by SMS."""
    return bool(_line(secret, phone).get("codes"))


def remember_sos(secret: str, phone: str, incident_id: str, *, now: datetime) -> None:
    """The SOS that this number raised last: what it sends within SAME_CALL belongs to it."""
    for _ in range(_TRIES):
        line = _line(secret, phone)
        if _write(line, {"incident": {"id": incident_id, "until": now + SAME_CALL}}, until=now + SAME_CALL):
            return


def recent_sos(secret: str, phone: str, *, now: datetime) -> str | None:
    """The id of the SOS that this number raised within SAME_CALL."""
    held = _line(secret, phone).get("incident") or {}
    return str(held["id"]) if held and held["until"] > now else None


def sweep(*, now: datetime, limit: int = 1000) -> int:
    """Remove what no longer matters; how many went."""
    over = [row["_id"] for row in lines().find({"until": {"$lte": now}}, {"_id": 1}).limit(limit)]
    return int(lines().delete_many({"_id": {"$in": over}, "until": {"$lte": now}}).deleted_count) if over else 0


def _write(line: Line, changes: dict[str, Any], *, until: datetime) -> bool:
    """Change the line if nobody did meanwhile."""
    if line["version"] == 0:
        made: Line = {"_id": line["_id"], "version": 1, "until": until}
        for path, value in changes.items():
            first, _, last = path.partition(".")
            made[first] = {last: value} if last else value
        try:
            lines().insert_one(made)
        except DuplicateKeyError:
            return False
        return True
    done = lines().update_one(
        {"_id": line["_id"], "version": line["version"]},
        {"$set": changes, "$max": {"until": until}, "$inc": {"version": 1}},
    )
    return done.modified_count == 1
