"""Neighbours see something: a group of a few streets, a report, others who confirm it, and somebody who comes."""

import io
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import requests
from PIL import Image

from domain import geo
from domain.cameras import observations
from domain.cities import queries as cities
from domain.people import queries as people
from domain.people import sign_in
from domain.people.sign_in import Lifetimes
from domain.reports import believing, personal
from domain.reports.categories import CATEGORIES
from domain.reports.states import Stand
from domain.watch import queries as watch
from runtime.media import Media
from tests.factories import cameras
from tests.factories.people import SECRET, Signed, signed_in, staff
from tests.fakes.small_city import PLACE, SmallCity
from tests.scenarios.street import Body, a_group, call, here, joins, ok, reports, says, settled_in, square


@pytest.fixture
def asma(small_city: SmallCity) -> Signed:
    return signed_in(small_city.now(), name="Asma", language="en")


def test_a_group_is_founded_joined_led_left_and_closed(small_city: SmallCity, asma: Signed) -> None:
    city = small_city
    key, body = str(uuid.uuid4()), {"name": "Block C", "area": square(), "rules": "Be kind."}
    made = call(city, asma, "POST", "/watch/groups", body, key=key)
    group = made.json()
    assert (made.status_code, group["standing"], group["role"], group["members"]) == (201, "member", "coordinator", 1)
    again = call(city, asma, "POST", "/watch/groups", body, key=key)
    assert (again.status_code, again.json()["id"]) == (200, group["id"])
    other = call(city, asma, "POST", "/watch/groups", {**body, "name": "Block D"}, key=key)
    assert other.json()["code"] == "idempotency_conflict"
    path = f"/watch/groups/{group['id']}"

    bilal = signed_in(city.now(), name="Bilal", language="en")
    around = ok(call(city, bilal, "GET", f"/watch/groups?lat={PLACE[0]}&lon={PLACE[1]}"))["items"]
    assert group["id"] in [each["id"] for each in around]
    unread = call(city, bilal, "POST", f"{path}/members", {"rules_version": 9})
    assert (unread.status_code, unread.json()["code"]) == (422, "rules_not_accepted")
    assert ok(call(city, bilal, "POST", f"{path}/members", {"rules_version": 1}))["standing"] == "requested"
    assert call(city, bilal, "GET", f"{path}/members").status_code == 403
    waiting = ok(call(city, asma, "GET", f"{path}/members?standing=requested"))["items"]
    assert [(each["person"], each["name"]) for each in waiting] == [(bilal.person_id, "Bilal")]
    ok(call(city, asma, "POST", f"{path}/members/{bilal.person_id}/admit"))
    chained = ok(call(city, asma, "GET", path))
    assert chained["members"] == 2

    ok(call(city, asma, "PUT", f"{path}/members/{bilal.person_id}/role", {"role": "deputy"}))
    ok(call(city, bilal, "PATCH", path, {"rules": "Be kind. Chase nobody."}))
    assert ok(call(city, asma, "GET", path))["rules_version"] == 2
    assert call(city, bilal, "POST", f"{path}/close").status_code == 404
    ok(call(city, asma, "PUT", f"{path}/members/{bilal.person_id}/role", {"role": "coordinator"}))
    assert call(city, asma, "PATCH", path, {"name": "Mine"}).status_code == 403
    stays = call(city, bilal, "DELETE", f"{path}/members/me")
    assert (stays.status_code, stays.json()["code"]) == (409, "leads_the_group")
    assert call(city, asma, "DELETE", f"{path}/members/me").status_code == 204
    assert watch.membership(group["id"], asma.person_id) is None, "nothing is kept of who left"
    ok(call(city, bilal, "POST", f"{path}/close"))
    left = watch.membership(group["id"], bilal.person_id) or {}
    assert left["standing"] == "closed", "of a membership nothing stays but that the group is gone"
    assert not {"role", "by", "level", "since", "rules_version"} & left.keys()
    assert people.get(bilal.person_id).roles == []
    assert call(city, asma, "GET", path).status_code == 404


def test_invited_from_a_list_and_taken_out_for_good(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma)
    path = f"/watch/groups/{group['id']}"
    dua = signed_in(city.now(), name="Dua")
    phones = {"phones": [dua.phone, "+923000000009", dua.phone]}
    assert ok(call(city, asma, "POST", f"{path}/invitations", phones))["invited"] == 2
    assert [each["standing"] for each in ok(call(city, dua, "GET", "/watch/groups"))["items"]] == ["invited"]
    assert ok(call(city, dua, "POST", f"{path}/members", {"rules_version": 1}))["standing"] == "member"
    assert call(city, asma, "DELETE", f"{path}/members/{dua.person_id}").status_code == 422
    assert call(city, asma, "DELETE", f"{path}/members/{dua.person_id}?reason=Threats").status_code == 204
    link = ok(call(city, asma, "POST", f"{path}/link"))["token"]
    call(city, dua, "DELETE", f"{path}/members/me")
    back = call(city, dua, "POST", f"{path}/members", {"rules_version": 1, "link": link})
    assert (back.status_code, back.json()["code"]) == (403, "removed_from_group")


@pytest.mark.parametrize(
    "area",
    [
        {"type": "Point", "coordinates": [74.3, 31.5]},
        {
            "type": "Polygon",
            "coordinates": [[[74.34, 31.5], [74.35, 31.51], [74.35, 31.5], [74.34, 31.51], [74.34, 31.5]]],
        },
        {"type": "Polygon", "coordinates": [[["a", 1]]]},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": [[[179.9, 31.5], [-179.9, 31.5], [-179.9, 31.6], [179.9, 31.5]]]},
        square(20.0, middle=(28.0, 68.0)),
        square(5.0),
        square(6000.0),
        {"type": "Polygon", "coordinates": [[[74.34 + 0.0000001 * n, 31.5] for n in range(10_000)]]},
    ],
    ids=[
        "a point",
        "crosses itself",
        "no numbers",
        "nothing",
        "antimeridian",
        "no city",
        "a room",
        "a district",
        "long",
    ],
)
def test_an_area_that_cannot_be_is_refused(small_city: SmallCity, asma: Signed, area: Body) -> None:
    body = {"name": "Block C", "area": area, "rules": "Be kind."}
    refused = call(small_city, asma, "POST", "/watch/groups", body)
    assert (refused.status_code, refused.json()["code"], list(refused.json()["errors"])) == (
        422,
        "group_invalid",
        ["area"],
    )


def test_an_alert_reaches_the_area_of_a_group(small_city: SmallCity, asma: Signed) -> None:
    city, group = small_city, a_group(small_city, asma)
    operator = staff(city.now(), "operator")
    texts = {each: {"event": "Gas", "headline": "Gas leak", "instruction": "Stay in."} for each in ("en", "ur")}
    body = {"category": "Safety", "severity": "Severe", "urgency": "Immediate", "certainty": "Likely",
            "texts": texts, "city": "lahore"}  # fmt: skip
    known = ok(call(city, operator, "POST", "/alerts", {**body, "area": {"groups": [group["id"]]}}))
    assert known["area"]["geometry"]["type"] == "Polygon"
    unknown = call(city, operator, "POST", "/alerts", {**body, "area": {"groups": ["grp_nobody"]}})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_group")


@pytest.fixture
def street(small_city: SmallCity, asma: Signed) -> tuple[Body, list[Signed]]:
    """A group and five neighbours in it, who are not new."""
    city = small_city
    city.store.watch_reports.delete_many({})
    city.store.watch_clusters.delete_many({})
    city.store.watch_groups.delete_many({})
    group = a_group(city, asma)
    neighbours = [joins(city, group, asma, name=f"Neighbour {number}") for number in range(5)]
    settled_in(city, asma, *neighbours)
    return group, neighbours


def test_neighbours_confirm_a_fire_and_somebody_comes(
    small_city: SmallCity, asma: Signed, street: tuple[Body, list[Signed]]
) -> None:
    city, (group, (saw, *others)) = small_city, street
    phone: Body = {"id": "dev_a", "token": f"push-{uuid.uuid4().hex}", "session_id": "ses_1", "seen_at": city.now()}
    city.store.people.update_one({"_id": asma.person_id}, {"$set": {"devices": {"dev_a": phone}}})
    fire = city.responder(service="fire")
    made = reports(city, saw)
    assert (made["status"], made["believed"], made["groups"], made["mine"]) == ("published", False, [group["id"]], True)
    assert made["score"] < 0.5
    seen = ok(call(city, others[0], "GET", f"/watch/reports/{made['id']}"))
    assert "position" not in seen
    assert (seen["place"]["lat"], seen["place"]["lon"]) == geo.fuzz(*PLACE)
    assert seen["author_name"] == "Neighbour 0"
    scores = [says(city, who, made)["score"] for who in others]
    assert scores == sorted(scores)
    assert scores[-1] >= 0.7
    believed = ok(call(city, saw, "GET", f"/watch/reports/{made['id']}"))
    assert (believed["believed"], believed["confirmed"], believed["voices"]) == (True, 4, 5)
    (incident,) = city.open_incidents()
    assert (incident["category"], incident["channel"], incident["about"]) == ("fire", "watch", {"report": made["id"]})
    assert not incident["citizen"].get("person"), "nobody rings whoever reported"
    assert ok(call(city, fire, "GET", "/responder/assignments"))["items"], "a fire engine is asked"
    pushes = [each["data"] for each in city.carriers.device(phone["token"])["pushes"]]
    assert [(each["type"], each["group_id"], each["alert_id"]) for each in pushes] == [
        ("watch.alert", group["id"], made["id"])
    ]
    operator = staff(city.now(), "operator")
    exact = ok(call(city, operator, "GET", f"/watch/reports/{made['id']}"))
    assert (exact["position"]["lat"], exact["incident_id"]) == (PLACE[0], incident["_id"])
    assert incident["_id"] in [each["id"] for each in exact["links"]], "linked, from the report's side"
    links = ok(call(city, operator, "GET", f"/incidents/{incident['_id']}"))["correlations"]
    assert made["id"] in [each["other"]["id"] for each in links], "and from the incident's"


def test_a_camera_looks_before_it_is_believed_and_never_where_the_table_says_no(
    small_city: SmallCity, street: tuple[Body, list[Signed]]
) -> None:
    city, (_, (saw, other, *_)) = small_city, street
    for name in ("cameras", "looks", "observations", "links"):
        city.store[name].delete_many({})
    there = cameras.camera("market", bearing=0.0, metres=60.0)
    made = reports(city, saw, "shooting")
    assert city.store.looks.count_documents({}) == 0, "one neighbour alone is not enough"
    before = says(city, other, made)
    (look,) = city.store.looks.find({"reports": made["id"]})
    found = observations.of_look(
        there, look, cameras.seen("seen", ("dispersal", 0.8)), [], at=city.now(), now=city.now()
    )
    city.enqueue("drain", "observations", found["_id"])
    city.settle()
    after = ok(call(city, other, "GET", f"/watch/reports/{made['id']}"))
    assert (before["parts"]["cameras"], after["parts"]["cameras"]) == (0.0, 0.4)
    assert after["score"] > before["score"]
    assert (after["believed"], city.open_incidents()) == (False, []), "cameras alone raise nothing"
    assert not {"cameras", "links", "position"} & after.keys(), "which camera is not for neighbours"
    operator = staff(city.now(), "operator")
    exact = ok(call(city, operator, "GET", f"/watch/reports/{made['id']}"))
    assert [(each["camera"], each["state"], each["findings"]) for each in exact["cameras"]] == [
        (there["_id"], "seen", ["dispersal"])
    ]
    reasons = {each["id"]: each["reasons"] for each in exact["links"]}
    assert {"dispersal", "distance", "time"} == set(reasons[found["_id"]]), (
        "linked, with reasons, from the report's side"
    )
    sight = ok(call(city, operator, "GET", f"/observations/{found['_id']}"))
    assert made["id"] in [each["other"]["id"] for each in sight["correlations"]], "and from the camera's"
    for category, asked in (("gas_leak", False), ("road_accident", True)):
        smell = reports(city, saw, category, metres=20.0)
        ok(call(city, operator, "POST", f"/watch/reports/{smell['id']}/incident"))
        (incident,) = [each for each in city.open_incidents() if each["about"]["report"] == smell["id"]]
        assert bool(incident.get("cameras")) is asked, category


def test_a_brigade_of_new_accounts_raises_nothing(small_city: SmallCity, street: tuple[Body, list[Signed]]) -> None:
    city, (_, (saw, *_others)) = small_city, street
    made = reports(city, saw, "explosion")
    for _ in range(12):
        after = says(city, signed_in(city.now()), made)
    assert after["confirmed"] == 12
    assert (after["believed"], after["voices"]) == (False, 1)
    assert after["parts"]["from_new_accounts"] <= 0.5
    assert city.open_incidents() == []


def test_somebody_who_is_there_denies_it(small_city: SmallCity, street: tuple[Body, list[Signed]]) -> None:
    city, (_, (saw, *others)) = small_city, street
    made = reports(city, saw)
    before = says(city, others[0], made)["score"]
    assert says(city, others[1], made, "deny")["score"] < before
    changed = says(city, others[1], made, "confirm")
    assert (changed["confirmed"], changed["denied"]) == (2, 0)
    mine = call(
        city, saw, "POST", f"/watch/reports/{made['id']}/confirmations", {"stand": "confirm", "position": here()}
    )
    assert (mine.status_code, mine.json()["code"]) == (409, "own_report")


def test_the_same_thing_is_offered_and_one_incident_comes_of_it(
    small_city: SmallCity, street: tuple[Body, list[Signed]]
) -> None:
    city, (_, (saw, *others)) = small_city, street
    first = reports(city, saw)
    second = reports(city, others[0], metres=80.0)
    assert [each["id"] for each in second["same_as"]] == [first["id"]]
    assert reports(city, others[1], "noise", metres=50.0)["same_as"] == []
    assert reports(city, others[1], metres=900.0)["same_as"] == []
    operator = staff(city.now(), "operator")
    for each in (first, second, first):
        ok(call(city, operator, "POST", f"/watch/reports/{each['id']}/incident"))
    assert len(city.open_incidents()) == 1


def test_the_coordinator_believes_it_and_a_street_light_calls_nobody(
    small_city: SmallCity, asma: Signed, street: tuple[Body, list[Signed]]
) -> None:
    city, (_, (saw, other, *_)) = small_city, street
    made, lamp = reports(city, saw, "robbery"), reports(city, saw, "street_light")
    assert call(city, other, "POST", f"/watch/reports/{made['id']}/incident").status_code == 403
    assert ok(call(city, asma, "POST", f"/watch/reports/{made['id']}/incident"))["believed"]
    assert [each["category"] for each in city.open_incidents()] == ["robbery"]
    refused = call(city, asma, "POST", f"/watch/reports/{lamp['id']}/incident")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_emergency")
    own = reports(city, asma, "robbery")
    refused = call(city, asma, "POST", f"/watch/reports/{own['id']}/incident")
    assert (refused.status_code, refused.json()["code"]) == (409, "own_report")


def test_a_number_plate_waits_for_a_human(
    small_city: SmallCity, asma: Signed, street: tuple[Body, list[Signed]]
) -> None:
    city, (_, (saw, other, *_)) = small_city, street
    operator = staff(city.now(), "operator")
    made = reports(city, saw, "suspicious", note="A white car, LEB ۱۲۳۴, drives up and down.")
    assert (made["status"], made["reasons"]) == ("held", ["plate_number"])
    assert call(city, other, "GET", f"/watch/reports/{made['id']}").status_code == 404
    (asked,) = [
        each
        for each in ok(call(city, operator, "GET", "/reviews?city=lahore"))["items"]
        if each["subject"] == made["id"]
    ]
    assert asked["kind"] == "moderation"
    ok(call(city, saw, "PATCH", f"/watch/reports/{made['id']}", {"note": "A white car drives up and down."}))
    ok(call(city, operator, "POST", f"/reviews/{asked['id']}/answer", {"approve": True, "reason": "Harmless."}))
    still = ok(call(city, saw, "GET", f"/watch/reports/{made['id']}"))
    assert still["status"] == "held", "what was answered is not what it says now"
    assert [each["note"] for each in still["history"]] == ["A white car, LEB ۱۲۳۴, drives up and down."]
    waiting = [each for each in ok(call(city, operator, "GET", "/reviews?city=lahore"))["items"]
               if each["subject"] == made["id"]]  # fmt: skip
    ok(call(city, operator, "POST", f"/reviews/{waiting[0]['id']}/answer", {"approve": True, "reason": "Harmless."}))
    read = ok(call(city, other, "GET", f"/watch/reports/{made['id']}"))
    assert (read["status"], read["edited_at"] > made["received_at"]) == ("published", True)
    assert "edited_at" not in made


def test_a_question_that_nobody_answers_is_asked_again(
    small_city: SmallCity, street: tuple[Body, list[Signed]]
) -> None:
    city, (_, (saw, *_)) = small_city, street
    made = reports(city, saw, "suspicious", note="LEB 1234 again.")

    def asked() -> list[str]:
        rows = city.store.reviews.find({"subject": made["id"], "kind": "moderation"}).sort("asked_at", 1)
        return [row["status"] for row in rows]

    assert asked() == ["open"]
    city.skip(2 * 86_400 + 60)
    city.skip(1)
    assert asked() == ["expired", "open"]
    assert ok(call(city, saw, "GET", f"/watch/reports/{made['id']}"))["status"] == "held"


def test_flags_hold_it_and_the_coordinator_decides_on_the_record(
    small_city: SmallCity, asma: Signed, street: tuple[Body, list[Signed]]
) -> None:
    city, (_, (saw, *others)) = small_city, street
    made = reports(city, saw, "suspicious", note="Those people do not belong here.")
    path = f"/watch/reports/{made['id']}"
    news = [signed_in(city.now()) for _ in range(4)]
    for who in [others[0], *others[:2], *news]:
        assert call(city, who, "POST", f"{path}/flags", {"why": "hate"}).status_code == 204
    assert ok(call(city, saw, "GET", path))["status"] == "published", (
        "twice by one person is one, and new accounts hold nothing"
    )
    call(city, others[2], "POST", f"{path}/flags", {"why": "hate"})
    assert ok(call(city, asma, "GET", path))["reasons"] == ["flagged"]
    decision = {"status": "removed", "reason": "It is about who, not what."}
    assert call(city, others[0], "POST", f"{path}/decision", decision).status_code == 403
    ok(call(city, asma, "POST", f"{path}/decision", decision))
    told = ok(call(city, saw, "GET", path))
    assert (told["status"], told["decision"]["reason"]) == ("removed", decision["reason"])
    assert [row["actor"] for row in city.store.audit.find({"action": "report.removed"})] == [asma.person_id]
    heard = ok(call(city, asma, "POST", f"{path}/decision", {"status": "published", "reason": "Heard the author."}))
    assert heard["status"] == "published"


def test_offline_edited_withdrawn_and_synced(small_city: SmallCity, street: tuple[Body, list[Signed]]) -> None:
    city, (group, (saw, other, *_)) = small_city, street
    cursor = ok(call(city, other, "GET", "/sync"))["cursor"]
    city.skip(60)
    key, seen_at = str(uuid.uuid4()), city.now() - timedelta(days=2)
    captured = seen_at.isoformat().replace("+00:00", "Z")
    body = {"category": "flood", "position": here(captured_at=captured), "anonymous": "all"}
    token = sign_in.tokens_for(SECRET, saw.person_id, saw.session_id, Lifetimes(), now=city.now()).access_token
    headers = {"Idempotency-Key": key, "Sent-At": city.now().isoformat().replace("+00:00", "Z")}
    headers["Authorization"] = f"Bearer {token}"
    twice = [requests.post(f"{city.url}/v1/watch/reports", json=body, headers=headers, timeout=10) for _ in range(2)]
    city.settle()
    assert [each.status_code for each in twice] == [201, 200]
    made = twice[0].json()
    assert made["offline"]
    assert abs((datetime.fromisoformat(made["at"]) - seen_at).total_seconds()) < 10
    changed = ok(call(city, other, "GET", f"/sync?cursor={cursor}"))
    assert [each["id"] for each in changed["items"] if each["kind"] == "watch_report"] == [made["id"]]
    assert "author_name" not in ok(call(city, other, "GET", f"/watch/reports/{made['id']}"))
    listed = ok(call(city, other, "GET", f"/watch/reports?near={PLACE[0]},{PLACE[1]}&hours=72"))["items"]
    assert [each["id"] for each in listed] == [made["id"]]
    assert made["id"] in [each["id"] for each in ok(call(city, saw, "GET", "/watch/reports?mine=true"))["items"]]
    by_group = call(city, other, "GET", f"/watch/reports?group={group['id']}&status=held")
    assert by_group.status_code == 404
    city.skip(60)
    assert call(city, other, "POST", f"/watch/reports/{made['id']}/withdraw").status_code == 404
    ok(call(city, saw, "POST", f"/watch/reports/{made['id']}/withdraw"))
    gone = ok(call(city, other, "GET", f"/sync?cursor={changed['cursor']}"))["tombstones"]
    assert made["id"] in [each["id"] for each in gone]


def test_pages_of_reports_go_on_where_they_ended(small_city: SmallCity, street: tuple[Body, list[Signed]]) -> None:
    city, (group, (saw, *_)) = small_city, street
    made = [reports(city, saw, "noise", metres=10.0 * number)["id"] for number in range(7)]
    made = sorted(made[:5]) + made[5:]
    one = {"at": city.now(), "created_at": city.now()}  # many who see one thing share a second
    city.store.watch_reports.update_many({"_id": {"$in": made[:5]}}, {"$set": one})
    later = {"at": city.now() + timedelta(seconds=1), "created_at": city.now() + timedelta(seconds=1)}
    city.store.watch_reports.update_one({"_id": made[5]}, {"$set": later})
    city.store.watch_reports.update_one(
        {"_id": made[6]}, {"$set": {name: at + timedelta(seconds=1) for name, at in later.items()}}
    )
    tile = geo.cells(*PLACE).r7
    for odd in ("zzz", "", geo.cells(*PLACE).r7.upper(), "8a3da11aa407fff"):
        refused = call(city, saw, "GET", f"/watch/reports?cell={odd}")
        assert refused.status_code in (200, 422) if not odd else refused.status_code == 422
    for where in (f"cell={tile}", f"group={group['id']}", "city=lahore", f"near={PLACE[0]},{PLACE[1]}", "mine=true"):
        found, cursor = [], ""
        while True:
            page = ok(call(city, saw, "GET", f"/watch/reports?{where}&limit=3{cursor}"))
            found += [each["id"] for each in page["items"]]
            if "next" not in page:
                break
            cursor = f"&cursor={page['next']}"
        assert found == made[::-1], where


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"category": "ufo"}, "category"),
        ({"position": {"lat": 51.5, "lon": 0.1}}, "position"),
        ({"position": {"lat": 91, "lon": 0}}, "position.lat"),
        ({"anonymous": "maybe"}, "anonymous"),
        ({"note": "x" * 601}, "note"),
    ],
)
def test_a_report_that_cannot_be_is_refused(small_city: SmallCity, asma: Signed, body: Body, field: str) -> None:
    refused = call(small_city, asma, "POST", "/watch/reports", {"category": "fire", "position": here(), **body})
    assert (refused.status_code, list(refused.json()["errors"])) == (422, [field])


def test_a_picture_is_for_those_who_must_see_it_and_knows_no_place(
    small_city: SmallCity, asma: Signed, street: tuple[Body, list[Signed]]
) -> None:
    city, (_, (saw, other, *_)) = small_city, street
    made = reports(city, saw, "open_manhole")
    path = f"{city.url}/v1/watch/reports/{made['id']}/photo"
    picture, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "taken at home"
    Image.new("RGB", (64, 48), "grey").save(picture, "JPEG", exif=exif)
    headers = {"Content-Type": "image/jpeg"}

    def of(who: Signed) -> dict[str, str]:
        token = sign_in.tokens_for(SECRET, who.person_id, who.session_id, Lifetimes(), now=city.now()).access_token
        return {**headers, "Authorization": f"Bearer {token}"}

    assert requests.put(path, data=picture.getvalue(), headers=of(other), timeout=10).status_code == 404
    assert requests.put(path, data=b"no picture", headers=of(saw), timeout=10).json()["code"] == "photo_invalid"
    assert requests.put(path, data=picture.getvalue(), headers=of(saw), timeout=10).json()["photo"]
    kept = requests.get(path, headers=of(asma), timeout=10)
    assert kept.status_code == 200
    assert b"taken at home" not in kept.content
    assert requests.get(path, headers=of(other), timeout=10).status_code == 404
    assert [row["actor"] for row in city.store.audit.find({"action": "report.photo_read"})] == [asma.person_id]
    personal.forget(saw.person_id, drop=Media(city.settings.media_url).delete, now=city.now())
    assert requests.get(path, headers=of(asma), timeout=10).status_code == 404


def test_many_speak_at_once_and_nobody_is_lost(small_city: SmallCity, street: tuple[Body, list[Signed]]) -> None:
    city, (_, (saw, *_)) = small_city, street
    crowd = [signed_in(city.now()) for _ in range(12)]
    settled_in(city, *crowd)
    made = reports(city, saw)
    with ThreadPoolExecutor(12) as pool:
        list(
            pool.map(
                lambda who: believing.speak(
                    made["id"], who.person_id, Stand.CONFIRM, session=who.session_id,
                    lat=PLACE[0], lon=PLACE[1], now=city.now(),
                ),
                crowd,
            )
        )  # fmt: skip
    city.enqueue("drain", "watch_reports", made["id"])
    city.enqueue("drain", "watch_reports", made["id"])
    city.settle()
    after = ok(call(city, saw, "GET", f"/watch/reports/{made['id']}"))
    assert (after["confirmed"], after["believed"]) == (12, True)
    assert len(city.open_incidents()) == 1


def test_every_incident_that_a_report_becomes_is_known_to_every_city() -> None:
    named = {each.incident for each in CATEGORIES.values() if each.incident}
    assert all(named <= cities.current(city).categories.keys() for city in cities.known())
