"""Everybody hears a blast: hundreds of reports at once are one cluster, one incident, and one alert for each member."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from domain import geo
from domain.clusters import queries as clusters
from domain.clusters import service as clustering
from domain.people import queries as people
from domain.reports import moderating, service
from domain.reports.errors import ReportOver
from domain.reports.queries import get
from domain.reports.service import Seen
from domain.reports.states import Anonymity, ReportStatus
from domain.watch.queries import groups, member_id, members
from tests.factories.people import SECRET
from tests.fakes.small_city import SmallCity

BLAST = (31.5204, 74.3587)


def crowd(city: SmallCity, count: int, *, days: float, name: str) -> list[str]:
    """People with accounts of this age, made far apart from each other."""
    made = city.now() - timedelta(days=days)
    rows: list[dict[str, Any]] = [
        {
            "_id": f"per_{name}{number}", "city": "lahore", "created_at": made - timedelta(hours=number * (days > 7)),
            "language": "en", "roles": [], "version": 1, "sessions": {f"ses{number}": {"device_id": f"{name}{number}"}},
        }
        for number in range(count)
    ]  # fmt: skip
    people.collection().insert_many(rows)
    return [row["_id"] for row in rows]


def a_group(city: SmallCity, name: str, who: list[str], *, east_m: float) -> str:
    """A square kilometre with these members, so far east of the blast."""
    middle = geo.destination(*BLAST, 90.0, east_m)
    corners = [geo.destination(*middle, bearing, 700.0) for bearing in (45.0, 135.0, 225.0, 315.0, 45.0)]
    area = {"type": "Polygon", "coordinates": [[[lon, lat] for lat, lon in corners]]}
    found = {geo.cells(*geo.destination(*middle, 45.0 * turn, 600.0)).r7 for turn in range(8)}
    groups().insert_one(
        {
            "_id": f"grp_{name}", "city": "lahore", "name": name, "area": area, "cells": sorted(found), "rules": "",
            "rules_version": 1, "moderation": "post", "status": "active", "coordinator": who[0], "version": 1,
            "changed_at": city.now(), "created_at": city.now(), "link_generation": 0,
        }
    )  # fmt: skip
    members().insert_many(
        {
            "_id": member_id(f"grp_{name}", person), "city": "lahore", "group": f"grp_{name}", "person": person,
            "role": "member", "standing": "member", "since": city.now(), "changed_at": city.now(), "rules_version": 1,
        }
        for person in who
    )  # fmt: skip
    return f"grp_{name}"


def report(city: SmallCity, number: int, author: str, *, spread_m: float = 900.0, category: str = "explosion") -> Any:
    draw = random.Random(number)
    lat, lon = geo.destination(*BLAST, draw.uniform(0, 360), draw.uniform(0, spread_m))
    now = city.now()
    seen = Seen(category, {"lat": lat, "lon": lon, "accuracy_m": 20.0}, now - timedelta(seconds=draw.uniform(0, 170)),
                draw.choice(["", "dhamaka hua hai", "بہت زور کا دھماکہ", "Loud bang, windows broken"]),
                Anonymity.NOBODY)  # fmt: skip
    doc, _ = service.add(
        f"rpt_{author}_{number}", author, seen, session="ses" + "".join(filter(str.isdigit, author)),
        fingerprint=f"f{number}", secret=SECRET, now=now,
    )  # fmt: skip
    city.enqueue("drain", "watch_reports", doc["_id"])
    return doc


@pytest.fixture
def quiet(small_city: SmallCity) -> Iterator[SmallCity]:
    for name in ("watch_reports", "watch_clusters", "watch_voices", "watch_groups", "watch_members", "deliveries"):
        small_city.store[name].delete_many({})
    yield small_city
    people.collection().delete_many({"_id": {"$regex": "^per_[a-z]+[0-9]+$"}})


def test_two_hundred_reports_of_one_blast_are_one_cluster_and_one_alert_for_each(quiet: SmallCity) -> None:
    city = quiet
    west, east = crowd(city, 40, days=90, name="west"), crowd(city, 40, days=60, name="east")
    both = [*west[:5], *east[:5]]
    a_group(city, "west", [*west, *east[:5]], east_m=-450.0)
    a_group(city, "east", [*east, *west[:5]], east_m=450.0)
    strangers = crowd(city, 70, days=30, name="far")
    authors = [*strangers, *west, *east]
    sent = [(number, authors[number % len(authors)]) for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda each: report(city, *each), sent))
    city.settle()
    city.skip(2)
    city.skip(2)
    assert len({doc["cells"]["r7"] for doc in made}) > 1, "they lie in more than one cell"
    roots = {clusters.root(doc["cluster"])["_id"] for doc in made}
    assert len(roots) == 1
    whole = clusters.get(roots.pop())
    assert (whole["reports"], whole["confirmed"]) == (200, 150)
    assert whole["voices"] >= 100
    assert len(city.open_incidents()) == 1
    told = [row["recipient"]["id"] for row in city.store.deliveries.find({"purpose": "watch_alert"})]
    author = city.store.watch_reports.find_one({"believed_at": {"$ne": None}})["author"]
    assert sorted(told) == sorted({*west, *east} - {author})
    assert both[0] in told


def test_clusters_that_were_begun_at_one_moment_become_one(quiet: SmallCity) -> None:
    city = quiet
    one, *others = [report(city, number, f"per_far{number}", spread_m=300.0) for number in range(2)]
    apart = [clustering._begin(doc, city.now()) for doc in (one, *others)]
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda each: clustering.current(each["_id"], now=city.now())["_id"], apart * 3))
    assert len({clusters.root(each)["_id"] for each in found}) == 1
    whole = clustering.current(found.pop(), now=city.now())
    assert {each["_id"] for each in apart} <= {whole["_id"], *whole["parts_of_it"]}


def test_what_a_human_lets_through_counts_and_what_is_taken_back_does_not(quiet: SmallCity) -> None:
    city = quiet
    west = crowd(city, 6, days=90, name="west")
    group = a_group(city, "west", west, east_m=0.0)
    groups().update_one({"_id": group}, {"$set": {"moderation": "pre"}})
    made = [report(city, number, person, spread_m=5.0, category="fire") for number, person in enumerate(west)]
    city.settle()
    assert {doc["status"] for doc in made} == {"submitted"}, "the group reads first"

    def then(*followed: dict[str, Any]) -> tuple[int, bool, int]:
        """The voices of the cluster, whether it is believed, and the incidents that came of it."""
        for doc in followed:
            city.enqueue("drain", "watch_reports", doc["_id"])
        city.settle()
        city.skip(2)
        whole = clusters.root(made[0]["cluster"])
        return whole.get("voices") or 0, bool(whole.get("believed_at")), len(city.open_incidents())

    def published(*read: dict[str, Any]) -> tuple[int, bool, int]:
        for doc in read:
            moderating.decide(doc["_id"], ReportStatus.PUBLISHED, by="per_x", reason="It burns.", now=city.now())
        return then(*read)

    assert then() == (0, False, 0)
    assert published(*made[:3]) == (3, False, 0)
    service.withdraw(made[0]["_id"], now=city.now())
    assert then(made[0]) == (2, False, 0)
    moderating.decide(made[1]["_id"], ReportStatus.REMOVED, by="per_x", reason="No.", now=city.now())
    assert then(made[1]) == (1, False, 0)
    moderating.decide(made[1]["_id"], ReportStatus.PUBLISHED, by="per_y", reason="It does.", now=city.now())
    assert published(*made[3:]) == (5, True, 1), "one incident of five who say so"
    assert then(*made) == (5, True, 1)


def test_who_makes_a_shooting_of_their_street_light_has_no_voice_but_their_own(quiet: SmallCity) -> None:
    city = quiet
    first, *others = crowd(city, 6, days=90, name="west")
    turned = report(city, 0, first, spread_m=5.0, category="street_light")
    service.edit(turned["_id"], {"category": "shooting"}, now=city.now())
    city.enqueue("drain", "watch_reports", turned["_id"])
    made = [report(city, number, person, spread_m=5.0, category="street_light") for number, person in enumerate(others)]
    city.settle()
    city.skip(2)
    whole = clusters.root(made[0]["cluster"])
    assert (bool(whole["believed_at"]), whole["category"]) == (True, "street_light")
    believed = list(city.store.watch_reports.find({"believed_at": {"$ne": None}}, {"category": 1}))
    assert [row["category"] for row in believed] == ["street_light"]
    assert city.open_incidents() == [], "nobody is sent to a shooting that one person tells of"
    shots = clusters.root(get(turned["_id"])["cluster"])
    assert (shots["_id"] != whole["_id"], shots["category"], shots["voices"]) == (True, "shooting", 1)
    left = clusters.get(turned["cluster"])
    assert left["position"] == {name: turned["public"][name] for name in ("lat", "lon")}, "nor where its author stood"
    (one,) = believed
    with pytest.raises(ReportOver):
        service.edit(one["_id"], {"category": "shooting"}, now=city.now())


def test_a_brigade_of_two_hundred_new_accounts_raises_nothing(quiet: SmallCity) -> None:
    city = quiet
    brigade = [*crowd(city, 100, days=0.5, name="early"), *crowd(city, 100, days=3, name="late")]
    a_group(city, "west", brigade[:3], east_m=0.0)
    for number, person in enumerate(brigade):
        report(city, number, person, spread_m=150.0, category="fire")
    city.settle()
    city.skip(2)
    (whole,) = [each for each in city.store.watch_clusters.find({"into": None}) if each["reports"]]
    assert (whole["reports"], whole["confirmed"], whole["voices"]) == (200, 200, 0)
    assert whole["parts"]["from_new_accounts"] <= 0.5
    assert whole["score"] < 0.5
    assert city.open_incidents() == []
    assert city.store.deliveries.count_documents({"purpose": "watch_alert"}) == 0
