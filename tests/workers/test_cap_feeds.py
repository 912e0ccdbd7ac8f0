"""Feeds of other systems: taken once, followed through updates and cancels, refused where they are unsound, and never a way
into this machine's network.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from domain.alerts import intake, queries, service
from domain.alerts.cap import CAP
from domain.alerts.cap_reading import Reading
from domain.cities import queries as cities
from domain.cities import service as keeping
from domain.cities.cap_feeds import may_open
from domain.cities.config import CapFeed, Text
from domain.cities.presets import preset_paths, read_preset
from runtime.queues import JOBS
from tests.fakes.small_city import SmallCity, city_carriers, small_city, whole_city
from workers import cap_feeds
from workers.drain import drain_with

__all__ = ["city_carriers", "small_city", "whole_city"]

pytestmark = pytest.mark.timeout(60)


class Office:
    """A weather office: a web server whose pages a test writes."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        self.asked: list[str] = []
        self.together: threading.Barrier | None = None
        """Where there is one, a document is answered when so many are asked for at once."""
        office = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                office.asked.append(self.path)
                if office.together is not None and self.path != "/feed":
                    office.together.wait(10)
                status, body, headers = office.pages.get(self.path, (404, b"", {}))
                if headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:
                    status, body = 304, b""
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, path: str, body: str | bytes, status: int = 200, **headers: str) -> None:
        named = {name: value for name, value in headers.items() if value}
        self.pages[path] = (status, body.encode() if isinstance(body, str) else body, named)

    def publish(self, *paths: str, etag: str = "") -> None:
        """The feed: links to these documents."""
        links = "".join(
            f'<entry><id>{path}</id><link type="application/cap+xml" href="{path}"/></entry>' for path in paths
        )
        self.put("/feed", f'<feed xmlns="http://www.w3.org/2005/Atom">{links}</feed>', ETag=etag)


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    yield made
    made.server.shutdown()
    made.server.server_close()


Listen = Callable[..., Callable[[], dict[str, int]]]


@pytest.fixture
def city(small_city: SmallCity) -> SmallCity:
    small_city.idle = True
    for name in ("alerts", "cap_inbound", "cap_feeds", "alert_batches"):
        small_city.store[name].delete_many({})
    return small_city


@pytest.fixture
def listen(city: SmallCity, office: Office) -> Iterator[Listen]:
    """Let Lahore read the office's feed; returns what polls it now."""

    def begin(*, issues: bool = False) -> Callable[[], dict[str, int]]:
        feed = {
            "id": "pmd", "name_en": "Weather", "name_ur": "موسم", "url": f"{office.url}/feed", "every_s": 60,
            "mode": "issue" if issues else "draft",
        }  # fmt: skip
        configure([feed], city.now())
        cap_feeds.due_feeds(city.context, city.pool)
        return lambda: cap_feeds.poll(city.context, "lahore", "pmd")

    yield begin
    configure([], city.now())
    city.idle = False


def configure(feeds: list[dict[str, Any]], now: datetime) -> None:
    """Give Lahore these feeds, as an administrator does."""
    stored = cities.latest("lahore")
    body = {**read_preset(preset_paths()["lahore"]), "cap_feeds": feeds}
    keeping.change(body, expected_version=stored["version"] if stored else 0, now=now, by="test", reason="feeds")
    cities.forget("lahore")


def stamp(at: datetime) -> str:
    return at.astimezone().isoformat(timespec="seconds")


def cap(city: SmallCity, identifier: str, msg_type: str = "Alert", refers: str = "", **words: str) -> str:
    """A document of the office, sent now."""
    now = city.now()
    said = {
        "status": "Actual", "scope": "Public", "severity": "Severe", "sender": "cap@pmd.example", "event": "Rain",
        "polygon": "31.45,74.25 31.60,74.25 31.60,74.45 31.45,74.45 31.45,74.25", **words,
    }  # fmt: skip
    references = f"<references>{refers}</references>" if refers else ""
    return f"""<alert xmlns="{CAP}"><identifier>{identifier}</identifier><sender>{said["sender"]}</sender>
      <sent>{stamp(now)}</sent><status>{said["status"]}</status><msgType>{msg_type}</msgType>
      <scope>{said["scope"]}</scope>{references}<info><language>en</language><category>Met</category>
      <event>{said["event"]}</event><urgency>Expected</urgency><severity>{said["severity"]}</severity>
      <certainty>Likely</certainty><expires>{stamp(now + timedelta(hours=5))}</expires>
      <headline>Heavy rain tonight</headline><area><areaDesc>Central Punjab</areaDesc>
      <polygon>{said["polygon"]}</polygon></area></info></alert>"""


def reference(document: str) -> str:
    """How a later message refers to this one."""

    def between(name: str) -> str:
        return document.split(f"<{name}>")[1].split("<")[0]

    return ",".join(between(name) for name in ("sender", "identifier", "sent"))


def alerts(city: SmallCity) -> list[dict[str, Any]]:
    return sorted(city.store.alerts.find({}), key=lambda alert: (alert["created_at"], alert["msg_type"]))


def test_an_alert_becomes_a_draft_once(city: SmallCity, office: Office, listen: Listen) -> None:
    poll = listen()
    office.put("/1.xml", cap(city, "one"))
    office.publish("/1.xml", etag='"a"')
    assert poll() == {"taken": 1, "ignored": 0, "refused": 0}
    (draft,) = alerts(city)
    assert (draft["status"], draft["severity"], draft["source"]["identifier"]) == ("draft", "Severe", "one")
    assert draft["texts"]["ur"]["headline"] == draft["texts"]["en"]["headline"] == "Heavy rain tonight"
    assert draft["area"]["name"]["en"] == "Central Punjab"
    assert poll() == {"taken": 0, "ignored": 0, "refused": 0}
    office.publish("/1.xml", "/2.xml")  # the list grew: the first is not opened again
    office.put("/2.xml", cap(city, "one", event="The same message, from another page"))
    poll()
    assert office.asked.count("/1.xml") == 1
    assert len(alerts(city)) == 1


def test_updates_and_cancels_are_followed(city: SmallCity, office: Office, listen: Listen) -> None:
    poll = listen(issues=True)
    first = cap(city, "one")
    office.put("/1.xml", first)
    office.publish("/1.xml")
    poll()
    (issued,) = alerts(city)
    assert (issued["status"], issued["broadcast"]["state"]) == ("issued", "finding")
    city.ahead += timedelta(minutes=10)
    second = cap(city, "two", "Update", reference(first), severity="Extreme")
    office.put("/2.xml", second)
    office.publish("/2.xml", "/1.xml")
    poll()
    before, update = alerts(city)
    assert (before["status"], update["status"], update["msg_type"]) == ("superseded", "issued", "Update")
    assert update["references"] == [before["_id"]]
    city.ahead += timedelta(minutes=10)
    foreign = cap(city, "x", "Cancel", reference(second), sender="somebody@else.example")
    office.put("/x.xml", foreign)
    office.put("/3.xml", cap(city, "three", "Cancel", f"{reference(first)} {reference(second)}"))
    office.publish("/x.xml")
    assert poll()["ignored"] == 1  # nobody cancels another's alert
    assert alerts(city)[1]["status"] == "issued"
    office.publish("/3.xml", "/2.xml", "/1.xml")
    poll()
    statuses = [(alert["msg_type"], alert["status"]) for alert in alerts(city)]
    assert statuses == [("Alert", "superseded"), ("Update", "cancelled"), ("Cancel", "issued")]


def test_operators_hear_of_what_waits_for_them(city: SmallCity, office: Office, listen: Listen) -> None:
    """A grave draft opens a notice, which is gone when somebody has decided."""
    poll = listen()
    city.store.notices.delete_many({})
    office.put("/1.xml", cap(city, "one"))
    office.publish("/1.xml")
    poll()
    (notice,) = city.store.notices.find({})
    (draft,) = alerts(city)
    assert (notice["kind"], notice["cause"], notice["status"]) == ("alert_waits", draft["_id"], "open")
    assert [each["type"] for each in notice["pending_events"]] == ["notice.opened"]
    service.discard(draft["_id"], now=city.now())
    drain_with(city.context, "alerts", draft["_id"])
    assert [each["status"] for each in city.store.notices.find({})] == ["cleared"]


def test_a_draft_that_is_cancelled_is_thrown_away(city: SmallCity, office: Office, listen: Listen) -> None:
    poll = listen()
    first = cap(city, "one")
    office.put("/1.xml", first)
    office.put("/2.xml", cap(city, "two", "Cancel", reference(first)))
    office.publish("/2.xml", "/1.xml")  # newest first: both in one go, in their own order
    assert poll()["taken"] == 2
    assert [alert["status"] for alert in alerts(city)] == ["discarded"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"status": "Test"}, "status_test"),
        ({"status": "Exercise"}, "status_exercise"),
        ({"scope": "Restricted"}, "not_public"),
        ({"polygon": "24.8,67.0 24.9,67.0 24.9,67.1 24.8,67.0"}, "elsewhere"),
        ({"polygon": ""}, "no_area"),
    ],
)
def test_what_is_not_for_this_citys_public_is_left(
    city: SmallCity, office: Office, listen: Listen, words: dict[str, str], reason: str
) -> None:
    poll = listen(issues=True)
    office.put("/1.xml", cap(city, "one", **words))
    office.publish("/1.xml")
    assert poll()["ignored"] == 1
    assert alerts(city) == []
    assert [row["reason"] for row in queries.brought("lahore")] == [reason]


def test_what_is_unsound_is_refused_with_its_reason_and_stops_nothing(
    city: SmallCity, office: Office, listen: Listen
) -> None:
    poll = listen()
    office.put("/bomb.xml", '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><alert>&c;</alert>')
    office.put("/old.xml", cap(city, "old").replace("cap:1.2", "cap:1.1"))
    office.put("/good.xml", cap(city, "good"))
    office.publish("/good.xml", "/old.xml", "/bomb.xml")
    assert poll() == {"taken": 1, "ignored": 0, "refused": 2}
    rows = {row["reason"] for row in queries.brought("lahore") if row["state"] == "refused"}
    assert rows == {"doctype", "namespace"}
    assert poll() == {"taken": 0, "ignored": 0, "refused": 0}


def test_a_link_leads_nowhere_else(city: SmallCity, office: Office, listen: Listen) -> None:
    poll, other = listen(), Office()
    other.put("/inside.xml", cap(city, "inside"))
    office.put("/moved.xml", b"", 302, Location=f"{other.url}/inside.xml")
    office.publish(f"{other.url}/inside.xml", "/moved.xml", "file:///etc/passwd", "http://169.254.169.254/x")
    assert poll() == {"taken": 0, "ignored": 0, "refused": 0}
    assert other.asked == []
    other.server.shutdown()
    other.server.server_close()


def test_a_feed_that_fails_is_asked_again_later(city: SmallCity, office: Office, listen: Listen) -> None:
    poll = listen()
    office.put("/feed", b"<a>" + b"x" * 2_000_000)
    poll()
    row = queries.feeds_of("lahore")[0]
    assert (row["failures"], "bytes" in row["problem"]) == (1, True)
    office.put("/feed", b"not xml at all")
    poll()
    assert queries.feeds_of("lahore")[0]["failures"] == 2
    office.publish()
    poll()
    assert queries.feeds_of("lahore")[0]["failures"] == 0


def test_the_sweeper_asks_each_feed_when_it_is_due(city: SmallCity, office: Office, listen: Listen) -> None:
    listen()
    asked: list[tuple[Any, ...]] = []

    def enqueue(job: str, *args: str | int | float | None) -> bool:
        asked.append((job, *args))
        return True

    context = replace(city.context, enqueue=enqueue)
    for _ in range(2):
        city.ahead += timedelta(seconds=61)
        for _ in range(3):
            cap_feeds.due_feeds(context, city.pool)
    assert asked == [("poll_cap", "lahore", "pmd")] * 2


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://cap.example/a.xml", True),
        ("https://cap.example:444/a.xml", False),
        ("http://cap.example/a.xml", False),
        ("https://files.example/a.xml", True),
        ("https://cap.example.evil.example/a", False),
        ("https://cap.example@evil.example/a", False),
        ("https://evil.example\\@cap.example/a", False),
        ("file:///etc/passwd", False),
        ("https://[::1]/a", False),
        ("https://[bad/a", False),
    ],
)
def test_only_the_feeds_own_hosts_are_opened(address: str, allowed: bool) -> None:
    feed = CapFeed("pmd", Text("W", "م"), "https://cap.example/feed", False, 60, frozenset({"files.example"}))
    assert may_open(feed, address) is allowed


def test_a_link_that_can_be_none_does_not_stand_before_the_others(
    city: SmallCity, office: Office, listen: Listen
) -> None:
    poll = listen()
    office.put("/1.xml", cap(city, "beside a broken link"))
    office.publish("http://[broken/2.xml", "/1.xml", "//[/3.xml")
    assert poll() == {"taken": 1, "ignored": 0, "refused": 0}


def test_a_fault_of_ours_over_one_message_does_not_stand_before_the_others(
    city: SmallCity, office: Office, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alert behind it is taken, and the one that met the fault is looked at again, though the list did not change."""
    poll, take = listen(), intake.take

    def odd(reading: Reading, *rest: Any, **more: Any) -> Any:
        if reading.identifier == "odd":
            raise ArithmeticError("a shape that no library likes")
        return take(reading, *rest, **more)

    office.put("/1.xml", cap(city, "odd"))
    office.put("/2.xml", cap(city, "sound"))
    office.publish("/2.xml", "/1.xml", etag='"a"')  # newest first: the odd one is looked at before the sound one
    with monkeypatch.context() as broken:
        broken.setattr(intake, "take", odd)
        assert poll()["taken"] == 1
    assert poll()["taken"] == 1
    assert {alert["source"]["identifier"] for alert in alerts(city)} == {"odd", "sound"}


def test_a_feed_whose_server_is_slow_holds_nobody_up_for_long(city: SmallCity, office: Office, listen: Listen) -> None:
    """Its documents are opened side by side, and on a queue that no broadcast waits in."""
    poll, paths = listen(), [f"/{number}.xml" for number in range(cap_feeds.OPENED_AT_ONCE)]
    for path in paths:
        office.put(path, cap(city, path))
    office.publish(*paths)
    office.together = threading.Barrier(len(paths))
    assert poll()["taken"] == len(paths)
    assert JOBS["poll_cap"].queue not in {JOBS["broadcast"].queue, JOBS["broadcast_batch"].queue}
