"""A canal leaves its banks: an operator warns a district, everybody who lives there hears it once on each phone, the operator
sees how far it is, updates it, and says when it is over.

The API, the jobs, the sweeper, the vendors' own clients and the carriers' process are real.
"""

import itertools
import os
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from domain.alerts import batches, following
from domain.alerts import queries as alerts
from domain.clock import utc_now
from domain.lines import service as lines
from notifications.bulk import deliver as bulk
from notifications.gateways import Gateways
from sandbox import crowd
from sandbox.crowd import Neighbour
from tests import local_servers
from tests.factories.people import SECRET, Signed, staff
from tests.fakes.small_city import PLACE, SmallCity
from workers import alerts as telling

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(60)

GULBERG = {
    "type": "Polygon",
    "coordinates": [[[74.32, 31.49], [74.37, 31.49], [74.37, 31.53], [74.32, 31.53], [74.32, 31.49]]],
}
TEXTS = {
    "en": {
        "event": "Flood",
        "headline": "Flood in Gulberg: the canal has left its banks",
        "instruction": "Go to higher ground now. Do not drive.",
    },
    "ur": {
        "event": "سیلاب",
        "headline": "گلبرگ میں سیلاب: نہر کناروں سے باہر",
        "instruction": "فوراً اونچی جگہ جائیں۔ گاڑی نہ چلائیں۔",
    },
}
ALERTS = ("Amaan, public alert", "امان، عوامی انتباہ")
"""How an alert's SMS begins; staff get others meanwhile."""
SEVERE = {"category": "Met", "severity": "Severe", "urgency": "Immediate", "certainty": "Observed"}


_crowds = itertools.count()


@pytest.fixture
def city(small_city: SmallCity) -> Iterator[SmallCity]:
    """The city with healthy carriers, nobody who follows alerts, and no alert."""
    for collection in ("deliveries", "alerts", "alert_batches", "people"):
        small_city.store[collection].delete_many({})
    small_city.carriers.clear_switches()
    small_city.ahead = until(12)
    small_city.idle = False
    for channel in small_city.context.channels.values():
        if isinstance(channel, Gateways):
            for name in channel.names:
                channel.told(name, None, small_city.now())  # whatever an earlier test did to it, it works
    yield small_city
    small_city.carriers.clear_switches()
    small_city.settle()


def until(hour: int) -> timedelta:
    """From now to this hour of tomorrow in Lahore: quiet hours are as the test wants them."""
    now = utc_now()
    return now.astimezone(ZoneInfo("Asia/Karachi")).replace(hour=hour, minute=0) + timedelta(days=1) - now


@pytest.fixture
def operator(city: SmallCity) -> Signed:
    return staff(city.now(), "operator")


def people(city: SmallCity, count: int, *, app_share: float = 0.8, **place: Any) -> list[Neighbour]:
    """Neighbours whose phones answer pushes."""
    seed = uuid.uuid4().hex[:8]
    first = 100_000 + 500 * next(_crowds)
    made = crowd.settle_in(
        "lahore", place.pop("at", PLACE), count, now=city.now(), app_share=app_share, seed=seed, first=first, **place
    )
    devices = [
        {"token": each.token, "number": each.number, "auto_receipt": True, "api_url": city.url}
        for each in made
        if each.token
    ]
    city.carriers.call("PUT", "/devices", {"devices": devices})
    return made


def write(city: SmallCity, operator: Signed, *, key: str = "", **fields: Any) -> requests.Response:
    body = {"city": "lahore", "texts": TEXTS, **SEVERE, "area": {"geometry": GULBERG}, "issue": True, **fields}
    headers = {**operator.headers, "Idempotency-Key": key or str(uuid.uuid4())}
    return requests.post(f"{city.url}/v1/alerts", json=body, headers=headers, timeout=20)


def shown(city: SmallCity, who: Signed, alert_id: str) -> dict[str, Any]:
    answer = requests.get(f"{city.url}/v1/alerts/{alert_id}", headers=who.headers, timeout=10)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def received(city: SmallCity, who: Signed, alert_id: str) -> int:
    """How many phones have said so, as the sweeper counts it."""
    city.skip(3)
    return int(shown(city, who, alert_id)["progress"]["received"])


def inboxes(city: SmallCity) -> tuple[Counter[str], Counter[str], list[dict[str, Any]]]:
    """(pushes by phone, each delivery once as an app shows it; SMS by number; every push as it came)."""
    items = city.carriers.call("GET", "/messages.json")["items"]
    pushes = [each for each in items if each["kind"] == "push" and each["data"]["type"] == "alert.issued"]
    once = {(each["token"], each["data"]["delivery_id"]) for each in pushes}
    texts = [each for each in items if each["kind"] == "sms" and each["body"].startswith(ALERTS)]
    return Counter(token for token, _ in once), Counter(each["to"] for each in texts), pushes


def test_everybody_in_the_district_is_told_once(city: SmallCity, operator: Signed) -> None:
    inside = people(city, 120)
    outside = people(city, 10, at=(31.40, 74.25), radius_m=500)
    far = people(city, 5, at=(31.5102, 74.41), radius_m=200)
    answer = write(city, operator)
    assert answer.status_code == 201
    alert = answer.json()
    city.settle()
    pushed, texted, _ = inboxes(city)
    assert pushed == {each.token: 1 for each in inside if each.token}
    assert texted == {each.number: 1 for each in inside if not each.token}
    assert not {each.number for each in [*outside, *far]} & texted.keys()
    city.wait_for(lambda: received(city, operator, alert["id"]) == len(pushed))
    progress = shown(city, operator, alert["id"])["progress"]
    assert progress["state"] == "told"
    assert (progress["people"], progress["sent"], progress["failed"], progress["unknown"]) == (120, 120, 0, 0)


def test_the_sum_of_one_who_read_too_early_does_not_stand(
    city: SmallCity, operator: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers end a batch each at the same time: what is shown at last knows both."""
    monkeypatch.setattr(batches, "BATCH", 3)
    people(city, 6, app_share=1.0)
    city.idle = True
    alert = write(city, operator).json()["id"]
    first, second = telling.find(city.context, alert, enqueue=False)
    telling.tell(city.context, first)
    early = [alerts.batches_of(alert)]

    def read(alert_id: str) -> list[dict[str, Any]]:
        if not early:
            return alerts.batches_of(alert_id)
        rows = early.pop()
        telling.tell(city.context, second)  # it ends, and sums up, after the other read and before it writes
        return rows

    monkeypatch.setattr(batches, "batches_of", read)
    telling.sum_up(city.context, alert)
    progress = shown(city, operator, alert)["progress"]
    assert (progress["state"], progress["people"], progress["sent"]) == ("told", 6, 6)


def test_nobody_is_missed_or_told_twice_while_carriers_refuse_one_in_ten(city: SmallCity, operator: Signed) -> None:
    city.carriers.call("PUT", "/switches", {"seed": 7, "fcm": {"fraction": 0.1, "status": 503}})
    city.carriers.call("PUT", "/switches", {"sms": {"fraction": 0.1, "status": 429, "retry_after": 1}})
    everybody = people(city, 200, app_share=0.7)
    alert = write(city, operator).json()
    city.settle()
    for _ in range(8):
        city.skip(4)
    pushed, texted, pushes = inboxes(city)
    told = {each.person: pushed[each.token] + texted[each.number] for each in everybody}
    assert set(told.values()) == {1}
    assert len(pushes) == sum(pushed.values())  # not even hidden by the app
    progress = shown(city, operator, alert["id"])["progress"]
    assert (progress["sent"], progress["failed"], progress["retrying"], progress["unknown"]) == (200, 0, 0, 0)
    fired = city.carriers.call("GET", "/switches")["fired"]
    assert fired["fcm.503"] > 3
    assert fired["sms.429"] > 1


def test_a_phone_without_a_receipt_gets_an_sms_only_where_a_life_depends_on_it(
    city: SmallCity, operator: Signed
) -> None:
    deaf = crowd.settle_in("lahore", PLACE, 5, now=city.now(), app_share=1.0, seed="deaf", first=900_000)
    write(city, operator, severity="Minor", urgency="Future")
    city.settle()
    for _ in range(30):
        city.skip(5)
    pushed, texted, _ = inboxes(city)
    assert (sum(pushed.values()), texted) == (5, Counter())
    write(city, operator)
    city.settle()
    for _ in range(5):
        city.skip(10)
    assert inboxes(city)[1] == Counter()
    for _ in range(3):
        city.skip(10)
    assert inboxes(city)[1] == {each.number: 1 for each in deaf}


def test_a_number_that_wants_no_sms_gets_none_whoever_it_is_of(city: SmallCity, operator: Signed) -> None:
    """Its word came before we knew whose it is. An app under the same number goes on."""
    without_app = people(city, 4, app_share=0.0)
    (with_app,) = people(city, 1, app_share=1.0)
    for each in (without_app[0], with_app):
        lines.opt_out(SECRET, each.number, None, now=city.now())
    alert = write(city, operator).json()
    city.settle()
    pushed, texted, _ = inboxes(city)
    assert texted == {each.number: 1 for each in without_app[1:]}
    assert pushed == {with_app.token: 1}
    rows = city.store["deliveries"].find({"subject": alert["id"], "recipient.id": without_app[0].person})
    (ended,) = rows
    assert (ended["status"], ended["reason"], ended["attempts"]) == ("failed_permanent", "no_address", {})
    person = city.store["people"].find_one({"_id": without_app[0].person})
    assert person["retired"]["sms"], "a console shows why nothing arrives"


def test_a_worker_that_is_killed_leaves_nobody_out(city: SmallCity) -> None:
    """kill -9 in mid-send: the next worker takes the batch up; what was in flight is at most a window."""
    city.ahead = timedelta(0)  # the process has the real time
    operator = staff(city.now(), "operator")
    everybody = people(city, 400, app_share=0.5)
    city.carriers.call("PUT", "/switches", {"fcm": {"slow_s": 0.2}, "sms": {"slow_s": 0.2}})
    city.idle = True
    alert_id = write(city, operator).json()["id"]
    (batch,) = telling.find(city.context, alert_id, enqueue=False)
    ended = {"batch": batch, "attempts.1.done_at": {"$exists": True}}
    victim = worker(city, batch)
    try:
        city.wait_for(lambda: city.store.deliveries.count_documents(ended) >= 100)
    finally:
        victim.kill()
        victim.wait()
    in_doubt = city.store.deliveries.count_documents(
        {"batch": batch, "attempts.1.state": "sending", "status": "queued"}
    )
    assert 0 < in_doubt <= bulk.WINDOW
    city.carriers.clear_switches()
    assert not telling.tell(city.context, batch)  # its lease goes on
    city.ahead += batches.LEASE
    city.idle = False
    for _ in range(4):
        city.skip(2)
    pushed, texted, pushes = inboxes(city)
    assert {each.person: pushed[each.token] + texted[each.number] for each in everybody} == {
        each.person: 1 for each in everybody
    }
    repeated = len(pushes) - sum(pushed.values())  # the same delivery again: the app shows it once
    progress = shown(city, operator, alert_id)["progress"]
    assert repeated <= progress["repeated"] <= in_doubt
    assert (progress["sent"], progress["unknown"]) == (400, 0)
    assert alerts.batches().find_one({"_id": batch}, {"owner": 1}) == {"_id": batch}


def worker(city: SmallCity, batch: str) -> "subprocess.Popen[bytes]":
    """A process that tells one batch, as a worker of `bulk` does."""
    settings = city.settings
    secrets = {"secret", "twilio_auth_token"}
    env = {f"AMAAN_{name.upper()}": str(value) for name, value in settings.model_dump(exclude=secrets).items()}
    env |= {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env |= {
        "MONGODB_URL": settings.mongodb_url,
        "REDIS_URL": settings.redis_url,
        "AMAAN_SECRET": settings.signing_key,
        "AMAAN_TWILIO_AUTH_TOKEN": settings.twilio_auth_token.get_secret_value(),
    }
    code = f"from workers import alerts; alerts.broadcast_batch({batch!r})"
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=local_servers.die_with_parent,
    )  # fmt: skip


def test_a_whole_city_is_its_people_and_those_who_follow_a_place_in_it(city: SmallCity, operator: Signed) -> None:
    """Who lives in Lahore hears it, wherever their places are, unless they turned it off; who only works there, too."""
    here = people(city, 3, app_share=0)
    works_here, follows = people(city, 2, app_share=0)
    (elsewhere,) = people(city, 1, app_share=0, at=(24.87, 67.03))
    rows = city.store.people
    for each in (works_here, follows, elsewhere):
        rows.update_one({"_id": each.person}, {"$set": {"city": "karachi"}})
    following.refresh(works_here.person, now=city.now())
    following.follow(follows.person, {"areas": [], "follow_device": True}, now=city.now())
    following.seen_at(follows.person, *PLACE, now=city.now())
    following.refresh(elsewhere.person, now=city.now())
    following.follow(here[0].person, {"whole_city": False, "areas": []}, now=city.now())
    assert write(city, operator, area={"whole_city": True}).status_code == 201
    city.settle()
    assert inboxes(city)[1] == {each.number: 1 for each in (*here[1:], works_here, follows)}


def test_what_is_taken_back_before_it_was_sent_is_not_sent(city: SmallCity, operator: Signed) -> None:
    near = people(city, 20, app_share=0)
    city.idle = True
    first = write(city, operator).json()["id"]
    telling.find(city.context, first, enqueue=False)
    requests.post(f"{city.url}/v1/alerts/{first}/cancel", json={}, headers=operator.headers, timeout=10)
    city.idle = False
    for _ in range(3):
        city.skip(3)
    assert inboxes(city)[1] == {each.number: 1 for each in near}  # the cancel
    progress = shown(city, operator, first)["progress"]
    assert (progress["state"], progress["sent"], progress["suppressed"]) == ("told", 0, 20)


def test_what_never_got_through_is_given_up_when_it_no_longer_matters(city: SmallCity, operator: Signed) -> None:
    city.carriers.set_switch("sms", status=429)
    people(city, 5, app_share=0)
    soon = (city.now() + timedelta(seconds=60)).isoformat()
    alert = write(city, operator, expires=soon).json()["id"]
    city.settle()
    progress = shown(city, operator, alert)["progress"]
    assert (progress["retrying"], progress["sent"]) == (5, 0)
    for _ in range(16):
        city.skip(5)
    progress = shown(city, operator, alert)["progress"]
    assert (progress["retrying"], progress["failed"]) == (0, 5)
    assert alerts.due_batches(now=city.now() + timedelta(days=1), limit=5) == []


def test_an_update_and_the_end_reach_everybody_who_was_told(city: SmallCity, operator: Signed) -> None:
    near = people(city, 30)
    first = write(city, operator).json()
    city.settle()
    elsewhere = {
        "type": "Polygon",
        "coordinates": [[[74.25, 31.44], [74.30, 31.44], [74.30, 31.48], [74.25, 31.48], [74.25, 31.44]]],
    }
    update = write(city, operator, updates=first["id"], area={"geometry": elsewhere}).json()
    city.settle()
    cancel = requests.post(f"{city.url}/v1/alerts/{update['id']}/cancel", json={}, headers=operator.headers, timeout=10)
    assert cancel.status_code == 201
    city.settle()
    pushed, texted, pushes = inboxes(city)
    assert {each.person: pushed[each.token] + texted[each.number] for each in near} == {each.person: 3 for each in near}
    said = [each["notification"]["body"] for each in pushes if each["notification"]["title"] == "Public alert"]
    assert "Over: Flood in Gulberg: the canal has left its banks" in said
    assert city.store.alerts.count_documents({"status": "issued"}) == 1  # the cancel itself


def test_quiet_hours_hold_what_can_wait(city: SmallCity, operator: Signed) -> None:
    """At night a minor alert shows itself without a sound, and its SMS come in the morning; a severe one rings."""
    city.ahead = until(2) + timedelta(days=1)  # after all that other tests left to be tried again
    operator = staff(city.now(), "operator")
    everybody = people(city, 20, app_share=0.5)
    write(city, operator, severity="Minor", urgency="Future", expires=(city.now() + timedelta(hours=12)).isoformat())
    city.settle()
    pushed, texted, pushes = inboxes(city)
    assert (sum(pushed.values()), sum(texted.values())) == (sum(bool(each.token) for each in everybody), 0)
    assert {each["message"]["android"]["notification"]["channel_id"] for each in pushes} == {"quiet"}
    write(city, operator)
    city.settle()
    by_text = sum(not each.token for each in everybody)
    assert sum(inboxes(city)[1].values()) == by_text
    heard = {"status": "received", "purpose": "alert_issued"}  # else they would be told by SMS when time is skipped
    city.wait_for(lambda: city.store.deliveries.count_documents(heard) == 2 * (20 - by_text))
    city.skip(5 * 3600 + 60)
    for _ in range(6):
        city.skip(5)
    assert sum(inboxes(city)[1].values()) == 2 * by_text
