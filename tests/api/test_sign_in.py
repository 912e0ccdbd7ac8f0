"""Signing in as a phone does: a code by SMS, tokens that rotate, a second factor for staff."""

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient

from domain.people import codes, queries, sessions
from domain.people.documents import ChallengeDoc
from tests.factories.people import SECRET, authenticator, phone, signed_in, staff

DEVICE = {"id": "phone-0001", "platform": "android", "token": "", "app_version": "1.0"}


def ask(api: FlaskClient, number: str, key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return api.post("/v1/auth/otp", json={"phone": number}, headers=headers)


def code_of(challenge_id: str) -> str:
    """The code as the SMS would carry it."""
    return codes.otp_code(SECRET, ChallengeDoc.objects(id=codes.challenge_id(challenge_id)).get())


def give(api: FlaskClient, challenge_id: str, code: str, key: str | None = None, **device: str) -> Any:
    body = {"challenge_id": challenge_id, "code": code, "device": {**DEVICE, **device}}
    return api.post("/v1/auth/token", json=body, headers={"Idempotency-Key": key} if key else {})


def sign_in(api: FlaskClient, number: str, **device: str) -> dict[str, Any]:
    challenge = ask(api, number).get_json()["challenge_id"]
    answer = give(api, challenge, code_of(challenge), **device)
    assert answer.status_code == 200, answer.get_json()
    return dict(answer.get_json())


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def said(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json(force=True).get("code", "")


@pytest.fixture(autouse=True)
def _later(clock: Any) -> None:
    clock.forward(hours=2)


def test_a_code_signs_in_once(api: FlaskClient, enqueued: Any) -> None:
    number = phone()
    asked = ask(api, number)
    assert asked.status_code == 202
    body = asked.get_json()
    assert set(body) == {"challenge_id", "expires_in", "resend_after"}
    assert (body["expires_in"], body["resend_after"]) == (300, 60)
    stored = ChallengeDoc.objects(id=codes.challenge_id(body["challenge_id"])).get()
    assert ("drain", ("otp_challenges", stored.id)) in enqueued.jobs
    assert [event["type"] for event in stored.pending_events] == ["otp.requested"]
    code = code_of(body["challenge_id"])
    assert body["challenge_id"] not in str(stored.to_mongo())
    assert code not in str(stored.to_mongo()).replace(number, "")

    tokens = give(api, body["challenge_id"], code).get_json()
    assert tokens["person"]["phone"] == number
    assert api.get("/v1/me", headers=bearer(tokens)).get_json()["id"] == tokens["person"]["id"]
    assert said(give(api, body["challenge_id"], code)) == (401, "otp_wrong")


def test_known_and_unknown_numbers_get_the_same_answer(api: FlaskClient, clock: Any) -> None:
    known, unknown = signed_in(clock()).phone, phone()
    answers = [ask(api, number) for number in (known, unknown)]
    assert {answer.status_code for answer in answers} == {202}
    first, second = (answer.get_json() for answer in answers)
    assert {**first, "challenge_id": ""} == {**second, "challenge_id": ""}
    assert queries.by_phone(unknown) is None


def test_five_tries_then_even_the_right_code_is_refused(api: FlaskClient) -> None:
    challenge = ask(api, phone()).get_json()["challenge_id"]
    code = code_of(challenge)
    for _ in range(5):
        assert said(give(api, challenge, wrong(code))) == (401, "otp_wrong")
    assert said(give(api, challenge, code)) == (401, "otp_wrong")


def test_a_code_lives_five_minutes(api: FlaskClient, clock: Any) -> None:
    challenge = ask(api, phone()).get_json()["challenge_id"]
    clock.forward(minutes=5)
    assert said(give(api, challenge, code_of(challenge))) == (401, "otp_wrong")
    assert said(give(api, "otp_unknown", "123456")) == (401, "otp_wrong")


def test_resending_waits_a_minute_and_stops_after_five_an_hour(api: FlaskClient, clock: Any) -> None:
    number = phone()
    assert ask(api, number).status_code == 202
    soon = ask(api, number)
    assert said(soon) == (429, "limit_reached")
    assert 0 < int(soon.headers["Retry-After"]) <= 60
    for _ in range(4):
        clock.forward(seconds=61)
        assert ask(api, number).status_code == 202
    clock.forward(seconds=61)
    assert said(ask(api, number)) == (429, "limit_reached")


def test_one_address_cannot_ask_for_everybody(api: FlaskClient) -> None:
    answers = [ask(api, phone()) for _ in range(62)]
    assert said(answers[-1]) == (429, "limit_reached")


def test_a_lost_answer_is_given_again_for_the_same_key(api: FlaskClient) -> None:
    number, key = phone(), str(uuid.uuid4())
    first, again = ask(api, number, key), ask(api, number, key)
    assert first.get_json() == again.get_json()
    challenge = first.get_json()["challenge_id"]
    code, key = code_of(challenge), str(uuid.uuid4())
    signed, repeated = give(api, challenge, code, key), give(api, challenge, code, key)
    assert signed.get_json()["refresh_token"] == repeated.get_json()["refresh_token"]
    assert len(queries.get(signed.get_json()["person"]["id"]).sessions) == 1
    assert said(give(api, challenge, code, str(uuid.uuid4()))) == (401, "otp_wrong")


def test_an_access_token_ends_and_a_refresh_renews_it(api: FlaskClient, clock: Any) -> None:
    tokens = sign_in(api, phone())
    clock.forward(minutes=15)
    late = api.get("/v1/me", headers=bearer(tokens))
    assert said(late) == (401, "token_expired")
    assert "WWW-Authenticate" in late.headers
    fresh = api.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).get_json()
    assert fresh["refresh_token"] != tokens["refresh_token"]
    assert api.get("/v1/me", headers=bearer(fresh)).status_code == 200


def test_a_refresh_token_that_comes_twice_ends_the_family(api: FlaskClient) -> None:
    tokens = sign_in(api, phone(), token="fcm-token-of-a-thief")
    fresh = api.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).get_json()
    reused = api.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert said(reused) == (401, "refresh_reused")
    assert said(api.get("/v1/me", headers=bearer(fresh))) == (401, "session_ended")
    end = api.post("/v1/auth/refresh", json={"refresh_token": fresh["refresh_token"]})
    assert said(end) == (401, "session_ended")
    assert queries.get(tokens["person"]["id"]).device_tokens == []


def test_a_refresh_whose_answer_was_lost_is_no_theft(api: FlaskClient) -> None:
    tokens = sign_in(api, phone())
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    first, again = (
        api.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]}, headers=headers).get_json()
        for _ in range(2)
    )
    assert first["refresh_token"] == again["refresh_token"]
    assert api.get("/v1/me", headers=bearer(first)).status_code == 200


@pytest.mark.parametrize("token", ["", "a.b.c.d", "per_1.ses_1.0.00", "per_1.ses_1.-1.00", "x" * 700, "é.é.1.é"])
def test_a_made_up_refresh_token_is_refused(api: FlaskClient, token: str) -> None:
    assert api.post("/v1/auth/refresh", json={"refresh_token": token}).status_code in (401, 422)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer " + "x" * 5000, "Bearer é"])
def test_a_made_up_access_token_is_refused(api: FlaskClient, header: str) -> None:
    assert said(api.get("/v1/me", headers={"Authorization": header})) == (401, "unauthenticated")


def test_logging_out_ends_the_session_and_the_pushes(api: FlaskClient, enqueued: Any) -> None:
    tokens = sign_in(api, phone(), token="fcm-token-logout", fid="fid-logout")
    person_id = tokens["person"]["id"]
    assert sorted(queries.get(person_id).device_tokens) == ["fcm-token-logout", "fid:fid-logout"]
    assert api.post("/v1/auth/logout", headers=bearer(tokens)).status_code == 204
    assert said(api.get("/v1/me", headers=bearer(tokens))) == (401, "session_ended")
    person = queries.get(person_id)
    assert person.device_tokens == []
    assert person.devices["phone-0001"].token is None
    assert [event["type"] for event in person.pending_events] == ["session.ended"]
    assert ("drain", ("people", person_id)) in enqueued.jobs


def test_sessions_are_listed_and_ended(api: FlaskClient) -> None:
    number = phone()
    first = sign_in(api, number, id="old-phone", label="old phone")
    api.application.extensions["amaan"].clock.forward(minutes=2)
    second = sign_in(api, number, id="new-phone")
    listed = api.get("/v1/me/sessions", headers=bearer(second)).get_json()["items"]
    assert [(item["device_id"], item["current"]) for item in listed] == [("new-phone", True), ("old-phone", False)]
    lost = next(item["id"] for item in listed if not item["current"])
    assert api.delete(f"/v1/me/sessions/{lost}", headers=bearer(second)).status_code == 204
    assert said(api.get("/v1/me", headers=bearer(first))) == (401, "session_ended")
    assert said(api.delete("/v1/me/sessions/ses_none", headers=bearer(second))) == (404, "not_found")


def test_at_most_twenty_sessions_are_kept(api: FlaskClient, clock: Any) -> None:
    number = phone()
    for _ in range(25):
        clock.forward(minutes=1)
        person = signed_in(clock(), phone=number)
    assert len(sessions.listed(person.person_id, now=clock())) == 20
    assert api.get("/v1/me", headers=person.headers).status_code == 200


def test_staff_rights_count_only_after_the_second_factor(api: FlaskClient, clock: Any) -> None:
    who = signed_in(clock(), roles=[{"role": "operator", "city": "lahore", "agency_id": "", "group_id": ""}])
    app = authenticator(who.person_id, clock())

    def principal() -> Any:
        return queries.principal(who.person_id, who.session_id, now=clock())

    assert not principal().second_factor
    code = app.at(clock())
    assert said(api.post("/v1/auth/second-factor", json={"code": wrong(code)}, headers=who.headers)) == (
        403,
        "second_factor_wrong",
    )
    assert api.post("/v1/auth/second-factor", json={"code": code}, headers=who.headers).status_code == 204
    assert principal().second_factor
    replayed = api.post("/v1/auth/second-factor", json={"code": code}, headers=who.headers)
    assert said(replayed) == (403, "second_factor_wrong")
    clock.forward(hours=12, seconds=1)
    assert not principal().second_factor


def test_second_factor_codes_cannot_be_guessed(api: FlaskClient, clock: Any) -> None:
    who = signed_in(clock())
    app = authenticator(who.person_id, clock())
    code = app.at(clock())
    for _ in range(5):
        api.post("/v1/auth/second-factor", json={"code": wrong(code)}, headers=who.headers)
    assert said(api.post("/v1/auth/second-factor", json={"code": code}, headers=who.headers)) == (429, "limit_reached")


def test_a_stolen_number_alone_sets_up_no_second_factor(api: FlaskClient, clock: Any) -> None:
    who = staff(clock(), "admin")
    answer = api.post("/v1/auth/second-factor/enrolment", json={"enrolment_code": "aaaa-bbbb"}, headers=who.headers)
    assert said(answer) == (403, "enrolment_wrong")
