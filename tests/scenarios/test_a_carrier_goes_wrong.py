"""A carrier goes wrong and the control room is told: once, by a way that still works; and can read what it said.

The SMS carrier answers 503. What was to go out is seen to fail, the notice opens, the operator's phone gets one push, the
attempts can be read with the carrier's own words and ours, the figures and metrics show it, and when the carrier is well
again the notice clears by itself.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from redis.exceptions import RedisError

from cli import deliveries as command
from domain.deliveries.service import Recipient, Telling
from domain.dispatch import service as dispatch
from domain.incidents import service as incidents
from domain.insights import carriers
from domain.notices import queries as notice_queries
from domain.notices import service as notices
from domain.notices.states import NoticeKind
from notifications import fanout, observed
from tests.factories.people import Signed, phone, signed_in, staff
from tests.fakes.small_city import SmallCity
from workers.notices import look_after

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def city(small_city: SmallCity) -> Iterator[SmallCity]:
    """By day, with healthy carriers and no figures yet."""
    small_city.settle()
    observed.tally.flush()
    for collection in ("deliveries", "people", "notices", "carrier_hours", "carrier_totals"):
        small_city.store[collection].delete_many({})
    small_city.by_day()
    yield small_city
    small_city.carriers.clear_switches()


def with_app(city: SmallCity, person: Signed) -> str:
    """Put the app on somebody's phone; returns its push token."""
    token, device = f"push-{uuid.uuid4().hex}", f"dev-{uuid.uuid4().hex[:8]}"
    held = {"id": device, "token": token, "platform": "android", "session_id": "ses_1", "seen_at": city.now()}
    city.store.people.update_one(
        {"_id": person.person_id}, {"$set": {f"devices.{device}": held, "device_tokens": [token]}}
    )
    city.carriers.register(token, person.phone, auto_receipt=True, api_url=city.url)
    return token


def write_to(city: SmallCity, people: list[Signed], incident: str) -> list[str]:
    """An SMS to each of these."""
    ids = fanout.tell(
        [
            Telling(
                key=uuid.uuid4().hex, city="lahore", purpose="incident_updated", subject=incident,
                recipient=Recipient("person", person.person_id), plan=("sms",), valid_for=timedelta(hours=2),
                refs={"status": "acknowledged"}, life_critical=True,
            )
            for person in people
        ],
        city.context.post,
    )  # fmt: skip
    fanout.settle(ids)
    observed.tally.flush()
    return ids


def get(city: SmallCity, who: Signed, path: str) -> requests.Response:
    return requests.get(city.url + path, headers=who.headers, timeout=20)


def standing(city: SmallCity, who: Signed) -> list[dict[str, Any]]:
    """The notices that stand, as the control room reads them."""
    answer = get(city, who, "/v1/notices?city=lahore")
    assert answer.status_code == 200, answer.text
    return [each for each in answer.json()["items"] if each["kind"].startswith("carrier")]


def test_a_failing_carrier_is_told_once_read_and_cleared(city: SmallCity) -> None:
    operator = staff(city.now(), "operator", language="en")
    asleep = staff(city.now(), "operator", duty="off_duty")
    city.store.people.update_one({"_id": operator.person_id}, {"$set": {"duty": "available"}})
    token = with_app(city, operator)
    caller = signed_in(city.now())
    incident = city.sos(phone=caller.phone)["id"]
    city.settle()
    people = [signed_in(city.now()) for _ in range(6)]

    write_to(city, people[:3], incident)
    city.skip(0)
    assert standing(city, operator) == []

    city.carriers.set_switch("sms", status=503)
    ids = write_to(city, people, incident)
    for _ in range(3):
        city.skip(0)
    kinds = {each["kind"]: each for each in standing(city, operator)}
    assert kinds["carrier_failing"]["cause"] == "twilio_sms"
    assert "failed by its own fault" in kinds["carrier_failing"]["reading"]

    def pushed() -> list[dict[str, Any]]:
        return [each for each in city.carriers.device(token)["pushes"] if each["data"]["type"] == "notice.opened"]

    city.wait_for(pushed)
    for _ in range(3):
        city.skip(1)
    told = [each["data"]["notice_id"] for each in pushed()]
    assert sorted(told) == sorted({each["id"] for each in kinds.values()})  # each once
    assert city.store.deliveries.count_documents({"recipient.id": asleep.person_id}) == 0

    # What the carrier said, and what that means
    read = get(city, operator, f"/v1/deliveries/{ids[0]}")
    assert read.status_code == 200, read.text
    (first, *_) = read.json()["attempts"]
    assert (first["channel"], first["carrier"], first["code"]) == ("sms", "twilio_sms", "carrier_down")
    assert first["reading"] == "The carrier says that it has a fault."
    assert first["vendor_code"]
    assert first["answer_ms"] >= 0
    listed = get(city, operator, f"/v1/incidents/{incident}/deliveries?limit=100")
    assert {each["id"] for each in listed.json()["items"]} >= set(ids)
    assert "+92" not in read.text + listed.text
    assert city.store.audit.count_documents({"actor": operator.person_id, "action": "delivery.read"}) == 1

    # The figures
    observed.tally.flush()
    query = f"city=lahore&from={(city.now() - timedelta(hours=1)).strftime('%Y-%m-%dT%H:%M:%SZ')}"
    figures = get(city, operator, f"/v1/insights/carriers?{query}").json()
    sms = next(each for each in figures["carriers"] if each["carrier"] == "twilio_sms" and each["own"])
    assert sms["taken"] >= 3
    assert sms["failed"] >= 5
    assert sms["failure_rate"] > 0.3
    assert 0 < sms["p50_ms"] <= sms["p95_ms"]
    assert sms["codes"][0]["code"] == "carrier_down"
    metrics = requests.get(f"{city.url}/metrics", timeout=10).text
    assert 'amaan_carrier_messages_total{carrier="twilio_sms",city="lahore",outcome="temporary"}' in metrics
    assert 'amaan_notices{city="*",kind="carrier_failing",status="open"} 1.0' in metrics

    # Somebody sees to it; then the carrier is well again
    notice = kinds["carrier_failing"]["id"]
    answer = requests.post(f"{city.url}/v1/notices/{notice}/acknowledge", headers=operator.headers, timeout=10)
    assert (answer.status_code, answer.json()["acknowledged_by"]) == (200, operator.person_id)
    city.carriers.clear_switches()
    city.skip(carriers.SLOT.total_seconds() * 2 + 1)
    observed.tally.flush()
    city.store.carrier_hours.delete_many({})  # the retries of these minutes
    city.skip(0)
    assert standing(city, operator) == []
    over = requests.post(f"{city.url}/v1/notices/{notice}/acknowledge", headers=operator.headers, timeout=10)
    assert (over.status_code, over.json()["code"]) == (409, "notice_over")
    # The same cause soon again: on the screens, and nobody is rung again
    before = len(pushed())
    notices.see(NoticeKind.CARRIER_FAILING, "twilio_sms", city="*", now=city.now())
    city.skip(3)
    assert len(pushed()) == before


def test_who_may_not_read_deliveries_does_not(city: SmallCity) -> None:
    operator, elsewhere = staff(city.now(), "operator"), staff(city.now(), "operator", city="karachi")
    incident = city.sos()["id"]
    person = signed_in(city.now())
    (told,) = write_to(city, [person], incident)
    assert get(city, operator, f"/v1/deliveries/{told}").status_code == 200
    assert get(city, elsewhere, f"/v1/deliveries/{told}").status_code == 404
    assert get(city, elsewhere, f"/v1/incidents/{incident}/deliveries").status_code == 404
    assert get(city, person, f"/v1/deliveries/{told}").status_code == 403
    city.store.deliveries.update_one({"_id": told}, {"$set": {"subject": "hlp_1", "purpose": "helpline_message"}})
    assert get(city, operator, f"/v1/deliveries/{told}").status_code == 404


def test_the_control_room_sees_that_a_guardian_was_told_and_not_who_it_is(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator, incident = staff(city.now(), "operator"), city.sos()["id"]
    her, guardian = signed_in(city.now()), phone()
    guardians = {"grd_1": {"id": "grd_1", "name": "Amna", "phone": guardian, "status": "confirmed"}}
    city.store.people.update_one({"_id": her.person_id}, {"$set": {"guardians": guardians}})
    telling = Telling(
        key=uuid.uuid4().hex, city="lahore", purpose="guardian_alerted", subject=incident,
        recipient=Recipient("guardian", "grd_1", of=her.person_id), plan=("sms",), valid_for=timedelta(hours=1),
    )  # fmt: skip
    (told,) = fanout.tell([telling], city.context.post)
    fanout.settle([told])
    assert "vendor_id" in city.store.deliveries.find_one({"_id": told})["attempts"]["1"]
    read = get(city, operator, f"/v1/deliveries/{told}")
    assert read.json()["recipient"] == {"kind": "guardian"}
    assert [each["state"] for each in read.json()["attempts"]] == ["sent"]
    assert {"vendor_id", "device"}.isdisjoint(read.json()["attempts"][0])
    listed = get(city, operator, f"/v1/incidents/{incident}/deliveries?limit=100")
    whole = get(city, operator, f"/v1/incidents/{incident}")
    for answer in (read, listed, whole):
        assert "guardian_alerted" in answer.text
        assert "grd_1" not in answer.text
    monkeypatch.setattr(command, "connected", lambda: city.settings)  # this process is
    shown = CliRunner().invoke(command.deliveries, [told])
    assert shown.exit_code == 0, shown.exception
    assert "twilio_sms" in shown.output
    assert "grd_1" not in shown.output
    assert guardian not in shown.output


def test_the_command_shows_every_attempt(city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = city.sos()["id"]
    person = signed_in(city.now())
    city.carriers.set_switch("sms", error="30006", times=1)
    (told,) = write_to(city, [person], incident)
    monkeypatch.setattr(command, "connected", lambda: city.settings)  # this process is
    shown = CliRunner().invoke(command.deliveries, [told])
    assert shown.exit_code == 0, shown.output
    assert "twilio_sms" in shown.output
    assert "30006" in shown.output
    assert person.phone not in shown.output
    as_json = CliRunner().invoke(command.deliveries, [incident, "--json"])
    rows = [json.loads(line) for line in as_json.output.splitlines()]
    (row,) = [each for each in rows if each["id"] == told]
    assert row["attempts"][0]["vendor_code"] == "30006"
    assert row["attempts"][0]["reading"]
    nothing = CliRunner().invoke(command.deliveries, ["inc_none"])
    assert (nothing.exit_code, "nothing was told" in nothing.output) == (1, True)


def test_a_ladder_that_finds_nobody_stands_until_somebody_has_it(city: SmallCity) -> None:
    operator = staff(city.now(), "operator")
    incident = city.sos()["id"]
    city.settle()

    def unanswered() -> list[str]:
        found = get(city, operator, "/v1/notices?city=lahore").json()["items"]
        return [each["status"] for each in found if each["kind"] == "ladder_unanswered" and each["cause"] == incident]

    for _ in range(12):
        city.skip(60)
        if unanswered():
            break
    operator = staff(city.now(), "operator")
    assert unanswered() == ["open"]
    city.responder(metres=100)
    city.skip(120)
    assert unanswered() == ["open"]  # somebody was asked, nobody has it yet
    doc = incidents.get(incident)
    assignment = next(key for key, each in doc["assignments"].items() if each["status"] == "offered")
    dispatch.accept(incident, assignment, city.context.desk("lahore"), by="per_1", via="app", now=city.now())
    for _ in range(3):
        city.skip(3)
    assert unanswered() == []


def test_a_queue_that_is_away_and_messages_that_wait_are_told(city: SmallCity) -> None:
    class Away:
        """Redis does not answer."""

        def __call__(self, job: str, *args: Any) -> bool:
            return False

        def depth(self) -> dict[str, int]:
            raise RedisError

    def kinds() -> set[str]:
        return {each["kind"] for each in notice_queries.standing()}

    away = replace(city.context, enqueue=Away())
    late = {
        "_id": "dlv_late", "city": "lahore", "purpose": "otp", "subject": "x", "status": "queued", "plan": ["sms"],
        "recipient": {"kind": "challenge", "id": "none"}, "attempts": {}, "tries": 0, "version": 1, "priority": 0,
        "next_at": city.now() - timedelta(seconds=40), "valid_until": city.now() + timedelta(hours=1),
    }  # fmt: skip
    city.store.deliveries.insert_one(late)
    look_after(away, city.pool)
    assert {"queue_away", "messages_behind"} <= kinds()
    city.store.deliveries.delete_many({})
    look_after(city.context, city.pool)
    assert not {"queue_away", "messages_behind"} & kinds()
