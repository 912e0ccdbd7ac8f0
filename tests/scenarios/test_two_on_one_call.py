"""Whoever comes is put on one call with whoever called for help; the control room joins; on a silent SOS nobody can."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests

from domain.audit.documents import AuditDoc
from domain.deliveries import service as deliveries
from domain.deliveries.service import Recipient, Telling
from domain.dispatch import bridging
from domain.incidents import rules
from domain.incidents import service as incidents
from domain.incidents.draft import Draft
from notifications import fanout
from tests.factories.people import phone, staff
from tests.fakes.small_city import SmallCity

pytestmark = pytest.mark.timeout(60)


def last_call(city: SmallCity, number: str) -> dict[str, Any]:
    """The newest call of a phone, once it has one."""
    calls: list[dict[str, Any]] = city.wait_for(lambda: city.carriers.inbox(number)["calls"])
    return calls[-1]


def hears(city: SmallCity, number: str, words: str) -> None:
    city.wait_for(lambda: words in last_call(city, number)["said"])


def with_whom(city: SmallCity, number: str) -> set[str]:
    """The numbers that a phone has been put through to, in its newest call."""
    heard = last_call(city, number)["heard"]
    return {other for event in heard if event["verb"] == "Bridged" for other in event["others"]}


def meets(city: SmallCity, number: str, *others: str) -> None:
    city.wait_for(lambda: set(others) <= with_whom(city, number))


def ringing(city: SmallCity, number: str) -> str:
    return str(city.wait_for(lambda: last_call(city, number)["status"] == "ringing" and last_call(city, number)["sid"]))


def offered(city: SmallCity, **sos: Any) -> tuple[str, str, dict[str, Any]]:
    """(the caller's number, the responder's, the incident): somebody is asked by a call."""
    caller = phone()
    city.carriers.set_phone(caller, answers="human")
    responder, doc, _ = city.offer(plan=("voice",), phone=caller, language="en", **sos)
    return caller, responder.phone, doc


def kinds(incident: str) -> list[str]:
    return [entry["kind"] for entry in incidents.get(incident)["timeline"]]


def test_nine_takes_it_and_puts_responder_and_caller_on_one_call(small_city: SmallCity) -> None:
    caller, responder, doc = offered(small_city)
    call = ringing(small_city, responder)
    small_city.carriers.press(responder, call, "9")
    meets(small_city, responder, caller)
    meets(small_city, caller, responder)
    doc = incidents.get(doc["_id"])
    assert doc["status"] == "acknowledged"
    hears(small_city, responder, "You are being put through to the caller")
    said = last_call(small_city, caller)["said"]
    assert said == "One moment, please. You are being put through."
    (assignment,) = doc["assignments"]
    (room,) = small_city.carriers.twilio().conferences.list(status="in-progress")
    assert room.friendly_name == bridging.room_of(small_city.settings.signing_key, assignment)
    assert doc["_id"] not in room.friendly_name
    assert kinds(doc["_id"]).count("bridged") == 1

    small_city.carriers.hang_up(caller, last_call(small_city, caller)["sid"])
    hears(small_city, responder, "The conversation is over. Press 9 to speak with the caller")
    small_city.wait_for(lambda: "bridge_ended" in kinds(doc["_id"]))
    assert [kind for kind in kinds(doc["_id"]) if "bridge" in kind] == ["bridged", "bridge_answered", "bridge_ended"]
    small_city.carriers.press(responder, call, "9")
    small_city.wait_for(lambda: len(small_city.carriers.inbox(caller)["calls"]) == 2)
    meets(small_city, caller, responder)
    small_city.carriers.hang_up(responder, call)


def test_who_is_on_the_line_is_not_rung_again_however_long_they_talk(small_city: SmallCity) -> None:
    caller, responder, _ = offered(small_city)
    call = ringing(small_city, responder)
    small_city.carriers.press(responder, call, "9")
    meets(small_city, responder, caller)
    small_city.ahead += timedelta(minutes=5)
    small_city.carriers.press(responder, call, "*")
    hears(small_city, responder, "The conversation is over")
    small_city.carriers.press(responder, call, "9")
    small_city.wait_for(lambda: last_call(small_city, responder)["said"].count("You are being put through") == 2)
    small_city.settle()
    assert len(small_city.carriers.inbox(caller)["calls"]) == 1
    small_city.carriers.hang_up(responder, call)


def test_the_caller_is_not_there_and_is_tried_again(small_city: SmallCity) -> None:
    caller, responder, doc = offered(small_city)
    small_city.carriers.set_phone(caller, answers="machine")
    call = ringing(small_city, responder)
    small_city.carriers.press(responder, call, "1")
    hears(small_city, responder, "It is yours. The details")
    small_city.carriers.press(responder, call, "9")
    hears(small_city, responder, "There is no answer")
    assert last_call(small_city, caller)["said"] == "", "a machine hears nothing"
    small_city.ahead += timedelta(minutes=2)
    small_city.carriers.set_phone(caller, answers="human")
    small_city.carriers.press(responder, call, "*")
    hears(small_city, responder, "The conversation is over")
    small_city.carriers.press(responder, call, "9")
    meets(small_city, responder, caller)
    assert kinds(doc["_id"]).count("bridged") == 2
    small_city.carriers.hang_up(responder, call)


_WHY: dict[str, Callable[[Draft], None]] = {
    "silent": lambda draft: draft.flag("silent"),
    "duress": lambda draft: rules.duress(draft, by=None),
    "practice": lambda draft: draft.flag("practice"),
    "no number": lambda draft: draft.set("citizen.phone", None),
}


@pytest.mark.parametrize("why", _WHY)
def test_a_silent_sos_never_rings_and_the_refusal_says_nothing_of_it(small_city: SmallCity, why: str) -> None:
    caller, responder, doc = offered(small_city)
    call = ringing(small_city, responder)
    incidents.change(doc["_id"], _WHY[why], now=small_city.now())
    small_city.carriers.press(responder, call, "9")
    hears(
        small_city,
        responder,
        "Thank you. It is yours. The details are in the app and in the message. We cannot put you",
    )
    assert not [word for word in ("silent", "duress", "practice") if word in last_call(small_city, responder)["said"]]
    assert incidents.get(doc["_id"])["status"] == "acknowledged", "they come all the same"
    small_city.settle()
    assert not small_city.carriers.inbox(caller)["calls"]
    assert "bridged" not in kinds(doc["_id"])


def test_one_that_turns_silent_while_it_rings_says_nothing(small_city: SmallCity) -> None:
    caller, responder, doc = offered(small_city)
    small_city.carriers.set_phone(caller, answers="by_hand")
    call = ringing(small_city, responder)
    small_city.carriers.press(responder, call, "9")
    theirs = ringing(small_city, caller)
    incidents.change(doc["_id"], lambda draft: draft.flag("silent"), now=small_city.now())
    small_city.carriers.call("POST", f"/phones/{caller}/calls/{theirs}/answer", {})
    small_city.wait_for(lambda: last_call(small_city, caller)["ended_at"])
    assert last_call(small_city, caller)["said"] == ""
    small_city.carriers.hang_up(responder, call)


def test_the_same_key_reported_again_rings_nobody_again(small_city: SmallCity) -> None:
    caller, responder, doc = offered(small_city)
    (delivery,) = deliveries.deliveries().find({"subject": doc["_id"], "plan": ["voice"]})
    path = f"voice?delivery={delivery['_id']}&attempt=1"
    answers = {small_city.webhook(path, {"CallSid": "CA1", "Digits": "9"}).text for _ in range(3)}
    small_city.settle()
    assert len(answers) == 1
    assert len(small_city.carriers.inbox(caller)["calls"]) == 1
    small_city.carriers.hang_up(responder, ringing(small_city, responder))


class TestControlRoom:
    def ask(self, city: SmallCity, incident: str, headers: dict[str, str], **body: Any) -> requests.Response:
        answer = requests.post(
            f"{city.url}/v1/incidents/{incident}/bridge", json=body, headers={**headers, "Idempotency-Key": "k" * 12},
            timeout=10,
        )  # fmt: skip
        city.settle()
        return answer

    def test_it_joins_the_conversation_and_that_is_logged(self, small_city: SmallCity) -> None:
        caller, responder, doc = offered(small_city)
        operator = staff(small_city.now(), "operator", language="en")
        small_city.carriers.set_phone(operator.phone, answers="human")
        call = ringing(small_city, responder)
        small_city.carriers.press(responder, call, "9")
        meets(small_city, responder, caller)
        assert self.ask(small_city, doc["_id"], operator.headers).status_code == 201
        meets(small_city, operator.phone, caller, responder)
        assert self.ask(small_city, doc["_id"], operator.headers).status_code == 200, "a retry"
        other = next(each for each in doc["assignments"])
        assert self.ask(small_city, doc["_id"], operator.headers, assignment=other).status_code == 200, "the same one"
        assert len(small_city.carriers.inbox(operator.phone)["calls"]) == 1
        assert len(small_city.carriers.inbox(caller)["calls"]) == 1, "who is on the line is not rung again"
        entries = AuditDoc.objects(action="incident.bridged", subject=doc["_id"])
        assert {entry.actor for entry in entries} == {operator.person_id}
        small_city.carriers.hang_up(caller, last_call(small_city, caller)["sid"])
        small_city.wait_for(lambda: last_call(small_city, operator.phone)["ended_at"])
        small_city.carriers.hang_up(responder, call)

    def test_it_brings_caller_and_unit_together_itself(self, small_city: SmallCity) -> None:
        caller, responder, doc = offered(small_city)
        call = ringing(small_city, responder)
        small_city.carriers.press(responder, call, "1")
        hears(small_city, responder, "It is yours")
        small_city.carriers.hang_up(responder, call)
        operator = staff(small_city.now(), "operator", language="en")
        for number in (operator.phone, responder):
            small_city.carriers.set_phone(number, answers="human")
        assert self.ask(small_city, doc["_id"], operator.headers).status_code == 201
        meets(small_city, operator.phone, caller, responder)

    def test_what_cannot_be_is_said(self, small_city: SmallCity) -> None:
        _, responder, doc = offered(small_city)
        operator, other = staff(small_city.now(), "operator"), staff(small_city.now(), "operator", city="karachi")
        refused = self.ask(small_city, doc["_id"], operator.headers)
        assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_bridge")
        assert self.ask(small_city, doc["_id"], operator.headers, assignment="asg_none").status_code == 404
        assert self.ask(small_city, doc["_id"], operator.headers, assignment=7).status_code == 422
        assert self.ask(small_city, doc["_id"], other.headers).status_code == 404
        small_city.carriers.press(responder, ringing(small_city, responder), "1")
        small_city.wait_for(lambda: incidents.get(doc["_id"])["status"] == "acknowledged")
        incidents.change(doc["_id"], lambda draft: draft.flag("silent"), now=small_city.now())
        refused = self.ask(small_city, doc["_id"], operator.headers)
        assert (refused.status_code, refused.json()["code"]) == (409, "may_not_ring")
        assert not small_city.carriers.inbox(operator.phone)["calls"]


class TestMachines:
    @pytest.mark.parametrize("purpose", ["assignment_offered", "supervisor_called"])
    def test_a_machine_hears_nothing_and_the_next_channel_is_tried(self, small_city: SmallCity, purpose: str) -> None:
        small_city.carriers.set_switch("sms", no_receipt=True)
        responder, doc, _ = small_city.offer(plan=("sms",), language="en")
        small_city.carriers.set_phone(responder.phone, answers="machine")
        (assignment,) = doc["assignments"]
        telling = Telling(
            key=f"machine-{purpose}", city="lahore", purpose=purpose, subject=doc["_id"],
            recipient=Recipient("person", responder.person_id), plan=("voice", "sms"),
            valid_for=timedelta(minutes=10), refs={"assignment": assignment}, life_critical=True,
        )  # fmt: skip
        (delivery,) = fanout.tell([telling], small_city.context.post)
        small_city.wait_for(lambda: len(deliveries.get(delivery)["attempts"]) == 2)
        call, sms = deliveries.get(delivery)["attempts"]["1"], deliveries.get(delivery)["attempts"]["2"]
        assert (call["channel"], call["state"], call["code"]) == ("voice", "temporary", "machine")
        assert sms["channel"] == "sms"
        assert last_call(small_city, responder.phone)["said"] == ""
        assert incidents.get(doc["_id"])["status"] == "open"

    def test_who_picks_up_and_presses_nothing_is_asked_three_times(self, small_city: SmallCity) -> None:
        _, responder, doc = offered(small_city)
        (delivery,) = deliveries.deliveries().find({"subject": doc["_id"], "plan": ["voice"]})
        path = f"voice?delivery={delivery['_id']}&attempt=1"
        text = small_city.webhook(path, {"CallSid": "CA1", "AnsweredBy": "human"}).text
        assert text.count("<Gather") == 3
        assert text.endswith("Goodbye.</Say></Response>")
        small_city.carriers.hang_up(responder, ringing(small_city, responder))
