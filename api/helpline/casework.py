"""Casework: what is done for one survivor over weeks, by whoever has one of her requests."""

import hmac
from typing import Any

from api.blueprint import Blueprint, Call
from api.helpline import case_schemas, schemas
from api.helpline.access import PUBLIC, SECURITY, desk, hers, once, the_vault
from domain import permissions
from domain.audit import chain as audit
from domain.cities import queries as cities
from domain.helpline import cases, casework, directory, filing, joining
from domain.helpline import service as helpline
from domain.helpline.cases import Case
from domain.helpline.errors import CaseNotFound, ConsentNeeded, RequestNotFound
from domain.helpline.states import Consent
from domain.people import queries as people
from domain.permissions import Role, Target
from domain.reviews import service as reviews
from domain.reviews.states import ReviewKind

blp = Blueprint("casework", __name__, url_prefix="/v1/helpline", description="What is done for her over weeks.")

ANSWER = "helpline.answer"
DESK = (Role.COUNSELLOR, Role.HELPLINE_SUPERVISOR)
_SHOWN: dict[str, Any] = {
    "permission": ANSWER,
    "answer": case_schemas.HelplineCase,
    "caution": False,
    "also": {409: "It is closed."},
}


@blp.endpoint(
    "GET /referrals",
    public="Public numbers.",
    query=case_schemas.ReferralsQuery,
    answer=case_schemas.ReferralDirectory,
    etag=True,
    also={404: "No such city."},
)
def referrals(call: Call) -> Any:
    """Who else helps: shelters, lawyers, hospitals, police, against crime online; what is not verified says so."""
    city = call.query.get("city") or cities.known()[0]
    return {"items": directory.listed(city, kind=call.query.get("kind"), now=call.now)}


def _mine(call: Call, case_id: str, *, reading: bool = False) -> Case:
    """A case that is the caller's, or of which they have a request now. `reading`: an approved opening of one of its
    requests is enough; with it nothing is written, and no case is handed to whoever was to look for half an hour.
    """
    doc, who = cases.get(case_id), call.who.person_id
    if not permissions.reaches(call.who, ANSWER, Target(city=doc["city"])):
        raise CaseNotFound("no such case")
    if cases.readable_by(doc, who) or any(
        reading and reviews.approved(ReviewKind.VAULT_OPENING, request_id, who, now=call.now)
        for request_id in doc["requests"]
    ):
        return doc
    raise CaseNotFound("no such case")


def _shown(call: Call, doc: Case) -> dict[str, Any]:
    audit.append(doc["city"], call.who.person_id, "helpline.case_opened", doc["_id"], now=call.now)
    return cases.view(doc, the_vault())


@blp.endpoint("POST /requests/<request_id>/case", body=case_schemas.OpenCase, **_SHOWN)
def open_case(call: Call, request_id: str) -> Any:
    """Open a case for a request that one has, with her consent; or bring earlier ones into it that her word found."""
    doc, who, how = desk(call.who, request_id), call.who.person_id, call.body["consent"]
    filing.must_have(doc, who)
    if set(call.body["requests"]) - set(doc.get("earlier") or []):
        raise ConsentNeeded("only what her own word found, or what she joins from her phone")
    case = cases.open_for(doc, the_vault(), by=who, how=how, now=call.now)
    for earlier in call.body["requests"]:
        case = joining.join(case["_id"], earlier, the_vault(), by=who, how=how, now=call.now)
    return _shown(call, case)


@blp.endpoint(
    "POST /requests/<request_id>/join",
    public=PUBLIC,
    body=schemas.JoinRequest,
    status=204,
    security=SECURITY,
    also={404: "The other token does not open the other request."},
)
def join(call: Call, request_id: str) -> Any:
    """She says herself that an earlier request was hers too, by its token: both are in one case from now on."""
    doc, other = hers(request_id), call.body["request_id"]
    expected = helpline.token(call.services.settings.signing_key, other)
    if not hmac.compare_digest(call.body["helpline_token"].encode(), expected.encode()):
        raise RequestNotFound("no such request")
    earlier = helpline.get(other)
    case = cases.open_for(earlier, the_vault(), by="citizen", how=Consent.APP, now=call.now)
    joining.join(case["_id"], doc["_id"], the_vault(), by="citizen", how=Consent.APP, now=call.now)
    return None, 204


@blp.endpoint("GET /cases/<case_id>", **_SHOWN)
def read_case(call: Call, case_id: str) -> Any:
    """Open a case: for whoever has one of its requests, or by an approved opening. On the audit chain."""
    return _shown(call, _mine(call, case_id, reading=True))


@blp.endpoint("POST /cases/<case_id>/referrals", body=case_schemas.NewReferral, creates=True, **_SHOWN)
def refer(call: Call, case_id: str) -> Any:
    """Refer her to somebody of the directory, with how she agreed."""
    doc, body = _mine(call, case_id), call.body
    entry = directory.get(doc["city"], body["to"], now=call.now)
    key = once(call)
    after = casework.refer(
        doc, entry, body["note"], the_vault(), how=body["consent"], by=call.who.person_id, key=key, now=call.now
    )
    return _shown(call, after)


@blp.endpoint("POST /cases/<case_id>/follow-ups", body=case_schemas.NewFollowUp, creates=True, **_SHOWN)
def follow_up(call: Call, case_id: str) -> Any:
    """Something to look after at a time."""
    doc, body, key = _mine(call, case_id), call.body, once(call)
    after = casework.follow_up(
        doc, body["due_at"], body["note"], the_vault(), by=call.who.person_id, key=key, now=call.now
    )
    return _shown(call, after)


@blp.endpoint("POST /cases/<case_id>/follow-ups/<follow_up_id>/done", **_SHOWN)
def follow_up_done(call: Call, case_id: str, follow_up_id: str) -> Any:
    """It was looked after."""
    doc = _mine(call, case_id)
    return _shown(call, casework.done(doc["_id"], follow_up_id, by=call.who.person_id, now=call.now))


@blp.endpoint("POST /cases/<case_id>/stages", body=case_schemas.NewStage, creates=True, **_SHOWN)
def stage(call: Call, case_id: str) -> Any:
    """How far the police or a court has come."""
    doc, body, key = _mine(call, case_id), call.body, once(call)
    after = casework.stage(
        doc, body["track"], body["stage"], body["note"], the_vault(), by=call.who.person_id, key=key, now=call.now
    )
    return _shown(call, after)


@blp.endpoint("POST /cases/<case_id>/hand-over", body=case_schemas.HandOverCase, creates=True, **_SHOWN)
def hand_over(call: Call, case_id: str) -> Any:
    """Another counsellor of the city does the casework from now on, with a note."""
    doc, to = _mine(call, case_id), call.body["to"]
    if to not in {person.id for role in DESK for person in people.with_role(doc["city"], role)}:
        raise CaseNotFound("no such counsellor in this city")
    key = once(call)
    after = casework.hand_over(doc, to, call.body["note"], the_vault(), by=call.who.person_id, key=key, now=call.now)
    return _shown(call, after)


@blp.endpoint("POST /cases/<case_id>/close", body=schemas.CloseRequest, **_SHOWN)
def close(call: Call, case_id: str) -> Any:
    """It is over, with how it ended."""
    doc = _mine(call, case_id)
    return _shown(call, casework.close(doc["_id"], call.body["outcome"], now=call.now))
