"""She is called back when it is safe and at no other time; by SMS and by telephone she reaches the same counsellors."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.helpline import service as helpline
from domain.incidents import service as incidents
from notifications.render.voice import join
from tests.factories.people import phone
from tests.fakes.small_city import HELPLINE, SmallCity
from tests.scenarios.test_helpline_stories import _nobody_waits
from tests.scenarios.test_she_reaches_a_counsellor import STORY, Desk, Phone, key, nowhere, stored
from tests.scenarios.test_two_on_one_call import last_call, meets, ringing

__all__ = ["_nobody_waits"]
pytestmark = pytest.mark.timeout(90)


def window(city: SmallCity, *, begins: int, minutes: int = 30) -> dict[str, Any]:
    """A weekly time that begins so many minutes from now, in the city's own time."""
    local = city.now().astimezone(ZoneInfo("Asia/Karachi")) + timedelta(minutes=begins)
    until = local + timedelta(minutes=minutes)
    return {"days": [f"{local:%a}".lower()], "from": f"{local:%H:%M}", "until": f"{until:%H:%M}"}


def test_a_call_outside_her_safe_times_is_refused_by_the_system(small_city: SmallCity) -> None:
    city = small_city
    number = phone()
    city.carriers.set_phone(number, answers="by_hand")
    desk = Desk(city)
    city.carriers.set_phone(desk.who.phone, answers="by_hand")
    refused = Phone.ask_only(city, mode="call_back", phone=number)
    assert (refused.status_code, refused.json()["code"]) == (422, "safe_to_call_needed")
    all_day = {"days": ["mon"], "from": "10:00", "until": "10:00"}
    refused = Phone.ask_only(city, mode="call_back", phone=number, safe_to_call=[all_day])
    assert refused.status_code == 422
    her = Phone(city, mode="call_back", phone=number, codeword="نیلا", safe_to_call=[window(city, begins=60)])
    file = desk.claim(her).json()
    assert (file["callable_now"], "phone" in file) == (False, False)
    no = desk.on(her, "POST", "/call")
    assert (no.status_code, no.json()["code"]) == (409, "call_not_safe")
    assert no.json()["next_at"][:16] == file["call_from"][:16]
    assert city.carriers.inbox(desk.who.phone)["calls"] == []

    # In her window: the counsellor's phone first, then hers, which says nothing of what it is before she presses 1.
    city.skip(65 * 60)
    desk.call("PUT", "/duty", json={"state": "available"})
    desk.claim(her)
    yes = desk.on(her, "POST", "/call")
    assert (yes.status_code, yes.json()["codeword"]) == (202, "نیلا")
    mine = ringing(city, desk.who.phone)
    assert city.carriers.inbox(number)["calls"] == []
    city.carriers.press(desk.who.phone, mine, "1")
    city.settle()
    theirs = ringing(city, number)
    said = last_call(city, number)["said"]
    assert "یہ کال آپ کے لیے ہے" in said or said == ""
    nowhere(said, "ہیلپ", "امان", "Amaan")
    city.carriers.press(number, theirs, "1")
    meets(city, desk.who.phone, number)

    # A supervisor hears it only with her consent, unheard; and not any more once she has changed her mind.
    boss = Desk(city, role="helpline_supervisor", on_shift=False)
    city.carriers.set_phone(boss.who.phone, answers="by_hand")
    assert boss.on(her, "POST", "/listen-call").json()["code"] == "consent_needed"
    her.call("PATCH", json={"listen_in": True})
    for allowed in (True, False):
        assert boss.on(her, "POST", "/listen-call").status_code == 202
        assert her.call("GET").json()["listened"] is True
        ear = ringing(city, boss.who.phone)
        if not allowed:
            her.call("PATCH", json={"listen_in": False})
        city.carriers.press(boss.who.phone, ear, "1")
        if allowed:
            meets(city, boss.who.phone, desk.who.phone, number)
            city.carriers.hang_up(boss.who.phone, ear)
            meets(city, desk.who.phone, number)  # the two go on
        else:
            city.wait_for(lambda: last_call(city, boss.who.phone)["status"] == "completed")
    city.carriers.hang_up(number, theirs)  # over for both

    # The window is over while the counsellor's phone rings: hers stays quiet.
    desk.on(her, "POST", "/call")
    again = ringing(city, desk.who.phone)
    city.ahead += timedelta(minutes=40)
    city.carriers.press(desk.who.phone, again, "1")
    city.wait_for(
        lambda: (
            "We cannot" in last_call(city, desk.who.phone)["said"] or "نہیں" in last_call(city, desk.who.phone)["said"]
        )
    )
    city.settle()
    assert len(city.carriers.inbox(number)["calls"]) == 1


def test_who_listens_to_a_call_is_not_heard_and_begins_none() -> None:
    twiml = join("a", "en", "room", wait_url="https://x/wait", hears=True)
    assert 'muted="true"' in twiml
    assert 'startConferenceOnEnter="false"' in twiml
    assert 'muted="false"' in join("a", "en", "room", wait_url="https://x/wait")


def test_she_asks_by_sms_and_is_answered_there(small_city: SmallCity) -> None:
    city = small_city
    number, desk = phone(), Desk(city)
    city.carriers.write(number, STORY, HELPLINE)
    row = city.wait_for(lambda: desk.call("GET", "/waiting").json()["items"])[0]
    assert (row["channel"], row["anonymous"]) == ("sms", True)
    city.wait_for(lambda: any("پیغام مل گیا" in text for text in city.texts(number)))
    desk.call("POST", f"/requests/{row['id']}/claim")
    path = f"/requests/{row['id']}/messages"
    assert [each["text"] for each in desk.call("GET", path).json()["items"]] == [STORY]
    long = desk.call("POST", path, json={"text": "ک" * 111}, headers=key())
    assert long.json()["code"] == "too_long_for_sms"
    desk.call("POST", path, json={"text": "میں سن رہی ہوں۔"}, headers=key())
    city.wait_for(lambda: any("میں سن رہی ہوں" in text for text in city.texts(number)))
    city.carriers.write(number, "شکریہ", HELPLINE)
    city.wait_for(lambda: len(desk.call("GET", path).json()["items"]) == 3)
    assert len(desk.call("GET", "/waiting").json()["items"]) == 0
    nowhere(stored(city), STORY, "شکریہ", "میں سن رہی ہوں", number, number[1:])

    def told_of_it(body: str) -> bool:
        city.carriers.write(number, body, HELPLINE)
        city.settle()
        stopped: bool = desk.call("GET", f"/requests/{row['id']}/file").json()["contact_stopped"]
        return stopped

    assert told_of_it("STOP"), "the counsellor sees that she writes into the void"
    assert told_of_it("کیا آپ ہیں؟"), "no SMS arrives there yet"
    assert not told_of_it("START")


def test_a_call_to_the_helpline_is_kept_when_she_hangs_up(small_city: SmallCity) -> None:
    city = small_city
    number, desk = phone(), Desk(city)
    sid = city.carriers.dial(number, HELPLINE)["sid"]
    row = city.wait_for(lambda: desk.call("GET", "/waiting").json()["items"])[0]
    assert (row["channel"], row["mode"]) == ("voice", "call_back")
    city.carriers.hang_up(number, sid)
    assert desk.call("POST", f"/requests/{row['id']}/claim").json()["callable_now"] is True
    nowhere(stored(city), number, number[1:])
    city.ahead += timedelta(minutes=31)  # half an hour later nobody knows who holds the phone
    assert desk.call("POST", f"/requests/{row['id']}/call").json()["code"] == "call_not_safe"


@pytest.mark.parametrize("pressed", ["1", "2"])
def test_a_key_says_danger_or_never_call(small_city: SmallCity, pressed: str) -> None:
    city = small_city
    number, desk = phone(), Desk(city)
    sid = city.carriers.dial(number, HELPLINE)["sid"]
    row = city.wait_for(lambda: desk.call("GET", "/waiting").json()["items"])[0]
    city.carriers.press(number, sid, pressed)
    doc = city.wait_for(lambda: (found := helpline.get(row["id"])) and (found.get("sos") or found["flags"]) and found)
    if pressed == "1":
        assert incidents.get(doc["sos"])["citizen"]["phone"] == number
        assert doc["danger"] == "now"
    else:
        assert doc["flags"] == ["stop_contact"]
        desk.call("POST", f"/requests/{row['id']}/claim")
        assert desk.call("POST", f"/requests/{row['id']}/call").json()["code"] == "contact_stopped"
