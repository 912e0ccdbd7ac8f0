"""GeoReport v2 whatever is asked: answers in the form that was asked for, errors of the standard's shape, never a 500."""

import json
from typing import Any, Final
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from lxml import etree

from api.open311 import asked
from domain.handovers import open311, queries
from domain.handovers import service as handovers
from domain.reports.categories import CATEGORIES
from runtime.media import Media
from runtime.settings import Settings
from tests.api.conftest import Hand

BASE: Final = "/open311/v2"
TYPES: Final = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
PLACE: Final = {"lat": "31.5102", "long": "74.3441"}
AGENCY: Final = "sui_northern"


@pytest.fixture(scope="module")
def settings(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The module's settings, with a folder of its own for what comes."""
    return settings.model_copy(update={"media_url": f"file://{tmp_path_factory.mktemp('media')}"})


@pytest.fixture(scope="module")
def key(app: Flask, clock: Hand) -> str:
    """The api_key of an agency that takes three kinds."""
    with app.app_context():
        return handovers.open_desk("lahore", AGENCY, ["street_light", "hanging_wire", "noise"], now=clock())[1]


def well(answer: Any, form: str) -> Any:
    """The answer has its form, and an error the standard's shape: [{code, description}]. What was read."""
    text = answer.get_data()
    assert answer.status_code in (200, 201, 400, 403, 404, 405, 413, 415, 429), text
    assert answer.content_type == TYPES[form]
    read = json.loads(text) if form == "json" else etree.fromstring(text)
    if answer.status_code < 400:
        return read
    if form == "json":
        (error,) = read
        assert sorted(error) == ["code", "description"]
        assert (error["code"], bool(error["description"])) == (answer.status_code, True)
    else:
        assert [each.tag for each in read.iter()] == ["errors", "error", "code", "description"]
        assert read.findtext("error/code") == str(answer.status_code)
    return read


ODD = (
    st.text(max_size=30)
    | st.sampled_from(
        ["\x00", "\u202eabc\u202c", "\u200b", "а", "💥" * 50, "%", "null", "-1", "1e400", "NaN", "٣١٫٥", "../..", "<a/>",
         "x" * 5_000, "]]>", "lahore,karachi", ",,,", "street_light", "open", "closed"]
    )
    | st.integers().map(str)
    | st.floats().map(str)
)  # fmt: skip
MOMENT = ODD | st.sampled_from(
    ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-01T00:00:00+05:00", "2026-02-30T00:00:00Z", "2026-11-01"]
)
WHERE = ODD | st.floats(-200, 200).map(str) | st.sampled_from([*PLACE.values()])
PATHS = st.sampled_from(
    ["discovery", "services", "services/noise", "requests", "requests/srq_x", "tokens/x", "nowhere"]
)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=12)
"""A path with a line break in it is no route of any blueprint: the API's own 404 answers it, before this standard can."""
PATHS = PATHS | NAMES.map(lambda odd: f"requests/{odd}") | NAMES
FORMS = st.sampled_from(["json", "xml"])
MANY = examples(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@MANY
@given(
    PATHS,
    FORMS,
    st.fixed_dictionaries(
        {"jurisdiction_id": st.just("lahore") | ODD},
        optional={
            "service_request_id": ODD,
            "service_code": ODD,
            "start_date": MOMENT,
            "end_date": MOMENT,
            "status": ODD,
            "api_key": st.just("KEY") | ODD,
            "extra": ODD,
        },
    ),
    st.sampled_from(["", "ur", "en;q=0", "*", "x" * 300, ";;;"]),
)
@example("requests", "xml", {"jurisdiction_id": "lahore", "end_date": "0001-01-01T00:00:00Z"}, "")
@example("?", "json", {"jurisdiction_id": "lahore"}, "")
@example("requests/#", "json", {"jurisdiction_id": "lahore"}, "")
@example("requests", "json", {"jurisdiction_id": "lahore", "start_date": "9999-12-31T23:59:59Z"}, "")
def test_whatever_is_asked(
    app: Flask, key: str, clock: Hand, path: str, form: str, query: dict[str, str], accepts: str
) -> None:
    clock.forward(seconds=1)
    query = {name: key if value == "KEY" else value for name, value in query.items()}
    asked_for = f"{BASE}/{quote(path)}.{form}"  # a bare ? or # would end the path before its form
    answer = app.test_client().get(asked_for, query_string=query, headers={"Accept-Language": accepts})
    if answer.status_code not in (301, 308):  # a path with // in it
        well(answer, form)


@MANY
@given(
    st.sampled_from(["requests", "servicerequestupdates"]),
    FORMS,
    st.fixed_dictionaries(
        {"jurisdiction_id": st.just("lahore"), "api_key": st.just("KEY")},
        optional={
            "service_code": st.sampled_from(["noise", "hanging_wire", "fire"]) | ODD,
            "lat": WHERE,
            "long": WHERE,
            "address_string": ODD,
            "description": ODD,
            "media_url": ODD | st.just("javascript:alert(1)"),
            "attribute[SPARKS]": ODD | st.just("no"),
            "attribute[SPARKS][]": ODD,
            "attribute[": ODD,
            "email": ODD,
            "status": ODD,
            "update_id": ODD,
            "service_request_id": ODD,
        },
    ),
    st.booleans(),
)
def test_whatever_is_brought(
    app: Flask, key: str, clock: Hand, path: str, form: str, body: dict[str, str], whole: bool
) -> None:
    clock.forward(seconds=1)
    sent = {**body, **(PLACE | {"service_code": "noise"} if whole else {}), "api_key": key}
    read = well(app.test_client().post(f"{BASE}/{path}.{form}", data=sent), form)
    if form == "xml" and read.tag == "service_requests":
        made = read.findtext("request/service_request_id") or read.findtext("request/token")
        assert made


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("application/x-www-form-urlencoded", b"jurisdiction_id=%ff%fe&api_key=%00&%=%&&&=;"),
        ("application/x-www-form-urlencoded", b"lat=31.5&" * 5_000),
        ("application/x-www-form-urlencoded; charset=utf-16", "jurisdiction_id=lahore".encode("utf-16")),
        ("application/x-www-form-urlencoded", b"description=" + b"x" * 3_000_000),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=\"lat\"\r\n\r\n31.5"),
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n\r\n--x--"),
        ("application/json", b'{"jurisdiction_id": "lahore"'),
        ("text/xml", b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"),
        ("", b"\xff\xfe\x00"),
    ],
    ids=["broken escapes", "one field 5,000 times", "utf-16", "3 MB", "multipart cut off", "multipart without a boundary",
         "multipart without a name", "JSON", "XML with an entity", "nothing that is known"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["json", "xml"])
def test_bodies_that_are_no_form(api: FlaskClient, form: str, kind: str, data: bytes) -> None:
    answer = api.post(f"{BASE}/requests.{form}", data=data, content_type=kind)
    well(answer, form)
    assert 400 <= answer.status_code < 500


def test_a_description_without_end_is_refused_and_the_longest_is_kept(api: FlaskClient, key: str, clock: Hand) -> None:
    form = {"jurisdiction_id": "lahore", "api_key": key, "service_code": "noise", **PLACE}
    words = "شور \u202e<b>&amp;]]>\u200c 🔊 "
    longest = (words * 60)[: asked.TEXT_CHARS].strip()
    assert api.post(f"{BASE}/requests.xml", data=form | {"description": longest + "x" * 40}).status_code == 400
    made = api.post(f"{BASE}/requests.json", data=form | {"description": longest}).get_json()[0]
    path = f"{BASE}/requests/{made['service_request_id']}"
    query = {"jurisdiction_id": "lahore"}
    assert api.get(f"{path}.json", query_string=query).get_json()[0]["description"] == longest
    as_xml = etree.fromstring(api.get(f"{path}.xml", query_string=query).get_data())
    assert as_xml.findtext("request/description") == longest


def test_when_it_is_expected_and_a_picture_with_blurred_faces_alone(
    api: FlaskClient, key: str, clock: Hand, settings: Settings
) -> None:
    form = {"jurisdiction_id": "lahore", "api_key": key, "service_code": "street_light", **PLACE}
    number = api.post(f"{BASE}/requests.json", data=form).get_json()[0]["service_request_id"]
    doc = queries.get(number)
    path, own = f"{BASE}/requests/{number}.json", {"jurisdiction_id": "lahore", "api_key": key}

    def told(**query: str) -> Any:
        return api.get(path, query_string=query).get_json()[0]

    within = CATEGORIES["street_light"].answer
    assert within
    assert told(**own)["expected_datetime"] == open311.moment(doc["requested_at"] + within)
    assert told(**own)["media_url"] is None

    reports = queries.handovers().database["watch_reports"]
    media = Media(settings.media_url)
    faces, blurred = media.put(b"faces"), media.put(b"blurred")
    files = [
        {"id": "med_film", "sha256": faces, "size": 5, "type": "video/mp4"},
        {"id": "med_waits", "sha256": faces, "size": 5, "type": "image/jpeg", "shown": {"sha256": faces}},
        {"id": "med_1", "sha256": faces, "size": 5, "type": "image/jpeg", "shown": {"sha256": faces}}
        | {"redacted": {"sha256": blurred, "size": 7, "type": "image/jpeg"}},
    ]
    reports.update_one({"_id": doc["report"]}, {"$set": {"media": files[:2]}})
    assert told(**own)["media_url"] is None, "not before faces are blurred"
    reports.update_one({"_id": doc["report"]}, {"$set": {"media": files}})
    assert told(jurisdiction_id="lahore")["media_url"] is None, "for the agency that has it"
    link = told(**own)["media_url"].partition("/open311")[2]
    shown = api.get(f"/open311{link}")
    assert (shown.status_code, shown.data, shown.mimetype) == (200, b"blurred", "image/jpeg")
    for wrong in (link[:-1] + ("0" if link[-1] != "0" else "1"), link.replace("med_1", "med_waits"), f"{link}é"):
        assert api.get(f"/open311{wrong}").status_code == 404
    reports.update_one({"_id": doc["report"]}, {"$set": {"status": "removed"}})
    assert api.get(f"/open311{link}").status_code == 404, "nor when it was taken out"


def test_an_address_that_asks_without_end_is_told_to_wait_and_the_agency_is_not(
    api: FlaskClient, key: str, clock: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "READS", 5)
    clock.forward(minutes=2)
    path, public = f"{BASE}/services.xml", {"jurisdiction_id": "lahore"}
    for _ in range(5):
        assert api.get(path, query_string=public).status_code == 200
    for query in (public, public | {"api_key": "a guess"}):
        refused = api.get(path, query_string=query)
        well(refused, "xml")
        assert (refused.status_code, int(refused.headers["Retry-After"]) > 0) == (429, True)
    assert api.get(path, query_string=public | {"api_key": key}).status_code == 200
    other = {"REMOTE_ADDR": "203.0.113.9"}
    assert api.get(path, query_string=public, environ_base=other).status_code == 200
    clock.forward(minutes=1)
    assert api.get(path, query_string=public).status_code == 200
