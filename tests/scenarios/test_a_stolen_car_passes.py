"""A stolen car passes a camera near an SOS: somebody looks at the plate before anybody is sent. Of every other car only a
keyed hash stays, and not for long.
"""

import base64
import io
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests
from PIL import Image

from domain import geo
from domain.cameras import registry
from domain.cities import queries as cities
from domain.cities.config import Kept
from domain.dispatch import queries as dispatch
from domain.incidents import service as incidents
from domain.people import sign_in
from domain.people.sign_in import Lifetimes
from tests.factories.people import SECRET, Signed, signed_in, staff
from tests.fakes.small_city import PLACE, SmallCity
from workers import retention

Body = dict[str, Any]
STOLEN = "LEA-19 4052"


def call(city: SmallCity, who: Signed, method: str, path: str, body: Body | None = None) -> requests.Response:
    token = sign_in.tokens_for(SECRET, who.person_id, who.session_id, Lifetimes(), now=city.now()).access_token
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
    sent = (body or {}) if method != "GET" else None
    answer = requests.request(method, f"{city.url}/v1{path}", json=sent, headers=headers, timeout=10)
    assert answer.status_code < 500, answer.text
    city.settle()
    return answer


def ok(answer: requests.Response) -> Body:
    assert answer.status_code < 300, answer.text
    found: Body = answer.json()
    return found


@pytest.fixture
def operator(small_city: SmallCity) -> Signed:
    return staff(small_city.now(), "operator")


@pytest.fixture
def inspector(small_city: SmallCity) -> Signed:
    return staff(small_city.now(), "supervisor", agency_id="punjab_police")


@pytest.fixture
def gate(small_city: SmallCity) -> tuple[str, str]:
    """A camera whose own gateway reads plates: (its id, the gateway's key)."""
    lat, lon = geo.destination(*PLACE, 0.0, 60.0)
    facts = {
        "name": "Gate", "position": {"lat": lat, "lon": lon}, "bearing_deg": 180.0, "fov_deg": 70.0, "range_m": 150.0,
        "source": {"kind": "gateway"},
    }  # fmt: skip
    camera_id = f"cam_{uuid.uuid4().hex[:16]}"
    registry.add(camera_id, facts, cities.current("lahore"), secret=SECRET, now=small_city.now())
    return camera_id, registry.issue_key(camera_id, secret=SECRET, now=small_city.now())


def listed(city: SmallCity, inspector: Signed, plate: str = STOLEN, **more: Any) -> Body:
    body = {
        "plate": plate, "why": "stolen_vehicle", "legal_basis": "FIR 812/26 Gulberg", "description": "white Corolla",
        "expires_at": (city.now() + timedelta(days=30)).isoformat(), **more,
    }  # fmt: skip
    return ok(call(city, inspector, "POST", "/watchlist", body))


def picture() -> str:
    out = io.BytesIO()
    Image.new("RGB", (120, 40), "white").save(out, "JPEG")
    return base64.b64encode(out.getvalue()).decode()


def passes(city: SmallCity, gate: tuple[str, str], plate: str, **seen: Any) -> Body:
    """The gateway says that a car passed; what it sees beside it in `seen`."""
    return ok(post(city, gate, plate, str(uuid.uuid4()), **seen))


def post(city: SmallCity, gate: tuple[str, str], plate: str, key: str, **seen: Any) -> requests.Response:
    body = {
        "captured_at": city.now().isoformat(), "seconds": 5, "view": "clear",
        "plates": [{"text": plate, "score": 0.9, "bbox": [0.4, 0.6, 0.1, 0.05], "crop": picture()}], **seen,
    }  # fmt: skip
    answer = requests.post(
        f"{city.url}/v1/cameras/{gate[0]}/observations", json=body, timeout=10,
        headers={"Gateway-Key": gate[1], "Idempotency-Key": key},
    )  # fmt: skip
    city.settle()
    return answer


def asked(city: SmallCity, operator: Signed, kind: str = "plate_hit") -> list[Body]:
    return [each for each in ok(call(city, operator, "GET", "/reviews"))["items"] if each["kind"] == kind]


def say(city: SmallCity, who: Signed, review: Body, answer: str) -> requests.Response:
    return call(city, who, "POST", f"/reviews/{review['id']}/answer", {"answer": answer})


def audited(city: SmallCity, action: str) -> list[Body]:
    return list(city.store.audit.find({"action": action}))


def offers(sos: str) -> set[str]:
    return {each["unit"] for each in (incidents.get(sos).get("assignments") or {}).values()}


def chases(city: SmallCity) -> list[Body]:
    return [each for each in city.open_incidents() if each.get("channel") == "watchlist"]


def test_a_yes_sends_the_nearest_unit_and_shows_on_the_sos(
    small_city: SmallCity, inspector: Signed, operator: Signed, gate: tuple[str, str]
) -> None:
    city = small_city
    police = city.responder()
    entry = listed(city, inspector)
    sos = str(city.sos(category="robbery")["id"])
    city.settle()
    passes(city, gate, "LEAI9 4O52")  # as cameras read: I for 1, O for 0
    (question,) = asked(city, operator)
    assert question["question"]["en"].startswith("Is the plate")
    hit = ok(call(city, operator, "GET", f"/hits/{question['about']['hit']}"))
    assert (hit["read"], hit["listed"], hit["score"], hit["status"]) == ("LEAI94O52", STOLEN, 1.0, "asked")
    crop = call(city, operator, "GET", question["about"]["pictures"][0].removeprefix("/v1"))
    assert crop.headers["Content-Type"] == "image/jpeg"
    assert crop.content[:2] == b"\xff\xd8"
    assert not chases(city), "nobody is sent before somebody has looked"

    assert ok(say(city, operator, question, "yes"))["status"] == "approved"
    (chase,) = chases(city)
    unit = dispatch.unit_of(police.person_id) or {}
    assert unit["_id"] in offers(chase["_id"]), "the unit near by is asked"
    assert (chase["category"], chase["about"]) == ("listed_vehicle", {"hit": hit["id"]})
    assert STOLEN in chase["citizen"]["note"], "who is to stop it must know its plate"
    linked = {each["other"]["id"]: each["reasons"] for each in incidents.get(sos)["correlations"]}
    assert chase["_id"] in linked
    (seen,) = [reasons for other, reasons in linked.items() if other == hit["observation"]]
    assert {"finding": "listed_vehicle", "human": "yes"}.items() <= next(
        each for each in seen if each["kind"] == "seen"
    ).items()
    assert incidents.get(sos)["cameras"][gate[0]]["checked"] == {"listed_vehicle": "yes"}

    # It passes again: somebody looks again, and the same chase goes on.
    city.skip(400)
    passes(city, gate, "LEA194052")
    (again,) = asked(city, operator)
    ok(say(city, operator, again, "yes"))
    (chase,) = chases(city)
    assert [each["kind"] for each in chase["timeline"]].count("plate_seen") == 2
    # Whatever was read of the list, of hits and of crops is on the chain, and no plate is.
    for action in ("watchlist.put_on", "hit.read", "crop.read", "review.approved"):
        assert audited(city, action), action
    assert "4052" not in str(list(city.store.audit.find({}))).replace(entry["id"], "")


def test_a_role_in_another_city_opens_no_list_here(
    small_city: SmallCity, inspector: Signed, operator: Signed, gate: tuple[str, str]
) -> None:
    city = small_city
    listed(city, inspector, "LED 5518")
    passes(city, gate, "LED5518")
    held = {"role": "supervisor", "city": "lahore", "agency_id": "rescue_1122", "group_id": ""}
    both = [held, {"role": "operator", "city": "karachi", "agency_id": "", "group_id": ""}]
    other = signed_in(city.now(), roles=both, second_factor_given=True, city="lahore")
    for path in ("/watchlist?city=lahore", "/hits?city=lahore"):
        assert ok(call(city, other, "GET", path))["items"] == []
        assert ok(call(city, inspector, "GET", path))["items"]
    for each in asked(city, operator):
        ok(say(city, operator, each, "no"))


@pytest.mark.parametrize("answer", ["no", "cannot_tell", ""])
def test_without_a_yes_nobody_is_sent_and_that_is_kept(
    small_city: SmallCity, inspector: Signed, operator: Signed, gate: tuple[str, str], answer: str
) -> None:
    city = small_city
    city.responder()
    plate = f"RIZ {3100 + len(answer)}"
    listed(city, inspector, plate)
    passes(city, gate, plate)
    question = next(each for each in asked(city, operator) if each["about"]["camera"] == gate[0])
    if answer:
        ok(say(city, operator, question, answer))
    else:
        city.skip(11 * 60)
        late = say(city, operator, question, "yes")
        assert (late.status_code, late.json()["code"]) == (409, "review_over")
    city.settle()
    assert not chases(city)
    hit = city.store.hits.find_one({"_id": question["about"]["hit"]})
    assert hit["status"] == {"no": "refused", "cannot_tell": "cannot_tell", "": "unanswered"}[answer]
    heard = [each["recipient"]["id"] for each in city.store.deliveries.find({"subject": hit["_id"]})]
    assert heard == ([] if answer else [inspector.person_id]), "whoever looks for it hears that nobody answered"


def test_two_operators_at_once_are_one_answer(
    small_city: SmallCity, inspector: Signed, operator: Signed, gate: tuple[str, str]
) -> None:
    city = small_city
    listed(city, inspector, "BFK 219")
    passes(city, gate, "BFK219")
    (question,) = [each for each in asked(city, operator) if each["about"]["camera"] == gate[0]]
    others = [operator, staff(city.now(), "operator")]
    with ThreadPoolExecutor(2) as pool:
        said = list(
            pool.map(lambda each: say(city, each[0], question, each[1]), zip(others, ("yes", "no"), strict=True))
        )
    assert sorted(each.status_code for each in said) == [200, 409]
    review = city.store.reviews.find_one({"_id": question["id"]})
    assert len(review["answers"]) == 1
    assert len(chases(city)) == (review["status"] == "approved")


def test_of_a_plate_on_no_list_a_keyed_hash_stays_that_can_be_asked_for_and_ends(
    small_city: SmallCity, inspector: Signed, operator: Signed, gate: tuple[str, str]
) -> None:
    city = small_city
    made = passes(city, gate, "MNE 6762")
    assert not asked(city, operator)
    (kept,) = city.store.plate_sightings.find({"camera": gate[0]})
    assert len(kept["exact"]) == len(kept["alike"]) == 64
    everything = str([list(city.store[name].find({})) for name in city.store.list_collection_names()])
    # Its digits alone stand in a keyed hash now and then, by chance.
    assert not re.search(r"mne\W*67", everything, re.IGNORECASE), "the plate itself is nowhere"
    assert not city.store.observations.find_one({"_id": made["id"]})["stills"]

    ask = {
        "plate": "mne-67G2", "near": {"lat": PLACE[0], "lon": PLACE[1]}, "radius_m": 500,
        "since": (city.now() - timedelta(days=1)).isoformat(), "until": city.now().isoformat(),
        "reason": "Seen at a hit and run in the evening.", "legal_basis": "FIR 90/26",
    }  # fmt: skip
    (found,) = ok(call(city, inspector, "POST", "/plates/search", ask))["items"]
    assert (found["camera"], found["exact"]) == (gate[0], False), "G for 6: what looks alike, and says so"
    assert ok(call(city, inspector, "POST", "/plates/search", {**ask, "plate": "MNE 6763"}))["items"] == []
    assert call(city, operator, "POST", "/plates/search", ask).status_code == 403
    rescue = staff(city.now(), "supervisor", agency_id="rescue_1122")
    assert call(city, rescue, "POST", "/plates/search", ask).status_code == 403, "who drove where is for the police"
    assert call(city, inspector, "POST", "/plates/search", {**ask, "plate": "?!?"}).json()["code"] == "no_plate"
    assert len(audited(city, "plate.searched")) == 2
    assert "FIR 90/26" in audited(city, "plate.searched")[0]["reason"]

    city.ahead += timedelta(days=cities.current("lahore").retention_days[Kept.PLATES] + 1)
    retention.of_city(cities.current("lahore"), city.context)
    assert city.store.plate_sightings.find_one({"camera": gate[0]}) is None
    day = f"plates:lahore:{kept['at']:%Y-%m-%d}"
    assert "wrapped" not in city.store.vault_keys.find_one({"_id": day}), "no copy of the hash says anything any more"


def test_a_gateways_key_is_of_one_body_and_its_retry_brings_what_was_cut_off(
    small_city: SmallCity, inspector: Signed, operator: Signed, gate: tuple[str, str]
) -> None:
    city, key, at = small_city, str(uuid.uuid4()), small_city.now().isoformat()
    listed(city, inspector, "LEC 7341")
    wrong = post(city, gate, "LXC 2288", key, plates=[{"text": "LXC 2288", "score": 0.9, "crop": "no base 64"}])
    assert wrong.status_code == 422
    assert not city.store.observations.find_one({"camera": gate[0]}), "nothing is kept of what is refused"
    first = ok(post(city, gate, "LXC 2288", key, captured_at=at))
    for other in ("LEC 7341", "BQZ 909"):  # one that is listed, one that is not
        again = post(city, gate, other, key, captured_at=at)
        assert (again.status_code, again.json()["code"]) == (409, "idempotency_conflict")
    assert not city.store.hits.find_one({"camera": gate[0]}), "what is refused leaves no hit"
    assert city.store.plate_sightings.count_documents({"camera": gate[0]}) == 1, "and no hash"
    # The API died after the observation, before its plates: the gateway had no answer, and sends it again.
    city.store.plate_sightings.delete_many({"camera": gate[0]})
    assert ok(post(city, gate, "LXC 2288", key, captured_at=at))["id"] == first["id"]
    assert city.store.plate_sightings.count_documents({"camera": gate[0]}) == 1
    # Whoever keeps the keys is away: nothing is kept of a plate on no list, and a listed one is asked about all the same.
    day = {"_id": f"plates:lahore:{at[:10]}"}
    master = city.store.vault_keys.find_one(day)["master"]
    city.store.vault_keys.update_one(day, {"$set": {"master": "elsewhere"}})
    both = [{"text": text, "score": 0.9} for text in ("BQZ 909", "LEC 7341")]
    passes(city, gate, "", plates=both, captured_at=at)
    city.store.vault_keys.update_one(day, {"$set": {"master": master}})
    assert city.store.plate_sightings.count_documents({"camera": gate[0]}) == 1
    (question,) = asked(city, operator)
    assert question["about"]["camera"] == gate[0]
    ok(say(city, operator, question, "no"))


def test_lying_is_for_a_human_to_say_and_the_answer_moves_the_link(
    small_city: SmallCity, operator: Signed, gate: tuple[str, str]
) -> None:
    city = small_city
    lies = {"view": "seen", "people": 1, "plates": [], "detector": "pose 2",
            "findings": [{"kind": "lying", "confidence": 0.6}, {"kind": "fall", "confidence": 0.5}]}  # fmt: skip
    scores = {}
    for answer in ("", "yes", "no", "cannot_tell"):
        city.skip(120)  # the gateway's last word is of another minute
        sos = str(city.sos(category="medical")["id"])
        city.settle()
        made = passes(city, gate, "", **lies)
        (question,) = [
            each for each in asked(city, operator, "clip_check") if each["about"]["observation"] == made["id"]
        ]
        assert (question["about"]["finding"], question["about"]["detector"]) == ("lying", "pose 2")
        if answer:
            ok(say(city, operator, question, answer))
            shown = incidents.get(sos)["cameras"][gate[0]]
            assert shown["checked"] == {"lying": answer}
        links = {each["other"]["id"]: each["score"] for each in incidents.get(sos)["correlations"]}
        scores[answer] = links[made["id"]]
    assert scores["no"] < scores["cannot_tell"] < scores[""] < scores["yes"]
    # And the detector is measured by it.
    told = call(city, operator, "GET", "/insights/detectors?city=lahore")
    (pose,) = [each for each in ok(told)["detectors"] if each["detector"] == "pose 2"]
    assert (pose["finding"], pose["yes"], pose["no"], pose["cannot_tell"]) == ("lying", 1, 1, 1)
    assert (pose["precision"], pose["bands"]) == (0.5, [{"confidence": 0.6, "yes": 1, "no": 1}])
    # What was erased meanwhile cannot be answered.
    made = passes(city, gate, "", **lies)
    (question,) = [each for each in asked(city, operator, "clip_check") if each["about"]["observation"] == made["id"]]
    city.store.observations.delete_one({"_id": made["id"]})
    gone = say(city, operator, question, "yes")
    assert (gone.status_code, gone.json()["code"]) == (410, "review_subject_gone")
    assert city.store.reviews.find_one({"_id": question["id"]})["status"] == "withdrawn"
