"""Calls: ours to responders and supervisors, who answer by a key; a citizen's to the city."""

from typing import Any
from xml.etree import ElementTree

import pytest

from domain.deliveries import service as deliveries
from domain.deliveries.service import Recipient, Telling
from domain.dispatch import supervising
from domain.incidents import service as incidents
from notifications.fanout import tell
from runtime.mongo import breaker
from tests.factories.people import phone, signed_in, staff
from tests.fakes.small_city import PLACE, REPLIES, SOS, SmallCity
from workers.tell import ALARM_MATTERS, supervisors


def ringing(city: SmallCity, number: str) -> dict[str, Any]:
    """The call that rings on a phone."""
    found: dict[str, Any] = city.wait_for(
        lambda: next((each for each in city.carriers.inbox(number)["calls"] if each["status"] == "ringing"), None)
    )
    return found


def press(city: SmallCity, number: str, sid: str, digits: str, expected: str) -> None:
    """Press a key and hear the words that follow."""
    city.carriers.press(number, sid, digits)
    city.wait_for(
        lambda: any(
            expected in heard.get("text", "")
            for each in city.carriers.inbox(number)["calls"]
            if each["sid"] == sid
            for heard in each["heard"]
        )
    )
    city.settle()


class TestOurs:
    def test_one_accepts(self, small_city: SmallCity) -> None:
        responder, doc, delivery = small_city.offer(plan=("voice",))
        call = ringing(small_city, responder.phone)
        press(small_city, responder.phone, call["sid"], "1", "It is yours")
        doc = incidents.get(doc["_id"])
        assert doc["status"] == "acknowledged"
        assert [each["via"] for each in doc["assignments"].values()] == ["voice"]
        assert deliveries.get(delivery["_id"])["status"] == "seen"

    def test_two_declines(self, small_city: SmallCity) -> None:
        responder, doc, _ = small_city.offer(plan=("voice",))
        press(small_city, responder.phone, ringing(small_city, responder.phone)["sid"], "2", "asking the next person")
        assert {each["status"] for each in incidents.get(doc["_id"])["assignments"].values()} == {"declined"}

    def test_three_repeats_and_another_key_is_not_understood(self, small_city: SmallCity) -> None:
        responder, doc, delivery = small_city.offer(plan=("voice",))
        path = f"voice?delivery={delivery['_id']}&attempt=1"
        again = small_city.webhook(path, {"CallSid": "CA1", "Digits": "3"}).text
        assert "Press 1 to accept" in again
        assert "did not understand" not in again
        assert "Once more" in again
        for key in ("8", "0", "*", "#"):
            wrong = small_city.webhook(path, {"CallSid": "CA1", "Digits": key}).text
            assert "did not understand" in wrong
            assert "Press 1 to accept" in wrong
        assert incidents.get(doc["_id"])["status"] == "open"
        small_city.carriers.hang_up(responder.phone, ringing(small_city, responder.phone)["sid"])

    def test_in_urdu_every_word_and_key_is_said_in_urdu(self, small_city: SmallCity) -> None:
        small_city.carriers.set_switch("sms", no_receipt=True)
        responder = small_city.responder(language="ur")
        incident = small_city.sos(phone=phone())["id"]
        small_city.settle()
        (assignment,) = incidents.get(incident)["assignments"]
        telling = Telling(
            key="urdu", city="lahore", purpose="assignment_offered", subject=incident,
            recipient=Recipient("person", responder.person_id), plan=("voice",), valid_for=ALARM_MATTERS,
            refs={"assignment": assignment},
        )  # fmt: skip
        (delivery,) = tell([telling], small_city.context.post)
        path = f"voice?delivery={delivery}&attempt=1"
        spoken = {
            "": "قبول کرنے کے لیے 1 دبائیں",
            "3": "ایک بار پھر",
            "7": "بٹن سمجھ نہیں آیا",
            "1": "آپ کے سپرد",
            "9": "آپ کی بات کرائی جا رہی ہے",
            "2": "اگلے شخص سے پوچھ رہے ہیں",
        }
        for key, words in spoken.items():
            answer = small_city.webhook(path, {"CallSid": "CA1", "AnsweredBy": "human", "Digits": key})
            said = list(ElementTree.fromstring(answer.content.decode()).iter("Say"))
            assert words in " ".join(each.text or "" for each in said), key
            assert {each.attrib["language"] for each in said} == {"ur-IN"}
        small_city.settle()

    def test_too_late_is_said(self, small_city: SmallCity) -> None:
        responder, doc, delivery = small_city.offer(plan=("voice",))
        incidents.incidents().update_one({"_id": doc["_id"]}, {"$set": {"status": "closed"}})
        path = f"voice?delivery={delivery['_id']}&attempt=1"
        assert "Somebody else has it" in small_city.webhook(path, {"CallSid": "CA1", "Digits": "1"}).text
        small_city.carriers.hang_up(responder.phone, ringing(small_city, responder.phone)["sid"])

    def test_a_key_that_is_reported_twice_counts_once(self, small_city: SmallCity) -> None:
        responder, doc, delivery = small_city.offer(plan=("voice",))
        path = f"voice?delivery={delivery['_id']}&attempt=1"
        for _ in range(3):
            assert "It is yours" in small_city.webhook(path, {"CallSid": "CA1", "Digits": "1"}).text
        kinds = [each["kind"] for each in incidents.get(doc["_id"])["timeline"]]
        assert kinds.count("accepted") == 1
        small_city.carriers.hang_up(responder.phone, ringing(small_city, responder.phone)["sid"])

    def test_a_call_about_nothing_is_ended(self, small_city: SmallCity) -> None:
        answer = small_city.webhook("voice?delivery=dlv_unknown&attempt=1", {"CallSid": "CA1"})
        assert [each.tag for each in ElementTree.fromstring(answer.text)] == ["Hangup"]

    def test_a_supervisor_sees_to_it_and_the_others_are_not_called(self, small_city: SmallCity) -> None:
        first, second = (staff(small_city.now(), "supervisor", language="en") for _ in range(2))
        incident = small_city.sos()["id"]
        small_city.settle()

        def call(person: str) -> str:
            return tell(
                [
                    Telling(
                        key="supervisors", city="lahore", purpose="supervisor_called", subject=incident,
                        recipient=Recipient("person", person), plan=("voice",), valid_for=ALARM_MATTERS,
                        refs={"variant": "supervisors", "service": "police"},
                    )
                ],
                small_city.context.post,
            )[0]  # fmt: skip

        call(first.person_id)
        press(small_city, first.phone, ringing(small_city, first.phone)["sid"], "1", "you see to it")
        doc = incidents.get(incident)
        assert doc["slots"]["police"]["supervisor"]["person"] == first.person_id
        assert doc["slots"]["police"]["due_at"], "the ladder goes on"
        entries = [each for each in doc["timeline"] if each["kind"] == "supervisor_acknowledged"]
        assert [(each["by"], each["via"]) for each in entries] == [(first.person_id, "voice")]
        supervisors({"type": "slot.supervisors", "subject": incident, "city": "lahore", "service": "police", "rung": 2,
                     "round": 1, "v": 9, "id": "evt_1"}, small_city.context)  # fmt: skip
        small_city.settle()
        assert not small_city.carriers.inbox(second.phone)["calls"]

    def test_a_call_that_waits_for_its_turn_rings_nobody_once_somebody_sees_to_it(self, small_city: SmallCity) -> None:
        supervisor = staff(small_city.now(), "supervisor", language="en")
        incident = small_city.sos()["id"]
        small_city.settle()
        telling = Telling(
            key="waiting", city="lahore", purpose="supervisor_called", subject=incident,
            recipient=Recipient("person", supervisor.person_id), plan=("voice",), valid_for=ALARM_MATTERS,
            refs={"variant": "supervisors", "service": "police"},
        )  # fmt: skip
        delivery, _ = deliveries.write_down(telling, now=small_city.now())
        supervising.acknowledge(incident, service="police", by="per_other", via="voice", now=small_city.now())
        small_city.enqueue("deliver", delivery["_id"])
        small_city.settle()
        found = deliveries.get(delivery["_id"])
        assert (found["status"], found["reason"]) == ("suppressed", "acknowledged")


class TestTheirs:
    def test_the_first_ring_is_an_sos(self, small_city: SmallCity) -> None:
        citizen = phone()
        answer = small_city.webhook("voice", {"From": citizen, "To": SOS, "CallSid": "CA" + "1" * 32})
        spoken = [each.text or "" for each in ElementTree.fromstring(answer.text).iter("Say")]
        assert any("Press 1 for police" in each for each in spoken)
        assert any("پولیس" in each for each in spoken), "both languages, for whoever calls"
        (doc,) = small_city.open_incidents()
        assert (doc["channel"], doc["citizen"]["phone"]) == ("voice", citizen)

    @pytest.mark.parametrize(("key", "category", "service"), [("1", "police", "police"), ("2", "medical", "medical"),
                                                              ("3", "fire", "fire")])  # fmt: skip
    def test_a_key_says_what_is_needed(self, small_city: SmallCity, key: str, category: str, service: str) -> None:
        citizen = signed_in(small_city.now(), language="en")
        call = small_city.carriers.dial(citizen.phone, SOS)
        press(small_city, citizen.phone, call["sid"], key, "Stay where it is safe")
        (doc,) = small_city.open_incidents()
        assert doc["category"] == category
        assert service in doc["slots"]
        assert doc["citizen"]["person"] == citizen.person_id

    def test_a_wrong_key_is_asked_again_and_costs_nothing(self, small_city: SmallCity) -> None:
        citizen = signed_in(small_city.now(), language="en")
        call = small_city.carriers.dial(citizen.phone, SOS)
        press(small_city, citizen.phone, call["sid"], "8", "did not understand")
        press(small_city, citizen.phone, call["sid"], "2", "Stay where it is safe")
        assert len(small_city.open_incidents()) == 1

    def test_the_same_ring_again_is_the_same_sos(self, small_city: SmallCity) -> None:
        for params in ({"From": phone()}, {"From": "anonymous"}):
            for _ in range(3):
                small_city.webhook("voice", {**params, "To": SOS, "CallSid": f"CA{len(params['From']):032d}"})
        assert len(small_city.open_incidents()) == 2

    def test_a_second_call_within_the_half_hour_is_the_same_sos(self, small_city: SmallCity) -> None:
        citizen = phone()
        for number in range(2):
            small_city.webhook("voice", {"From": citizen, "To": SOS, "CallSid": f"CA{number:032d}"})
        (doc,) = small_city.open_incidents()
        assert [each["kind"] for each in doc["timeline"]].count("contacted_again") == 1

    def test_a_number_that_the_city_does_not_know_of_is_taken(self, small_city: SmallCity) -> None:
        small_city.webhook("voice", {"From": phone(), "To": "+924299999999", "CallSid": "CA" + "2" * 32})
        assert len(small_city.open_incidents()) == 1

    def test_the_number_of_the_replies_asks_first(self, small_city: SmallCity) -> None:
        citizen = signed_in(small_city.now(), language="en")
        call = small_city.carriers.dial(citizen.phone, REPLIES)
        assert not small_city.open_incidents()
        press(small_city, citizen.phone, call["sid"], "1", "taken as an emergency")
        assert len(small_city.open_incidents()) == 1

    def test_while_the_store_is_away_a_caller_is_kept_on_the_line(self, small_city: SmallCity) -> None:
        params = {"From": phone(), "To": SOS, "CallSid": "CA" + "3" * 32, "Body": f"SOS {PLACE}", "MessageSid": "SM1"}
        breaker.trip()
        held = small_city.webhook("voice", params)
        breaker.trip()
        told = small_city.webhook("sms", params)
        breaker.trip()
        report = small_city.webhook("status", params)
        breaker.succeeded(None)
        verbs = {each.tag: each for each in ElementTree.fromstring(held.text)}
        assert list(verbs) == ["Say", "Pause", "Redirect"]
        assert "call 15" in told.text
        assert report.status_code == 503
        again = (verbs["Redirect"].text or "").split("/webhooks/twilio/")[1]
        assert "Gather" in small_city.webhook(again, params).text
        assert len(small_city.open_incidents()) == 1
