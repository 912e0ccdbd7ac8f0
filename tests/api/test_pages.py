"""The pages behind signed links in a real browser: Chromium, 360 px wide, JavaScript off, in Urdu and English."""

import shutil
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from api.desk import desk
from domain.deliveries import service as deliveries
from domain.deliveries.service import Recipient, Telling
from domain.dispatch import queries as dispatch_queries
from domain.dispatch import rules as dispatch_rules
from domain.dispatch import service as dispatch
from domain.ids import token_hash
from domain.incidents import following, rules
from domain.incidents import service as incidents
from domain.incidents.calls import CallForHelp, facts
from domain.incidents.states import Resolution
from domain.people import guardians
from domain.people import queries as people
from notifications.content import guardian_token
from tests.api.conftest import Hand
from tests.factories.people import SECRET, signed_in

CHROMIUM = shutil.which("chromium")
HERE = {"lat": 31.5204, "lon": 74.3587, "accuracy_m": 35.0, "source": "app"}
TTL = timedelta(hours=6)

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium fonts-noto-core")


@pytest.fixture(scope="module")
def address(app: Flask) -> Iterator[str]:
    """The application behind a real socket."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def phone(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A small phone without JavaScript; the language it asks for is the test's `lang`."""
    lang = request.getfixturevalue("lang") if "lang" in request.fixturenames else "en"
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, java_script_enabled=False, locale={"ur": "ur-PK"}.get(lang, "en-GB")
    )
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def sos(now: Any, **fields: Any) -> dict[str, Any]:
    call = CallForHelp("app", position=dict(HERE), device=uuid.uuid4().hex, **fields)
    return incidents.raise_sos(facts(call, now=now), now=now, secret=SECRET, link_ttl=TTL).incident


def unit(app: Flask, doc: dict[str, Any], now: Any, service: str = "police") -> tuple[str, str]:
    """(assignment, path of its page) of a unit that is asked by hand."""
    name = f"uni_{uuid.uuid4().hex[:8]}"
    place = {"lat": 31.533, "lon": 74.349, "at": now}
    dispatch_queries.units().insert_one(
        {"_id": name, "city": "lahore", "agency": "punjab_police", "name": name, "services": [service]}
        | {"status": "available", "position": place, "cells": {}}
    )
    with app.app_context():
        after = dispatch.assign(doc["_id"], service, name, desk("lahore"), by="per_1", now=now)
    assignment = next(each for each, found in after["assignments"].items() if found["unit"] == name)
    return assignment, f"/a/{dispatch_rules.link_for(SECRET, assignment)}"


def share(doc: dict[str, Any]) -> str:
    return f"/t/{incidents.share_token(SECRET, doc)}"


def fits(page: Page) -> bool:
    """Whether nothing sticks out sideways: what is wider than the screen could be scrolled to."""
    box = page.locator("body").bounding_box()
    main = page.locator("main").bounding_box()
    widest = max((each.bounding_box() or {"x": 0.0, "width": 0.0} for each in page.locator("main *").all()), key=_right)
    return bool(box and main and box["width"] <= 360 and _right(widest) <= 361)


def _right(box: Any) -> float:
    return float(box["x"] + box["width"])


@needs_browser
@pytest.mark.parametrize("lang", ["en", "ur"])
def test_one_tap_is_shown_accepted_and_carried_out(
    app: Flask, address: str, phone: Page, clock: Hand, lang: str, tmp_path: Path
) -> None:
    doc = sos(clock(), category="robbery", note="Two men on a motorcycle", verified=True, person="per_x")
    assignment, path = unit(app, doc, clock())
    answer = phone.goto(address + path)
    assert answer is not None
    assert answer.status == 200
    assert phone.locator("html").get_attribute("dir") == {"en": "ltr", "ur": "rtl"}[lang]
    assert {"en": "Robbery", "ur": "ڈکیتی"}[lang] in phone.locator("main").inner_text()
    assert "motorcycle" not in phone.content()
    assert fits(phone)
    phone.screenshot(path=tmp_path / f"offer-{lang}.png", full_page=True)
    assert incidents.get(doc["_id"])["assignments"][assignment]["status"] == "offered"
    for do, status in (
        ("accept", "accepted"),
        ("en_route", "en_route"),
        ("on_scene", "on_scene"),
        ("clear", "cleared"),
    ):
        phone.locator(f'button[value="{do}"]').click()
        assert incidents.get(doc["_id"])["assignments"][assignment]["status"] == status
        assert fits(phone)
        if do == "accept":
            assert "motorcycle" in phone.content()
            assert phone.locator("svg").count() == 1
            phone.screenshot(path=tmp_path / f"accepted-{lang}.png", full_page=True)
    assert phone.locator("button").count() == 0


@needs_browser
@pytest.mark.parametrize("lang", ["en", "ur"])
def test_whoever_comes_second_is_thanked(app: Flask, address: str, phone: Page, clock: Hand, lang: str) -> None:
    doc = sos(clock())
    first, _ = unit(app, doc, clock())
    _, path = unit(app, doc, clock())
    phone.goto(address + path)
    with app.app_context():
        dispatch.accept(doc["_id"], first, desk("lahore"), by="per_1", via="app", now=clock())
    phone.locator('button[value="accept"]').click()
    assert {"en": "Already handled, thank you.", "ur": "شکریہ"}[lang] in phone.locator("h1").inner_text()


@needs_browser
@pytest.mark.parametrize("lang", ["en", "ur"])
def test_a_guardian_follows_live(app: Flask, address: str, phone: Page, clock: Hand, lang: str, tmp_path: Path) -> None:
    doc = sos(clock(), category="harassment")
    assignment, _ = unit(app, doc, clock())
    phone.goto(address + share(doc))
    said = phone.locator("main").inner_text()
    assert {"en": "Help has been called", "ur": "مدد"}[lang] in said
    assert {"en": "Harassment", "ur": "ہراسانی"}[lang] not in phone.content()
    assert phone.locator('meta[http-equiv="refresh"]').count() == 1
    assert fits(phone)
    phone.screenshot(path=tmp_path / f"live-open-{lang}.png", full_page=True)
    with app.app_context():
        dispatch.accept(doc["_id"], assignment, desk("lahore"), by="per_1", via="app", now=clock())
    phone.reload()
    assert {"en": "Police", "ur": "پولیس"}[lang] in phone.locator("section").nth(1).inner_text()
    phone.screenshot(path=tmp_path / f"live-coming-{lang}.png", full_page=True)
    incidents.change(doc["_id"], lambda draft: rules.close(draft, Resolution.HELPED, by="per_1"), now=clock())
    phone.reload()
    assert phone.locator('meta[http-equiv="refresh"]').count() == 0
    phone.locator("header a").click()
    assert phone.locator("html").get_attribute("lang") == {"en": "ur", "ur": "en"}[lang]


def test_pages_keep_to_themselves(api: FlaskClient, clock: Hand) -> None:
    answer = api.get(share(sos(clock())))
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]


def test_a_link_ends_and_can_be_taken_back(api: FlaskClient, clock: Hand) -> None:
    doc = sos(clock())
    old = share(doc)
    assert api.get(old).status_code == 200
    doc = following.new_share_link(doc, secret=SECRET, ttl=TTL, now=clock())
    assert api.get(old).status_code == 410
    assert api.get(share(doc)).status_code == 200
    clock.forward(hours=7)
    over = api.get(share(doc), headers={"Accept-Language": "ur"})
    assert over.status_code == 410
    assert 'dir="rtl"' in over.get_data(as_text=True)


def test_an_assignment_s_token_opens_no_live_page(api: FlaskClient, app: Flask, clock: Hand) -> None:
    _, path = unit(app, sos(clock()), clock())
    assert api.get(path.replace("/a/", "/t/")).status_code == 404


def test_who_stalled_is_not_told_that_others_have_it_before_they_do(api: FlaskClient, app: Flask, clock: Hand) -> None:
    doc = sos(clock())
    first, path = unit(app, doc, clock())
    second, _ = unit(app, doc, clock())
    with app.app_context():
        dispatch.accept(doc["_id"], first, desk("lahore"), by="per_1", via="app", now=clock())
        dispatch.withdraw(doc["_id"], first, by="ladder", reason="stalled", now=clock())
        said = api.get(f"{path}?lang=en").get_data(as_text=True)
        assert ("control room" in said, "Already handled" in said) == (True, False)
        dispatch.assign(
            doc["_id"],
            "police",
            incidents.get(doc["_id"])["assignments"][second]["unit"],
            desk("lahore"),
            by="op",
            now=clock(),
        )
        (newest,) = (
            found for found, each in incidents.get(doc["_id"])["assignments"].items() if each["status"] == "offered"
        )
        dispatch.accept(doc["_id"], newest, desk("lahore"), by="per_2", via="app", now=clock())
    assert "Already handled" in api.get(f"{path}?lang=en").get_data(as_text=True)


def test_whoever_guesses_is_slowed_down_and_a_right_link_still_opens(api: FlaskClient, clock: Hand) -> None:
    guesser = {"REMOTE_ADDR": "203.0.113.9"}
    statuses = [api.get(f"/t/guess{number}", environ_base=guesser).status_code for number in range(22)]
    assert statuses[:20] == [404] * 20
    assert statuses[20:] == [429] * 2
    assert api.get(share(sos(clock())), environ_base=guesser).status_code == 200


@pytest.mark.parametrize(("do", "status"), [("accept", "seen"), ("decline", "seen"), ("nothing", "queued")])
def test_a_page_that_is_only_opened_leaves_no_trace_and_an_answer_ends_the_telling(
    api: FlaskClient, app: Flask, clock: Hand, do: str, status: str
) -> None:
    doc = sos(clock())
    assignment, path = unit(app, doc, clock())
    telling = Telling(assignment, "lahore", "assignment_offered", doc["_id"], Recipient("unit", "u"), ["sms"], TTL)
    made, _ = deliveries.write_down(telling, now=clock())
    deliveries.deliveries().update_one({"_id": made["_id"]}, {"$set": {"refs": {"assignment": assignment}}})
    begun = deliveries.begin(made, "sms", device=None, now=clock())
    assert begun is not None
    before = deliveries.get(made["_id"])
    for agent in ("WhatsApp/2.23 A", "Mozilla/5.0 (Linux; Android 9)"):
        assert api.get(path, headers={"User-Agent": agent}).status_code == 200
        assert api.head(path).status_code == 200
    assert deliveries.get(made["_id"]) == before
    api.post(path, data={"do": do})
    assert deliveries.get(made["_id"])["status"] == status


def test_a_live_page_that_is_opened_changes_nothing(api: FlaskClient, clock: Hand) -> None:
    doc = sos(clock())
    before = incidents.get(doc["_id"])
    assert api.get(share(doc), headers={"User-Agent": "Mozilla/5.0 (Linux; Android 9)"}).status_code == 200
    assert incidents.get(doc["_id"]) == before
    assert deliveries.deliveries().find_one({"subject": doc["_id"]}) is None


@pytest.mark.parametrize(
    ("owner", "browser_asks", "spoken"),
    [("en", "", "en"), ("en", "de-DE", "en"), ("en", "ur", "ur"), ("ur", "de-DE", "ur"), ("xx", "", "ur")],
)
def test_where_the_reader_asks_for_no_language_of_ours_a_page_speaks_the_owners(
    api: FlaskClient, clock: Hand, owner: str, browser_asks: str, spoken: str
) -> None:
    doc = sos(clock(), language=owner)
    headers = {"Accept-Language": browser_asks} if browser_asks else {}
    assert api.get(share(doc), headers=headers).headers["Content-Language"] == spoken


def test_a_guardian_reads_in_their_language_and_may_refuse(api: FlaskClient, clock: Hand) -> None:
    citizen = signed_in(clock(), name="Ayesha")
    guardian, _ = guardians.add(
        _person(citizen.person_id), "Sana", "+923001112233", language="ur", silent=False, secret=SECRET, now=clock()
    )
    doc = sos(clock(), person=citizen.person_id, verified=True)
    token = guardian_token(SECRET, doc["_id"], guardian.id, 0)
    link = {"h": token_hash(token), "kind": "guardian", "id": guardian.id, "until": clock() + TTL}
    incidents.incidents().update_one({"_id": doc["_id"]}, {"$push": {"links": link}})
    shown = api.get(f"/t/{token}", headers={"Accept-Language": "en"})
    assert 'lang="ur"' in shown.get_data(as_text=True)
    assert "Ayesha" not in shown.get_data(as_text=True)
    api.post(f"/t/{token}", data={"do": "refuse"})
    assert _person(citizen.person_id).guardians[guardian.id].status == "declined"


def _person(person_id: str) -> Any:
    return people.get(person_id)
