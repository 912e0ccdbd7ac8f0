"""The live page of a journey, on a small phone without JavaScript: what it shows, what a guardian can press, what it hides."""

import os
import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

from domain.journeys import queries, rules, service
from domain.journeys.concerns import Point
from domain.journeys.service import Plan
from domain.journeys.states import JourneyStatus
from domain.people import guardians
from domain.people import queries as people
from domain.people.states import GuardianStatus
from notifications.recipients import reach
from tests.api.conftest import Hand
from tests.factories.people import SECRET, phone, signed_in

CHROMIUM = shutil.which("chromium")
HOME = {"lat": 31.5304, "lon": 74.3587, "name": "Home"}


class Walk:
    """A shared journey of somebody with one guardian, who has a page."""

    def __init__(self, now: Any) -> None:
        self.who = signed_in(now, name="Sana Tariq")
        person = people.get(self.who.person_id)
        self.guardian, _ = guardians.add(person, "Ammi", phone(), language="ur", silent=False, secret=SECRET, now=now)
        plan = Plan(destination=HOME, expected_arrival=now + timedelta(hours=1), sharing=True)
        person = people.get(self.who.person_id)
        doc, _ = service.start(
            f"jny_{self.guardian.id}", person, plan, city="lahore", fingerprint="x", secret=SECRET, now=now
        )
        self.id = doc["_id"]
        doc = service.open_pages(self.id, [self.guardian.id], secret=SECRET, now=now)
        self.page = f"/t/{service.guardian_token(SECRET, doc, self.guardian.id)}"
        self.share = f"/t/{service.share_token(SECRET, doc)}"

    def moves(self, now: Any, *, battery: float = 50.0) -> None:
        point = Point(31.5204, 74.3587, now, 20.0)
        place = {"lat": point.lat, "lon": point.lon, "accuracy_m": 20.0}
        service.change(self.id, lambda draft: rules.moved(draft, [point], place, pct=battery), now=now)

    def misses(self, now: Any) -> None:
        def rule(draft: Any) -> None:
            draft.set("status", "missed")
            draft.set("raise_at", now + timedelta(minutes=3))

        service.change(self.id, rule, now=now)


@pytest.mark.parametrize(("browser_asks", "spoken"), [("de-DE", "en"), ("ur", "ur")])
def test_where_the_reader_asks_for_no_language_of_ours_it_speaks_the_travellers(
    api: FlaskClient, clock: Hand, browser_asks: str, spoken: str
) -> None:
    walk = Walk(clock())
    people.collection().update_one({"_id": walk.who.person_id}, {"$set": {"language": "en"}})
    assert api.get(walk.share, headers={"Accept-Language": browser_asks}).headers["Content-Language"] == spoken


def test_whoever_has_the_share_link_looks_and_presses_nothing(app: Flask, api: FlaskClient, clock: Hand) -> None:
    walk = Walk(clock())
    walk.misses(clock())
    shown = api.get(f"{walk.share}?lang=en").text
    assert "They do not answer" in shown
    assert "I have reached them" not in shown
    assert "Call help" not in shown
    assert api.post(walk.share, data={"do": "call_help"}).status_code == 303
    assert queries.get(walk.id)["status"] == "missed"


def test_a_guardian_is_offered_what_helps_and_is_named_nowhere(app: Flask, api: FlaskClient, clock: Hand) -> None:
    walk = Walk(clock())
    walk.moves(clock(), battery=9.0)
    shown = api.get(f"{walk.page}?lang=en").text
    assert all(text in shown for text in ("On the way", "Battery nearly empty", "Call help to them now", "Home"))
    assert "I have reached them" not in shown, "only while nobody knows where she is"
    assert not [name for name in ("Sana", "Tariq", "Ammi", walk.who.phone) if name in shown]
    answer = api.get(walk.page)
    assert answer.headers["Content-Language"] == "ur"
    assert answer.headers["Cache-Control"] == "no-store"


def test_opening_a_page_presses_nothing(app: Flask, api: FlaskClient, clock: Hand) -> None:
    walk = Walk(clock())
    walk.misses(clock())
    before = queries.get(walk.id)
    for _ in range(3):
        api.get(walk.page)
        api.head(walk.page)
        api.get(f"{walk.page}?do=call_help")
    assert queries.get(walk.id) == before


def test_a_guardian_who_wants_no_calls_is_only_written_to(app: Flask, api: FlaskClient, clock: Hand) -> None:
    walk = Walk(clock())
    settings = app.extensions["amaan"].settings
    recipient = {"kind": "guardian", "id": walk.guardian.id, "of": walk.who.person_id}
    assert {"sms", "voice"} <= set(reach(recipient, settings).addresses)
    assert "Do not ring me" in api.get(f"{walk.page}?lang=en").text
    api.post(walk.page, data={"do": "no_calls"})
    assert "voice" not in reach(recipient, settings).addresses
    assert "sms" in reach(recipient, settings).addresses
    assert "not rung" in api.get(f"{walk.page}?lang=en").text


def test_a_guardian_who_refuses_is_told_nothing_more(app: Flask, api: FlaskClient, clock: Hand) -> None:
    walk = Walk(clock())
    api.post(walk.page, data={"do": "refuse"})
    (held,) = people.get(walk.who.person_id).guardians.values()
    assert held.status == GuardianStatus.DECLINED
    api.post(walk.page, data={"do": "call_help"})
    assert queries.get(walk.id)["status"] == "under_way"


def test_a_page_ends_an_hour_after_the_journey(app: Flask, api: FlaskClient, clock: Hand) -> None:
    walk = Walk(clock())
    service.change(walk.id, lambda draft: rules.end(draft, JourneyStatus.ARRIVED), now=clock())
    assert "has arrived" not in api.get(f"{walk.page}?lang=en").text
    assert "They say that they have arrived" in api.get(f"{walk.page}?lang=en").text
    clock.forward(minutes=61)
    assert api.get(walk.page).status_code == 410


@pytest.fixture(scope="module")
def url(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
        context.set_default_timeout(60_000)
        yield context.new_page()
        browser.close()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium fonts-noto-core")
def test_on_a_small_phone_in_urdu_the_button_says_that_she_is_reached(
    url: str, browser_page: Page, clock: Hand, tmp_path: Path
) -> None:
    walk = Walk(clock())
    walk.moves(clock(), battery=9.0)
    walk.misses(clock())
    browser_page.goto(f"{url}{walk.page}")
    assert browser_page.locator("html").get_attribute("dir") == "rtl"
    button = browser_page.get_by_role("button", name="میرا ان سے رابطہ ہو گیا")
    box = button.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    assert box["height"] >= 44, "a thumb hits it"
    browser_page.screenshot(path=os.environ.get("PICTURE") or tmp_path / "page.png", full_page=True)
    button.click()
    assert "سفر جاری ہے" in browser_page.content()
    assert queries.get(walk.id)["status"] == "under_way"
