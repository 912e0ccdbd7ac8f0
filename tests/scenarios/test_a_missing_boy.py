"""A boy is missing near Liberty Market, and his father has a picture: one incident's footage is searched for one face.

Off until the city switches it on; two others must say yes; what comes of it is a question to a human, and after a day nothing
is left but who did what and why. The model is a stand-in: a thumbnail of colours.
"""

import hashlib
import io
import uuid
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from domain.audit import chain
from domain.cameras import queries as cameras
from domain.cities import queries as cities
from domain.cities.config import CameraSource
from domain.evidence import custody
from domain.faces import queries as faces
from domain.incidents import service as incidents
from domain.reviews import service as reviews
from runtime.media import Media
from sandbox.footage import draw, draw_clip
from tests.factories.cameras import camera, hold_city
from tests.factories.onnx_files import thumbnail
from tests.factories.people import Signed, staff
from tests.fakes.small_city import SmallCity
from workers import faces as job

pytestmark = pytest.mark.timeout(180)

SIZE, FPS, SECONDS = (960, 540), 4, 3
REPORT = "Missing person report 41/26, PS Gulberg"
YES = {"approve": True, "reason": "I have read the report"}


def photo() -> bytes:
    """What the father has: the boy, as the camera saw him."""
    picture = list(draw("hands_up", SECONDS, SIZE, FPS, 0))[-1][:, :, ::-1]
    out = io.BytesIO()
    Image.fromarray(picture[60:420, 330:630]).save(out, "JPEG", quality=95)
    return out.getvalue()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A `model.toml` as a city writes one."""
    data = thumbnail()
    (tmp_path / "thumb.onnx").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    text = f'name = "thumb"\npath = "thumb.onnx"\nlicence = "CC0-1.0"\nthreshold = 0.97\nsha256 = "{digest}"\n'
    (tmp_path / "face.toml").write_text(text)
    return tmp_path / "face.toml"


@pytest.fixture
def city(small_city: SmallCity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: Path) -> SmallCity:
    """A city with one recorded camera, and a model."""
    folder = tmp_path / "recorder"
    folder.mkdir()
    cameras.cameras().delete_many({})
    config = hold_city(monkeypatch, CameraSource("file", "", f"{folder}/"))
    monkeypatch.setitem(cities._held, "lahore", (float("inf"), replace(config, face_search=True)))
    camera("Toy shop", source={"kind": "segments", "path": str(folder), "segment_s": SECONDS}, config=config)
    drawn = draw_clip(tmp_path / "boy.mp4", "hands_up", SECONDS, SIZE, FPS)
    at = (small_city.now() - timedelta(seconds=20)).astimezone(UTC)
    drawn.rename(folder / f"cam-{at:%Y%m%dT%H%M%SZ}.mp4")
    settings = small_city.settings.model_copy(update={"face_model": str(model)})
    monkeypatch.setattr(small_city, "context", replace(small_city.context, settings=settings))
    return small_city


def call(city: SmallCity, who: Signed, method: str, path: str, **options: Any) -> requests.Response:
    headers = {**who.headers, "Idempotency-Key": str(uuid.uuid4()), **options.pop("headers", {})}
    answer = requests.request(method, city.url + path, headers=headers, timeout=60, **options)
    assert answer.status_code < 500, answer.text
    city.settle()
    return answer


def test_one_face_in_one_incidents_footage(city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
    sara, imran, auditor = (staff(city.now(), role) for role in ("operator", "operator", "auditor"))
    sos = city.sos()["id"]
    city.settle()
    asked = call(city, sara, "POST", f"/v1/incidents/{sos}/footage-requests", json={"reason": REPORT}).json()
    said = call(city, sara, "GET", f"/v1/incidents/{sos}/footage-requests/{asked['id']}").json()
    evidence = said["cameras"][0]["evidence"]
    here = f"/v1/incidents/{sos}/face-searches"
    wanted = {"purpose": "missing_person", "legal_basis": REPORT, "hours": 24}

    # Off is how every city begins; and a reason is not a legal basis.
    on = cities.current("lahore")
    monkeypatch.setitem(cities._held, "lahore", (float("inf"), replace(on, face_search=False)))
    assert call(city, sara, "POST", here, json=wanted).json()["code"] == "face_search_off"
    monkeypatch.setitem(cities._held, "lahore", (float("inf"), on))
    assert call(city, sara, "POST", here, json={**wanted, "purpose": "curiosity"}).status_code == 422
    assert call(city, sara, "POST", here, json={**wanted, "hours": 1000}).status_code == 422
    assert call(city, auditor, "POST", here, json=wanted).status_code == 403

    # A draft, then the picture; then two others are asked, and one yes is not enough.
    search = call(city, sara, "POST", here, json=wanted).json()
    here = f"/v1/face-searches/{search['id']}"
    assert call(city, sara, "PUT", f"{here}/photo", data=b"no picture").json()["code"] == "face_photo_invalid"
    assert call(city, sara, "PUT", f"{here}/photo", data=photo()).json()["state"] == "asked"
    assert call(city, sara, "PUT", f"{here}/photo", data=photo()).json()["code"] == "face_search_over"
    review = call(city, sara, "GET", here).json()["review"]
    answer = f"/v1/reviews/{review}/answer"
    about = call(city, auditor, "GET", f"/v1/reviews/{review}").json()["about"]
    assert (about["incident"], about["purpose"], about["hours"]) == (sos, "missing_person", 24), (
        "who says yes knows to what"
    )
    assert call(city, sara, "GET", f"{here}/photo").status_code == 404, "nobody sees it before two said yes"
    assert call(city, sara, "POST", answer, json=YES).json()["code"] == "own_question"
    assert call(city, imran, "POST", answer, json=YES).json()["status"] == "open"
    assert faces.get(search["id"])["state"] == "asked"
    assert call(city, sara, "POST", f"{here}/run").json()["code"] == "face_search_over"
    assert call(city, auditor, "POST", answer, json=YES).json()["status"] == "approved"

    # The sealed footage of this incident was gone through. What came of it is a lead, with a score, for a human.
    found = call(city, sara, "GET", here).json()
    assert (found["state"], found["searched"], found["failed"]) == ("allowed", [evidence], {})
    assert (found["model"]["name"], found["leads"][0]["score"] > 0.97) == ("thumb", True)
    lead = found["leads"][0]
    crop = call(city, imran, "GET", lead["crop"])
    assert Image.open(io.BytesIO(crop.content)).size[0] >= 480  # with his mark in it
    assert call(city, auditor, "GET", lead["crop"]).status_code == 403
    question = reviews.reviews().find_one({"subject": lead["id"]}) or {}
    asked_so = call(city, imran, "GET", f"/v1/reviews/{question['_id']}").json()
    assert asked_so["question"]["en"].startswith("Is the face")
    for picture in asked_so["about"]["pictures"]:  # whom it is for, and the lead
        assert call(city, imran, "GET", picture).headers["Content-Type"] == "image/jpeg"
    assert len(asked_so["about"]["pictures"]) == 2
    said_so = call(city, imran, "POST", f"/v1/reviews/{question['_id']}/answer", json={"answer": "cannot_tell"})
    assert said_so.status_code == 200, said_so.text
    assert call(city, sara, "GET", here).json()["leads"][0]["said"] == "cannot_tell", "whoever asked sees what was said"
    assert call(city, imran, "GET", f"/v1/reviews/{question['_id']}").json()["about"]["confidence"] == lead["score"]
    measured = call(city, imran, "GET", "/v1/insights/detectors?city=lahore").json()["detectors"]
    assert [(each["detector"], each["finding"], each["cannot_tell"]) for each in measured] == [("thumb", "face", 1)]
    doc = incidents.get(sos)
    assert not doc["assignments"], "a likeness sends nobody"

    # Every step is on the audit chain, and on the chain of custody of what was searched.
    told = [each["action"] for each in chain._audit().find({"city": "lahore", "subject": search["id"]}).sort("_id", 1)]
    assert told[:2] == ["face_search.drafted", "face_search.asked"]
    assert {"face_search.run", "face_search.lead_seen", "face_search.photo_seen"} <= set(told)
    assert "searched" in [each["act"] for each in custody.entries(evidence)]
    assert custody.verify("lahore", evidence).holds

    # A job that runs again adds nothing, but for the question of a lead whose worker died before it asked.
    job.search_with(city.context, search["id"], job.in_a_child)
    reviews.reviews().delete_one({"_id": question["_id"]})
    assert call(city, sara, "POST", f"{here}/run").status_code == 200
    assert (reviews.reviews().find_one({"subject": lead["id"]}) or {})["_id"] == question["_id"]
    assert len(faces.get(search["id"])["leads"]) == len(found["leads"])

    # A day later it is over: no picture, no lead, no key, and still who searched, why and in what.
    names = faces.get(search["id"])["noted"]
    city.skip(25 * 3600)
    sara = staff(city.now(), "operator")
    over = call(city, sara, "GET", here).json()
    assert (over["state"], over["leads"], over["leads_were"], over["searched"]) == (
        "over", [], len(found["leads"]), [evidence],
    )  # fmt: skip
    assert call(city, sara, "GET", lead["crop"]).json()["code"] == "lead_not_found"
    assert call(city, sara, "POST", f"{here}/run").json()["code"] == "face_search_over"
    media = Media(city.settings.media_url)
    for name in names:
        with pytest.raises(FileNotFoundError):
            media.get(name)
