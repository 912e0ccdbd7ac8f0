"""Searching one incident's footage for one face: asked with a legal basis, allowed by two others, for a while, told all along.

Nothing here looks at a live stream, and nothing follows from a lead but a question to a human. Each step is one conditional
write; a search that is over takes no further step, so whoever worked on it throws away what was found.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain import outbox
from domain.audit import chain as audit
from domain.cities.config import CityConfig
from domain.errors import Conflict
from domain.evidence import custody
from domain.evidence.service import footage_of
from domain.evidence.states import Act
from domain.faces.errors import LeadNotFound, SearchOff, SearchOver
from domain.faces.queries import Search, get, searches
from domain.faces.states import SearchState
from domain.reviews import service as reviews
from domain.reviews.states import QUESTIONS, RULE, ReviewKind, ReviewStatus, Said

MOST_HOURS: Final = 72
DRAFT_FOR: Final = timedelta(hours=1)
"""A search whose picture does not come is over after so long."""
MOST_LEADS: Final = 20
LEASE: Final = timedelta(seconds=60)
AGAIN: Final = timedelta(seconds=10)
MOST_TRIES: Final = 3
"""Footage that ended three workers is left, and what comes after it is gone through."""


def must_be_on(config: CityConfig) -> None:
    """Raises SearchOff where the city compares no faces, or not any more."""
    if not config.face_search:
        raise SearchOff("this city compares no faces")


def draft(
    search_id: str,
    incident: Mapping[str, Any],
    asked: Mapping[str, Any],
    config: CityConfig,
    *,
    by: str,
    fingerprint: str,
    now: datetime,
) -> tuple[Search, bool]:
    """(search, whether it is new). `asked`: {purpose, legal_basis, hours}. Raises SearchOff where the city compares no
    faces, Conflict `idempotency_conflict` for a known key with another body.
    """
    must_be_on(config)
    made: Search = {
        "_id": search_id,
        "city": incident["city"],
        "incident": incident["_id"],
        "purpose": str(asked["purpose"]),
        "legal_basis": asked["legal_basis"],
        "by": by,
        "hours": asked["hours"],
        "state": str(SearchState.DRAFT),
        "searched": [],
        "failed": {},
        "leads": [],
        "noted": [],
        "fingerprint": fingerprint,
        "at": now,
        "until": now + DRAFT_FOR,
        "tries": 0,
        "version": 1,
    }
    try:
        searches().insert_one(made)
    except DuplicateKeyError:
        known = get(search_id)
        if known["fingerprint"] != fingerprint:
            raise Conflict("the key was used for another search", code="idempotency_conflict") from None
        return known, False
    return made, True


def note(search_id: str, names: Sequence[str]) -> None:
    """Write down what is about to be stored. Raises SearchOver when it is over."""
    going = {"_id": search_id, "state": {"$in": [str(SearchState.DRAFT), str(SearchState.ALLOWED)]}}
    if not searches().update_one(going, {"$addToSet": {"noted": {"$each": list(names)}}}).matched_count:
        raise SearchOver("it is over", current=get(search_id)["state"])


def ask(search_id: str, photo: Mapping[str, Any], *, now: datetime) -> Search:
    """The picture is sealed: it is written down, with the event by which two others are asked (`put_question`). Raises
    SearchOver where it is no draft any more.
    """
    doc = get(search_id)
    event = outbox.event("face_search.asked", search_id, version=doc["version"] + 1, now=now, city=doc["city"])
    change = {
        "state": str(SearchState.ASKED),
        "photo": dict(photo),
        "review": reviews.id_of(doc["by"], _key(search_id)),
        "until": now + QUESTIONS[ReviewKind.FACE_SEARCH].open_for + DRAFT_FOR,
    }
    after = searches().find_one_and_update(
        {"_id": search_id, "state": str(SearchState.DRAFT), "until": {"$gt": now}, "version": doc["version"]},
        outbox.merge({"$set": change, "$inc": {"version": 1}}, outbox.pending([event], now)),
        return_document=ReturnDocument.AFTER,
    )
    if after is None:
        raise SearchOver("its picture came already, or it is over", current=get(search_id)["state"])
    return after


def _key(search_id: str) -> str:
    return f"faces:{search_id}"


def put_question(search_id: str, *, now: datetime) -> str | None:
    """Ask two others whether it may be made, once: the review's id. None where it is over, or is at this very moment."""
    doc = get(search_id)
    if doc["state"] != SearchState.ASKED:
        _take_back(search_id, now)
        return None
    review, _ = reviews.ask(
        ReviewKind.FACE_SEARCH,
        city=doc["city"],
        subject=search_id,
        asked_by=doc["by"],
        reason=doc["legal_basis"],
        key=_key(search_id),
        about={"incident": doc["incident"], "purpose": doc["purpose"], "hours": str(doc["hours"])},
        now=now,
    )
    if get(search_id)["state"] == SearchState.OVER:
        _take_back(search_id, now)
        return None
    return str(review["_id"])


def _take_back(search_id: str, now: datetime) -> None:
    """What was asked just before it was over, by a worker that died then perhaps."""
    reviews.withdraw([search_id], now=now)


def decided(search_id: str, status: ReviewStatus, *, now: datetime) -> Search | None:
    """What the two others said: allowed from now for its hours, or refused. None when it was decided before."""
    doc = get(search_id)
    if status is ReviewStatus.APPROVED:
        until = now + timedelta(hours=doc["hours"])
        change = {"state": str(SearchState.ALLOWED), "allowed_at": now, "until": until, "due": now + AGAIN}
    else:
        change = {"state": str(SearchState.REFUSED), "until": now}
    return searches().find_one_and_update(
        {"_id": search_id, "state": str(SearchState.ASKED)},
        {"$set": change, "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )


def again(search_id: str, *, now: datetime) -> Search:
    """Go through what was taken of the incident since. Raises SearchOver where it is not allowed (any more)."""
    after = searches().find_one_and_update(
        {"_id": search_id, "state": str(SearchState.ALLOWED), "until": {"$gt": now}},
        {"$set": {"due": now + AGAIN, "tries": 0, "failed": {}, "begun": {}}, "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )
    if after is None:
        raise SearchOver("it is not allowed, or not any more", current=get(search_id)["state"])
    return after


def begin(search_id: str, *, now: datetime) -> Search | None:
    """Take a search for a worker; None when nothing is to be done, another worker has it, or it expired."""
    return searches().find_one_and_update(
        {
            "_id": search_id,
            "state": str(SearchState.ALLOWED),
            "until": {"$gt": now},
            "$or": [{"tries": 0, "due": {"$exists": True}}, {"due": {"$lte": now}}],
        },
        {"$set": {"due": now + LEASE}, "$inc": {"tries": 1}},
        return_document=ReturnDocument.AFTER,
    )


def _mine(doc: Search) -> dict[str, Any]:
    return {"_id": doc["_id"], "state": str(SearchState.ALLOWED), "tries": doc["tries"]}


def renew(doc: Search, *, now: datetime) -> bool:
    """Hold the lease on; False when it is no longer this worker's, or the search expired."""
    return bool(
        searches().update_one({**_mine(doc), "until": {"$gt": now}}, {"$set": {"due": now + LEASE}}).matched_count
    )


def to_search(doc: Search) -> list[dict[str, Any]]:
    """The incident's footage that was not gone through yet: taken, sealed, for this incident and no other."""
    over = {*doc["searched"], *doc["failed"]}
    rows = footage_of(doc["incident"])
    return [row for row in rows if row.get("parts") and not row.get("ends_at") and row["_id"] not in over]


def told(doc: Search, footage: Mapping[str, Any], *, now: datetime) -> None:
    """Before it is gone through: on the footage's chain of custody and, by that, on the audit chain; once a try."""
    key = f"searched:{doc['_id']}"
    refs = {"search": doc["_id"], "purpose": doc["purpose"], "review": doc["review"]}
    custody.append(footage, Act.SEARCHED, doc["by"], now=now, reason=doc["legal_basis"], key=key, refs=refs)


def is_given_up(doc: Search, evidence_id: str) -> bool:
    """Whether somebody began with this footage as often as they may."""
    return int((doc.get("begun") or {}).get(evidence_id, 0)) >= MOST_TRIES


def began(doc: Search, evidence_id: str) -> None:
    """Before it is gone through: whoever dies over it has told that they had begun."""
    searches().update_one(_mine(doc), {"$inc": {f"begun.{evidence_id}": 1}})


def found(
    doc: Search, evidence_id: str, leads: Sequence[Mapping[str, Any]], model: Mapping[str, Any], *, now: datetime
) -> bool:
    """Keep what one piece of footage gave, the best MOST_LEADS of all. False when the search is over, or not ours."""
    change = {"$set": {"model": dict(model)}, "$addToSet": {"searched": evidence_id}, "$inc": {"version": 1}}
    push = {"leads": {"$each": [dict(each) for each in leads], "$sort": {"score": -1}, "$slice": MOST_LEADS}}
    mine = {**_mine(doc), "until": {"$gt": now}, "searched": {"$nin": [evidence_id]}}
    return bool(searches().update_one(mine, {**change, "$push": push}).matched_count)


def failed(doc: Search, evidence_id: str, why: str) -> None:
    """This footage could not be gone through."""
    searches().update_one(_mine(doc), {"$set": {f"failed.{evidence_id}": why}, "$inc": {"version": 1}})


def done(doc: Search) -> None:
    """All footage was gone through."""
    searches().update_one(_mine(doc), {"$unset": {"due": ""}})


def give_back(doc: Search, *, now: datetime) -> None:
    """The worker could not go on: somebody else does, soon."""
    searches().update_one(_mine(doc), {"$set": {"due": now + AGAIN}})


def lead(doc: Search, lead_id: str) -> dict[str, Any]:
    """One lead of a search that is not over; raises LeadNotFound."""
    one = next((each for each in doc["leads"] if each["id"] == lead_id), None)
    if one is None or doc["state"] != SearchState.ALLOWED:
        raise LeadNotFound("no such lead, or the search is over")
    return dict(one)


def ask_about(doc: Search, one: Mapping[str, Any], *, now: datetime) -> str:
    """Is it the one who is searched for? The question of one lead, put once; its id."""
    review, _ = reviews.ask(
        ReviewKind.FACE_LEAD,
        city=doc["city"],
        subject=str(one["id"]),
        asked_by=RULE,
        reason=doc["legal_basis"],
        key=f"lead:{one['id']}",
        about={
            "search": doc["_id"],
            "incident": doc["incident"],
            "evidence": one["evidence"],
            "t": str(one["t"]),
            "finding": "face",
            "confidence": one["score"],
            "detector": str((doc.get("model") or {}).get("name") or ""),
        },
        now=now,
    )
    return str(review["_id"])


def said(search_id: str, lead_id: str, answer: Said) -> None:
    """What a human says of a lead, for whoever asked: nothing else follows from it."""
    held = searches().find_one({"_id": search_id}) or {"leads": []}
    if any(each["id"] == lead_id and each.get("said") == answer for each in held["leads"]):
        return
    searches().update_one(
        {"_id": search_id, "leads.id": lead_id}, {"$set": {"leads.$.said": str(answer)}, "$inc": {"version": 1}}
    )


def end_all(incident_id: str, by: str, *, now: datetime) -> None:
    """What the incident was is forgotten: its searches end now, and the sweep takes their pictures."""
    for row in searches().find({"incident": incident_id, "until": {"$gt": now}}, {"_id": 1}):
        end(row["_id"], by, reason="its incident is no longer kept", now=now)


def overdue(*, now: datetime, limit: int = 20) -> list[Search]:
    """Searches that nobody works on."""
    return list(searches().find({"due": {"$lte": now}}).limit(limit))


def expired(*, now: datetime, limit: int = 50) -> list[Search]:
    """Searches whose time is over, and whose pictures are still there."""
    return list(searches().find({"until": {"$lte": now}}).sort("until", 1).limit(limit))


def end(search_id: str, by: str, *, reason: str, now: datetime) -> Search:
    """End a search before its time; again changes nothing. Pictures go with the next sweep."""
    doc = get(search_id)
    audit.append(doc["city"], by, "face_search.ended", search_id, now=now, reason=reason, incident=doc["incident"])
    searches().update_one({"_id": search_id, "until": {"$gt": now}}, {"$set": {"until": now}, "$inc": {"version": 1}})
    return get(search_id)


def stop(city: str, *, now: datetime) -> int:
    """The city compares no faces any more: whatever is drafted, asked or allowed ends now. How many did."""
    going = list(searches().find({"city": city, "until": {"$gt": now}}, {"_id": 1}))
    for row in going:
        end(row["_id"], RULE, reason="the city compares no faces any more", now=now)
    return len(going)


def close(doc: Search) -> Search | None:
    """From here on nothing is added to it: {noted} is all there is to be dropped. None when somebody was quicker."""
    still = str(SearchState.REFUSED) if doc["state"] == SearchState.REFUSED else str(SearchState.OVER)
    return searches().find_one_and_update(
        {"_id": doc["_id"], "until": doc["until"]},
        {"$set": {"state": still}, "$unset": {"due": ""}, "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )


def forget_pictures(doc: Search) -> None:
    """Bytes and key are gone: what was found is forgotten; who searched, why, in what, and how many leads there were stays."""
    count = {"leads_were": len(doc["leads"]), "leads": [], "noted": []}
    gone = {"photo": "", "until": ""}
    searches().update_one({"_id": doc["_id"]}, {"$set": count, "$unset": gone})
