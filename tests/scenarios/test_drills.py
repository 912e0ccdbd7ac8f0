"""A drill finds the responder who cannot be reached, before an SOS does.

Everybody on duty is told on each channel that it is an exercise; some answer by the app, the link, a key; one phone is
gone. The report says who, where and why, and a drill whose worker dies half-way tells nobody twice.
"""

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from cli import drills as command
from domain.cities import queries as cities
from domain.cities.service import load_preset
from domain.drills import queries as drills
from domain.drills import service as drilling
from domain.drills.states import DrillStatus
from domain.outbox import names
from tests.factories.people import Signed, staff
from tests.fakes.small_city import SmallCity
from workers import drills as carrying_out

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def city(small_city: SmallCity) -> Iterator[SmallCity]:
    """By day, with healthy carriers and nobody else in it."""
    assert "drills" in names()
    for collection in ("deliveries", "drills", "notices", "people", "units"):
        small_city.store[collection].delete_many({})
    small_city.by_day()
    yield small_city
    small_city.carriers.clear_switches()


def with_app(city: SmallCity, *, hears: bool = True) -> Signed:
    """A responder with the app on the phone."""
    token, device = f"push-{uuid.uuid4().hex}", f"dev-{uuid.uuid4().hex[:8]}"
    held = {"id": device, "token": token, "platform": "android", "session_id": "ses_1", "seen_at": city.now()}
    responder = city.responder(devices={device: held}, device_tokens=[token])
    city.carriers.register(token, responder.phone, auto_receipt=hears, api_url=city.url)
    return responder


def ask(city: SmallCity, who: Signed, method: str, path: str, **kwargs: Any) -> requests.Response:
    headers = {**who.headers, **kwargs.pop("headers", {})}
    return requests.request(method, city.url + path, headers=headers, timeout=20, **kwargs)


def start(city: SmallCity, who: Signed, **body: Any) -> dict[str, Any]:
    """A drill begun by hand, and everybody told."""
    answer = ask(
        city, who, "POST", "/v1/drills", json={"city": "lahore", **body}, headers={"Idempotency-Key": str(uuid.uuid4())}
    )
    assert answer.status_code == 201, answer.text
    city.settle()
    found: dict[str, Any] = answer.json()
    return found


def report(city: SmallCity, who: Signed, drill_id: str) -> dict[str, dict[str, Any]]:
    """The figures by channel."""
    answer = ask(city, who, "GET", f"/v1/drills/{drill_id}")
    assert answer.status_code == 200, answer.text
    return {row["channel"]: row for row in answer.json()["results"]}


def missed(city: SmallCity, who: Signed, drill_id: str) -> dict[tuple[str, str], str]:
    """(person, channel) → why."""
    answer = ask(city, who, "GET", f"/v1/drills/{drill_id}/unreached?limit=100")
    assert answer.status_code == 200, answer.text
    assert "+92" not in answer.text  # ids and names, no numbers
    return {(each["person_id"], each["channel"]): each["why"] for each in answer.json()["items"]}


def confirm_by_link(city: SmallCity, who: Signed) -> None:
    """Open the page behind the link of the SMS and press its button."""
    (text,) = city.texts(who.phone)
    assert "exercise" in text.lower()
    link = re.search(r"http\S+", text)
    assert link is not None
    assert "This is an exercise" in requests.get(link[0] + "?lang=en", timeout=10).text
    assert "noted" in requests.post(link[0] + "?lang=en", timeout=10).text


def test_a_drill_finds_who_cannot_be_reached_and_says_why(city: SmallCity) -> None:
    operator = staff(city.now(), "operator", language="en")
    ready, gone, deaf = with_app(city), with_app(city), with_app(city, hears=False)
    bare = city.responder(phone=None)
    city.store.people.update_one({"_id": bare.person_id}, {"$unset": {"phone": ""}})
    city.carriers.set_switch("fcm", gone_token(city, gone), unregistered=[gone_token(city, gone)])
    city.carriers.set_switch("sms", gone.phone, undelivered=30003)
    city.carriers.set_phone(gone.phone, answers="no_answer")
    city.carriers.set_phone(deaf.phone, answers="machine")
    city.carriers.set_switch("sms", deaf.phone, no_receipt=True)

    drill = start(city, operator, roles=["responder"], answer_within_min=10)
    assert drill["status"] in {"planned", "running"}

    confirm_by_link(city, ready)
    call = city.wait_for(lambda: city.carriers.inbox(ready.phone)["calls"])[0]
    said = city.carriers.press(ready.phone, call["sid"], "1")
    assert "exercise" in str(said).lower()
    city.wait_for(lambda: report(city, operator, drill["id"])["fcm"]["reached"] == 1)
    for _ in range(6):
        city.skip(30)
    city.skip(600)
    city.skip(5)

    figures = report(city, operator, drill["id"])
    assert drills.get(drill["id"])["status"] == DrillStatus.ENDED
    assert {name: (row["asked"], row["reached"]) for name, row in figures.items()} == {
        "fcm": (4, 1), "sms": (4, 1), "voice": (4, 1),
    }  # fmt: skip
    assert figures["sms"]["by"] == {"link": 1}
    assert figures["voice"]["by"] == {"key": 1}
    assert missed(city, operator, drill["id"]) == {
        (gone.person_id, "fcm"): "address_dead",
        (gone.person_id, "sms"): "phone_off",
        (gone.person_id, "voice"): "not_answered",
        (deaf.person_id, "fcm"): "no_receipt",
        (deaf.person_id, "sms"): "no_receipt",
        (deaf.person_id, "voice"): "mailbox",
        (bare.person_id, "fcm"): "no_address",
        (bare.person_id, "sms"): "no_address",
        (bare.person_id, "voice"): "no_address",
    }
    assert drills.get(drill["id"])["unreachable"] == 3
    (notice,) = ask(city, operator, "GET", "/v1/notices?city=lahore").json()["items"]
    assert (notice["kind"], notice["cause"], notice["figures"]["unreachable"]) == ("people_unreachable", drill["id"], 3)
    assert [entry["action"] for entry in city.store.audit.find({"subject": drill["id"]})] == [
        "drill.started", "drill.read",
    ]  # fmt: skip
    assert len(city.carriers.inbox(gone.phone)["calls"]) <= 2  # an exercise does not ring on and on


def gone_token(city: SmallCity, who: Signed) -> str:
    person = city.store.people.find_one({"_id": who.person_id})
    assert person is not None
    return str(next(iter(person["devices"].values()))["token"])


def test_a_worker_that_dies_half_way_leaves_a_drill_that_tells_nobody_twice(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = staff(city.now(), "operator")
    people = [city.responder() for _ in range(5)]
    monkeypatch.setattr(carrying_out, "BATCH", 2)
    real, told = drilling.went_on, []

    def dies(drill: Any, *args: Any, **kwargs: Any) -> Any:
        told.append(drill["_id"])
        if len(told) == 2:  # after the second batch was told, before that is written down
            raise SystemExit("killed")
        return real(drill, *args, **kwargs)

    monkeypatch.setattr(drilling, "went_on", dies)
    city.idle = True
    try:
        drill = start(city, operator, roles=["responder"], channels=["sms"])
        with pytest.raises(SystemExit):
            carrying_out.go_on(drill["id"], city.context)
    finally:
        city.idle = False
    city.skip(drilling.LEASE.total_seconds() + 1)
    for person in people:
        city.wait_for(partial(city.texts, person.phone))
        assert len(city.texts(person.phone)) == 1
    assert drills.get(drill["id"])["people"] == len(people)


def test_the_city_drills_by_itself_on_its_day_and_nobody_who_is_needed_is_called(city: SmallCity) -> None:
    city.skip(0)
    assert drills.planned("lahore") == []  # nobody has loaded this city: it is not anybody's yet
    config = load_preset(city.settings.cities_dir / "lahore.toml", now=city.now())
    cities.forget()
    assert config.drills is not None
    free, busy = city.responder(), city.responder()
    city.store.units.update_one({"responders": busy.person_id}, {"$set": {"lease": {"assignment": "asg_1"}}})
    city.skip(0)
    (planned,) = drills.planned("lahore")
    assert planned["at"].astimezone(config.zone).strftime("%d %H:%M") == "05 11:00"
    city.skip(0)
    assert [each["_id"] for each in drills.planned("lahore")] == [planned["_id"]]  # once, however often one looks
    city.ahead += planned["at"] - city.now() + timedelta(seconds=1)
    city.skip(0)
    city.skip(0)
    assert drills.get(planned["_id"])["status"] == DrillStatus.RUNNING
    city.wait_for(lambda: city.texts(free.phone))
    assert city.texts(busy.phone) == []
    admin = staff(city.now(), "admin")
    assert report(city, admin, planned["_id"])["sms"]["left_out"] == 1
    (following,) = drills.planned("lahore")
    assert following["at"] > planned["at"]


def test_nobody_is_called_at_night_and_one_drill_goes_on_at_a_time(city: SmallCity) -> None:
    operator = staff(city.now(), "operator")
    city.responder()
    start(city, operator, channels=["sms"])
    body = {"city": "lahore"}
    key = {"Idempotency-Key": str(uuid.uuid4())}
    second = ask(city, operator, "POST", "/v1/drills", json=body, headers=key)
    assert (second.status_code, second.json()["code"]) == (409, "drill_running")
    city.ahead += timedelta(hours=12)
    operator = staff(city.now(), "operator")
    city.store.drills.delete_many({})
    night = ask(city, operator, "POST", "/v1/drills", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert (night.status_code, night.json()["code"]) == (409, "quiet_hours")
    citizen = city.responder()
    assert ask(city, citizen, "GET", "/v1/drills?city=lahore").status_code == 403


def test_a_drill_from_the_command_line_is_found_by_the_sweeper_and_reported(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue's worker is away: the drill goes on all the same, and the command says who was missed and why."""
    monkeypatch.setattr(command, "connected", lambda: city.settings)  # this process is
    monkeypatch.setattr(command, "utc_now", city.now)
    monkeypatch.setattr("cli.store.utc_now", city.now)
    reached, dead = city.responder(name="Ali"), city.responder(name="Sana")
    city.carriers.set_switch("sms", dead.phone, error="21211")
    run = CliRunner().invoke
    options = ["--role", "responder", "--channel", "sms", "--within", "5", "--reason", "after the storm"]
    started = run(command.drills, ["start", "lahore", *options])
    assert started.exit_code == 0, started.output
    drill_id = started.output.strip()
    city.skip(0)
    again = run(command.drills, ["start", "lahore", *options])
    assert (again.exit_code, "another drill goes on" in again.output) == (1, True)
    city.wait_for(lambda: city.texts(reached.phone))
    city.settle()
    there = {"recipient.id": reached.person_id, "status": "delivered"}
    city.wait_for(lambda: city.store.deliveries.find_one(there))
    stopped = run(command.drills, ["stop", drill_id])
    assert stopped.exit_code == 0, stopped.output
    city.skip(1)
    shown = run(command.drills, ["report", drill_id])
    assert "no such number" in shown.output
    assert "Sana" in shown.output
    assert dead.phone not in shown.output
    found = json.loads(run(command.drills, ["report", drill_id, "--json"]).output)
    assert found["channels"]["sms"]["why"] == {"address_dead": 1}
    assert [(each["person_id"], each["why"]) for each in found["unreached"]] == [(dead.person_id, "address_dead")]
    assert drill_id in run(command.drills, ["list", "lahore"]).output
    reasons = city.store.audit.find({"subject": drill_id, "action": "drill.started"})
    assert [each["reason"] for each in reasons] == ["after the storm"]


def test_while_the_queue_is_away_nobody_is_called_and_what_was_begun_is_reported(city: SmallCity) -> None:
    operator = staff(city.now(), "operator")
    person = city.responder()
    running = start(city, operator, channels=["sms"], roles=["responder"], answer_within_min=5)["id"]
    city.wait_for(lambda: city.texts(person.phone))
    away = replace(city.context, enqueue=lambda *_: False)
    city.ahead += timedelta(minutes=5, seconds=1)
    carrying_out.due_drills(away, city.pool)
    assert drills.get(running)["status"] == DrillStatus.ENDED
    city.idle = True
    try:
        waiting = start(city, staff(city.now(), "operator"), channels=["sms"], roles=["responder"])["id"]
        carrying_out.due_drills(away, city.pool)
    finally:
        city.idle = False
    assert drills.get(waiting)["status"] == DrillStatus.PLANNED
    assert len(city.texts(person.phone)) == 1
