"""Weeks with one survivor: two requests in one case by her choice, a shelter with her consent, the police, and her own copy
in Urdu as PDF; then she wants all of it gone.
"""

import re
import zlib
from datetime import timedelta
from typing import Any

import pytest
import requests

from domain.helpline import cases
from domain.people import service as people
from runtime.vault import vault
from tests.factories.people import signed_in
from tests.fakes.small_city import SmallCity
from tests.scenarios.test_helpline_stories import _nobody_waits
from tests.scenarios.test_she_reaches_a_counsellor import NUMBER, STORY, TIMEOUT_S, Desk, Phone, key, nowhere, stored
from tests.scenarios.test_sos_reaches_a_responder import pushed

__all__ = ["_nobody_waits"]
pytestmark = pytest.mark.timeout(90)

NOTE, FIR = "ایک عورت اور دو بچے، آج رات کے لیے", "ایف آئی آر نمبر 123/26، تھانہ گلبرگ"


def letters(pdf: bytes) -> dict[str, int]:
    """Letter → in how many shapes it stands in the document, by the maps from its glyphs to Unicode."""
    shapes: dict[str, set[str]] = {}
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            text = zlib.decompress(stream).decode("latin-1")
        except zlib.error:
            text = stream.decode("latin-1")
        for glyph, code in re.findall(r"<([0-9A-F]{4})> <([0-9A-F]{4})>", text, re.IGNORECASE):
            shapes.setdefault(chr(int(code, 16)), set()).add(glyph)
    return {letter: len(found) for letter, found in shapes.items()}


def test_weeks_with_one_survivor(small_city: SmallCity) -> None:
    city = small_city
    desk, other = Desk(city), Desk(city)
    times = [{"days": ["wed"], "from": "10:00", "until": "11:00"}]
    first = Phone(city, message=STORY, name="رخسانہ", phone=NUMBER, codeword="Zxq", safe_to_call=times)
    desk.claim(first)

    # A case with her consent; a second request joins it because she says so, from her own phone.
    assert desk.on(first, "POST", "/case", json={}).status_code == 422
    case = desk.on(first, "POST", "/case", json={"consent": "chat"}).json()
    second = Phone(city)
    refused = desk.on(first, "POST", "/case", json={"consent": "chat", "requests": [second.request["id"]]})
    assert refused.json()["code"] == "consent_needed"
    wrong = {"request_id": first.request["id"], "helpline_token": "0" * 24}
    assert second.call("POST", "/join", json=wrong).status_code == 404
    right = wrong | {"helpline_token": first.request["helpline_token"]}
    assert second.call("POST", "/join", json=right).status_code == 204
    assert second.call("GET").json()["case_id"] == case["id"]

    def on_case(path: str, body: Any) -> dict[str, Any]:
        answer = desk.call("POST", f"/cases/{case['id']}{path}", json=body, headers=key())
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    # The directory says what is verified. Without consent nothing is shared, and it is recorded how she gave it.
    listed = desk.call("GET", "/referrals?city=lahore&kind=shelter").json()["items"]
    assert [(each["id"], each["number"], each["verified"]) for each in listed] == [
        ("dar_ul_aman_lahore", "1043", False)
    ]
    bare = {"to": "dar_ul_aman_lahore", "note": NOTE}
    assert desk.call("POST", f"/cases/{case['id']}/referrals", json=bare, headers=key()).status_code == 422
    on_case("/referrals", bare | {"consent": "voice"})
    on_case("/stages", {"track": "fir", "stage": "registered", "note": FIR})
    due = (city.now() + timedelta(hours=1)).isoformat()
    shown = on_case("/follow-ups", {"due_at": due, "note": "وکیل سے پوچھنا"})
    assert [(each["to"], each["consent"], each["note"]) for each in shown["referrals"]] == [
        ("dar_ul_aman_lahore", "voice", NOTE)
    ]
    assert [each["what"] for each in shown["consents"]] == [
        "case", f"request {second.request['id']}", "referral dar_ul_aman_lahore",
    ]  # fmt: skip
    assert other.call("GET", f"/cases/{case['id']}").status_code == 404
    # Whoever does the casework reads it after the request is closed; another one, after it was handed over.
    given = {"to": other.who.person_id, "note": "کل پیشی ہے"}
    assert desk.call("POST", f"/cases/{case['id']}/hand-over", json={**given, "to": "per_x"}).status_code == 404
    desk.call("POST", f"/cases/{case['id']}/hand-over", json=given, headers=key())
    assert "کل پیشی ہے" in [each["note"] for each in other.call("GET", f"/cases/{case['id']}").json()["follow_ups"]]
    nowhere(stored(city), NOTE, FIR, "وکیل سے پوچھنا")

    # A follow-up is told when it is due, once, and stays until it is done.
    before = len(pushed(city, other.app, "helpline.message"))
    city.skip(3700)
    other.call("PUT", "/duty", json={"state": "available"})
    assert len(pushed(city, other.app, "helpline.message")) > before
    desk.call("PUT", "/duty", json={"state": "available"})
    desk.claim(first)
    done = desk.call("POST", f"/cases/{case['id']}/follow-ups/{shown['follow_ups'][0]['id']}/done").json()
    assert all(each["done_at"] for each in done["follow_ups"])

    # Her own copy, on her request: in Urdu and joined as Urdu is written; its file says nothing of what it is.
    for language in ("ur", "en"):
        answer = first.call("GET", f"/export?language={language}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
        assert answer.content.startswith(b"%PDF-")
        assert re.search(rb"/Title|/Author|helpline|amaan", answer.content, re.IGNORECASE) is None
        found = letters(answer.content)
        assert {"ا", "ی", "م", "ن"} <= found.keys()  # what she told is in it in either language
        assert found["ی"] > 2  # a letter has several shapes, by where it stands in its word
        assert found["م"] > 2
        # Her codeword, and when and how she agreed to what, are hers as well.
        assert {"Z", "x", "q"} <= found.keys()
        assert {"ur": {"ہ", "ج", "ز"}, "en": {"W", "g", "d"}}[language] <= found.keys()
    assert desk.on(first, "GET", "/export").status_code == 404  # a counsellor takes no copies
    actions = {
        each["action"] for each in city.store["audit"].find({"subject": {"$in": [first.request["id"], case["id"]]}})
    }
    assert {"helpline.exported", "helpline.case_opened", "helpline.opened"} <= actions

    # She wants it gone: one request, then the other, and with the last one the case.
    first.call("DELETE")
    assert cases.get(case["id"])["requests"] == [second.request["id"]]
    second.call("DELETE")
    held = cases.cases().find_one({"_id": case["id"]})
    assert held is not None
    assert "referrals" not in held
    assert "wrapped" not in city.store["vault_keys"].find_one({"_id": case["id"]})


def test_two_cases_of_hers_become_one_and_her_copy_has_both(small_city: SmallCity) -> None:
    """Two counsellors began a case each; she says that both are hers. Nothing of either is lost, whichever she exports."""
    city = small_city
    notes, held = ("پہلی بات: ژالہ", "دوسری بات: گڑیا"), []
    for note in notes:
        desk, her = Desk(city), Phone(city)
        desk.claim(her)
        case = desk.on(her, "POST", "/case", json={"consent": "chat"}).json()["id"]
        stage = {"track": "fir", "stage": "asked", "note": note}
        assert desk.call("POST", f"/cases/{case}/stages", json=stage, headers=key()).status_code == 200
        held.append((desk, her, case))
        city.skip(5)
    (first_desk, first, older), (second_desk, second, newer) = held
    told = {"request_id": second.request["id"], "helpline_token": second.request["helpline_token"]}
    for _ in range(2):
        assert first.call("POST", "/join", json=told).status_code == 204
    assert {her.call("GET").json()["case_id"] for her in (first, second)} == {older}
    for desk in (first_desk, second_desk):
        for case in (older, newer):  # the newer one's name still leads there
            shown = desk.call("GET", f"/cases/{case}").json()
            assert (shown["id"], [each["note"] for each in shown["stages"]]) == (older, list(notes))
            assert len([each for each in shown["consents"] if each["what"].startswith("request")]) == 1
    done = second_desk.call("POST", f"/cases/{newer}/stages", json={"track": "court", "stage": "asked", "note": "x"})
    assert done.status_code == 200
    for her in (first, second):
        copy = her.call("GET", "/export?language=ur").content
        assert {"ژ", "ڑ"} <= letters(copy).keys()
    assert "wrapped" not in city.store["vault_keys"].find_one({"_id": newer})
    nowhere(stored(city), *notes)


def test_a_request_by_name_goes_with_its_person(small_city: SmallCity) -> None:
    city = small_city
    ayesha = signed_in(city.now(), name="Ayesha")
    url = f"{city.url}/v1/helpline/requests"
    body = {"mode": "chat", "message": STORY, "city": "lahore"}
    made = requests.post(url, json=body, headers={**ayesha.headers, **key()}, timeout=TIMEOUT_S).json()
    assert made["anonymous"] is False
    listed = requests.get(url, headers=ayesha.headers, timeout=TIMEOUT_S).json()["items"]
    assert [each["id"] for each in listed] == [made["id"]]
    other = signed_in(city.now())
    assert requests.get(f"{url}/{made['id']}", headers=other.headers, timeout=TIMEOUT_S).status_code == 404
    # The request does not say who she is: only whoever has the vault's keys can tell.
    row = city.store["helpline_requests"].find_one({"_id": made["id"]})
    assert ayesha.person_id not in str(row)
    assert row["person_ref"] == vault(city.settings).index("person", ayesha.person_id)
    people.erase(ayesha.person_id, now=city.now())
    city.enqueue("drain", "people", ayesha.person_id)
    city.settle()
    assert "wrapped" not in city.store["vault_keys"].find_one({"_id": made["id"]})
    assert city.store["helpline_requests"].find_one({"_id": made["id"]})["erased_at"]
