"""SMS to the city's numbers: calls for help, reply codes, and everything else."""

from typing import Any

import pytest

from domain.incidents import rules
from domain.incidents import service as incidents
from domain.incidents.states import Resolution
from domain.lines import service as lines
from tests.factories.people import SECRET, Signed, phone, signed_in
from tests.fakes.small_city import HELPLINE, PLACE, REPLIES, SOS, SmallCity

WHERE = f"{PLACE[0]},{PLACE[1]}"


def code(city: SmallCity, responder: Signed, delivery: dict[str, Any]) -> str:
    """The reply code's number that the responder's phone shows for this delivery."""
    number = lines.code_for(SECRET, responder.phone, delivery["_id"], now=city.now())
    assert any(f"Reply {number}a to accept" in text for text in city.texts(responder.phone))
    return number


def said(city: SmallCity, who: str, body: str, to: str = REPLIES) -> str:
    """What is answered to an SMS; empty for nothing."""
    told = city.carriers.write(who, body, to)
    assert told["error"] == ""
    city.settle()
    return city.texts(who)[-1] if told["replies"] else ""


class TestReplyCodes:
    def test_an_offer_is_accepted_and_gone_on_with(self, small_city: SmallCity) -> None:
        responder, doc, delivery = small_city.offer()
        number = code(small_city, responder, delivery)
        for letter, status in (("A", "acknowledged"), ("e", "en_route"), ("s", "on_scene")):
            assert "your answer is noted" in said(small_city, responder.phone, f"{number}{letter}")
            assert incidents.get(doc["_id"])["status"] == status
        assert "your answer is noted" in said(small_city, responder.phone, f"{number}a"), "again is once"
        assert incidents.get(doc["_id"])["status"] == "on_scene"

    def test_on_the_way_without_a_yes_is_a_yes(self, small_city: SmallCity) -> None:
        responder, doc, delivery = small_city.offer()
        said(small_city, responder.phone, f"{code(small_city, responder, delivery)}e")
        assert incidents.get(doc["_id"])["status"] == "en_route"

    def test_an_offer_is_declined(self, small_city: SmallCity) -> None:
        responder, doc, delivery = small_city.offer()
        number = code(small_city, responder, delivery)
        assert "your answer is noted" in said(small_city, responder.phone, f"{number}d")
        statuses = {each["status"] for each in incidents.get(doc["_id"])["assignments"].values()}
        assert "declined" in statuses
        assert "not noted" in said(small_city, responder.phone, f"{number}a")

    @pytest.mark.parametrize("shape", ["{n} a", " {n}A. ", "«{n}a»", "{n}-a", "\u200e{n}a", "{n}  a!"])
    def test_the_way_people_type_does_not_matter(self, small_city: SmallCity, shape: str) -> None:
        responder, doc, delivery = small_city.offer()
        eastern = code(small_city, responder, delivery).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
        said(small_city, responder.phone, shape.format(n=eastern))
        assert incidents.get(doc["_id"])["status"] == "acknowledged"

    def test_two_offers_to_one_phone_have_two_numbers_that_stay(self, small_city: SmallCity) -> None:
        responder, first, delivery = small_city.offer()
        second = small_city.sos()["id"]
        small_city.settle()
        one = code(small_city, responder, delivery)
        assert lines.code_for(SECRET, responder.phone, delivery["_id"], now=small_city.now()) == one
        other = lines.code_for(SECRET, responder.phone, "dlv_another", now=small_city.now())
        assert other != one
        said(small_city, responder.phone, f"{one}a")
        assert incidents.get(first["_id"])["status"] == "acknowledged"
        assert incidents.get(second)["status"] == "open"

    def test_who_is_late_hears_that_it_is_handled(self, small_city: SmallCity) -> None:
        faster = small_city.responder(metres=200.0)
        responder, doc, delivery = small_city.offer()
        number = code(small_city, responder, delivery)
        texts = small_city.wait_for(lambda: [each for each in small_city.texts(faster.phone) if "Reply" in each])
        winner = texts[-1].split("Reply ")[1].split("a ")[0]
        said(small_city, faster.phone, f"{winner}a")
        answer = said(small_city, responder.phone, f"{number}a")
        assert "already handled by Unit." in answer
        held = [each for each in incidents.get(doc["_id"])["assignments"].values() if each["status"] == "accepted"]
        assert len(held) == 1

    def test_of_what_is_over_nobody_is_said_to_have_it(self, small_city: SmallCity) -> None:
        responder, doc, delivery = small_city.offer()
        number = code(small_city, responder, delivery)
        incidents.change(
            doc["_id"], lambda draft: rules.close(draft, Resolution.HELPED, by="per_1"), now=small_city.now()
        )
        answer = {"From": responder.phone, "To": REPLIES, "Body": f"{number}a", "MessageSid": "SM" + "0" * 32}
        assert "is over" in small_city.webhook("sms", answer).text

    def test_a_code_that_this_phone_never_got_is_explained(self, small_city: SmallCity) -> None:
        responder, doc, _ = small_city.offer()
        heard = [said(small_city, responder.phone, f"9{n}a") for n in range(7)]
        assert ["not among the tasks" in each for each in heard] == [True] * 5 + [False] * 2, "five a day"
        stranger = phone()
        assert said(small_city, stranger, "1a") == ""
        assert incidents.get(doc["_id"])["status"] == "open"

    def test_a_code_of_another_phone_does_nothing(self, small_city: SmallCity) -> None:
        responder, doc, delivery = small_city.offer()
        other = small_city.responder(metres=900.0)
        lines.code_for(SECRET, other.phone, "dlv_gone", now=small_city.now())
        code(small_city, responder, delivery)
        assert "not among the tasks" in said(small_city, other.phone, "1a")
        assert incidents.get(doc["_id"])["status"] == "open"

    def test_a_code_whose_time_is_over_is_explained_and_does_nothing(self, small_city: SmallCity) -> None:
        responder, doc, delivery = small_city.offer()
        number = code(small_city, responder, delivery)
        lines.lines().update_one(
            {"_id": lines.line_id(SECRET, responder.phone)}, {"$set": {f"codes.{number}.until": small_city.now()}}
        )
        assert "the time of this code is over" in said(small_city, responder.phone, f"{number}a")
        assert incidents.get(doc["_id"])["status"] == "open"

    def test_a_message_that_comes_again_does_nothing_and_has_the_same_answer(self, small_city: SmallCity) -> None:
        responder, doc, delivery = small_city.offer()
        number = code(small_city, responder, delivery)
        yes = {"From": responder.phone, "To": REPLIES, "Body": f"{number}a", "MessageSid": "SM" + "1" * 32}
        no = {**yes, "Body": f"{number}d", "MessageSid": "SM" + "2" * 32}
        first = small_city.webhook("sms", yes).text
        small_city.webhook("sms", no)
        small_city.settle()
        before = incidents.get(doc["_id"])["version"]
        assert "your answer is noted" in first
        assert {small_city.webhook("sms", yes).text for _ in range(3)} == {first}
        small_city.settle()
        after = incidents.get(doc["_id"])
        assert after["version"] == before
        assert {each["status"] for each in after["assignments"].values()} == {"declined"}


class TestCallsForHelp:
    def test_an_unknown_phone_is_taken(self, small_city: SmallCity) -> None:
        citizen = phone()
        assert "SOS" in said(small_city, citizen, f"SOS {WHERE} help", SOS)
        (doc,) = small_city.open_incidents()
        assert (doc["channel"], doc["city"], doc["citizen"]["phone"]) == ("sms", "lahore", citizen)
        assert "unverified" in doc["flags"]

    def test_a_known_phone_is_its_citizen(self, small_city: SmallCity) -> None:
        citizen = signed_in(small_city.now(), name="Sara", language="en")
        said(small_city, citizen.phone, f"SOS {WHERE}", SOS)
        (doc,) = small_city.open_incidents()
        assert doc["citizen"]["person"] == citizen.person_id
        assert "unverified" not in doc["flags"]

    @pytest.mark.parametrize("body", ["help", "1a", "?", "کوئی ہے", "SOS 95,200", "12345", "x" * 1500])
    def test_anything_at_all_to_the_sos_number_is_one(self, small_city: SmallCity, body: str) -> None:
        said(small_city, phone(), body, SOS)
        (doc,) = small_city.open_incidents()
        assert "position" not in doc

    @pytest.mark.parametrize("number", [REPLIES, HELPLINE])
    def test_what_calls_itself_an_sos_is_one_on_any_number(self, small_city: SmallCity, number: str) -> None:
        said(small_city, phone(), f"SOS {WHERE}", number)
        assert len(small_city.open_incidents()) == 1

    def test_longitude_first_is_turned_round(self, small_city: SmallCity) -> None:
        said(small_city, phone(), f"SOS {PLACE[1]},{PLACE[0]}", SOS)
        (doc,) = small_city.open_incidents()
        assert (doc["position"]["lat"], doc["position"]["lon"]) == PLACE

    def test_a_withheld_number_is_taken(self, small_city: SmallCity) -> None:
        for sender in ("anonymous", "", "AMAAN"):
            params = {"From": sender, "To": SOS, "Body": f"SOS {WHERE}", "MessageSid": f"SM{sender or 'x':0>32}"}
            assert small_city.webhook("sms", params).status_code == 200
        assert len(small_city.open_incidents()) == 3

    def test_the_same_message_again_is_the_same_sos(self, small_city: SmallCity) -> None:
        params = {"From": phone(), "To": SOS, "Body": f"SOS {WHERE}", "MessageSid": "SM" + "ab" * 16}
        answers = {small_city.webhook("sms", params).text for _ in range(3)}
        small_city.settle()
        (doc,) = small_city.open_incidents()
        assert len(answers) == 1
        assert not [each for each in doc["timeline"] if each["kind"] == "contacted_again"]

    def test_a_second_message_adds_to_the_first(self, small_city: SmallCity) -> None:
        citizen = phone()
        said(small_city, citizen, "SOS they are inside", SOS)
        said(small_city, citizen, f"SOS {WHERE} hurry", SOS)
        (doc,) = small_city.open_incidents()
        assert doc["citizen"]["note"] == "they are inside\nhurry"
        assert doc["position"]["lat"] == PLACE[0]
        assert [each["kind"] for each in doc["timeline"]].count("contacted_again") == 1

    def test_after_it_is_over_a_message_is_a_new_sos(self, small_city: SmallCity) -> None:
        citizen = phone()
        said(small_city, citizen, f"SOS {WHERE}", SOS)
        (first,) = small_city.open_incidents()
        incidents.incidents().update_one({"_id": first["_id"]}, {"$set": {"status": "closed"}})
        said(small_city, citizen, f"SOS {WHERE}", SOS)
        assert len(small_city.open_incidents()) == 2


class TestAnythingElse:
    def test_people_whom_we_know_are_told_five_times_a_day(self, small_city: SmallCity) -> None:
        citizen = signed_in(small_city.now(), language="en")
        heard = [said(small_city, citizen.phone, f"thanks {n}") for n in range(7)]
        assert ["did not understand" in each for each in heard] == [True] * 5 + [False] * 2
        assert not small_city.open_incidents()

    def test_what_one_number_adds_to_its_sos_is_answered_five_times_a_day(self, small_city: SmallCity) -> None:
        """Two machines that answer each other would go on for ever."""
        citizen = signed_in(small_city.now(), language="en")
        heard = [said(small_city, citizen.phone, f"I am away until Monday {n}", SOS) for n in range(8)]
        assert ["has your SOS" in each for each in heard] == [True] * 6 + [False] * 2
        assert len(small_city.open_incidents()) == 1

    def test_five_thousand_characters_emoji_and_tricks_are_taken(self, small_city: SmallCity) -> None:
        citizen = signed_in(small_city.now(), language="en")
        body = "SOS 🚨\u202e\u2066help\u0000\u200b" + "خ" * 5000
        told = small_city.webhook("sms", {"From": citizen.phone, "To": SOS, "Body": body, "MessageSid": "SM" + "9" * 32})
        assert "has your SOS" in told.text
        (doc,) = small_city.open_incidents()
        note = doc["citizen"]["note"]
        assert note.startswith("helpخخ")
        assert len(note) <= 2000
        assert not set(note) & set("\u202e\u2066\u0000\u200b")

    def test_a_stranger_is_not_answered(self, small_city: SmallCity) -> None:
        assert said(small_city, phone(), "your parcel waits") == ""
