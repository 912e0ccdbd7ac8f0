"""Calls on the local carriers, through Twilio's real client: TwiML is fetched and said, keys are pressed, every end is told."""

import time
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.twiml.voice_response import VoiceResponse

from tests.fakes.carriers_process import CarriersProcess
from tests.sandbox.conftest import City

PHONE = "+923001230011"
OTHER = "+923001230012"
ALL = ["initiated", "ringing", "answered", "completed"]


def question(action: str = "/key", timeout: float = 5) -> str:
    """TwiML of the real library: asks for one key, and says so when none came."""
    response = VoiceResponse()
    response.gather(num_digits=1, action=action, timeout=timeout).say("قبول کرنے کے لیے ایک دبائیں", language="ur-PK")
    response.say("No answer was given")
    return str(response)


def ring(carriers: CarriersProcess, city: City, to: str = PHONE, **more: Any) -> str:
    """Call a phone with the real client, and wait until it rings (or is over); returns the sid."""
    sid: str = carriers.twilio().calls.create(to=to, from_=carriers.number, **{"url": f"{city.url}/voice", **more}).sid
    carriers.wait_for(lambda: call(carriers, to)["status"] != "queued")
    return sid


def call(carriers: CarriersProcess, number: str = PHONE) -> dict[str, Any]:
    """The newest call of a phone."""
    found: dict[str, Any] = carriers.inbox(number)["calls"][-1]
    return found


def ended(carriers: CarriersProcess, number: str = PHONE) -> dict[str, Any]:
    """The newest call of a phone, once it is over."""
    carriers.wait_for(lambda: call(carriers, number)["ended_at"])
    return call(carriers, number)


def test_a_key_pressed_reaches_the_city_and_all_states_are_told_in_order(carriers: CarriersProcess, city: City) -> None:
    city.answers = {"/voice": question(), "/key": "<Response><Say>Accepted</Say><Hangup/></Response>"}
    sid = ring(carriers, city, status_callback=f"{city.url}/status", status_callback_event=ALL)
    assert call(carriers)["status"] == "ringing"
    carriers.press(PHONE, sid, "1")
    over = ended(carriers)
    assert over["status"] == "completed"
    assert [(event["verb"], event.get("text", event.get("digits"))) for event in over["heard"]] == [
        ("Say", "قبول کرنے کے لیے ایک دبائیں"),
        ("Gather", None),
        ("Digits", "1"),
        ("Say", "Accepted"),
        ("Hangup", None),
    ]
    (key,) = city.asked("/key")
    assert (key["Digits"], key["CallSid"], key["CallStatus"]) == ("1", sid, "in-progress")
    carriers.wait_for(lambda: len(city.asked("/status")) == 4)
    told = city.asked("/status")
    assert [params["CallStatus"] for params in told] == ["initiated", "ringing", "in-progress", "completed"]
    assert [params["SequenceNumber"] for params in told] == ["0", "1", "2", "3"]
    assert all(request.signed for request in city.heard)


def test_without_a_key_the_call_goes_on_with_the_next_verb(carriers: CarriersProcess, city: City) -> None:
    city.answers = {"/voice": question(timeout=0.2)}
    carriers.set_phone(PHONE, answers="human")
    ring(carriers, city)
    assert ended(carriers)["said"].endswith("No answer was given")
    assert city.asked("/key") == []


def test_a_key_pressed_too_late_is_not_taken(carriers: CarriersProcess, city: City) -> None:
    city.answers = {"/voice": question(timeout=0.1)}
    carriers.set_phone(PHONE, answers="human")
    sid = ring(carriers, city)
    ended(carriers)
    with pytest.raises(requests.HTTPError, match="409"):
        carriers.press(PHONE, sid, "1")


def test_redirect_play_and_pause_are_followed(carriers: CarriersProcess, city: City) -> None:
    city.answers = {
        "/voice": "<Response><Play>tone.mp3</Play><Pause length='2'/><Redirect>next?x=1&amp;y=2</Redirect></Response>",
        "/next?x=1&y=2": "<Response><Say>Here</Say></Response>",
    }
    carriers.set_phone(PHONE, answers="human")
    ring(carriers, city)
    over = ended(carriers)
    assert [event["verb"] for event in over["heard"]] == ["Play", "Pause", "Redirect", "Say"]
    assert over["heard"][0]["url"] == f"{city.url}/tone.mp3"


@pytest.mark.parametrize(("mode", "found"), [("Enable", "machine_start"), ("DetectMessageEnd", "machine_end_beep")])
def test_a_machine_is_detected(carriers: CarriersProcess, city: City, mode: str, found: str) -> None:
    carriers.set_phone(PHONE, answers="machine")
    ring(carriers, city, machine_detection=mode)
    assert ended(carriers)["answered_by"] == found
    assert city.asked("/voice")[0]["AnsweredBy"] == found


def test_a_machine_is_told_apart_while_the_call_goes_on(carriers: CarriersProcess, city: City) -> None:
    carriers.set_phone(PHONE, answers="machine")
    amd = {"machine_detection": "Enable", "async_amd": "true", "async_amd_status_callback": f"{city.url}/amd"}
    ring(carriers, city, **amd)
    carriers.wait_for(lambda: city.asked("/amd"))
    assert city.asked("/amd")[0]["AnsweredBy"] == "machine_start"
    assert "AnsweredBy" not in city.asked("/voice")[0]


@pytest.mark.parametrize(("way", "status"), [("busy", "busy"), ("reject", "busy"), ("no_answer", "no-answer")])
def test_a_phone_that_nobody_answers(carriers: CarriersProcess, city: City, way: str, status: str) -> None:
    carriers.set_phone(PHONE, answers=way)
    ring(carriers, city, status_callback=f"{city.url}/status")
    assert ended(carriers)["status"] == status
    carriers.wait_for(lambda: city.asked("/status"))
    assert city.asked("/status")[0]["CallStatus"] == status
    assert city.asked("/voice") == []


def test_it_rings_no_longer_than_asked(carriers: CarriersProcess, city: City) -> None:
    ring(carriers, city, timeout=1)
    assert ended(carriers)["status"] == "no-answer"


def test_two_people_are_put_through_and_the_city_hears_how_it_ended(carriers: CarriersProcess, city: City) -> None:
    city.answers = {
        "/voice": f"<Response><Dial action='/bridge'><Number>{OTHER}</Number></Dial></Response>",
        "/bridge": "<Response><Say>Goodbye</Say></Response>",
    }
    carriers.set_phone(PHONE, answers="human")
    carriers.set_phone(OTHER, answers="human")
    sid = ring(carriers, city)
    carriers.wait_for(lambda: carriers.inbox(OTHER)["calls"] and call(carriers, OTHER)["status"] == "in-progress")
    leg = call(carriers, OTHER)
    assert (leg["direction"], leg["parent"]) == ("outbound-dial", sid)
    carriers.hang_up(OTHER, leg["sid"])
    assert ended(carriers)["said"] == "Goodbye"
    (bridge,) = city.asked("/bridge")
    assert (bridge["DialCallStatus"], bridge["DialCallSid"]) == ("completed", leg["sid"])


def test_who_hangs_up_ends_the_other_leg_too(carriers: CarriersProcess, city: City) -> None:
    city.answers = {"/voice": f"<Response><Dial>{OTHER}</Dial></Response>"}
    carriers.set_phone(PHONE, answers="human")
    sid = ring(carriers, city)
    carriers.wait_for(lambda: carriers.inbox(OTHER)["calls"] and call(carriers, OTHER)["status"] == "ringing")
    carriers.hang_up(PHONE, sid)
    assert ended(carriers, OTHER)["status"] == "canceled"


@pytest.mark.parametrize("answer", [500, "<Response><Say>half", "<!DOCTYPE x><Response/>"])
def test_twiml_that_cannot_be_had_is_an_application_error(
    carriers: CarriersProcess, city: City, answer: int | str
) -> None:
    city.answers = {"/voice": answer}
    carriers.set_phone(PHONE, answers="human")
    ring(carriers, city)
    over = ended(carriers)
    assert over["error_code"] in (11200, 12100)
    assert "application error" in over["said"]


def test_the_fallback_is_asked_when_twiml_cannot_be_had(carriers: CarriersProcess, city: City) -> None:
    city.answers = {"/voice": 500, "/fallback": "<Response><Say>Please wait</Say></Response>"}
    carriers.set_phone(PHONE, answers="human")
    ring(carriers, city, fallback_url=f"{city.url}/fallback")
    assert ended(carriers)["said"] == "Please wait"
    assert city.asked("/fallback")[0]["ErrorCode"] == "11200"


def test_a_running_call_is_changed_and_a_ringing_one_cancelled(carriers: CarriersProcess, city: City) -> None:
    city.answers = {"/voice": question(), "/other": "<Response><Say>Stand down</Say></Response>"}
    carriers.set_phone(PHONE, answers="human")
    sid = ring(carriers, city)
    carriers.wait_for(lambda: call(carriers)["waits_for_key"])
    carriers.twilio().calls(sid).update(url=f"{city.url}/other")
    assert ended(carriers)["said"].endswith("Stand down")
    carriers.set_phone(PHONE, answers="by_hand")
    sid = ring(carriers, city)
    assert carriers.twilio().calls(sid).update(status="canceled").status == "canceled"
    with pytest.raises(TwilioRestException) as over:
        carriers.twilio().calls(sid).update(status="completed")
    assert over.value.code == 21220


def test_a_person_calls_and_hangs_up_before_a_key(carriers: CarriersProcess, city: City) -> None:
    carriers.set_webhooks(voice_url=f"{city.url}/voice", voice_status_url=f"{city.url}/ended")
    city.answers = {"/voice": question()}
    made = carriers.dial(PHONE)
    (asked,) = city.asked("/voice")
    assert (asked["Direction"], asked["From"], asked["CallStatus"]) == ("inbound", PHONE, "ringing")
    assert made["waits_for_key"]
    carriers.hang_up(PHONE, made["sid"])
    carriers.wait_for(lambda: city.asked("/ended"))
    assert (city.asked("/ended")[0]["CallSid"], city.asked("/ended")[0]["CallStatus"]) == (made["sid"], "completed")
    assert all(request.signed for request in city.heard)


def test_a_person_calls_and_presses_a_key(carriers: CarriersProcess, city: City) -> None:
    carriers.set_webhooks(voice_url=f"{city.url}/voice")
    city.answers = {"/voice": question(), "/key": "<Response><Say>Police are told</Say></Response>"}
    made = carriers.dial(PHONE)
    carriers.press(PHONE, made["sid"], "2")
    assert ended(carriers)["said"].endswith("Police are told")
    assert city.asked("/key")[0]["Digits"] == "2"


@pytest.mark.parametrize(
    ("switch", "code"),
    [({"status": 429, "retry_after": 3}, 20429), ({"status": 500}, 20500), ({"error": "21214"}, 21214)],
)
def test_switches_that_refuse_a_call(carriers: CarriersProcess, city: City, switch: dict[str, Any], code: int) -> None:
    carriers.set_switch("voice", **switch)
    with pytest.raises(TwilioRestException) as refused:
        carriers.twilio().calls.create(to=PHONE, from_=carriers.number, url=f"{city.url}/voice")
    assert refused.value.code == code
    assert carriers.inbox(PHONE)["calls"] == []


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "failed"])
def test_switch_outcome(carriers: CarriersProcess, city: City, outcome: str) -> None:
    carriers.set_switch("voice", outcome=outcome)
    ring(carriers, city)
    assert ended(carriers)["status"] == outcome


def test_switch_timeout_after_sending_rings_all_the_same(carriers: CarriersProcess, city: City) -> None:
    carriers.set_switch("voice", timeout_after_sending=True)
    with pytest.raises(requests.ReadTimeout):
        carriers.twilio(timeout=0.3).calls.create(to=PHONE, from_=carriers.number, url=f"{city.url}/voice")
    assert call(carriers)["status"] == "ringing"
    assert len(carriers.twilio().calls.list(to=PHONE)) == 1


def test_switch_no_receipt_tells_nothing(carriers: CarriersProcess, city: City) -> None:
    carriers.set_switch("voice", no_receipt=True)
    carriers.set_phone(PHONE, answers="human")
    ring(carriers, city, status_callback=f"{city.url}/status", status_callback_event=ALL)
    ended(carriers)
    time.sleep(0.1)
    assert city.asked("/status") == []


def room(wait_url: str = "", *, ends: bool = False, name: str = "r1") -> str:
    """TwiML of the real library: into a conference, and what follows it."""
    response = VoiceResponse()
    dial = response.dial(action="/after", hangup_on_star=True)
    dial.conference(name, wait_url=wait_url or None, end_conference_on_exit=ends, beep=False)
    return str(response)


def heard(carriers: CarriersProcess, number: str, verb: str) -> list[dict[str, Any]]:
    """What of this kind the newest call of a phone has heard so far."""
    return [event for event in call(carriers, number)["heard"] if event["verb"] == verb]


def test_two_calls_meet_in_a_conference_and_whoever_may_ends_it(carriers: CarriersProcess, city: City) -> None:
    city.answers = {
        "/voice": room(f"{city.url}/wait"), "/other": room(ends=True), "/wait": "<Response><Say>Wait</Say></Response>",
        "/after": "<Response><Say>It is over</Say></Response>",
    }  # fmt: skip
    for number in (PHONE, OTHER):
        carriers.set_phone(number, answers="human")
    first = ring(carriers, city)
    carriers.wait_for(lambda: len(heard(carriers, PHONE, "Say")) > 1)  # asked for again when it has been said
    (waiting,) = carriers.twilio().conferences.list(friendly_name="r1")
    assert waiting.status == "init"
    second = ring(carriers, city, OTHER, url=f"{city.url}/other")
    carriers.wait_for(lambda: heard(carriers, PHONE, "Bridged") and heard(carriers, OTHER, "Bridged"))
    assert heard(carriers, PHONE, "Bridged")[0]["others"] == [OTHER]
    page = requests.get(f"{carriers.url}/phones/{PHONE}/thread", timeout=5).text
    assert f"put through to {OTHER}" in page
    assert {each.call_sid for each in carriers.twilio().conferences(waiting.sid).participants.list()} == {first, second}
    assert carriers.twilio().conferences(waiting.sid).fetch().status == "in-progress"
    carriers.hang_up(OTHER, second)
    assert ended(carriers)["said"].endswith("It is over")
    assert city.asked("/after")[0]["DialCallStatus"] == "completed"
    assert carriers.twilio().conferences(waiting.sid).fetch().status == "completed"


def test_the_star_key_leaves_a_conference_and_the_others_stay(carriers: CarriersProcess, city: City) -> None:
    city.answers = {"/voice": room(), "/after": "<Response><Say>You left</Say></Response>"}
    for number in (PHONE, OTHER):
        carriers.set_phone(number, answers="human")
    sid = ring(carriers, city)
    ring(carriers, city, OTHER)
    carriers.wait_for(lambda: heard(carriers, PHONE, "Bridged"))
    carriers.press(PHONE, sid, "*")
    assert ended(carriers)["said"] == "You left"
    assert call(carriers, OTHER)["status"] == "in-progress"


def test_a_room_of_another_name_is_another_room(carriers: CarriersProcess, city: City) -> None:
    city.answers = {"/voice": room(), "/other": room(name="r2")}
    for number in (PHONE, OTHER):
        carriers.set_phone(number, answers="human")
    ring(carriers, city)
    ring(carriers, city, OTHER, url=f"{city.url}/other")
    carriers.wait_for(lambda: len(carriers.twilio().conferences.list(status="init")) == 2)
    assert not heard(carriers, PHONE, "Bridged")
