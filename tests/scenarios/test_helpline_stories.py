"""What may happen between her and the helpline: somebody else wants to read, the laptop is stolen, the network drops, no
woman is free, she comes back without a name, it turns dangerous, she wants to be left alone.
"""

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from domain.audit import chain as chain_of_audit
from domain.cities import queries as cities
from domain.cities.config import Kept
from domain.helpline import service as helpline
from domain.helpline import shifts
from domain.incidents import service as incidents
from domain.people import sessions
from tests.fakes.small_city import PLACE, SmallCity
from tests.scenarios.test_she_reaches_a_counsellor import NUMBER, STORY, TIMEOUT_S, Desk, Phone, key, nowhere, stored
from tests.scenarios.test_sos_reaches_a_responder import operator, pushed
from workers.helpline import due_helpline, ended_shifts, helpline_kept

pytestmark = pytest.mark.timeout(120)

WHY = "Her lawyer asks for the dates, by her wish."


@pytest.fixture(autouse=True)
def _nobody_waits(small_city: SmallCity) -> None:
    """Each story begins with an empty line and nobody on shift."""
    for name in ("helpline_requests", "helpline_messages", "counsellors", "reviews"):
        small_city.store[name].delete_many({})


def answer(city: SmallCity, who: Desk, review: str, *, approve: bool = True) -> requests.Response:
    found = requests.post(
        f"{city.url}/v1/reviews/{review}/answer",
        json={"approve": approve, "reason": "Seen the letter."},
        headers=who.bearer,
        timeout=TIMEOUT_S,
    )
    city.settle()
    return found


def test_somebody_else_reads_only_after_a_second_yes(small_city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
    city = small_city
    desk, curious = Desk(city), Desk(city)
    boss = Desk(city, role="helpline_supervisor", on_shift=False)
    her = Phone(city, message=STORY)
    desk.claim(her)
    assert curious.on(her, "GET", "/messages").status_code == 403
    assert curious.on(her, "POST", "/openings", json={"reason": "no"}, headers=key()).status_code == 422

    asked = curious.on(her, "POST", "/openings", json={"reason": WHY}, headers=key()).json()
    assert (asked["status"], asked["kind"], asked["needed"]) == ("open", "vault_opening", 1)
    assert pushed(city, boss.app, "helpline.message")
    assert curious.on(her, "GET", "/file").json()["code"] == "opening_needed"
    # Not by herself, and not by another counsellor.
    assert answer(city, curious, asked["id"]).status_code == 403
    assert answer(city, desk, asked["id"]).status_code == 403
    listed = requests.get(f"{city.url}/v1/reviews", headers=boss.bearer, timeout=TIMEOUT_S).json()["items"]
    assert [each["id"] for each in listed] == [asked["id"]]
    assert listed[0]["reason"] == WHY
    with monkeypatch.context() as broken:  # no place on the chain: then there is no yes either
        broken.setattr(chain_of_audit, "_TRIES", 0)
        assert answer(city, boss, asked["id"]).json()["code"] == "audit_busy"
    assert city.store["reviews"].find_one({"_id": asked["id"]})["answers"] == []
    decided = answer(city, boss, asked["id"]).json()
    assert (decided["status"], decided["answers"][0]["reason"]) == ("approved", "Seen the letter.")
    nowhere(stored(city), WHY, "Seen the letter.")  # what is said about her stands in the vault, and a code on the chain

    assert [each["text"] for each in curious.on(her, "GET", "/messages").json()["items"]] == [STORY]
    assert curious.on(her, "GET", "/file").status_code == 200
    assert curious.write(her, "hello").status_code == 404  # to read is not to speak
    city.skip(31 * 60)
    assert curious.on(her, "GET", "/file").json()["code"] == "opening_needed"
    chain = [each["action"] for each in city.store["audit"].find({"subject": her.request["id"]}).sort("seq", 1)]
    assert chain == ["helpline.opened", "helpline.opening_asked", "helpline.read", "helpline.opened"]

    # A no is a no, and no answer is one too.
    for approve in (False, None):
        again = curious.on(her, "POST", "/openings", json={"reason": WHY}, headers=key()).json()
        if approve is False:
            answer(city, boss, again["id"], approve=False)
        else:
            city.skip(3700)
            assert answer(city, boss, again["id"]).json()["code"] == "review_over"
        assert curious.on(her, "GET", "/file").json()["code"] == "opening_needed"


def test_to_look_for_half_an_hour_is_not_to_keep(small_city: SmallCity) -> None:
    city = small_city
    desk, curious = Desk(city), Desk(city)
    boss = Desk(city, role="helpline_supervisor", on_shift=False)
    her = Phone(city, message=STORY)
    desk.claim(her)
    case = desk.on(her, "POST", "/case", json={"consent": "chat"}).json()["id"]
    asked = curious.on(her, "POST", "/openings", json={"reason": WHY}, headers=key()).json()
    answer(city, boss, asked["id"])
    assert curious.call("GET", f"/cases/{case}").status_code == 200
    given = {"to": curious.who.person_id, "note": "mine now"}
    assert curious.call("POST", f"/cases/{case}/hand-over", json=given, headers=key()).status_code == 404
    assert curious.call("POST", f"/cases/{case}/close", json={"outcome": "helped"}).status_code == 404

    # Who had it reads it no more once it is over, whatever token she makes up.
    made_up = {"Helpline-Token": "0" * 24}
    assert desk.on(her, "GET", "/messages", headers=made_up).status_code == 200
    for _ in range(2):  # the second time the answer was lost: it says that it is over, and nothing of hers
        closed = desk.on(her, "POST", "/close", json={"outcome": "helped"}).json()
        assert closed.keys() == {"id", "status", "outcome", "version", "closed_at"}
    for headers in ({}, made_up):
        assert desk.on(her, "GET", "/messages", headers=headers).json()["code"] == "opening_needed"
    for path, body in (("/notes", {"text": "late"}), ("/sos", {}), ("/receipts", {"received": 1, "seen": 1})):
        assert desk.on(her, "POST", path, json=body, headers=key()).status_code in (404, 409)
    assert helpline.get(her.request["id"]).get("sos") is None


def test_the_same_word_twice_is_two_messages(small_city: SmallCity) -> None:
    """Also where the phone sends no key; and which quick reply it was is stored nowhere in clear."""
    her = Phone(small_city)
    for _ in range(2):
        assert her.call("POST", "/messages", json={"quick": "not_safe"}).status_code == 201
    shown = her.call("GET", "/messages").json()["items"]
    assert [(each["seq"], each["kind"]) for each in shown] == [(1, "not_safe"), (2, "not_safe")]
    nowhere(stored(small_city), "not_safe")


def test_an_operator_sees_that_it_exists(small_city: SmallCity) -> None:
    city = small_city
    her = Phone(city, message=STORY, phone=NUMBER)
    room = operator(city)

    def get(path: str) -> requests.Response:
        return requests.get(f"{city.url}/v1/helpline{path}", headers=room.headers, timeout=TIMEOUT_S)

    line = get("/line").json()
    assert (line["waiting"], line["asked"], line["answered"], line["target"]) == (1, 1, 0, 0.9)
    assert [each.keys() for each in line["first"]] == [{"id", "status", "asked_at"}]
    assert get("/waiting").status_code == 403
    for path in ("", "/messages"):
        assert get(f"/requests/{her.request['id']}{path}").status_code == 404


def test_the_counsellors_laptop_is_stolen(small_city: SmallCity) -> None:
    city = small_city
    desk, next_one = Desk(city), Desk(city)
    first = Phone(city, message=STORY)
    later = Phone(city)
    desk.claim(first)
    desk.on(first, "POST", "/notes", json={"text": "Two children."}, headers=key())
    sessions.end_all(desk.who.person_id, now=city.now())
    city.enqueue("drain", "people", desk.who.person_id)
    city.settle()
    # Shut out at once; what she had is back in the line, before whoever came later, and is not asked her story twice.
    assert desk.on(first, "GET", "/file").status_code == 401
    rows = next_one.call("GET", "/waiting").json()["items"]
    assert [row["id"] for row in rows] == [first.request["id"], later.request["id"]]
    assert first.call("GET").json()["position"] == 1
    file = next_one.claim(first).json()
    assert [note["text"] for note in file["notes"]] == ["Two children."]
    assert [each["text"] for each in next_one.on(first, "GET", "/messages").json()["items"]] == [STORY]


def test_the_network_drops_in_mid_chat(small_city: SmallCity) -> None:
    city = small_city
    desk, her = Desk(city), Phone(city)
    desk.claim(her)
    sent = key()
    first = her.write("ایک", sent)
    again = her.write("ایک", sent)  # the answer was lost, so the phone sends it again
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    for text in ("دو", "تین", "چار"):
        desk.write(her, text)
    assert her.read() == ["ایک", "دو", "تین", "چار"]
    assert her.read(after=2) == ["تین", "چار"]
    desk.on(her, "POST", "/messages", json={"quick": "are_you_safe"}, headers=key())
    assert her.read(after=4) == ["کیا آپ ابھی محفوظ طریقے سے لکھ سکتی ہیں؟"]
    her.call("POST", "/receipts", json={"received": 99, "seen": 3})
    her.call("POST", "/receipts", json={"received": 1, "seen": 1})  # an old one, late: nothing goes back
    held = helpline.get(her.request["id"])["seen"]["citizen"]
    assert held == {"received": 5, "seen": 3}


def test_no_woman_is_free_and_it_is_no_dead_end(small_city: SmallCity) -> None:
    city = small_city
    man = Desk(city, gender="male")
    boss = Desk(city, role="helpline_supervisor", on_shift=False)
    her = Phone(city)
    assert "offered" not in her.call("GET").json()
    city.skip(61)
    assert pushed(city, boss.app, "helpline.message")  # nobody took it for a minute
    city.skip(61)
    assert her.call("GET").json()["offered"] == "anyone"
    assert man.call("GET", "/waiting").json()["items"][0]["suits"] is False
    assert man.claim(her).json()["code"] == "not_whom_she_wants"
    assert her.call("PATCH", json={"wanted": "anyone"}).json()["wanted"] == "anyone"
    assert man.call("GET", "/waiting").json()["items"][0]["suits"] is True
    assert man.claim(her).status_code == 200


def test_she_comes_back_without_a_name_and_is_not_asked_again(small_city: SmallCity) -> None:
    city = small_city
    desk = Desk(city)
    before = Phone(city, message=STORY)
    word = before.call("POST", "/word").json()["word"]
    assert len(word.split()) == 4
    before.call("POST", "/close", json={})
    nowhere(stored(city), word)

    stranger = Phone(city, word="آسمان بادل بارش باغ")
    back = Phone(city, word=word)
    assert stranger.request.keys() == back.request.keys()
    assert "earlier" not in desk.claim(stranger).json()
    assert desk.on(before, "GET", "/file").json()["code"] == "opening_needed"
    assert desk.claim(back).json()["earlier"] == [before.request["id"]]
    assert [each["text"] for each in desk.on(before, "GET", "/messages").json()["items"]] == [STORY]


@pytest.mark.parametrize("side", ["she", "her counsellor"])
def test_danger_becomes_an_sos_with_one_button(small_city: SmallCity, side: str) -> None:
    city = small_city
    responder = city.responder()
    desk = Desk(city)
    place = {"lat": PLACE[0], "lon": PLACE[1]}
    her = Phone(city, message=STORY, phone=NUMBER, position=place)
    desk.claim(her)
    made = her.call("POST", "/sos", json={}) if side == "she" else desk.on(her, "POST", "/sos", json={})
    assert made.status_code == 201
    doc = incidents.get(made.json()["id"])
    assert (doc["channel"], doc["category"], doc["position"]["lat"]) == ("helpline", "domestic_violence", PLACE[0])
    assert "silent" in doc["flags"]  # nothing rings her phone
    nowhere(json.dumps(doc, default=str, ensure_ascii=False), STORY)
    assert city.texts(responder.phone)
    # The other side sees it, and either phone may press again.
    view = her.call("GET").json()
    assert (view["sos_id"], view["status"]) == (doc["_id"], "claimed")
    sos = requests.get(f"{city.url}/v1/sos/{doc['_id']}", headers={"Sos-Token": view["sos_token"]}, timeout=TIMEOUT_S)
    assert sos.status_code == 200
    assert sos.json()["category"] == "unspecified", "whoever holds her phone need not know whom she asked"
    assert her.call("POST", "/sos", json={}).json()["id"] == doc["_id"]
    assert "sos_token" not in desk.on(her, "POST", "/sos", json={}).json()


def test_who_is_in_danger_comes_first(small_city: SmallCity) -> None:
    city = small_city
    desk = Desk(city)
    usual, asked, high, now = Phone(city), Phone(city), Phone(city), Phone(city, danger_now=True)
    every = dict.fromkeys(("worse", "weapon", "capable", "choked", "jealous"), False)
    usual.call("POST", "/assessment", json={"answers": every})
    high.call("POST", "/assessment", json={"answers": {"weapon": True, "choked": True}})
    found = high.call("POST", "/assessment", json={"answers": {"worse": True, "jealous": True}}).json()
    assert found["danger"] == "high"
    order = [row["id"] for row in desk.call("GET", "/waiting").json()["items"]]
    assert order == [each.request["id"] for each in (now, high, asked, usual)]
    # The counsellor's judgement stands over the answers, and later answers do not lower it.
    desk.claim(usual)
    assert desk.on(usual, "POST", "/assessment", json={"judged": "high"}).json()["danger"] == "high"
    assert usual.call("POST", "/assessment", json={"answers": every}).json()["danger"] == "high"
    assert "weapon" not in json.dumps(helpline.get(high.request["id"]), default=str)


def test_a_picture_is_sealed_before_it_is_stored(small_city: SmallCity) -> None:
    city = small_city
    desk, other, her = Desk(city), Desk(city), Phone(city)
    desk.claim(her)

    def files() -> set[Path]:
        return {file for file in Path(city.settings.media_url.removeprefix("file://")).rglob("*") if file.is_file()}

    before = files()
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "JPEG", exif=exif)
    sent = key()
    first = her.call("POST", "/media", data=out.getvalue(), headers={**sent, "Content-Type": "image/jpeg"})
    again = her.call("POST", "/media", data=out.getvalue(), headers={**sent, "Content-Type": "image/jpeg"})
    assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json())
    assert first.json()["media"] == "image/jpeg"
    path = f"/messages/{first.json()['id']}/media"
    seen = desk.on(her, "GET", path)
    assert Image.open(io.BytesIO(seen.content)).size == (40, 30)
    assert b"taken at home" not in seen.content
    assert her.call("GET", path).content == seen.content
    assert other.on(her, "GET", path).status_code == 403
    (kept,) = files() - before
    assert b"JFIF" not in kept.read_bytes()
    assert her.call("POST", "/media", data=b"MZ not a picture", headers=key()).json()["code"] == "media_unknown"
    her.call("DELETE")
    assert not kept.exists()


def test_she_wants_to_be_left_alone(small_city: SmallCity) -> None:
    city = small_city
    desk, her = Desk(city), Phone(city)
    desk.claim(her)
    desk.write(her, "one")
    before = len(city.carriers.device(her.push)["pushes"])
    city.idle = True  # a push is written down and not sent yet
    desk.write(her, "two")
    stopped: dict[str, Any] = her.call("POST", "/contact", json={"stop": True}).json()
    assert stopped["contact_stopped"]
    city.idle = False
    assert desk.write(her, "three").json()["code"] == "contact_stopped"
    city.skip(5)
    assert len(city.carriers.device(her.push)["pushes"]) == before
    her.call("POST", "/contact", json={"stop": False})
    assert desk.write(her, "four").status_code == 201
    assert len(city.carriers.device(her.push)["pushes"]) == before + 1


def test_it_is_handed_over_with_its_notes(small_city: SmallCity) -> None:
    city = small_city
    desk, other, third = Desk(city), Desk(city), Desk(city)
    her = Phone(city, message=STORY)
    desk.claim(her)
    assert desk.on(her, "POST", "/transfer", json={"to": other.who.person_id}).status_code == 422  # not without a note
    given = desk.on(her, "POST", "/transfer", json={"to": other.who.person_id, "note": "Wants a lawyer."})
    assert given.json()["status"] == "waiting"
    assert third.claim(her).json()["code"] == "already_claimed"  # it is kept for whom it is meant
    assert [note["text"] for note in other.claim(her).json()["notes"]] == ["Wants a lawyer."]
    assert desk.write(her, "still me").status_code == 404
    boss = Desk(city, role="helpline_supervisor", on_shift=False)
    held = {each["person"]: each["has"] for each in boss.call("GET", "/shifts").json()["items"]}
    assert (held[other.who.person_id], held[third.who.person_id]) == (1, 0)
    boss.on(her, "POST", "/release", json={"reason": "Her network is gone."})
    other.claim(her)
    # Her counsellor goes home, and then is simply gone: it is back in the line each time.
    other.call("PUT", "/duty", json={"state": "off"})
    assert her.call("GET").json()["status"] == "waiting"
    third.claim(her)
    city.skip(301)
    assert her.call("GET").json()["status"] == "waiting"


def test_a_supervisor_listens_only_with_her_consent(small_city: SmallCity) -> None:
    city = small_city
    desk = Desk(city)
    boss = Desk(city, role="helpline_supervisor", on_shift=False)
    her = Phone(city, message=STORY)
    desk.claim(her)
    assert boss.on(her, "POST", "/listen").json()["code"] == "consent_needed"
    her.call("PATCH", json={"listen_in": True})
    assert boss.on(her, "POST", "/listen").status_code == 200
    assert her.call("GET").json()["listened"] is True
    assert boss.on(her, "GET", "/messages").status_code == 200
    her.call("PATCH", json={"listen_in": False})
    assert boss.on(her, "GET", "/messages").status_code == 403
    assert (
        boss.on(her, "POST", "/take-over", json={"reason": "The counsellor fell ill."}).json()["code"] == "not_on_shift"
    )
    boss.call("PUT", "/duty", json={"state": "available"})
    why = {"reason": "The counsellor fell ill.", "ground": "counsellor_away"}
    assert boss.on(her, "POST", "/take-over", json=why).status_code == 200
    assert [(each["ground"], each["reason"]) for each in boss.on(her, "GET", "/file").json()["reasons"]] == [
        (why["ground"], why["reason"])
    ]
    nowhere(stored(city), why["reason"])
    assert boss.on(her, "GET", "/messages").status_code == 200
    assert desk.on(her, "GET", "/messages").status_code == 403


def test_her_phone_forgets_its_copy(small_city: SmallCity) -> None:
    city = small_city
    her, plain = Phone(city, disguise="nothing", message=STORY), Phone(city)
    desk = Desk(city)
    desk.claim(her)
    plain.call("POST", "/expire-local")
    assert [push.get("notification") for push in city.carriers.device(plain.push)["pushes"]] == [None]
    shown = [push for push in city.carriers.device(her.push)["pushes"] if push.get("notification")]
    assert shown == []  # nothing is shown on this phone
    assert her.call("POST", "/expire-local").status_code == 202
    assert [each["request_id"] for each in pushed(city, her.push, "helpline.expire_local")] == [her.request["id"]]
    assert her.read() == [STORY]


def test_a_break_ends_in_the_shift_and_the_shift_by_itself(small_city: SmallCity) -> None:
    city = small_city
    desk, her = Desk(city), Phone(city)
    desk.claim(her)
    desk.call("PUT", "/duty", json={"state": "break"})
    city.skip(120)
    desk.call("GET", "/waiting")  # she is at her console: whom she has, she keeps
    city.skip(200)
    assert her.call("GET").json()["status"] == "claimed"
    city.skip(3400)
    assert desk.call("GET", "/duty").json()["state"] == "available"
    desk.claim(her)
    at = city.now() + timedelta(hours=12)
    ended_shifts(replace(city.context, clock=lambda: at), city.pool)
    city.settle()
    assert shifts.get(desk.who.person_id)["state"] == "off"
    assert her.call("GET").json()["status"] == "waiting"


def test_what_was_kept_long_enough_is_gone(small_city: SmallCity) -> None:
    city = small_city
    desk, her, waiting = Desk(city), Phone(city, message=STORY), Phone(city, message=STORY)
    desk.claim(her)
    desk.on(her, "POST", "/close", json={"outcome": "helped"})
    days = cities.current("lahore").retention_days[Kept.HELPLINE]

    def sweep(hours: int) -> None:
        at = city.now() + timedelta(days=days, hours=hours)
        helpline_kept(replace(city.context, clock=lambda: at), city.pool)

    sweep(-1)
    assert "wrapped" in city.store["vault_keys"].find_one({"_id": her.request["id"]})
    sweep(1)
    assert "wrapped" not in city.store["vault_keys"].find_one({"_id": her.request["id"]})
    assert her.call("GET").status_code == 404
    assert waiting.read() == [STORY]  # what goes on is not gone because another is over


def test_what_nobody_ends_is_over_by_itself_and_then_kept_no_longer_than_anything_else(small_city: SmallCity) -> None:
    city = small_city
    desk, her, alone = Desk(city), Phone(city, message=STORY), Phone(city, message=STORY)
    desk.claim(her)
    config = cities.current("lahore")
    idle = timedelta(days=config.helpline_idle_days)

    def at(when: timedelta, sweep: Any) -> None:
        moment = city.now() + when
        sweep(replace(city.context, clock=lambda: moment), city.pool)

    at(idle - timedelta(minutes=5), due_helpline)
    assert "closed" not in {phone.call("GET").json()["status"] for phone in (her, alone)}
    at(idle + timedelta(minutes=5), due_helpline)
    for phone, outcome in ((her, "unreachable"), (alone, "unanswered")):
        view = phone.call("GET").json()
        assert (view["status"], view["outcome"]) == ("closed", outcome)
    days = config.retention_days[Kept.HELPLINE]
    at(idle + timedelta(days=days, minutes=10), helpline_kept)
    for phone in (her, alone):
        assert "wrapped" not in city.store["vault_keys"].find_one({"_id": phone.request["id"]})


def test_what_is_still_to_be_done_for_her_keeps_her_requests(small_city: SmallCity) -> None:
    city = small_city
    desk, her = Desk(city), Phone(city, message=STORY)
    desk.claim(her)
    case = desk.on(her, "POST", "/case", json={"consent": "chat"}).json()["id"]
    days = timedelta(days=cities.current("lahore").retention_days[Kept.HELPLINE])
    due = (city.now() + days + timedelta(days=30)).isoformat()
    desk.call("POST", f"/cases/{case}/follow-ups", json={"due_at": due, "note": "The court's day."}, headers=key())
    desk.on(her, "POST", "/close", json={"outcome": "helped"})
    moment = city.now() + days + timedelta(hours=1)
    helpline_kept(replace(city.context, clock=lambda: moment), city.pool)
    assert her.call("GET").status_code == 200
    desk.call("POST", f"/cases/{case}/close", json={"outcome": "helped"})
    helpline_kept(replace(city.context, clock=lambda: moment), city.pool)
    assert her.call("GET").status_code == 404
