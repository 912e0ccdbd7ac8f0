"""One carrier is in trouble: the second one tells people, nobody is told twice, and the first is asked again in time.

The API, the jobs, the sweeper and the carriers' process are real; only the minutes pass quickly.
"""

import itertools
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from notifications import deliveries as sending
from notifications import reports
from notifications.breaker import FAILURES, BreakerState
from notifications.channels.smpp_sms import SmppSmsChannel
from notifications.deliveries import SEND_TIMEOUT_S
from notifications.gateways import Gateways, Trait
from tests.factories.people import Signed
from tests.fakes.small_city import TWO_GATEWAYS, SmallCity
from tests.fakes.smsc_process import SmscProcess
from tests.scenarios.test_carrier_trouble import offer, offered_texts, sos

pytestmark = pytest.mark.timeout(60)
_numbers = itertools.count(int.from_bytes(uuid.uuid4().bytes[:2]))


@pytest.fixture
def city(small_city: SmallCity) -> Iterator[SmallCity]:
    """The city with healthy carriers, of which nothing bad is known."""
    small_city.carriers.clear_switches()
    small_city.store.deliveries.delete_many({})
    gateways = sms(small_city)
    for name in gateways.names:
        gateways.told(name, None, small_city.now())
    yield small_city
    small_city.carriers.clear_switches()
    small_city.settle()
    for name in gateways.names:
        gateways.told(name, None, small_city.now())


def sms(city: SmallCity) -> Gateways:
    """The city's SMS gateways, with their breakers."""
    found = city.context.channels["sms"]
    assert isinstance(found, Gateways)
    return found


def responder(city: SmallCity) -> Signed:
    """One whose number both gateways serve."""
    return city.responder(phone=f"{TWO_GATEWAYS}{next(_numbers) % 10_000_000:07d}")


def ways(delivery: dict[str, Any]) -> list[tuple[str, str]]:
    """(gateway, state) of each attempt."""
    attempts = delivery["attempts"]
    return [(attempts[number]["gateway"], attempts[number]["state"]) for number in sorted(attempts, key=int)]


def test_twilio_is_down_and_the_second_gateway_tells_them_at_once(city: SmallCity) -> None:
    told = responder(city)
    city.carriers.set_switch("sms", status=503)
    incident = sos(city)
    city.carriers.wait_for(lambda: len(offered_texts(city, told)) == 1)
    city.carriers.wait_for(lambda: ways(offer(city, incident, told))[1:] == [("local_http", "delivered")])
    found = offer(city, incident, told)
    assert ways(found)[0] == ("twilio_sms", "temporary")
    assert (found["attempts"]["2"]["at"] - found["attempts"]["1"]["at"]).total_seconds() < 2
    assert found["status"] == "delivered"
    assert found["attempts"]["2"]["vendor_id"].startswith("GW")
    city.skip(60)
    assert len(offered_texts(city, told)) == 1


def test_a_carrier_that_keeps_failing_is_passed_over_and_found_again(city: SmallCity) -> None:
    city.carriers.set_switch("sms", status=503)
    for _ in range(FAILURES):
        told = responder(city)
        incident = sos(city)
        city.carriers.wait_for(lambda told=told: offered_texts(city, told))  # type: ignore[misc]
        city.off_duty()
    assert sms(city).states(city.now())["twilio_sms"] == BreakerState.OPEN
    sms(city).went("twilio_sms", city.now())  # somebody's life-critical message has just looked
    told = responder(city)
    incident = sos(city)
    city.carriers.wait_for(lambda: offered_texts(city, told))
    assert [name for name, _ in ways(offer(city, incident, told))] == ["local_http"]
    city.off_duty()
    city.carriers.clear_switches()
    city.skip(6)
    told = responder(city)
    incident = sos(city)
    city.carriers.wait_for(lambda: offered_texts(city, told))
    assert [name for name, _ in ways(offer(city, incident, told))] == ["twilio_sms"]
    assert sms(city).states(city.now())["twilio_sms"] == BreakerState.CLOSED


def test_what_twilio_may_have_is_looked_up_there_before_anybody_else_is_asked(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SEND_TIMEOUT_S", dict.fromkeys(SEND_TIMEOUT_S, 0.7))
    told = responder(city)
    city.carriers.set_switch("sms", told.phone, timeout_after_sending=True, hang_s=20, no_receipt=True, times=1)
    incident = sos(city)
    city.carriers.clear_switches()

    def told_once() -> bool:
        city.skip(1)
        return len(offered_texts(city, told)) == 1

    city.carriers.wait_for(told_once, timeout=15)
    for _ in range(3):
        city.skip(3)
    assert len(offered_texts(city, told)) == 1
    assert [name for name, _ in ways(offer(city, incident, told))] == ["twilio_sms"]


def test_an_attempt_of_a_gateway_that_was_taken_out_of_the_table_is_asked_of_nobody_else(city: SmallCity) -> None:
    """Another carrier knows nothing of it: it would say that it has no such message, and they would be told twice."""
    told = responder(city)
    city.carriers.set_switch("sms", told.phone, no_receipt=True)
    incident = sos(city)
    city.carriers.wait_for(lambda: len(offered_texts(city, told)) == 1)
    delivery = offer(city, incident, told)
    gone = {"attempts.1.state": "unknown", "attempts.1.gateway": "gone", "status": "queued", "next_at": city.now()}
    city.store.deliveries.update_one({"_id": delivery["_id"]}, {"$set": gone})
    for _ in range(3):
        city.skip(3)
    assert ways(offer(city, incident, told)) == [("gone", "unknown")]
    assert offer(city, incident, told)["attempts"]["1"]["code"] == "no_list"


def test_whoever_told_twilio_to_stop_is_not_written_to_by_another_way(city: SmallCity) -> None:
    told = responder(city)
    city.carriers.set_switch("sms", told.phone, error="21610")
    incident = sos(city)
    city.skip(5)
    assert [name for name, _ in ways(offer(city, incident, told))][:1] == ["twilio_sms"]
    assert "local_http" not in [name for name, _ in ways(offer(city, incident, told))]
    assert offered_texts(city, told) == []


def test_where_both_are_down_both_are_tried_until_one_takes_it(city: SmallCity) -> None:
    told = responder(city)
    city.carriers.set_switch("sms", told.phone, status=503)
    city.carriers.set_switch("gateway", told.phone, status=503, times=2)
    incident = sos(city)
    for _ in range(8):
        city.skip(2)
    city.carriers.wait_for(lambda: len(offered_texts(city, told)) == 1)
    tried = [name for name, _ in ways(offer(city, incident, told))]
    assert tried[:2] == ["twilio_sms", "local_http"]
    assert tried[-1] == "local_http"


@pytest.mark.parametrize("wrong", ["signature", "attempt", "gateway"])
def test_a_report_that_is_not_by_the_address_we_gave_is_refused(city: SmallCity, wrong: str) -> None:
    told = responder(city)
    city.carriers.set_switch("sms", status=503, times=1)
    incident = sos(city)
    city.carriers.wait_for(lambda: ways(offer(city, incident, told))[1:] == [("local_http", "delivered")])
    delivery = offer(city, incident, told)["_id"]
    url = reports.address(city.url, city.settings.signing_key, "local_http", delivery, 2)
    assert requests.post(url, json={"status": "FAILED", "error": "E31"}, timeout=10).status_code == 204
    forged = {
        "signature": url[:-1] + ("0" if url[-1] != "0" else "1"),
        "attempt": url.replace("attempt=2", "attempt=1"),
        "gateway": url.replace("local_http", "twilio_sms"),
    }[wrong]
    answer = requests.post(forged, json={"status": "FAILED", "error": "E31"}, timeout=10)
    assert answer.status_code == 403
    assert ways(offer(city, incident, told))[1] == ("local_http", "delivered")  # what was final stays


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b'{"status": {"a": 1}}', b"\xff\x00", b'{"status": "' + b"x" * 9999 + b'"}']
)
def test_a_report_that_makes_no_sense_changes_nothing(city: SmallCity, body: bytes) -> None:
    url = reports.address(city.url, city.settings.signing_key, "local_http", "dlv_nobody", 1)
    answer = requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=10)
    assert answer.status_code == 204
    known = requests.post(url, json={"status": "DELIVERED"}, timeout=10)
    assert known.status_code == 204  # of a delivery long gone


# --- by SMPP ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def by_smpp(city: SmallCity, smsc: SmscProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmscProcess]:
    """The city whose first SMS gateway speaks SMPP, and whose second is Twilio."""
    channel = SmppSmsChannel(smsc.gateway(), reports.keeper(city.now))
    channel.open()
    twilio = sms(city).named("twilio_sms")
    traits = {"local_smpp": Trait(reports="by_id")}
    channels: Any = city.context.channels
    monkeypatch.setitem(channels, "sms", Gateways([channel, twilio], None, traits))
    smsc.wait_for(lambda: smsc.bound() == 1)
    yield smsc
    channel.close()
    smsc.wait_for(lambda: smsc.bound() == 0)


def test_an_offer_by_smpp_is_joined_from_its_parts_and_its_receipt_counts(
    city: SmallCity, by_smpp: SmscProcess
) -> None:
    told = city.responder(language="ur")
    incident = sos(city)
    city.wait_for(lambda: offer(city, incident, told)["status"] == "delivered")
    found = offer(city, incident, told)
    assert ways(found) == [("local_smpp", "delivered")]
    [text] = by_smpp.texts(told.phone)
    assert "/a/" in text
    assert found["attempts"]["1"]["segments"] == len(by_smpp.messages(told.phone))
    assert city.texts(told.phone) == []


def test_a_throttled_smsc_gives_way_to_the_other_gateway(city: SmallCity, by_smpp: SmscProcess) -> None:
    told = city.responder()
    by_smpp.fault(told.phone, status=0x58)
    incident = sos(city)
    city.carriers.wait_for(lambda: len(offered_texts(city, told)) == 1)
    assert [name for name, _ in ways(offer(city, incident, told))] == ["local_smpp", "twilio_sms"]
    assert by_smpp.messages(told.phone) == []


def test_what_the_smsc_gives_up_later_goes_on_from_its_receipt(city: SmallCity, by_smpp: SmscProcess) -> None:
    told = city.responder()
    by_smpp.fault(told.phone, receipt="REJECTD")
    incident = sos(city)
    city.wait_for(lambda: ways(offer(city, incident, told))[0] == ("local_smpp", "permanent"))
    city.skip(1)
    city.carriers.wait_for(lambda: len(offered_texts(city, told)) == 1)
    assert [name for name, _ in ways(offer(city, incident, told))] == ["local_smpp", "twilio_sms"]


def test_a_connection_that_broke_in_mid_message_is_settled_by_its_receipt(
    city: SmallCity, by_smpp: SmscProcess
) -> None:
    """The SMSC has it, its answer was lost, and no other way is taken before it is clear that none is coming."""
    told = city.responder()
    by_smpp.fault(told.phone, drop=True, receipt="none", times=1)
    incident = sos(city)
    city.skip(2)
    assert ways(offer(city, incident, told)) == [("local_smpp", "unknown")]
    city.skip(15)
    assert ways(offer(city, incident, told)) == [("local_smpp", "unknown")]
    city.skip(10)  # nobody said anything for twenty seconds
    city.carriers.wait_for(lambda: len(offered_texts(city, told)) == 1)
    assert [name for name, _ in ways(offer(city, incident, told))] == ["local_smpp", "twilio_sms"]
