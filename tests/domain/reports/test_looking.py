"""Cameras look before a report is believed: once for all who tell of one thing, within bounds, and nobody is left waiting."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain import geo
from domain.cameras import checks, looks, observations, queries, registry, rules
from domain.cities import queries as cities
from domain.clusters import believing as clusters
from domain.clusters.queries import clusters as kept_clusters
from domain.clusters.queries import due
from domain.correlation import service as correlation
from domain.people import queries as people
from domain.reports import believing, looking, moderating, personal, service, sights
from domain.reports import queries as reports
from domain.reports.service import Seen
from domain.reports.states import Anonymity, Flag, ReportStatus, Stand
from domain.reviews.states import Said
from tests.factories.cameras import NOON, PLACE, SECRET, camera, hold_city, seen, sos

pytestmark = pytest.mark.usefixtures("documents")
SECOND = timedelta(seconds=1)


def neighbour(name: str, **fields: Any) -> str:
    """Somebody whose account is not new, and not made together with another's."""
    made = NOON - timedelta(days=60 + people.collection().count_documents({}))
    people.collection().insert_one({"_id": f"per_{name}", "city": "lahore", "created_at": made, "roles": [], **fields})
    return f"per_{name}"


def known(name: str) -> str:
    """One whose word was good before."""
    return neighbour(name, trust={"helped": 2, "false_alarm": 0})


def report(author: str, *, category: str = "shooting", metres: float = 0.0, at: datetime = NOON) -> str:
    lat, lon = geo.destination(*PLACE, 90.0, metres)
    place = {"lat": lat, "lon": lon, "accuracy_m": 10.0}
    told = Seen(category, place, at, "Shots.", Anonymity.NOBODY)
    doc, _ = service.add(f"rpt_{author}_{category}", author, told, session="", fingerprint="f", secret=SECRET, now=at)
    clusters.heard(doc, now=at)
    return str(doc["_id"])


def ask(report_id: str, now: datetime = NOON) -> list[str]:
    """The reaction to `report.worth_a_look`, where that happened."""
    events = [each["type"] for each in reports.get(report_id).get("pending_events") or []]
    return looking.ask(report_id, secret=SECRET, now=now) if believing.LOOK in events else []


def done(look_id: str, answer: dict[str, Any], now: datetime = NOON + SECOND) -> Any:
    """A worker's part and the reaction to its event: claim, see, store, tell."""
    claimed = looks.begin(look_id, now=now)
    assert claimed is not None
    stored = observations.of_look(queries.camera(claimed["camera"]), claimed, answer, ["aa"], at=now, now=now)
    assert looks.settle(look_id, stored["_id"], now=now) == claimed["reports"]
    return stored


def states(report_id: str) -> list[str]:
    return sorted(each["state"] for each in (reports.get(report_id).get("sights") or {}).values())


def test_of_a_blast_one_report_asks_and_what_is_seen_moves_its_score_and_the_clusters() -> None:
    street = camera("street")
    ids, found = [], set()
    for number in range(12):
        ids.append(report(neighbour(f"n{number}"), metres=3.0 * number))
        found |= {look for each in ids for look in ask(each)}
    [look] = found
    assert queries.looks().count_documents({}) == 1
    asked = next(each for each in ids if states(each) == ["asked"])
    assert [states(each) for each in ids if each != asked] == [[]] * 11, "one asks in the place of all"
    before, whole = reports.get(asked), clusters.weigh(reports.get(asked)["cluster"], now=NOON)
    sight = done(look, seen("seen", ("dispersal", 0.8), ("running", 0.9)))
    after = reports.get(asked)
    assert (after["parts"]["cameras"], after["voices"]) == (0.45, before["voices"])
    assert after["score"] > before["score"]
    weighed = clusters.weigh(after["cluster"], now=NOON + SECOND)
    assert weighed["parts"]["cameras"] == 0.45
    assert weighed["score"] > whole["score"]
    [link] = [each for each in correlation.of(asked) if each["other"]["id"] == sight["_id"]]
    assert {each["kind"] for each in link["reasons"]} == {"distance", "time", "seen"}
    assert asked in [each["other"]["id"] for each in correlation.of(sight["_id"])]
    checks.note(sight["_id"], "running", Said.NO, by="per_op", look=look, now=NOON + 2 * SECOND)
    checked = checks.note(sight["_id"], "dispersal", Said.NO, by="per_op", look=look, now=NOON + 2 * SECOND)
    for _ in range(2):
        sights.checked(checked or {}, look, now=NOON + 2 * SECOND)
    assert reports.get(asked)["parts"]["cameras"] == 0.0, "a human has looked: nobody runs"
    assert street["_id"] in reports.get(asked)["sights"]


def test_where_no_camera_has_the_first_in_view_the_next_one_asks() -> None:
    camera("street")
    far = [report(neighbour(f"f{number}"), category="explosion", metres=700.0 + number) for number in range(2)]
    assert [ask(each) for each in far] == [[], []]
    near = report(neighbour("near"), category="explosion")
    looked: set[str] = set()
    for second in range(3):
        looked |= {look for each in (*far, near) for look in ask(each)}
        for cluster in due(now=NOON + second * SECOND):
            clusters.weigh(cluster, now=NOON + second * SECOND)
    assert len(looked) == 1
    assert states(near) == ["asked"]


def test_whose_cameras_are_asked_and_how_many() -> None:
    camera("lent", owner="per_shop")
    retired = camera("retired")
    registry.retire(retired["_id"], now=NOON)
    camera("off", enabled=False)
    camera("looks away", bearing_deg=0.0)
    queries.healths().insert_one({"_id": camera("down")["_id"], "by": "recorder", "state": "down", "at": NOON})
    own = [camera(f"own {number}", metres=40.0 + number)["_id"] for number in range(6)]
    asked = report(known("a"))
    assert len(ask(asked)) == looking.MOST
    assert list(reports.get(asked)["sights"]) == own[: looking.MOST]


def test_a_camera_is_looked_at_so_often_for_what_nobody_believes_yet_and_an_sos_is_not_bounded() -> None:
    camera("street")
    found = []
    for number in range(rules.REPORTS_OF_A_CAMERA + 1):
        now = NOON + 10 * number * SECOND
        kept_clusters().delete_many({})  # each tells of something else
        last = report(known(f"k{number}"), at=now)
        found += ask(last, now)
    assert len(set(found)) == len(found) == rules.REPORTS_OF_A_CAMERA
    assert states(last) == ["busy"]
    late = NOON + 100 * SECOND
    assert looks.ask(sos("s", at=late), now=late), "whoever needs help is not counted"


def test_a_look_of_an_sos_is_shared_and_one_that_is_shed_says_busy_until_it_answers() -> None:
    camera("street")
    [look] = looks.ask(sos("s"), now=NOON)
    asked = report(known("a"))
    assert ask(asked) == [look]
    slow = looks.begin(look, now=NOON + SECOND)
    late = NOON + timedelta(seconds=200)
    looks.see_to_overdue(now=late)
    assert states(asked) == ["busy"]
    assert slow is not None
    stored = observations.of_look(queries.camera(slow["camera"]), slow, seen("clear"), [], at=NOON, now=late)
    looks.settle(look, stored["_id"], now=late)
    assert states(asked) == ["clear"]
    assert reports.get(asked)["parts"]["cameras"] == 0.0
    second = report(known("b"), category="fire")
    assert ask(second) == [], "answered at once, by the look that was done"
    assert states(second) == ["clear"]


def test_what_was_lost_is_found_and_runs_again_without_another_look(monkeypatch: pytest.MonkeyPatch) -> None:
    camera("street")
    asked = report(known("a"))
    with monkeypatch.context() as patch:
        patch.setattr(looks, "join_report", lambda *_, **__: (_ for _ in ()).throw(OSError))
        with pytest.raises(OSError):
            ask(asked)  # the worker dies between asking and the look
    assert states(asked) == ["asked"]
    believing.believe(asked, by="per_x", now=NOON + SECOND)
    [look] = ask(asked, NOON + 30 * SECOND)  # another slot of the clock: still the look of the first time
    assert ask(asked, NOON + 30 * SECOND) == [look]
    assert queries.looks().distinct("start") == [NOON.replace(second=0)]
    assert looks.see_to_overdue(now=NOON + 33 * SECOND) == [look], "the queue lost it"
    done(look, seen("seen", ("running", 0.8)), NOON + 34 * SECOND)
    first = reports.get(asked)
    looks.settle(look, first["sights"][next(iter(first["sights"]))]["observation"], now=NOON + 35 * SECOND)
    assert reports.get(asked)["version"] == first["version"]
    assert first["parts"]["cameras"] == 0.4


def test_of_an_erased_report_nobody_is_told_and_another_may_ask() -> None:
    camera("street")
    first, second = report(known("a")), report(known("b"), metres=5.0)
    [look] = ask(first)
    assert ask(second) == []
    personal.forget("per_a", drop=lambda _: None, now=NOON)
    done(look, seen("seen", ("running", 0.8)))
    assert looking.ask(second, secret=SECRET, now=NOON + 2 * SECOND) == []
    assert states(second) == ["seen"]


def test_what_is_held_flagged_or_not_listed_by_its_city_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    camera("street")
    held, flagged = report(known("a"), category="fire"), report(known("b"), category="robbery")
    moderating.decide(held, ReportStatus.HELD, by="per_x", reason="Who knows.", now=NOON)
    moderating.flag(flagged, neighbour("c"), Flag.PRIVATE, now=NOON)
    assert [ask(held), ask(flagged)] == [[], []]
    config = hold_city(monkeypatch)
    monkeypatch.setitem(cities._held, "lahore", (float("inf"), replace(config, report_looks=frozenset({"fire"}))))
    unlisted = report(known("d"))
    believing.speak(unlisted, neighbour("e"), Stand.CONFIRM, session="", lat=PLACE[0], lon=PLACE[1], now=NOON)
    assert not reports.get(unlisted).get("look_at")
    assert queries.looks().count_documents({}) == 0
