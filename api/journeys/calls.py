"""A call that somebody asks for, to get away: after a while the phone rings, by the app or by a call of ours."""

from typing import Any

from marshmallow import fields

from api.blueprint import Blueprint, Call
from api.schemas import Choice, Schema, Text, Time, Whole
from domain.cities import queries as cities
from domain.journeys import fake_calls
from domain.journeys.states import FakeCallBy

blp = Blueprint("fake_calls", __name__, url_prefix="/v1", description="A call to get away by.")


class NewFakeCall(Schema):
    """When it rings, and which name the app shows. The name is shown by the phone alone."""

    in_s = Whole(0, fake_calls.LONGEST_S, load_default=0)
    by = Choice(FakeCallBy, load_default=FakeCallBy.PUSH)
    label = Text(40, load_default="")


class FakeCallAnswer(Schema):
    """The call."""

    id = fields.String(required=True)
    rings_at = Time(required=True)
    by = Choice(FakeCallBy, required=True)
    label = fields.String(required=True)


@blp.endpoint(
    "POST /fake-calls",
    permission="journey.edit",
    body=NewFakeCall,
    answer=FakeCallAnswer,
    status=201,
    creates=True,
    also={409: "This key was used for another call.", 429: "More in a day than anybody needs."},
)
def ask(call: Call) -> Any:
    """Be called after a while."""
    doc, fresh = fake_calls.ask(
        call.new_id("cal"),
        call.who.person_id,
        city=call.who.city if call.who.city in cities.known() else cities.known()[0],
        in_s=call.body["in_s"],
        by=call.body["by"],
        label=call.body["label"],
        fingerprint=call.fingerprint,
        secret=call.services.settings.signing_key,
        now=call.now,
    )
    return _view(doc), 201 if fresh else 200


@blp.endpoint("GET /fake-calls/<call_id>", permission="journey.edit", answer=FakeCallAnswer)
def read(call: Call, call_id: str) -> Any:
    """Which name to show; gone a day after it rang."""
    return _view(fake_calls.own(call_id, call.who.person_id))


@blp.endpoint("DELETE /fake-calls/<call_id>", permission="journey.edit", status=204)
def take_back(call: Call, call_id: str) -> Any:
    """It is not needed any more; nothing is kept of it."""
    fake_calls.take_back(call_id, call.who.person_id)
    return None, 204


def _view(doc: dict[str, Any]) -> dict[str, Any]:
    return {"id": doc["_id"], "rings_at": doc["rings_at"], "by": doc["by"], "label": doc["label"]}
