"""Evidence over HTTP: who sees what of it, what is refused, and that an upload is blurred before anybody sees it."""

import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from domain.evidence import custody
from domain.evidence.service import evidence
from domain.evidence.states import Act
from domain.reviews import service as reviews
from runtime.media import Media
from runtime.settings import Settings
from tests.factories.cameras import sos
from tests.factories.people import signed_in, staff

REASON = "FIR 212/26"


@pytest.fixture(scope="module")
def settings(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings.model_copy(update={"media_url": f"file://{tmp_path_factory.mktemp('media')}"})


@pytest.fixture
def operator(app: Flask, clock: Any) -> Any:
    return staff(clock(), "operator")


@pytest.fixture
def incident(app: Flask, clock: Any) -> str:
    return sos(uuid.uuid4().hex, at=clock())


@pytest.fixture
def upload(incident: str, settings: Settings, clock: Any) -> str:
    """A photograph that a citizen sent."""
    name = f"evd_{uuid.uuid4().hex[:20]}"
    sha = Media(settings.media_url).put(b"a photograph")
    row = {"_id": name, "city": "lahore", "incident": incident, "by": "citizen", "sha256": sha, "size": 12,
           "type": "image/jpeg", "declared": {}, "at": clock()}  # fmt: skip
    evidence().insert_one(row)
    return name


def post(api: FlaskClient, who: Any, path: str, **body: Any) -> Any:
    key = body.pop("key", None) or str(uuid.uuid4())
    return api.post(path, json=body, headers={**who.headers, "Idempotency-Key": key})


def said(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json(force=True).get("code", "")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": "why"}, "reason"),
        ({"reason": REASON, "radius_m": 301}, "radius_m"),
        ({"reason": REASON, "radius_m": "wide"}, "radius_m"),
        ({"reason": REASON, "since": "yesterday"}, "since"),
        ({"reason": REASON, "since": "2026-11-23T08:00:00+05:00"}, "since"),
        ({"reason": REASON, "position": {"lat": 91, "lon": 0}}, "position.lat"),
        ({"reason": REASON, "position": {"lat": 24.8, "lon": 67.0}}, "position"),
    ],
)
def test_what_is_asked_for_is_bounded(
    api: FlaskClient, operator: Any, incident: str, body: dict[str, Any], field: str
) -> None:
    answer = post(api, operator, f"/v1/incidents/{incident}/footage-requests", **body)
    assert said(answer) == (422, "invalid")
    assert field in answer.get_json()["errors"]


def test_a_request_is_one_however_often_it_is_sent(
    api: FlaskClient, operator: Any, incident: str, enqueued: Any
) -> None:
    here, key = f"/v1/incidents/{incident}/footage-requests", str(uuid.uuid4())
    first = post(api, operator, here, key=key, reason=REASON)
    assert first.status_code == 201
    assert first.get_json()["state"] == "answered"  # no camera is near
    again = post(api, operator, here, key=key, reason=REASON)
    assert (again.status_code, again.get_json()["id"]) == (200, first.get_json()["id"])
    assert said(post(api, operator, here, key=key, reason="another reason")) == (409, "idempotency_conflict")
    listed = api.get(here, headers=operator.headers).get_json()["items"]
    assert [each["id"] for each in listed] == [first.get_json()["id"]]
    assert said(api.get(f"{here}/ftr_none", headers=operator.headers)) == (404, "footage_request_not_found")


def test_who_may_ask_and_see(api: FlaskClient, incident: str, upload: str, operator: Any, clock: Any) -> None:
    stranger, citizen = staff(clock(), "operator", city="karachi"), signed_in(clock())
    auditor = staff(clock(), "auditor")
    paths = (f"/v1/evidence/{upload}", f"/v1/incidents/{incident}/evidence", f"/v1/evidence/{upload}/views/x/clip")
    for path in paths:
        assert api.get(path).status_code == 401
        assert api.get(path, headers=citizen.headers).status_code == 403
        assert api.get(path, headers=auditor.headers).status_code == 403
        assert api.get(path, headers=stranger.headers).status_code == 404
    assert post(api, stranger, f"/v1/incidents/{incident}/footage-requests", reason=REASON).status_code == 404
    assert said(api.get("/v1/evidence/evd_none", headers=operator.headers)) == (404, "evidence_not_found")
    shown = api.get(paths[0], headers=operator.headers).get_json()
    assert (shown["kind"], shown["type"], shown["held"]) == ("upload", "image/jpeg", False)
    assert [each["id"] for each in api.get(paths[1], headers=operator.headers).get_json()["items"]] == [upload]


def test_what_a_citizen_sent_is_blurred_before_anybody_sees_it(
    api: FlaskClient, operator: Any, upload: str, enqueued: Any, clock: Any
) -> None:
    here = f"/v1/evidence/{upload}/views"
    assert said(post(api, operator, here, reason=REASON)) == (409, "evidence_not_ready")
    assert enqueued.jobs[-1] == ("redact", (upload,))
    assert said(post(api, operator, here, reason=REASON, copy="original")) == (403, "opening_needed")
    assert said(post(api, operator, here, reason=REASON, copy="naked"))[0] == 422
    told = api.get(f"/v1/evidence/{upload}/custody", headers=staff(clock(), "auditor").headers).get_json()
    assert ([each["act"] for each in told["entries"]], told["holds"]) == (["taken"], True)


def test_a_view_is_its_viewers_and_ends(api: FlaskClient, operator: Any, upload: str, clock: Any) -> None:
    still = {"sha256": "0" * 64, "t": 0.0}
    copy = {"sha256": "0" * 64, "size": 1, "first": 0.0, "frames": 1, "seconds": 0.0, "regions": 0,
            "detectors": [], "stills": [still], "at": clock()}  # fmt: skip
    evidence().update_one({"_id": upload}, {"$set": {"state": "ready", "copy": copy, "start": clock(), "seconds": 1.0}})
    key = str(uuid.uuid4())
    view = post(api, operator, f"/v1/evidence/{upload}/views", key=key, reason=REASON).get_json()
    again = post(api, operator, f"/v1/evidence/{upload}/views", key=key, reason=REASON)
    assert (again.status_code, again.get_json()["id"]) == (200, view["id"])
    other = staff(clock(), "operator")
    assert said(api.get(view["clip"], headers=other.headers)) == (404, "view_not_found")
    assert said(api.get(view["stills"][0][:-1] + "7", headers=operator.headers)) == (404, "still_not_found")
    assert said(api.get(view["stills"][0], headers=operator.headers)) == (404, "evidence_not_found")  # bytes are gone
    clock.forward(minutes=16)
    operator = staff(clock(), "operator")
    assert said(api.get(view["clip"], headers=operator.headers)) == (404, "view_not_found")
    acts = [each["act"] for each in custody.entries(upload)]
    assert acts.count(str(Act.OPENED)) == 1


def test_of_two_who_answer_an_opening_at_once_one_counts(
    api: FlaskClient, app: Flask, operator: Any, upload: str, clock: Any
) -> None:
    key = str(uuid.uuid4())
    asked = post(api, operator, f"/v1/evidence/{upload}/openings", key=key, reason="Order 88").get_json()
    assert (
        post(api, operator, f"/v1/evidence/{upload}/openings", key=key, reason="Order 88").get_json()["id"]
        == asked["id"]
    )
    here = f"/v1/reviews/{asked['id']}/answer"
    one, two = staff(clock(), "operator"), staff(clock(), "operator")
    answers = {
        said(post(api, one, here, approve=True, reason="I saw the order")),
        said(post(api, two, here, approve=False, reason="I did not see it")),
    }
    assert answers == {(200, ""), (409, "review_over")}
    assert len(reviews.get(asked["id"])["answers"]) == 1
    clock.forward(minutes=61)  # a yes holds for an hour
    operator = staff(clock(), "operator")
    refused = post(api, operator, f"/v1/evidence/{upload}/views", reason="Order 88", copy="original")
    assert said(refused) == (403, "opening_needed")
