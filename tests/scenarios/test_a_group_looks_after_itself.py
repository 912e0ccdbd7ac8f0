"""A watch group over a year: a list of neighbours, some without the app; a coordinator who falls silent; words that a human
reads first; somebody who is kept out for a week, and the appeal; the end of the group.
"""

import base64
import io
import uuid
from datetime import timedelta

import pytest
import requests
from PIL import Image

from domain.people import queries as people
from domain.people import sign_in
from domain.people.sign_in import Lifetimes
from domain.reports import personal
from domain.watch import queries as watch
from runtime.media import Media
from tests.factories.people import SECRET, Signed, phone, signed_in, staff
from tests.fakes.small_city import PLACE, SmallCity
from tests.scenarios.street import (
    Body,
    a_group,
    call,
    here,
    joins,
    ok,
    reports,
    says,
    settled_in,
    square,
)
from workers import report_pictures

REPLIES = "+924200000016"


@pytest.fixture
def asma(small_city: SmallCity) -> Signed:
    small_city.store.watch_reports.delete_many({})
    small_city.store.watch_groups.delete_many({})
    small_city.by_day()
    return signed_in(small_city.now(), name="Asma", language="en")


def with_phone(city: SmallCity, who: Signed) -> str:
    """Give somebody a phone that gets pushes; its token."""
    token = f"push-{uuid.uuid4().hex}"
    device: Body = {"id": "dev_1", "token": token, "session_id": "ses_1", "seen_at": city.now()}
    city.store.people.update_one({"_id": who.person_id}, {"$set": {"devices": {"dev_1": device}}})
    return token


def pushed(city: SmallCity, token: str) -> list[str]:
    return [each["data"]["type"] for each in city.carriers.device(token)["pushes"]]


def replies(city: SmallCity, number: str, text: str) -> str:
    """An SMS to the city's number; what it is answered."""
    params = {"From": number, "To": REPLIES, "Body": text, "MessageSid": f"SM{uuid.uuid4().hex}"}
    answer = city.webhook("sms", params)
    assert answer.status_code == 200, answer.text
    city.settle()
    return answer.text


def test_a_list_brings_neighbours_and_tells_nobody_who_is_with_amaan(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma)
    path, stranger = f"/watch/groups/{group['id']}", phone()
    known = signed_in(city.now(), name="Dua", language="en")
    csv = f"name;phone\nDua;{known.phone}\n\nNobody;12\nNew;{stranger}\nAgain;{known.phone}\nNone;\n"
    said = ok(call(city, asma, "POST", f"{path}/invitations", {"csv": csv}))
    assert said == {
        "invited": 2,
        "bad": [
            {"line": 4, "problem": "bad_phone"},
            {"line": 6, "problem": "twice"},
            {"line": 7, "problem": "no_phone"},
        ],
        "bad_rows": 3,
    }
    for number in (known.phone, stranger):
        (text,) = city.texts(number)
        assert "/t/watch/" in text, "the same message, app or not"
    waiting = ok(call(city, asma, "GET", f"{path}/members?standing=invited"))["items"]
    assert [each["name"] for each in waiting] == ["", ""], "a name would say that a number is with Amaan"
    both = call(city, asma, "POST", f"{path}/invitations", {"csv": "x", "phones": ["y"]})
    assert (both.status_code, list(both.json()["errors"])) == (422, ["phones"])
    odd = ok(call(city, asma, "POST", f"{path}/invitations", {"phones": [None, 7, {"phone": "+1"}, ["x"], {}]}))
    assert (odd["invited"], odd["bad_rows"]) == (0, 5)


def test_a_neighbour_without_the_app_belongs_and_is_heard(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma)
    path, number = f"/watch/groups/{group['id']}", phone()
    ok(call(city, asma, "POST", f"{path}/invitations", {"phones": [number]}))
    city.store.people.update_one({"phone": number}, {"$set": {"language": "en"}})
    assert "member" in replies(city, number, "1a")
    assert ok(call(city, asma, "GET", path))["members"] == 2
    (row,) = [
        each for each in ok(call(city, asma, "GET", f"{path}/members"))["items"] if each["person"] != asma.person_id
    ]
    assert (row["by_sms"], row["level"]) == (True, "phone")
    saw = joins(city, group, asma, name="Saw")
    settled_in(city, asma, saw, joins(city, group, asma, name="Bilal"))
    made = reports(city, saw, "robbery", note="Two men on a motorcycle took a phone.")
    ok(call(city, asma, "POST", f"/watch/reports/{made['id']}/incident"))
    text = city.texts(number)[-1]
    assert "Robbery" in text
    code = text.split("Reply ")[1].split("a ")[0]
    replies(city, number, f"{code}a")
    heard = ok(call(city, saw, "GET", f"/watch/reports/{made['id']}"))
    assert heard["confirmed"] == 1
    replies(city, number, f"{code}d")
    assert ok(call(city, saw, "GET", f"/watch/reports/{made['id']}"))["denied"] == 1
    ok(call(city, asma, "PATCH", path, {"rules": "Chase nobody. Ever."}))
    assert "new rules" in city.texts(number)[-1]


def test_the_rules_are_read_on_a_page_and_accepted_there(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma)
    path, number = f"/watch/groups/{group['id']}", phone()
    ok(call(city, asma, "POST", f"{path}/invitations", {"phones": [number]}))
    (text,) = city.texts(number)
    page = next(line for line in text.splitlines() if "/t/watch/" in line)
    page = f"{city.url}/t/watch/{page.rpartition('/')[2]}?lang=en"
    shown = requests.get(page, timeout=10)
    assert (shown.status_code, "Say what somebody does." in shown.text) == (200, True)
    assert ok(call(city, asma, "GET", path))["members"] == 1, "looking joins nobody"
    ok(call(city, asma, "PATCH", path, {"rules": "Chase nobody."}))
    old = requests.post(page, data={"answer": "join", "rules_version": "1"}, timeout=10)
    assert "Chase nobody." in old.text
    assert ok(call(city, asma, "GET", path))["members"] == 1, "what was accepted is not what stands now"
    for _ in range(2):
        joined = requests.post(page, data={"answer": "join", "rules_version": "2"}, timeout=10)
        assert "You are a member" in joined.text
    assert ok(call(city, asma, "GET", path))["members"] == 2
    assert requests.post(page, data={"answer": "sell"}, timeout=10).status_code == 422
    assert "not a member" in requests.post(page, data={"answer": "leave"}, timeout=10).text
    assert requests.get(page, timeout=10).status_code == 410
    assert ok(call(city, asma, "GET", path))["members"] == 1


def test_how_well_a_member_is_known(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma)
    path = f"/watch/groups/{group['id']}"
    bilal = joins(city, group, asma, name="Bilal")
    one = f"{path}/members/{bilal.person_id}"
    code = ok(call(city, asma, "POST", f"{one}/door-code"))["code"]
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    refused = call(city, bilal, "POST", f"{path}/address", {"code": wrong})
    assert (refused.status_code, refused.json()["code"]) == (422, "door_code_wrong")
    assert ok(call(city, bilal, "POST", f"{path}/address", {"code": code}))["level"] == "address"
    newer = ok(call(city, asma, "POST", f"{one}/door-code"))["code"]
    assert newer != code
    assert call(city, bilal, "POST", f"{path}/address", {"code": code}).status_code == 422
    assert ok(call(city, asma, "POST", f"{one}/vouch"))["level"] == "coordinator"
    assert call(city, bilal, "POST", f"{one}/vouch").status_code == 403
    for _ in range(4):
        last = call(city, bilal, "POST", f"{path}/address", {"code": wrong})
    assert last.status_code == 429, "nobody guesses a code"


def unseen_for(city: SmallCity, who: Signed, days: float) -> None:
    """Somebody has not used the app for so long."""
    fields = {f"sessions.{who.session_id}.seen_at": city.now() - timedelta(days=days)}
    people.collection().update_one({"_id": who.person_id}, {"$set": fields})


def test_a_silent_coordinator_is_succeeded_by_who_says_yes(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma)
    path = f"/watch/groups/{group['id']}"
    deputy, older, newer = (joins(city, group, asma, name=name) for name in ("Deputy", "Older", "Newer"))
    ok(call(city, asma, "PUT", f"{path}/members/{deputy.person_id}/role", {"role": "deputy"}))
    hers, theirs, last = (with_phone(city, who) for who in (asma, deputy, older))

    def days(count: float) -> None:
        city.skip(count * 86_400)
        for who in (deputy, older, newer):
            unseen_for(city, who, 1)

    days(20)
    unseen_for(city, asma, 5)
    days(11)
    assert (watch.get(group["id"]).get("succession") or {}) == {}, "she was here five days before"
    unseen_for(city, asma, 40)
    days(20)
    assert "watch.group" in pushed(city, hers), "she is asked first whether she goes on"
    assert not ok(call(city, deputy, "GET", path))["lead_asked"]
    days(4)
    assert ok(call(city, deputy, "GET", path))["lead_asked"], "then the deputy"
    assert "watch.group" in pushed(city, theirs)
    early = call(city, older, "POST", f"{path}/succession", {"accept": True})
    assert (early.status_code, early.json()["code"]) == (409, "succession_over")
    ok(call(city, deputy, "POST", f"{path}/succession", {"accept": False}))
    days(0.01)
    assert ok(call(city, older, "GET", path))["lead_asked"], "then the longest-standing"
    led = ok(call(city, older, "POST", f"{path}/succession", {"accept": True}))
    assert led["role"] == "coordinator"
    assert ok(call(city, older, "POST", f"{path}/succession", {"accept": True}))["role"] == "coordinator"
    assert ok(call(city, asma, "GET", path))["role"] == "member"
    assert call(city, asma, "PATCH", path, {"name": "Mine"}).status_code == 403
    assert pushed(city, last).count("watch.group") >= 2
    assert city.store.audit.count_documents({"action": "group.succeeded", "subject": group["id"]}) >= 1


def test_new_rules_are_asked_again_and_a_liaison_sees_places_but_no_members(
    small_city: SmallCity, asma: Signed
) -> None:
    city, group = small_city, a_group(small_city, asma)
    path = f"/watch/groups/{group['id']}"
    bilal = joins(city, group, asma, name="Bilal")
    ok(call(city, asma, "PATCH", path, {"rules": "Chase nobody."}))
    assert ok(call(city, bilal, "GET", path))["accept_rules"]
    ok(call(city, bilal, "POST", f"{path}/members", {"rules_version": 2}))
    assert not ok(call(city, bilal, "GET", path))["accept_rules"]

    admin, officer = staff(city.now(), "admin"), staff(city.now(), "supervisor", name="SHO Gulberg")
    assert call(city, asma, "PUT", f"{path}/liaison", {"person": officer.person_id}).status_code == 403
    assert call(city, admin, "PUT", f"{path}/liaison", {"person": bilal.person_id}).status_code == 404
    ok(call(city, admin, "PUT", f"{path}/liaison", {"person": officer.person_id}))
    assert ok(call(city, bilal, "GET", path))["liaison_name"] == "SHO Gulberg"
    made = reports(city, bilal, "burglary", note="Somebody climbs over the wall.")
    exact = ok(call(city, officer, "GET", f"/watch/reports/{made['id']}"))
    assert exact["position"]["lat"] == PLACE[0]
    assert call(city, officer, "GET", f"{path}/members").status_code == 403
    ok(call(city, admin, "PUT", f"{path}/liaison", {"person": None}))
    assert call(city, officer, "GET", f"/watch/reports/{made['id']}").json().get("position") is None


LOOKS = [
    {"part": "clothes", "text": "grey shalwar kameez"},
    {"part": "shoes", "text": "white trainers"},
    {"part": "carries", "text": "a long iron bar"},
]


def test_what_is_done_comes_before_how_somebody_looks(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma)
    saw, other = joins(city, group, asma), joins(city, group, asma)
    made = reports(city, saw, "robbery", note="", looks=LOOKS[:1])
    path = f"/watch/reports/{made['id']}"
    assert made["nudges"] == ["behaviour_first", "more_descriptors"]
    assert made["looks"] == LOOKS[:1], "the author reads what they wrote: nothing is lost"
    assert ok(call(city, other, "GET", path))["looks"] == []
    done = {"note": "He broke a window and took a handbag.", "looks": LOOKS}
    edited = ok(call(city, saw, "PATCH", path, done))
    assert (edited["nudges"], edited["history"][-1]["looks"]) == ([], LOOKS[:1])
    assert ok(call(city, other, "GET", path))["looks"] == LOOKS
    tried = ok(
        call(
            city, saw, "POST", "/watch/reports/nudges",
            {"category": "suspicious", "note": "A Pathan man with a beard.", "looks": []},
        )
    )  # fmt: skip
    assert tried == {"nudges": ["behaviour_first", "looks_apart", "origin_is_no_description"], "holds": []}
    twice = call(city, saw, "POST", "/watch/reports", {"category": "fire", "position": here(), "looks": LOOKS[:1] * 2})
    assert (twice.status_code, list(twice.json()["errors"])) == (422, ["looks"])


def test_a_place_that_would_tell_a_home_is_coarser_and_old_news_is_no_news(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma)
    saw, other = joins(city, group, asma), joins(city, group, asma)
    home, lamp = reports(city, saw, "assault"), reports(city, saw, "road_accident")
    assert home["place"] != lamp["place"]
    seen = ok(call(city, other, "GET", f"/watch/reports/{home['id']}"))
    assert seen["cell"] != lamp["cell"] or seen["place"] != lamp["place"]

    def near() -> set[str]:
        rows = ok(call(city, other, "GET", f"/watch/reports?near={PLACE[0]},{PLACE[1]}&hours=72"))["items"]
        return {each["id"] for each in rows}

    assert near() == {home["id"], lamp["id"]}
    city.skip(7 * 3600)
    assert near() == {home["id"]}, "an accident of seven hours ago is over"


def test_in_which_group_it_lies_is_for_its_members(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma, area=square(60.0))
    saw, other = joins(city, group, asma), joins(city, group, asma)
    outside, operator = signed_in(city.now()), staff(city.now(), "operator")
    made = reports(city, saw, "harassment")
    within = (saw, other, operator)
    one, listed = f"/watch/reports/{made['id']}", f"/watch/reports?group={group['id']}"
    assert ok(call(city, outside, "GET", one))["groups"] == [], "120 m of a street, where others see a few streets"
    assert call(city, outside, "GET", listed).status_code == 404
    assert all(group["id"] in ok(call(city, who, "GET", one))["groups"] for who in within)
    assert all([each["id"] for each in ok(call(city, who, "GET", listed))["items"]] == [made["id"]] for who in within)


def test_a_group_that_reads_first_and_an_appeal_that_somebody_else_hears(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma, moderation="pre")
    tell = with_phone(city, asma)
    saw, other = joins(city, group, asma), joins(city, group, asma)
    made = reports(city, saw, "suspicious", note="Somebody tries the doors of parked cars.")
    path = f"/watch/reports/{made['id']}"
    assert made["status"] == "submitted"
    assert "watch.moderation" in pushed(city, tell)
    assert call(city, other, "GET", path).status_code == 404
    ok(call(city, asma, "POST", f"{path}/decision", {"status": "published", "reason": "Says what."}))
    assert ok(call(city, other, "GET", path))["status"] == "published"
    ok(call(city, saw, "PATCH", path, {"note": "Somebody tries the doors of parked cars again."}))
    assert call(city, other, "GET", path).status_code == 404, "what is written anew is read anew"
    ok(call(city, asma, "POST", f"{path}/decision", {"status": "removed", "reason": "Gossip."}))
    mine = call(city, asma, "POST", f"{path}/appeal", {"reason": "It is not gossip."})
    assert mine.status_code == 404
    why = {"reason": "I saw it with my own eyes."}
    assert ok(call(city, saw, "POST", f"{path}/appeal", why))["appeal"]["reason"] == why["reason"]
    ok(call(city, saw, "POST", f"{path}/appeal", why))
    twice = call(city, saw, "POST", f"{path}/appeal", {"reason": "And again I say so."})
    assert (twice.status_code, twice.json()["code"]) == (409, "report_over")
    operator = staff(city.now(), "operator")
    (asked,) = [
        each
        for each in ok(call(city, operator, "GET", "/reviews?city=lahore"))["items"]
        if each["subject"] == made["id"] and each["kind"] == "report_appeal"
    ]
    ok(
        call(
            city, operator, "POST", f"/reviews/{asked['id']}/answer", {"answer": "yes", "reason": "It is what is done."}
        )
    )
    heard = ok(call(city, saw, "GET", path))
    assert (heard["status"], heard["appeal"]["upheld"]) == ("published", False)
    assert ok(call(city, other, "GET", path))["status"] == "published"


def test_nobody_hears_an_appeal_against_themselves(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma)
    saw = joins(city, group, asma)
    operator, another = staff(city.now(), "operator"), staff(city.now(), "operator")
    made = reports(city, saw, "noise")
    path = f"/watch/reports/{made['id']}"
    ok(call(city, operator, "POST", f"{path}/decision", {"status": "removed", "reason": "Nothing there."}))
    ok(call(city, saw, "POST", f"{path}/appeal", {"reason": "There is noise."}))
    (asked,) = city.store.reviews.find({"subject": made["id"], "kind": "report_appeal"})
    answer = {"answer": "no", "reason": "I said so before."}
    own = call(city, operator, "POST", f"/reviews/{asked['_id']}/answer", answer)
    assert (own.status_code, own.json()["code"]) == (403, "own_question")
    ok(call(city, another, "POST", f"/reviews/{asked['_id']}/answer", answer))
    heard = ok(call(city, saw, "GET", path))
    assert (heard["status"], heard["appeal"]["upheld"]) == ("removed", True)


def test_who_wrote_what_is_held_does_not_let_it_through(small_city: SmallCity, asma: Signed) -> None:
    city = small_city
    a_group(city, asma)
    operator, another = staff(city.now(), "operator"), staff(city.now(), "operator")
    made = reports(city, operator, "noise", note="LEB 1234 hoots all night.")
    below = reports(city, asma, "noise")
    said = ok(call(city, operator, "POST", f"/watch/reports/{below['id']}/comments", {"text": "It is LEB 1234."}))
    yes = {"answer": "yes", "reason": "It is harmless."}

    def asked(subject: str) -> str:
        (found,) = city.store.reviews.find({"subject": subject, "kind": "moderation", "status": "open"})
        return f"/reviews/{found['_id']}/answer"

    for subject, rows in ((made["id"], city.store.watch_reports), (said["id"], city.store.watch_comments)):
        first = asked(subject)
        ok(call(city, operator, "POST", first, yes))
        assert rows.find_one({"_id": subject})["status"] == "held"
        assert asked(subject) != first, "somebody else is asked"
        own = call(city, operator, "POST", asked(subject), yes)
        assert (own.status_code, own.json()["code"]) == (403, "own_question")
        ok(call(city, another, "POST", asked(subject), yes))
        assert rows.find_one({"_id": subject})["status"] == "published"


def test_muted_and_kept_out_for_a_time_with_an_appeal(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma)
    path = f"/watch/groups/{group['id']}"
    loud, other = joins(city, group, asma, name="Loud"), joins(city, group, asma)
    settled_in(city, asma, loud, other)
    theirs = with_phone(city, loud)
    made = reports(city, other)
    wanted = {"person": loud.person_id, "kind": "mute", "hours": 24, "reason": "Insults in every report."}
    assert call(city, other, "POST", f"{path}/sanctions", wanted).status_code == 403
    key = str(uuid.uuid4())
    mute = call(city, asma, "POST", f"{path}/sanctions", wanted, key=key)
    assert (mute.status_code, call(city, asma, "POST", f"{path}/sanctions", wanted, key=key).status_code) == (201, 200)
    assert "watch.moderation" in pushed(city, theirs)
    voice = call(
        city, loud, "POST", f"/watch/reports/{made['id']}/confirmations", {"stand": "deny", "position": here()}
    )
    assert (voice.status_code, voice.json()["code"]) == (403, "muted")
    taken = reports(city, loud, "fire")
    assert (taken["status"], taken["reasons"]) == ("held", ["sanctioned"]), "it is not lost: a human reads it first"
    (mine,) = ok(call(city, loud, "GET", "/watch/sanctions"))["items"]
    assert (mine["reason"], "by" in mine, mine["in_force"]) == (wanted["reason"], False, True)
    city.skip(24 * 3600 + 60)
    assert reports(city, loud, "fire")["status"] == "published"

    suspended = {**wanted, "kind": "suspension", "hours": 48}
    sanction = ok(call(city, asma, "POST", f"{path}/sanctions", suspended))
    assert ok(call(city, loud, "GET", path))["standing"] == "suspended"
    gone = ok(call(city, loud, "GET", "/sync"))["tombstones"]
    assert group["id"] in [each["id"] for each in gone]
    call(city, loud, "DELETE", f"{path}/members/me")
    back = call(city, loud, "POST", f"{path}/members", {"rules_version": 1})
    assert (back.status_code, back.json()["code"]) == (403, "suspended")
    appeal = f"/watch/sanctions/{sanction['id']}/appeal"
    assert call(city, other, "POST", appeal, {"reason": "Let them in."}).status_code == 404
    ok(call(city, loud, "POST", appeal, {"reason": "It was my brother."}))
    operator = staff(city.now(), "operator")
    (asked,) = city.store.reviews.find({"subject": sanction["id"]})
    yes = {"answer": "yes", "reason": "It was the brother."}
    ok(call(city, operator, "POST", f"/reviews/{asked['_id']}/answer", yes))
    assert ok(call(city, loud, "GET", path))["standing"] == "member"
    rows = {each["id"]: each for each in ok(call(city, loud, "GET", "/watch/sanctions"))["items"]}
    assert (rows[sanction["id"]]["in_force"], rows[sanction["id"]]["appeal"]["upheld"]) == (False, False)

    again = ok(call(city, asma, "POST", f"{path}/sanctions", {**suspended, "hours": 1}))
    city.skip(3700)
    assert ok(call(city, loud, "GET", path))["standing"] == "member", "it ends by itself"
    assert again["id"] != sanction["id"]
    lead = {**wanted, "person": asma.person_id}
    assert call(city, asma, "POST", f"{path}/sanctions", lead).status_code == 409
    actions = {row["action"] for row in city.store.audit.find({})}
    assert {"sanction.mute", "sanction.suspension", "sanction.appealed", "review.approved"} <= actions


def test_a_phone_gets_what_is_kept_of_it_in_pages_that_it_can_read(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma)
    loud, other = joins(city, group, asma, name="ع" * 80), joins(city, group, asma)
    path = f"/watch/groups/{group['id']}"
    appealed = {"reason": "ع" * 500, "at": city.now(), "upheld": True, "answer": "ع" * 500, "answered_at": city.now()}
    made = []
    for hours in (1, 2, 3):
        body = {"person": loud.person_id, "kind": "mute", "hours": hours, "reason": "ع" * 300}
        made.append(ok(call(city, asma, "POST", f"{path}/sanctions", body))["id"])
    city.store.watch_sanctions.update_many({"person": loud.person_id}, {"$set": {"appeal": appealed}})
    for who, where in ((loud, "/watch/sanctions"), (asma, f"{path}/sanctions")):
        first = ok(call(city, who, "GET", where))  # `call` looks that it has 8 KiB at most
        second = ok(call(city, who, "GET", f"{where}?cursor={first['next']}"))
        assert [each["id"] for each in (*first["items"], *second["items"])] == made[::-1]
    for each in city.store.watch_members.find({"group": group["id"], "person": loud.person_id}):
        city.store.watch_members.insert_many({**each, "_id": f"mbr_{number:02}"} for number in range(40))
    page = ok(call(city, asma, "GET", f"{path}/members?limit=100"))
    assert page["next"]
    city.store.watch_members.delete_many({"_id": {"$regex": "^mbr_[0-9]{2}$"}})
    seen, flagged = reports(city, asma), reports(city, asma, "noise")
    says(city, other, seen)
    assert call(city, other, "POST", f"/watch/reports/{flagged['id']}/flags", {"why": "false"}).status_code == 204
    words = ok(call(city, other, "GET", "/me/export"))["records"]["voices"]
    assert [(each["report"], each.get("stand"), each.get("flag")) for each in words] == [
        (seen["id"], "confirm", None),
        (flagged["id"], None, "false"),
    ]
    city.store.watch_sanctions.update_many({"person": loud.person_id}, {"$unset": {"appeal": ""}})
    mine = ok(call(city, loud, "GET", "/me/export"))["records"]["sanctions"]
    assert (len(mine), any("by" in each for each in mine)) == (3, False)


def test_pictures_come_in_parts_and_neighbours_see_them_with_faces_blurred(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma)
    saw, other = joins(city, group, asma), joins(city, group, asma)
    made = reports(city, saw, "open_manhole")
    media_path = f"{city.url}/v1/watch/reports/{made['id']}/media"
    path = f"{city.url}/v1/watch/reports/{made['id']}/uploads"
    out = io.BytesIO()
    Image.effect_noise((320, 240), 40).convert("RGB").save(out, "JPEG")
    data = out.getvalue()

    def of(who: Signed, **more: str) -> dict[str, str]:
        token = sign_in.tokens_for(SECRET, who.person_id, who.session_id, Lifetimes(), now=city.now()).access_token
        return {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0", **more}

    bytes_ = "application/offset+octet-stream"
    announce = {"Upload-Length": str(len(data)), "Idempotency-Key": str(uuid.uuid4())}
    assert requests.post(path, headers=of(other, **announce), timeout=10).status_code == 404
    begun = requests.post(path, headers=of(saw, **announce), timeout=10)
    assert begun.status_code == 201
    assert requests.post(path, headers=of(saw, **announce), timeout=10).headers["Location"] == begun.headers["Location"]
    file, half = f"{path}/{begun.headers['Location'].rpartition('/')[2]}", len(data) // 2
    for at, part in ((0, data[:half]), (half, data[half:])):
        sent = of(saw, **{"Content-Type": bytes_, "Upload-Offset": str(at)})
        assert requests.patch(file, data=part, headers=sent, timeout=10).status_code == 204
    city.settle()
    (kept,) = ok(call(city, saw, "GET", f"/watch/reports/{made['id']}"))["media"]
    assert (kept["type"], kept["ready"]) == ("image/jpeg", True)
    shown = f"{media_path}/{kept['id']}"
    assert requests.get(shown, headers=of(asma), timeout=10).status_code == 200
    assert city.store.audit.count_documents({"action": "report.media_read", "actor": asma.person_id}) == 1
    early = requests.get(shown, headers=of(other), timeout=10)
    assert (early.status_code, early.json()["code"]) == (503, "media_not_ready")
    report_pictures.blur_with(city.context, made["id"])
    report_pictures.blur_with(city.context, made["id"])
    seen = requests.get(shown, headers=of(other), timeout=10)
    assert seen.status_code == 200
    assert seen.content != requests.get(shown, headers=of(saw), timeout=10).content
    assert ok(call(city, other, "GET", f"/watch/reports/{made['id']}"))["media"][0]["ready"]

    text = of(saw, **{"Upload-Length": "5", "Content-Type": bytes_})
    no = requests.post(path, data=b"hello", headers=text, timeout=10)
    assert (no.status_code, no.json()["code"]) == (422, "media_invalid")
    wrong = base64.b64encode(b"0" * 64).decode()
    lied = of(saw, **{"Upload-Length": str(len(data)), "Content-Type": bytes_, "Upload-Metadata": f"sha256 {wrong}"})
    assert requests.post(path, data=data, headers=lied, timeout=10).status_code == 460
    names = [row["sha256"] for row in city.store.watch_reports.find_one({"_id": made["id"]})["media"]]
    media = Media(city.settings.media_url)
    with pytest.raises(FileNotFoundError):  # what was refused lies nowhere
        media.get(Media.name_of(b"hello"))
    assert media.get(names[0]) == data
    ok(call(city, other, "POST", f"/watch/reports/{made['id']}/comments", {"text": "I saw it too."}))
    assert city.store.watch_comments.count_documents({"report": made["id"]}) == 1
    assert personal.expire("lahore", city.now(), keep=(), drop=media.delete, now=city.now(), limit=10) >= 1
    assert call(city, saw, "GET", f"/watch/reports/{made['id']}").status_code == 404
    assert city.store.watch_comments.count_documents({"report": made["id"]}) == 0
    (cluster,) = city.store.watch_clusters.find({"first": made["id"]})
    assert cluster["position"] == cluster["public"]
    with pytest.raises(FileNotFoundError):
        media.get(names[0])


def test_members_hear_of_the_end_and_their_phones_learn_it(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma)
    path = f"/watch/groups/{group['id']}"
    bilal = joins(city, group, asma)
    phone_of = with_phone(city, bilal)
    cursor = ok(call(city, bilal, "GET", "/sync"))["cursor"]
    city.skip(60)
    ok(call(city, asma, "POST", f"{path}/close"))
    assert pushed(city, phone_of) == ["watch.group"]
    gone = ok(call(city, bilal, "GET", f"/sync?cursor={cursor}"))["tombstones"]
    assert [each["id"] for each in gone if each["kind"] == "watch_group"] == [group["id"]]
    assert ok(call(city, bilal, "GET", "/watch/groups"))["items"] == []
    city.skip(91 * 86_400)
    assert watch.membership(group["id"], bilal.person_id) is None
