"""The local carriers as a process and as pages: inboxes outlive a crash, and a person can answer without JavaScript."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.fakes.carriers_process import CarriersProcess
from tests.sandbox.conftest import City

PHONE = "+923001230031"
CHROMIUM = shutil.which("chromium") or ""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[CarriersProcess]:
    """A process for this test alone, which it may kill."""
    process = CarriersProcess(tmp_path / "carriers")
    yield process
    process.stop()


def test_inboxes_outlive_a_crash_and_receipts_go_on(own: CarriersProcess, city: City) -> None:
    own.set_switch("sms", queue_s=3)
    waiting = own.twilio().messages.create(to=PHONE, from_=own.number, body="held")
    own.clear_switches()
    sent = own.twilio().messages.create(to=PHONE, from_=own.number, body="یہ رہے گا")
    own.register("a-token", PHONE, auto_receipt=True, api_url=city.url)
    own.write(PHONE, "STOP")
    ringing = own.twilio().calls.create(to=PHONE, from_=own.number, twiml="<Response/>")
    own.wait_for(lambda: own.inbox(PHONE)["calls"][0]["status"] == "ringing")
    own.wait_for(lambda: own.twilio().messages(sent.sid).fetch().status == "delivered")
    own.stop(kill=True)
    with (own.dir / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"k":"sms","id":"cut o')
    own.start()
    inbox = own.inbox(PHONE)
    assert {sms["body"] for sms in inbox["sms"]} >= {"یہ رہے گا", "STOP"}
    assert inbox["devices"] == ["a-token"]
    assert own.twilio().calls(ringing.sid).fetch().status == "failed"
    own.wait_for(lambda: own.twilio().messages(waiting.sid).fetch().status == "delivered")
    assert "held" in {sms["body"] for sms in own.inbox(PHONE)["sms"]}
    with pytest.raises(Exception, match="unsubscribed"):
        own.twilio().messages.create(to=PHONE, from_=own.number, body="again")


def test_what_it_keeps_is_readable_by_its_owner_alone(own: CarriersProcess) -> None:
    assert {path.stat().st_mode & 0o077 for path in [own.dir, *own.dir.iterdir()]} == {0}


def test_a_reset_is_kept_too(own: CarriersProcess) -> None:
    own.twilio().messages.create(to=PHONE, from_=own.number, body="gone")
    own.reset()
    own.stop()
    own.start()
    assert own.call("GET", "/messages.json")["items"] == []


def test_everything_since_a_moment_can_be_counted(carriers: CarriersProcess) -> None:
    for number in range(3):
        carriers.twilio().messages.create(to=PHONE, from_=carriers.number, body=str(number))
    everything = carriers.call("GET", "/messages.json")
    assert everything["counts"] == {"sms": 3, "calls": 0, "pushes": 0}
    later = carriers.call("GET", f"/messages.json?since={everything['items'][1]['at'].replace('+', '%2B')}")
    assert [item["body"] for item in later["items"]] == ["1", "2"]
    assert carriers.call("GET", f"/messages.json?since={everything['next']}")["items"] == []


def test_pages_show_text_as_text_in_its_own_direction(carriers: CarriersProcess) -> None:
    carriers.twilio().messages.create(
        to=PHONE, from_=carriers.number, body="<script>alert(1)</script> مدد http://127.0.0.1:1/a/x1?y=2."
    )
    page = requests.get(f"{carriers.url}/phones/{PHONE}/thread", timeout=5)
    assert "&lt;script&gt;" in page.text
    assert "<script" not in page.text
    assert '<a href="http://127.0.0.1:1/a/x1?y=2"' in page.text
    assert 'class="ur" dir="auto"' in page.text
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert PHONE in requests.get(f"{carriers.url}/phones", timeout=5).text


def test_a_mistake_on_a_page_is_a_sentence(carriers: CarriersProcess) -> None:
    answer = requests.post(f"{carriers.url}/phones/{PHONE}/page/press", {"call": "CA0", "digits": "1"}, timeout=5)
    assert (answer.status_code, "no such call" in answer.text) == (400, True)


@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
def test_a_person_answers_a_call_writes_and_breaks_the_network_in_a_browser(
    carriers: CarriersProcess, city: City
) -> None:
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    city.answers = {
        "/voice": "<Response><Gather numDigits='1' action='/key' timeout='60'><Say>Press one</Say></Gather></Response>",
        "/key": "<Response><Say>Accepted</Say></Response>",
    }
    carriers.twilio().calls.create(to=PHONE, from_=carriers.number, url=f"{city.url}/voice")
    carriers.wait_for(lambda: carriers.inbox(PHONE)["calls"][0]["status"] == "ringing")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(java_script_enabled=False).new_page()
        page.goto(f"{carriers.url}/phones/{PHONE}")
        thread = page.frame_locator("iframe")
        thread.get_by_role("button", name="Answer").click()
        thread.get_by_text("Press one").wait_for()
        page.get_by_label("SMS to the city").fill("1a")  # typed while the frame above loads itself again
        thread.get_by_role("button", name="1", exact=True).click()
        carriers.wait_for(lambda: city.asked("/key"))
        page.get_by_role("button", name="Send").click()
        thread.get_by_text("1a", exact=True).wait_for()
        page.goto(f"{carriers.url}/failures")
        sms = page.locator("form.channel", has_text="SMS")
        sms.get_by_label("Answer instead").select_option("500")
        sms.get_by_role("button", name="Set").click()
        assert carriers.call("GET", "/switches")["sms"]["status"] == 500
        page.get_by_role("button", name="Everything off").click()
        assert "status" not in carriers.call("GET", "/switches")["sms"]
        browser.close()
    assert city.asked("/key")[0]["Digits"] == "1"
    assert [sms["body"] for sms in carriers.inbox(PHONE)["sms"]] == ["1a"]


def test_answers_that_hang_for_clients_long_gone_hold_nobody_up(tmp_path: Path) -> None:
    small = CarriersProcess(tmp_path / "small", threads=4)
    try:
        small.set_switch("sms", timeout_after_sending=True, hang_s=60)
        for _ in range(6):
            with pytest.raises(requests.ReadTimeout):
                small.twilio(timeout=0.1).messages.create(to=PHONE, from_=small.number, body="hello")
        assert len(small.inbox(PHONE)["sms"]) == 6
    finally:
        small.stop()
