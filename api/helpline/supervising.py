"""Openings by others, and what supervisors do: listen in with her consent, take over, see who is on shift."""

from dataclasses import replace
from typing import Any

from api.blueprint import Blueprint, Call
from api.helpline import desk_schemas
from api.helpline.access import desk, home, the_vault
from api.helpline.views import row_view
from api.paging import Listed
from api.reviews import reasons
from api.reviews import schemas as review_schemas
from api.reviews.routes import review_view
from domain.audit import chain as audit
from domain.helpline import calling, filing, line, rules, shifts
from domain.helpline import service as helpline
from domain.helpline.states import HelplineStatus
from domain.reviews import service as reviews
from domain.reviews.states import ReviewKind

blp = Blueprint(
    "helpline_supervising", __name__, url_prefix="/v1/helpline", description="Whoever answers for the counsellors."
)

SUPERVISE = "helpline.supervise"


@blp.endpoint(
    "POST /requests/<request_id>/openings",
    permission="helpline.answer",
    body=desk_schemas.OpeningReason,
    answer=review_schemas.Review,
    status=201,
    creates=True,
    caution=False,
)
def ask_opening(call: Call, request_id: str) -> Any:
    """Ask to read a request that one does not have: with a reason, and only after a second person's yes."""
    doc, who = desk(call.who, request_id), call.who.person_id
    reason = reasons.kept(ReviewKind.VAULT_OPENING, request_id, who, call.body["reason"])
    audit.append(doc["city"], who, "helpline.opening_asked", request_id, now=call.now, reason=str(call.body["ground"]))
    review, made = reviews.ask(
        ReviewKind.VAULT_OPENING,
        city=doc["city"],
        subject=request_id,
        asked_by=who,
        reason=reason,
        key=call.key or "",
        now=call.now,
    )
    call.services.enqueue("drain", "reviews", review["_id"])
    return review_view(review), 201 if made else 200


def _why(call: Call, doc: dict[str, Any]) -> dict[str, Any]:
    """The reason that was given, sealed."""
    who, body = call.who.person_id, call.body
    return filing.sealed_reason(doc, body["reason"], the_vault(), by=who, ground=body["ground"], now=call.now)


@blp.endpoint(
    "POST /requests/<request_id>/listen",
    permission=SUPERVISE,
    answer=desk_schemas.WaitingRow,
    also={409: "It is over."},
)
def listen(call: Call, request_id: str) -> Any:
    """Read along, where she said that one may; her phone shows it."""
    doc, who = desk(call.who, request_id, SUPERVISE), call.who.person_id
    audit.append(doc["city"], who, "helpline.listened", request_id, now=call.now)
    return row_view(helpline.change(request_id, lambda found: rules.listen(found, who), now=call.now))


@blp.endpoint(
    "POST /requests/<request_id>/listen-call",
    permission=SUPERVISE,
    answer=desk_schemas.WaitingRow,
    status=202,
    also={409: "It is over, or no call goes on."},
)
def listen_call(call: Call, request_id: str) -> Any:
    """Hear the call that goes on, where she said that one may: the supervisor's own phone rings, is not heard by the two,
    and her phone shows it. Each is asked for anew.
    """
    doc, who = desk(call.who, request_id, SUPERVISE), call.who.person_id
    audit.append(doc["city"], who, "helpline.call_listened", request_id, now=call.now)
    after = calling.listen(request_id, by=who, now=call.now)
    call.services.enqueue("drain", "helpline_requests", request_id)
    return row_view(after), 202


@blp.endpoint(
    "POST /requests/<request_id>/take-over",
    permission=SUPERVISE,
    body=desk_schemas.OpeningReason,
    answer=desk_schemas.WaitingRow,
    also={409: "It is over, or the caller is not on shift."},
)
def take_over(call: Call, request_id: str) -> Any:
    """Have it from now on, with a reason; the counsellor who had it hears, and she does."""
    doc, who = desk(call.who, request_id, SUPERVISE), call.who.person_id
    shifts.must_be_available(who)
    why = _why(call, doc)
    audit.append(doc["city"], who, "helpline.taken_over", request_id, now=call.now, reason=why["ground"])
    shifts.seen(who, now=call.now)
    after = helpline.change(request_id, lambda found: rules.take_over(found, who, call.now, why=why), now=call.now)
    call.services.enqueue("drain", "helpline_requests", request_id)
    return row_view(after)


@blp.endpoint(
    "GET /shifts",
    permission=SUPERVISE,
    query=desk_schemas.LineQuery,
    answer=desk_schemas.Shift,
    paged=True,
    caution=False,
)
def list_shifts(call: Call) -> Any:
    """Who is on shift and on break, and how many each has."""
    city = home(call, SUPERVISE)
    return Listed(
        [{**held, "person": held["_id"], "has": len(line.of_counsellor(held["_id"]))} for held in shifts.on_shift(city)]
    )


@blp.endpoint(
    "POST /requests/<request_id>/release",
    permission=SUPERVISE,
    body=desk_schemas.OpeningReason,
    answer=desk_schemas.WaitingRow,
    also={409: "It is over."},
)
def release(call: Call, request_id: str) -> Any:
    """Give a claimed request back to the line, with its old place: its counsellor cannot answer."""
    doc, who = desk(call.who, request_id, SUPERVISE), call.who.person_id
    why = _why(call, doc)
    audit.append(doc["city"], who, "helpline.released", request_id, now=call.now, reason=why["ground"])

    def rule(found: rules.Request) -> rules.Step | None:
        if found["status"] == HelplineStatus.WAITING:
            return None
        return replace(rules.give_back(found, "released", call.now, by=who), push={"reasons": why})

    after = helpline.change(request_id, rule, now=call.now)
    call.services.enqueue("drain", "helpline_requests", request_id)
    return row_view(after)
