"""The local carriers answer as Twilio's own OpenAPI says, with Prism between them and Twilio's real client.

Prism turns every difference, in a request or in an answer, into an error. Skipped where the shared specification or Prism
(`npm ci` in tests/contract/prism, part of `make setup`) is not there.
"""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.fakes.carriers_process import CarriersProcess

REPOSITORY = Path(__file__).parents[2]
SPECIFICATION = REPOSITORY.parent / "shared" / "specs" / "twilio_api_v2010.json"
PRISM = Path(__file__).parent / "prism" / "node_modules" / ".bin" / "prism"

pytestmark = [
    pytest.mark.skipif(not SPECIFICATION.exists(), reason="Twilio's OpenAPI document is not in ../shared/specs"),
    pytest.mark.skipif(not PRISM.exists(), reason="Prism is not installed: npm ci in tests/contract/prism"),
    pytest.mark.timeout(180),
]

TWIML = "<Response><Say>One moment</Say><Gather numDigits='1' timeout='30'/></Response>"


@pytest.fixture(scope="module")
def prism(carriers_process: CarriersProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Prism as a proxy before the local carriers; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("prism") / "log"
    command = [
        PRISM,
        "proxy",
        "--errors",
        SPECIFICATION,
        carriers_process.url,
        "--port",
        str(port),
        "--host",
        "127.0.0.1",
    ]
    with log.open("wb") as out:
        process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=subprocess.STDOUT)
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + 90
    try:
        while time.monotonic() < end:
            try:
                requests.get(url, timeout=5)
                break
            except requests.ConnectionError:
                assert process.poll() is None, log.read_text()
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def twilio(carriers: CarriersProcess, prism: str) -> Client:
    """Twilio's real client, through Prism."""
    return carriers.twilio(prism, timeout=30)


def test_a_message_is_created_listed_fetched_changed_and_deleted(twilio: Client, carriers: CarriersProcess) -> None:
    to = "+923001239001"
    made = twilio.messages.create(
        to=to,
        from_=carriers.number,
        body="آپ کی مدد راستے میں ہے",
        validity_period=300,
        status_callback=f"{carriers.url}/healthz",
    )
    assert (made.status, made.num_segments, made.error_code) == ("queued", "1", None)
    carriers.wait_for(lambda: twilio.messages(made.sid).fetch().status == "delivered")
    listed = twilio.messages.list(to=to, date_sent_after=made.date_created)
    assert [message.sid for message in listed] == [made.sid]
    assert twilio.messages(made.sid).update(body="").body == ""
    assert twilio.messages(made.sid).delete()
    assert twilio.messages.list(to=to) == []


def test_a_list_goes_over_pages(twilio: Client, carriers: CarriersProcess) -> None:
    to = "+923001239002"
    made = {twilio.messages.create(to=to, from_=carriers.number, body=f"part {n}").sid for n in range(5)}
    assert {message.sid for message in twilio.messages.stream(to=to, page_size=2)} == made


@pytest.mark.parametrize(
    ("to", "body", "code"), [("+1", "hello", 21211), ("+923001239003", "", 21602), ("+923001239003", "x" * 1601, 21617)]
)
def test_a_message_that_cannot_be_sent_is_refused_in_the_same_shape(
    twilio: Client, carriers: CarriersProcess, to: str, body: str, code: int
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        twilio.messages.create(to=to, from_=carriers.number, body=body)
    assert (refused.value.status, refused.value.code) == (400, code)


def test_an_inbound_message_and_its_failure_have_the_same_shape(twilio: Client, carriers: CarriersProcess) -> None:
    phone = "+923001239004"
    written = carriers.call("POST", f"/phones/{phone}/sms", {"body": "1a"})
    assert twilio.messages(written["sid"]).fetch().direction == "inbound"
    carriers.set_switch("sms", undelivered=30003)
    made = twilio.messages.create(to=phone, from_=carriers.number, body="Are you there?")
    carriers.wait_for(lambda: twilio.messages(made.sid).fetch().status == "undelivered")
    assert twilio.messages(made.sid).fetch().error_code == 30003


def test_a_call_is_created_fetched_listed_changed_and_ended(twilio: Client, carriers: CarriersProcess) -> None:
    to = "+923001239005"
    made = twilio.calls.create(
        to=to,
        from_=carriers.number,
        twiml=TWIML,
        timeout=40,
        machine_detection="Enable",
        status_callback=f"{carriers.url}/healthz",
        # No status_callback_event: Prism cannot read a repeated form field, whatever stands behind it.
    )
    assert made.status == "queued"
    carriers.wait_for(lambda: twilio.calls(made.sid).fetch().status == "ringing")
    carriers.call("POST", f"/phones/{to}/calls/{made.sid}/answer", {})
    assert twilio.calls(made.sid).fetch().answered_by == "human"
    changed = twilio.calls(made.sid).update(twiml="<Response><Say>Stand down</Say><Gather timeout='30'/></Response>")
    assert changed.status == "in-progress"
    assert twilio.calls(made.sid).update(status="completed").status == "completed"
    assert [call.sid for call in twilio.calls.list(to=to, status="completed")] == [made.sid]
    with pytest.raises(TwilioRestException) as over:
        twilio.calls(made.sid).update(status="completed")
    assert over.value.code == 21220


def test_a_conference_and_who_is_in_it_have_the_same_shape(twilio: Client, carriers: CarriersProcess) -> None:
    twiml = (
        "<Response><Dial hangupOnStar='true'><Conference participantLabel='unit'>prism</Conference></Dial></Response>"
    )
    calls = []
    for to in ("+923001239008", "+923001239009"):
        carriers.set_phone(to, answers="human")
        calls.append(twilio.calls.create(to=to, from_=carriers.number, twiml=twiml, machine_detection="Enable").sid)
    (made,) = carriers.wait_for(lambda: twilio.conferences.list(friendly_name="prism", status="in-progress"))
    assert {each.call_sid for each in twilio.conferences(made.sid).participants.list()} == set(calls)
    for sid in calls:
        twilio.calls(sid).update(status="completed")
    assert twilio.conferences(made.sid).fetch().reason_conference_ended == "last-participant-left"


def test_the_account_and_what_hangs_on_messages_and_calls_are_there(twilio: Client, carriers: CarriersProcess) -> None:
    assert twilio.api.accounts(carriers.account_sid).fetch().status == "active"
    message = twilio.messages.create(to="+923001239006", from_=carriers.number, body="hello")
    assert twilio.messages(message.sid).media.list() == []
    call = twilio.calls.create(to="+923001239006", from_=carriers.number, twiml=TWIML)
    assert twilio.calls(call.sid).recordings.list() == []
    assert twilio.calls(call.sid).notifications.list() == []


def test_what_is_not_there_and_who_is_not_known_are_refused_in_the_same_shape(
    carriers: CarriersProcess, prism: str
) -> None:
    with pytest.raises(TwilioRestException) as missing:
        carriers.twilio(prism).messages("SM" + "0" * 32).fetch()
    assert (missing.value.status, missing.value.code) == (404, 20404)
    stranger = Client(carriers.account_sid, "wrong", http_client=carriers.twilio(prism).http_client)
    with pytest.raises(TwilioRestException) as unknown:
        stranger.messages("SM" + "0" * 32).fetch()
    assert (unknown.value.status, unknown.value.code) == (401, 20003)


@pytest.mark.parametrize(("what", "schema"), [("messages", "message"), ("calls", "call")])
def test_no_field_of_the_document_is_missing(twilio: Client, carriers: CarriersProcess, what: str, schema: str) -> None:
    """Prism cannot see this: the document requires none of them."""
    fields = json.loads(SPECIFICATION.read_bytes())["components"]["schemas"][f"api.v2010.account.{schema}"][
        "properties"
    ]
    content = {"body": "hello"} if what == "messages" else {"twiml": TWIML}
    sid = getattr(twilio, what).create(to="+923001239007", from_=carriers.number, **content).sid
    path = f"/2010-04-01/Accounts/{carriers.account_sid}/{what.title()}/{sid}.json"
    shown = requests.get(carriers.url + path, auth=(carriers.account_sid, carriers.auth_token), timeout=10).json()
    assert set(shown) == set(fields)


def test_prism_would_notice_a_difference(carriers: CarriersProcess, prism: str) -> None:
    """The check itself: a request that the document does not allow is not let through."""
    answer = requests.post(
        f"{prism}/2010-04-01/Accounts/{carriers.account_sid}/Messages.json",
        data={"From": carriers.number, "Body": "to nobody"},
        auth=(carriers.account_sid, carriers.auth_token),
        timeout=30,
    )
    assert answer.status_code == 422
    assert "To" in answer.text
