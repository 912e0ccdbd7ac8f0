"""Oneself: profile, PINs, devices, guardians, sessions, export, erasure."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from api.blueprint import Blueprint, Call
from api.helpline import views as helpline
from api.people import schemas
from api.people.views import person_view
from domain.alerts import following
from domain.cities import queries as cities
from domain.cities.errors import CityInvalid
from domain.comments import service as comments
from domain.escorts import service as escorts
from domain.follows import service as follows
from domain.gatherings import personal as gatherings
from domain.incidents import personal
from domain.journeys import service as journeys
from domain.patrols import personal as patrols
from domain.people import devices, guardians, pins, queries, rules, service, sessions, sign_in
from domain.people.errors import DeviceIdInvalid, OtpWrong, ProofWrong
from domain.place_audits import service as place_audits
from domain.reports import personal as reports
from domain.watch import sanctions
from domain.watch import service as watch

blp = Blueprint("people", __name__, url_prefix="/v1/me", description="Oneself.")

DEVICE_SHAPE: Final = f"^{rules.DEVICE_ID}$"
RECORDS: Final[Mapping[str, Callable[[str, datetime], Any]]] = {
    "sos": personal.exported,
    "alerts": following.exported,
    "journeys": journeys.exported,
    "place_audits": place_audits.exported,
    "escorts": escorts.exported,
    "helpline": helpline.exported,
    "watch": watch.exported,
    "sanctions": sanctions.exported,
    "reports": reports.exported,
    "voices": reports.said,
    "follows": follows.exported,
    "comments": comments.exported,
    "patrols": patrols.exported,
    "gatherings": gatherings.exported,
}
"""What each other concept has of a person, for the export."""


@blp.endpoint("GET ", permission="me.read", answer=schemas.PersonAnswer, etag=True)
def me(call: Call) -> Any:
    """One's own profile."""
    return person_view(queries.get(call.who.person_id), call, call.who.second_factor)


@blp.endpoint("PATCH ", permission="me.edit", body=schemas.ProfileChange, answer=schemas.PersonAnswer)
def change_me(call: Call) -> Any:
    """Change one's own profile; what is left out stays."""
    changes = dict(call.body)
    if "gender" in changes:
        changes["gender"] = str(changes["gender"])
    if changes.get("city") and changes["city"] not in cities.known():
        raise CityInvalid("no such city", errors={"city": ["No such city."]})
    chosen = changes.pop("alerts", None)
    person = service.change_profile(
        call.who.person_id, changes, secret=call.services.settings.signing_key, now=call.now
    )
    if chosen is not None or "city" in changes:
        following.follow(person.id, chosen or {}, now=call.now)
        person = queries.get(person.id)
    return person_view(person, call, call.who.second_factor)


@blp.endpoint(
    "PUT /pins",
    permission="me.edit",
    body=schemas.PinsBody,
    status=204,
    also={429: "Too many wrong PINs."},
)
def set_pins(call: Call) -> Any:
    """Set the safe and the duress PIN. Needs the old PIN or a fresh one-time code."""
    secret = call.services.settings.signing_key
    person = queries.get(call.who.person_id)
    session = person.sessions.get(call.who.session_id)
    proven = session is not None and rules.otp_is_fresh(session.otp_at, call.now)
    if proof := call.body.get("otp"):
        try:
            row = sign_in.use_code(secret, proof["challenge_id"], proof["code"], key=call.key, now=call.now)
        except OtpWrong as error:
            raise ProofWrong("the code is not right") from error
        if row["phone"] != person.phone:
            raise ProofWrong("the code is not right")
        proven = True
    pins.set_pins(
        person,
        call.body["safe_pin"],
        call.body["duress_pin"],
        old_pin=call.body.get("old_pin"),
        proven=proven,
        secret=secret,
        now=call.now,
    )
    return None, 204


@blp.endpoint(
    "PUT /devices/<device_id>",
    permission="me.edit",
    body=schemas.PhoneFacts,
    answer=schemas.DeviceAnswer,
    parameters=[
        {"in": "path", "name": "device_id", "required": True, "schema": {"type": "string", "pattern": DEVICE_SHAPE}}
    ],
)
def put_device(call: Call, device_id: str) -> Any:
    """Tell where this phone is reached by push. An address belongs to one person: whoever had it loses it."""
    if not rules.is_device_id(device_id):
        raise DeviceIdInvalid("not a device id", errors={"device_id": ["Letters, digits, - and _."]})
    said = dict(call.body)
    near = said.pop("near", None)
    facts = devices.DeviceFacts(device_id, **said)
    if near:
        following.seen_at(call.who.person_id, near["lat"], near["lon"], now=call.now)
    devices.bind(call.who.person_id, call.who.session_id, facts, now=call.now)
    return queries.get(call.who.person_id).devices[device_id]


@blp.endpoint("GET /guardians", permission="me.read", answer=schemas.GuardiansAnswer, etag=True)
def list_guardians(call: Call) -> Any:
    """All of one's guardians and what they said."""
    held = queries.get(call.who.person_id).guardians.values()
    return {"items": sorted(held, key=lambda guardian: guardian.invited_at)}


@blp.endpoint(
    "POST /guardians",
    permission="me.edit",
    body=schemas.NewGuardian,
    answer=schemas.GuardianAnswer,
    status=201,
    creates=True,
    also={409: "They said no, or there are ten already.", 429: "This number was asked too often today."},
)
def add_guardian(call: Call) -> Any:
    """Name a guardian. They are asked by a link; the same number again is the same guardian."""
    guardian, fresh = guardians.add(
        queries.get(call.who.person_id), **call.body, secret=call.services.settings.signing_key, now=call.now
    )
    if fresh:
        call.services.enqueue("drain", "people", call.who.person_id)
    return guardian, 201 if fresh else 200


@blp.endpoint("DELETE /guardians/<guardian_id>", permission="me.edit", status=204)
def remove_guardian(call: Call, guardian_id: str) -> Any:
    """Take a guardian away; their link dies."""
    guardians.remove(call.who.person_id, guardian_id, now=call.now)
    return None, 204


@blp.endpoint("GET /sessions", permission="me.read", answer=schemas.SessionsAnswer)
def list_sessions(call: Call) -> Any:
    """Where one is signed in, newest use first."""
    held = sessions.listed(call.who.person_id, now=call.now)
    return {"items": [{**session, "current": session["id"] == call.who.session_id} for session in held]}


@blp.endpoint("DELETE /sessions/<session_id>", permission="me.edit", status=204)
def end_session(call: Call, session_id: str) -> Any:
    """End one of one's own sessions: a lost phone."""
    sessions.end(call.who.person_id, session_id, now=call.now)
    call.services.enqueue("drain", "people", call.who.person_id)
    return None, 204


@blp.endpoint("GET /export", permission="me.read", answer=schemas.ExportAnswer, caution=False)
def export(call: Call) -> Any:
    """Everything kept about oneself."""
    person = queries.get(call.who.person_id)
    return service.export(person, secret=call.services.settings.signing_key, now=call.now, records=RECORDS)


@blp.endpoint("DELETE ", permission="me.edit", status=204)
def erase(call: Call) -> Any:
    """Be forgotten: number, name, PINs, phones, guardians and sessions go at once."""
    service.erase(call.who.person_id, now=call.now)
    call.services.enqueue("drain", "people", call.who.person_id)
    return None, 204
