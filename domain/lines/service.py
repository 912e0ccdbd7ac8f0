"""Reply codes of a phone number, the SOS that it raised, what it was answered, and whether it wants our SMS at all. Each
step is one conditional write on the number's own document.

A reply code such as `2a` names an offer among those that this phone got: small, and unique among the live ones. It is
kept by the delivery that it stands for, so a job that runs again finds the same one; and it is not given to another offer
for hours, so that a late answer never accepts something else.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
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
ANSWERS_KEPT: Final = 20
"""Newest messages of a number whose answers are remembered."""
ANSWER_LIVES: Final = timedelta(days=1)
"""A carrier tells us a message again within minutes, if it does."""
_FOR_EVER: Final = timedelta(days=36_500)
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


def delivery_of(secret: str, phone: str, number: str, *, now: datetime) -> tuple[str, bool] | None:
    """(the delivery that a reply code of this phone stands for, whether the code's time is over); None for a foreign code."""
    held = (_line(secret, phone).get("codes") or {}).get(number)
    return (str(held["delivery"]), bool(held["until"] <= now)) if held else None


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


def answer_to(secret: str, phone: str, message: str) -> dict[str, Any] | None:
    """What was answered to a message (the carrier's id of it) of this number; None for one that is new."""
    kept = _line(secret, phone).get("answers") or []
    found = next((each for each in kept if each["message"] == message), None)
    return {name: value for name, value in found.items() if name != "message"} if found else None


def remember_answer(secret: str, phone: str, message: str, answer: Mapping[str, Any], *, now: datetime) -> None:
    """Remember that a message was dealt with: when it comes again, it has the same answer and does nothing."""
    for _ in range(_TRIES):
        line = _line(secret, phone)
        kept = [each for each in line.get("answers") or [] if each["message"] != message]
        kept = [*kept, {**answer, "message": message}][-ANSWERS_KEPT:]
        if _write(line, {"answers": kept}, until=now + ANSWER_LIVES):
            return


def opt_out(secret: str, phone: str, who: Mapping[str, Any] | None, *, now: datetime) -> bool:
    """This number wants no SMS of ours. `who` it is of, where that is known, is kept for `opt_in`. False: known already."""
    for _ in range(_TRIES):
        line = _line(secret, phone)
        held = line.get("opted_out") or {}
        known = list(held.get("who") or [])
        new = [dict(who)] if who and dict(who) not in known else []
        if held and not new:
            return False
        changed = {"at": held.get("at") or now, "who": [*known, *new]}
        if _write(line, {"opted_out": changed}, until=now + _FOR_EVER):
            return not held
    return False


def opt_in(secret: str, phone: str, *, now: datetime) -> list[dict[str, Any]]:
    """It wants them again: of whom it was known to be, to be restored there too."""
    for _ in range(_TRIES):
        line = _line(secret, phone)
        held = line.get("opted_out") or {}
        if not held:
            return []
        ends = [each["until"] for each in [*(line.get("codes") or {}).values(), line.get("incident") or {}] if each]
        if _write(line, {"opted_out": {}}, until=max([now + ANSWER_LIVES, *ends]), no_longer=True):
            return list(held.get("who") or [])
    return []


def opted_out(secret: str, phone: str) -> bool:
    """Whether this number wants no SMS of ours."""
    return bool(_line(secret, phone).get("opted_out"))


def opted_out_among(secret: str, phones: Iterable[str]) -> set[str]:
    """Those of these numbers that want no SMS of ours, with one read."""
    named = {line_id(secret, phone): phone for phone in phones}
    if not named:
        return set()
    rows = lines().find({"_id": {"$in": list(named)}}, {"opted_out": 1})
    return {named[row["_id"]] for row in rows if row.get("opted_out")}


def sweep(*, now: datetime, limit: int = 1000) -> int:
    """Remove what no longer matters; how many went."""
    over = [row["_id"] for row in lines().find({"until": {"$lte": now}}, {"_id": 1}).limit(limit)]
    return int(lines().delete_many({"_id": {"$in": over}, "until": {"$lte": now}}).deleted_count) if over else 0


def _write(line: Line, changes: dict[str, Any], *, until: datetime, no_longer: bool = False) -> bool:
    """Change the line if nobody did meanwhile. It is kept at least `until`, or with `no_longer` exactly so long."""
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
        {"$set": changes | ({"until": until} if no_longer else {}), "$inc": {"version": 1}}
        | ({} if no_longer else {"$max": {"until": until}}),
    )
    return done.modified_count == 1
