"""Signing in and out: one-time code, tokens, refresh, second factor."""

from typing import Any

from flask import request

from api.blueprint import Blueprint, Call
from api.people import schemas
from api.people.views import life, person_view
from domain.people import queries, second_factor, sessions, sign_in
from domain.people.devices import DeviceFacts
from domain.phones import language_of

blp = Blueprint("auth", __name__, url_prefix="/v1/auth", description="Signing in by a one-time code.")


@blp.endpoint(
    "POST /otp",
    public="This is how one becomes known.",
    body=schemas.AskCode,
    answer=schemas.Asked,
    status=202,
    creates=True,
    also={429: "Too soon or too often for this number or address."},
)
def ask_code(call: Call) -> Any:
    """Ask for a one-time code by SMS. Answers the same for every number, known or not."""
    asked = sign_in.ask(
        call.services.settings.signing_key,
        call.body["phone"],
        key=call.key,
        address=request.remote_addr or "",
        language=call.body["language"] or language_of(call.body["phone"]) or "ur",
        life=life(call),
        now=call.now,
    )
    if asked.fresh:
        call.services.enqueue("drain", "otp_challenges", asked.subject)
    return asked


@blp.endpoint(
    "POST /token",
    public="This is how one becomes known.",
    body=schemas.GiveCode,
    answer=schemas.SignedInAnswer,
    creates=True,
    also={401: "The code is wrong, used or over."},
)
def give_code(call: Call) -> Any:
    """Give the code back and be signed in. The same Idempotency-Key again gives the same session."""
    tokens = sign_in.sign_in(
        call.services.settings.signing_key,
        call.body["challenge_id"],
        call.body["code"],
        DeviceFacts(**call.body["device"]),
        key=call.key,
        life=life(call),
        now=call.now,
    )
    who = queries.principal(tokens.person_id, tokens.session_id, now=call.now)
    return {**vars(tokens), "person": person_view(queries.get(tokens.person_id), call, who.second_factor)}


@blp.endpoint(
    "POST /refresh",
    public="The refresh token is the proof.",
    body=schemas.RefreshBody,
    answer=schemas.TokensAnswer,
    creates=True,
    also={401: "The token is over, or was used before: then its session was ended."},
)
def refresh(call: Call) -> Any:
    """Take the next tokens. A refresh token is good once; a second use ends the session."""
    return sign_in.refresh(
        call.services.settings.signing_key, call.body["refresh_token"], key=call.key, life=life(call), now=call.now
    )


@blp.endpoint("POST /logout", permission="me.edit", status=204)
def logout(call: Call) -> Any:
    """End this session; its phone gets no more pushes."""
    sessions.end(call.who.person_id, call.who.session_id, now=call.now)
    call.services.enqueue("drain", "people", call.who.person_id)
    return None, 204


@blp.endpoint(
    "POST /second-factor",
    permission="me.edit",
    body=schemas.FactorBody,
    status=204,
    also={429: "Too many wrong codes."},
)
def give_second_factor(call: Call) -> Any:
    """Give the code of the authenticator app: staff roles count in this session for twelve hours."""
    second_factor.give(
        queries.get(call.who.person_id),
        call.who.session_id,
        call.body["code"],
        secret=call.services.settings.signing_key,
        now=call.now,
    )
    return None, 204


@blp.endpoint(
    "POST /second-factor/enrolment",
    permission="me.edit",
    body=schemas.EnrolBody,
    answer=schemas.EnrolAnswer,
    also={409: "There is a confirmed one already.", 429: "Too many wrong codes."},
)
def enrol(call: Call) -> Any:
    """Set up the authenticator app with the code that an admin handed over; the first code given confirms it."""
    uri = second_factor.begin(
        queries.get(call.who.person_id),
        call.body["enrolment_code"],
        secret=call.services.settings.signing_key,
        now=call.now,
    )
    return {"uri": uri}
