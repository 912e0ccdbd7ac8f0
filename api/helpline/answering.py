"""The helpline as counsellors and their supervisors use it: shifts, the line, claiming, files, notes, transfer."""

from datetime import datetime, timedelta
from typing import Any

from api.blueprint import Blueprint, Call
from api.helpline import desk_schemas
from api.helpline.access import desk, home, once, the_vault
from api.helpline.views import file_view, row_view
from api.paging import Listed, cut
from domain.audit import chain as audit
from domain.errors import Invalid
from domain.helpline import calling, filing, line, rules, shifts
from domain.helpline import service as helpline
from domain.helpline.errors import NotOnShift
from domain.helpline.states import CounsellorState
from domain.ids import new_id
from domain.people import queries as people

blp = Blueprint("counselling", __name__, url_prefix="/v1/helpline", description="The counsellors' desk.")

ANSWER = "helpline.answer"
FIGURES_OF = timedelta(days=31)
"""At most: they are counted from the requests themselves."""


@blp.endpoint("PUT /duty", permission=ANSWER, body=desk_schemas.ShiftBody, answer=desk_schemas.ShiftAnswer)
def set_duty(call: Call) -> Any:
    """Go on shift, on break, or off. Whoever goes off gives back what she has; it keeps its place in the line."""
    me = people.get(call.who.person_id)
    state: CounsellorState = call.body["state"]
    until = call.body.get("until")
    if until is not None and until <= call.now and state != CounsellorState.OFF:
        raise Invalid("a shift or a break ends later", errors={"until": ["After now."]})
    held = shifts.set_state(
        call.who.person_id,
        home(call, ANSWER),
        state,
        gender=me.gender or "",
        languages=list(me.languages) or [me.language],
        until=until,
        now=call.now,
    )
    if state == CounsellorState.OFF:
        for request_id in filing.release(call.who.person_id, "shift_over", now=call.now):
            call.services.enqueue("drain", "helpline_requests", request_id)
    return _duty(held)


@blp.endpoint("GET /duty", permission=ANSWER, answer=desk_schemas.ShiftAnswer)
def read_duty(call: Call) -> Any:
    """The caller's shift and what she has."""
    return _duty(shifts.get(call.who.person_id))


def _duty(held: dict[str, Any]) -> dict[str, Any]:
    return {**held, "requests": [row["_id"] for row in line.of_counsellor(held["_id"])]}


@blp.endpoint(
    "GET /waiting",
    permission=ANSWER,
    query=desk_schemas.LineQuery,
    answer=desk_schemas.WaitingRow,
    paged=True,
    caution=False,
)
def waiting(call: Call) -> Any:
    """Who waits, in the order of the line: that they do, not what they told."""
    shifts.seen(call.who.person_id, now=call.now)
    gender = shifts.get(call.who.person_id).get("gender", "")
    rows = line.waiting(home(call, ANSWER), after=call.after(datetime, str), limit=call.limit + 1)
    page, more = cut(rows, call.limit, "line_at", "_id")
    return Listed([row_view(row, gender=gender) for row in page], more)


@blp.endpoint(
    "POST /requests/<request_id>/claim",
    permission=ANSWER,
    answer=desk_schemas.RequestFile,
    caution=False,
    also={409: "Another counsellor has it, she wants somebody else, or the caller is not on shift."},
)
def claim(call: Call, request_id: str) -> Any:
    """Take it: the first one wins. Opens it, and the opening is on the audit chain."""
    who = call.who.person_id
    desk(call.who, request_id)
    gender = shifts.must_be_available(who).get("gender") or ""
    shifts.seen(who, now=call.now)
    doc = helpline.change(request_id, lambda found: rules.claim(found, who, call.now, gender=gender), now=call.now)
    call.services.enqueue("drain", "helpline_requests", request_id)
    return _opened(call, doc, "claimed")


@blp.endpoint("GET /requests/<request_id>/file", permission=ANSWER, answer=desk_schemas.RequestFile, caution=False)
def read_file(call: Call, request_id: str) -> Any:
    """Open it: for the counsellor who has it, or by an approved opening. On the audit chain before it answers."""
    doc = desk(call.who, request_id)
    return _opened(call, doc, filing.may_open(doc, call.who.person_id, now=call.now))


def _opened(call: Call, doc: dict[str, Any], reason: str) -> dict[str, Any]:
    who = call.who.person_id
    audit.append(doc["city"], who, "helpline.opened", doc["_id"], now=call.now, reason=reason)
    filing.there(doc, who, now=call.now)
    return file_view(doc, the_vault().box(doc["_id"]), now=call.now)


@blp.endpoint(
    "POST /requests/<request_id>/notes",
    permission=ANSWER,
    body=desk_schemas.CaseNoteBody,
    answer=desk_schemas.CaseNote,
    status=201,
    creates=True,
    also={409: "It is over."},
)
def add_note(call: Call, request_id: str) -> Any:
    """Something for whoever answers her next; sealed."""
    doc = desk(call.who, request_id)
    filing.must_have(doc, call.who.person_id)
    note, made = filing.note(doc, call.body["text"], the_vault(), by=call.who.person_id, key=once(call), now=call.now)
    return {**note, "text": call.body["text"]}, 201 if made else 200


@blp.endpoint(
    "POST /requests/<request_id>/transfer",
    permission=ANSWER,
    body=desk_schemas.TransferBody,
    answer=desk_schemas.WaitingRow,
    also={409: "It is over, or whom it is for is not on shift."},
)
def transfer(call: Call, request_id: str) -> Any:
    """Hand it over with a note, so that she is not asked her story twice."""
    doc, who = desk(call.who, request_id), call.who.person_id
    filing.must_have(doc, who)
    if (to := call.body.get("to")) and shifts.must_be_available(to).get("city") != doc["city"]:
        raise NotOnShift("no counsellor of this city")
    key = once(call)
    filing.note(doc, call.body["note"], the_vault(), by=who, key=key, now=call.now)
    doc = helpline.change(
        request_id, lambda found: rules.returned_by(found, who, "transferred", call.now, to=to or ""), now=call.now
    )
    call.services.enqueue("drain", "helpline_requests", request_id)
    return row_view(doc)


@blp.endpoint(
    "POST /requests/<request_id>/call",
    permission=ANSWER,
    answer=desk_schemas.CallAnswer,
    status=202,
    also={409: "Not one of her safe times (`next_at`), no number, or she asked not to be contacted."},
)
def call_her(call: Call, request_id: str) -> Any:
    """Call her back. The system refuses outside her safe times; the counsellor's phone rings first, hers after that."""
    doc, who = desk(call.who, request_id), call.who.person_id
    call_id = new_id("cal", call.now)
    filing.must_have(doc, who)
    audit.append(doc["city"], who, "helpline.called", request_id, now=call.now, call=call_id)
    codeword = calling.begin(doc, the_vault().box(request_id), by=who, call_id=call_id, now=call.now)
    call.services.enqueue("drain", "helpline_requests", request_id)
    return {"calling": True, "codeword": codeword}


@blp.endpoint(
    "GET /line", permission="helpline.exists", query=desk_schemas.LineFiguresQuery, answer=desk_schemas.LineFigures
)
def figures(call: Call) -> Any:
    """How the line does: how many wait, who can answer, and how quickly who asked was answered."""
    city = home(call, "helpline.exists")
    until = call.query.get("until") or call.now
    since = max(call.query.get("since") or until - timedelta(days=1), until - FIGURES_OF)
    found = line.figures(city, since=since, until=until, now=call.now)
    free = {name or "unsaid": count for name, count in line.free(city).items()}
    first = [row_view(row) for row in line.waiting(city, after=None, limit=50)]
    return {**found, "waiting": line.length(city), "available": free, "first": first}
