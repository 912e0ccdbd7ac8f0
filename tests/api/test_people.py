"""Oneself over HTTP: profile, PINs, phones, guardians, export, erasure."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from domain.people import codes, pins, queries, service
from domain.people.states import PinMatch
from tests.factories.people import SECRET, phone, signed_in


def said(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json(force=True).get("code", "")


@pytest.fixture
def sara(api: FlaskClient, clock: Any) -> Any:
    """A citizen whose code is long ago."""
    clock.forward(hours=2)
    return signed_in(clock(), name="Sara Khan", otp_at=clock.at.replace(year=2025))


def test_the_profile_is_changed_piece_by_piece(api: FlaskClient, sara: Any) -> None:
    first = api.get("/v1/me", headers=sara.headers)
    changes = {"name": " سارہ ", "language": "ur-PK", "gender": "female", "blood_group": "O+", "medical_note": "دمہ"}
    changed = api.patch("/v1/me", json=changes, headers=sara.headers).get_json()
    assert {**changes, "name": "سارہ", "language": "ur"}.items() <= changed.items()
    again = api.get("/v1/me", headers={**sara.headers, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert api.get("/v1/me", headers={**sara.headers, "If-None-Match": again.headers["ETag"]}).status_code == 304
    stored = queries.get(sara.person_id)
    assert "دمہ" not in stored.medical_note
    assert stored.blood_group != "O+"
    cleared = api.patch("/v1/me", json={"medical_note": ""}, headers=sara.headers).get_json()
    assert (cleared["medical_note"], cleared["blood_group"]) == ("", "O+")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x" * 81}, "name"),
        ({"name": 7}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"language": "\x00"}, "language"),
        ({"gender": "unknown"}, "gender"),
        ({"blood_group": "Z"}, "blood_group"),
        ({"city": "atlantis"}, "city"),
        ({"city": "la\nhore"}, "city"),
        ({"languages": ["ur"] * 11}, "languages"),
        ({"medical_note": "x" * 501}, "medical_note"),
    ],
)
def test_a_bad_profile_is_refused_by_field(api: FlaskClient, sara: Any, body: Any, field: str) -> None:
    refused = api.patch("/v1/me", json=body, headers=sara.headers)
    assert refused.status_code == 422
    assert field in refused.get_json()["errors"]


def put_pins(api: FlaskClient, who: Any, safe: str, duress: str, **more: Any) -> Any:
    return api.put("/v1/me/pins", json={"safe_pin": safe, "duress_pin": duress, **more}, headers=who.headers)


def pin(who: Any, entered: str) -> PinMatch:
    return service.check_pins(queries.get(who.person_id), entered, secret=SECRET)


def test_pins_need_a_fresh_code_or_the_old_pin(api: FlaskClient, sara: Any, clock: Any) -> None:
    assert said(put_pins(api, sara, "1234", "4321")) == (403, "proof_needed")
    assert said(put_pins(api, sara, "1234", "4321", old_pin="0000")) == (403, "wrong_pin")
    fresh = signed_in(clock(), phone=sara.phone, otp_at=clock())
    assert put_pins(api, fresh, "1234", "4321").status_code == 204
    assert (pin(sara, "1234"), pin(sara, "4321"), pin(sara, "9999")) == (PinMatch.SAFE, PinMatch.DURESS, PinMatch.WRONG)
    assert put_pins(api, sara, "5678", "8765", old_pin="1234").status_code == 204
    assert (pin(sara, "5678"), pin(sara, "1234")) == (PinMatch.SAFE, PinMatch.WRONG)


def test_a_code_sent_for_it_is_proof(api: FlaskClient, sara: Any) -> None:
    challenge = api.post("/v1/auth/otp", json={"phone": sara.phone}).get_json()["challenge_id"]
    code = codes.otp_code(SECRET, codes_document(challenge))
    assert put_pins(api, sara, "1234", "4321", otp={"challenge_id": challenge, "code": code}).status_code == 204
    other = api.post("/v1/auth/otp", json={"phone": phone()}).get_json()["challenge_id"]
    stolen = codes.otp_code(SECRET, codes_document(other))
    refused = put_pins(api, sara, "1111", "2222", otp={"challenge_id": other, "code": stolen})
    assert said(refused)[0] in (403, 422)
    refused = put_pins(api, sara, "5656", "6565", otp={"challenge_id": other, "code": stolen})
    assert said(refused) == (403, "proof_wrong")


def codes_document(challenge: str) -> Any:
    from domain.people.documents import ChallengeDoc

    return ChallengeDoc.objects(id=codes.challenge_id(challenge)).get()


def test_a_change_under_duress_looks_the_same_and_keeps_the_safe_pin(api: FlaskClient, clock: Any) -> None:
    """Two lives side by side: one gave the safe PIN, the other the duress PIN. Every later try answers alike."""
    answers, lives = [], []
    for given in ("1234", "4321"):
        who = signed_in(clock(), otp_at=clock())
        lives.append(who)
        put_pins(api, who, "1234", "4321")
        queries.collection().update_one({"_id": who.person_id}, {"$set": {f"sessions.{who.session_id}.otp_at": None}})
        before = api.get("/v1/sync", headers=who.headers).get_json()["cursor"]
        tries = [("5678", "8765", given), ("2468", "8642", "5678"), ("1357", "7531", "8642"), ("9753", "3579", "4321")]
        sent = [put_pins(api, who, safe, duress, old_pin=old) for safe, duress, old in tries]
        told = [(each.status_code, each.get_json(silent=True) and each.get_json()["code"]) for each in sent]
        pages = ("/v1/me", "/v1/me/export", "/v1/me/sessions", f"/v1/sync?cursor={before}")
        bodies = [len(api.get(page, headers=who.headers).get_data()) for page in pages]
        answers.append([*told, bodies, queries.get(who.person_id).version])
    assert answers[0] == answers[1]
    assert [each[0] for each in answers[0][:4]] == [204, 204, 204, 403]
    forced = lives[1]
    assert [pin(forced, each) for each in ("1234", "1357", "7531", "4321")] == [
        PinMatch.SAFE, PinMatch.DURESS, PinMatch.DURESS, PinMatch.WRONG,
    ]  # fmt: skip


def test_a_forced_change_costs_as_much_as_a_free_one(
    api: FlaskClient, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = []
    real = pins._hasher
    for given in ("1234", "4321"):
        who = signed_in(clock())
        pins.set_pins(queries.get(who.person_id), "1234", "4321", old_pin=None, proven=True, secret=SECRET, now=clock())
        counted: list[str] = []

        class Counting:
            def verify(self, stored: str, keyed: str) -> bool:
                counted.append("verify")  # noqa: B023
                return bool(real.verify(stored, keyed))

            def hash(self, keyed: str) -> str:
                counted.append("hash")  # noqa: B023
                return str(real.hash(keyed))

        monkeypatch.setattr(pins, "_hasher", Counting())
        assert put_pins(api, who, "5678", "8765", old_pin=given).status_code == 204
        monkeypatch.setattr(pins, "_hasher", real)
        costs.append(counted)
    assert costs == [["verify"] * 3 + ["hash"] * 2] * 2


def test_the_safe_pin_takes_the_decoy_away(api: FlaskClient, sara: Any, clock: Any) -> None:
    fresh = signed_in(clock(), phone=sara.phone, otp_at=clock())
    put_pins(api, fresh, "1234", "4321")
    put_pins(api, fresh, "5678", "8765", old_pin="4321")  # a fresh code beside it does not set it free
    assert pin(sara, "5678") is PinMatch.DURESS
    assert put_pins(api, sara, "1357", "7531", old_pin="1234").status_code == 204
    assert [pin(sara, each) for each in ("5678", "8765", "1234", "1357")] == [
        PinMatch.WRONG, PinMatch.WRONG, PinMatch.WRONG, PinMatch.SAFE,
    ]  # fmt: skip


def test_a_decoy_that_is_the_safe_pin_by_chance_calls_for_help(api: FlaskClient, sara: Any, clock: Any) -> None:
    fresh = signed_in(clock(), phone=sara.phone, otp_at=clock())
    put_pins(api, fresh, "1234", "4321")
    assert put_pins(api, sara, "1234", "8765", old_pin="4321").status_code == 204
    assert pin(sara, "1234") is PinMatch.DURESS


BAD_PINS = [("1234", "1234"), ("0000", "1234"), ("12", "1234"), ("12a4", "1234"), ("1234\n", "4321")]


@pytest.mark.parametrize(("safe", "duress"), BAD_PINS)
def test_pins_that_cannot_be(api: FlaskClient, sara: Any, clock: Any, safe: str, duress: str) -> None:
    fresh = signed_in(clock(), phone=sara.phone, otp_at=clock())
    assert put_pins(api, fresh, safe, duress).status_code == 422


def test_all_hashes_are_always_checked(sara: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str | None] = []
    real = pins._matches

    def counting(stored: str | None, keyed: str) -> bool:
        checked.append(stored)
        return real(stored, keyed)

    monkeypatch.setattr(pins, "_matches", counting)
    assert pin(sara, "1234") is PinMatch.WRONG
    assert len(checked) == 3


def test_old_pins_cannot_be_guessed(api: FlaskClient, sara: Any) -> None:
    answers = [said(put_pins(api, sara, "1234", "4321", old_pin=f"000{n}")) for n in range(6)]
    assert answers == [(403, "wrong_pin")] * 5 + [(429, "limit_reached")]


def test_a_push_address_belongs_to_one_person(api: FlaskClient, sara: Any, clock: Any) -> None:
    other = signed_in(clock())
    body = {"token": f"token-{sara.person_id}", "fid": "fid-1", "platform": "ios", "language": "en"}
    answer = api.put("/v1/me/devices/shared-phone", json=body, headers=sara.headers).get_json()
    assert (answer["pushed"], "token" in answer) == (True, False)
    api.put("/v1/me/devices/shared-phone", json=body, headers=other.headers)
    assert queries.get(sara.person_id).device_tokens == []
    assert queries.get(sara.person_id).devices["shared-phone"].token is None
    assert queries.get(other.person_id).devices["shared-phone"].token == body["token"]
    assert service.retire_address(body["token"], now=clock()) == 1
    assert queries.get(other.person_id).devices["shared-phone"].retired_at == clock()


def test_a_new_token_takes_the_place_of_the_old(api: FlaskClient, sara: Any) -> None:
    for token in ("token-a", "token-b"):
        api.put("/v1/me/devices/my-phone", json={"token": token}, headers=sara.headers)
    assert queries.get(sara.person_id).device_tokens == ["token-b"]


@pytest.mark.parametrize("device_id", ["a.b", "$set", "x", "a" * 65, "é" * 5])
def test_a_device_id_is_no_path_into_the_store(api: FlaskClient, sara: Any, device_id: str) -> None:
    assert api.put(f"/v1/me/devices/{device_id}", json={}, headers=sara.headers).status_code == 422


def name_guardian(api: FlaskClient, who: Any, number: str, name: str = "امی") -> Any:
    return api.post("/v1/me/guardians", json={"name": name, "phone": number}, headers=who.headers)


def test_a_guardian_is_asked_and_says_yes_then_no(api: FlaskClient, sara: Any, enqueued: Any) -> None:
    number = phone()
    added = name_guardian(api, sara, number)
    assert (added.status_code, added.get_json()["status"]) == (201, "invited")
    assert ("drain", ("people", sara.person_id)) in enqueued.jobs
    again = name_guardian(api, sara, number, name="somebody else")
    assert (again.status_code, again.get_json()["id"]) == (200, added.get_json()["id"])
    person = queries.get(sara.person_id)
    assert [event["type"] for event in person.pending_events] == ["guardian.invited"]
    assert [guardian.status for guardian in queries.guardians_of(person)] == ["invited"]

    token = codes.guardian_token(SECRET, sara.person_id, added.get_json()["id"], 0)
    shown = api.get(f"/t/guardian/{token}", headers={"Accept-Language": "en"}).text
    assert "Sara Khan" in shown
    assert 'dir="rtl"' in shown, "the guardian's language was not given, so Urdu"
    assert "Will you be a guardian?" in api.get(f"/t/guardian/{token}?lang=en").text
    assert queries.get(sara.person_id).guardians[added.get_json()["id"]].status == "invited", (
        "a preview answers nothing"
    )
    assert api.post(f"/t/guardian/{token}", data={"answer": "confirmed"}).status_code == 200
    assert queries.get(sara.person_id).guardians[added.get_json()["id"]].status == "confirmed"
    assert api.post(f"/t/guardian/{token}", data={"answer": "declined"}).status_code == 200
    assert queries.guardians_of(queries.get(sara.person_id)) == []
    assert said(name_guardian(api, sara, number)) == (409, "guardian_declined")
    api.post(f"/t/guardian/{token}", data={"answer": "confirmed"})
    assert len(queries.guardians_of(queries.get(sara.person_id))) == 1


def test_a_link_that_is_not_ours_opens_nothing(api: FlaskClient, sara: Any) -> None:
    added = name_guardian(api, sara, phone()).get_json()
    token = codes.guardian_token(SECRET, sara.person_id, added["id"], 0)
    assert api.post(f"/t/guardian/{token}", data={"answer": "invited"}).status_code == 422
    assert api.post(f"/t/guardian/{token}", data={}).status_code == 422
    assert api.get("/t/guardian/000000000000").status_code == 410
    assert api.get("/t/guardian/%00").status_code == 410
    assert api.delete(f"/v1/me/guardians/{added['id']}", headers=sara.headers).status_code == 204
    assert api.get(f"/t/guardian/{token}").status_code == 410


def test_a_neighbourhood_behind_one_address_reads_its_invitations_and_a_guesser_is_slowed(
    api: FlaskClient, sara: Any
) -> None:
    added = name_guardian(api, sara, phone()).get_json()
    token = codes.guardian_token(SECRET, sara.person_id, added["id"], 0)
    here = {"REMOTE_ADDR": "203.0.113.77"}
    shown = {api.get(f"/t/guardian/{token}", environ_base=here).status_code for _ in range(70)}
    assert shown == {200}
    guessed = [api.get(f"/t/guardian/guess{n:07d}", environ_base=here) for n in range(22)]
    assert [each.status_code for each in guessed] == [410] * 20 + [429] * 2
    assert guessed[-1].headers["Retry-After"]
    assert api.get(f"/t/guardian/{token}", environ_base=here).status_code == 200


def test_guardians_have_bounds(api: FlaskClient, sara: Any, clock: Any) -> None:
    assert said(name_guardian(api, sara, sara.phone)) == (422, "guardian_invalid")
    assert said(name_guardian(api, sara, "12")) == (422, "invalid")
    assert said(api.delete("/v1/me/guardians/gua_none", headers=sara.headers)) == (404, "not_found")
    for _ in range(10):
        assert name_guardian(api, sara, phone()).status_code == 201
    assert said(name_guardian(api, sara, phone())) == (409, "too_many_guardians")
    pestered = phone()
    answers = [name_guardian(api, signed_in(clock()), pestered).status_code for _ in range(6)]
    assert answers == [201] * 5 + [429]


def test_the_export_has_everything_but_secrets(api: FlaskClient, sara: Any, clock: Any) -> None:
    fresh = signed_in(clock(), phone=sara.phone, otp_at=clock())
    put_pins(api, fresh, "1234", "4321")
    name_guardian(api, sara, phone(), name="Ammi")
    api.put("/v1/me/devices/my-phone", json={"token": "push-address"}, headers=sara.headers)
    api.patch("/v1/me", json={"medical_note": "asthma"}, headers=sara.headers)
    answer = api.get("/v1/me/export", headers=sara.headers)
    body = answer.get_json()
    assert body["person"]["medical_note"] == "asthma"
    assert [guardian["name"] for guardian in body["guardians"]] == ["Ammi"]
    assert len(body["sessions"]) == 2
    for secret in ("argon2", "push-address", "link_hash", "refresh_key", "v1."):
        assert secret not in answer.text


def test_erasure_leaves_only_that_there_was_somebody(api: FlaskClient, sara: Any, enqueued: Any) -> None:
    name_guardian(api, sara, phone())
    api.put("/v1/me/devices/my-phone", json={"token": "token-erased"}, headers=sara.headers)
    assert api.delete("/v1/me", headers=sara.headers).status_code == 204
    assert said(api.get("/v1/me", headers=sara.headers)) == (401, "session_ended")
    left = queries.collection().find_one({"_id": sara.person_id})
    kept = {"_id", "created_at", "city", "erased_at", "changed_at", "version", "pending_events", "outbox_due"}
    assert set(left) <= kept
    assert left["pending_events"][-1]["type"] == "person.erased"
    assert queries.by_phone(sara.phone) is None
    assert sara.phone not in str(left)
