"""A phone that was away for a week comes to what a new one has, whatever became of its groups meanwhile; and of many changes
in one millisecond none is left out.
"""

import random
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from domain import geo, sync
from domain.patrols import queries as patrols
from domain.patrols import service as walking
from domain.people import sign_in
from domain.people.sign_in import Lifetimes
from domain.reports import queries as reports
from domain.watch.states import GroupRole, Standing
from domain.watch.writing import put, stands
from domain.watch_alerts import queries as alerts
from tests.api.conftest import Hand
from tests.factories.people import SECRET, Signed, signed_in, staff

Body = dict[str, Any]
PLACE = (31.5102, 74.3441)


def square(half_m: float) -> Body:
    corners = [geo.destination(*PLACE, bearing, half_m * 1.4142) for bearing in (45.0, 135.0, 225.0, 315.0, 45.0)]
    return {"type": "Polygon", "coordinates": [[[lon, lat] for lat, lon in corners]]}


class Phone:
    """What a phone does by docs/watch.md: takes what comes, and forgets what it is told to and what has passed."""

    def __init__(self, api: FlaskClient, who: Signed, clock: Hand) -> None:
        self.api, self.who, self.clock = api, who, clock
        self.cursor = ""
        self.things: dict[tuple[str, str], Body] = {}
        self.seen: list[tuple[str, str]] = []

    def sync(self) -> dict[tuple[str, str], Body]:
        more = True
        while more:
            path = f"/v1/sync?cursor={self.cursor}" if self.cursor else "/v1/sync"
            answer = self.api.get(path, headers=headers(self.who, self.clock()))
            assert (answer.status_code, len(answer.data) <= 8192) == (200, True), answer.text
            found = answer.get_json()
            for each in found["items"]:
                self.things[each["kind"], each["id"]] = each["body"]
                self.seen.append((each["kind"], each["id"]))
            for each in found["tombstones"]:
                self.things.pop((each["kind"], each["id"]), None)
            self.cursor, more = found["cursor"], found["more"]
        self._forget(set(found["watch_groups"]))
        return self.things

    def _forget(self, groups: set[str]) -> None:
        for (kind, name), body in list(self.things.items()):
            if kind == "watch_report":
                body["groups"] = sorted(groups & set(body["groups"]))
                keeps = body["mine"] or body["groups"]
            else:
                keeps = not kind.startswith("watch_") or groups & {name, body.get("group"), *body.get("groups", ())}
            ends = body.get("expires") or body.get("ends_at")
            if not keeps or (ends and datetime.fromisoformat(ends) <= self.clock()):
                del self.things[kind, name]


def headers(who: Signed, now: datetime) -> dict[str, str]:
    token = sign_in.tokens_for(SECRET, who.person_id, who.session_id, Lifetimes(), now=now).access_token
    return {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4()), "Sent-At": now.isoformat()}


class Week:
    """What neighbours of two groups do, an hour after the other; `bilal` is the one whose phone is away."""

    def __init__(self, api: FlaskClient, clock: Hand, seed: int) -> None:
        self.api, self.clock, self.draw = api, clock, random.Random(seed)
        self.asma, self.dua, self.bilal = (signed_in(clock(), name=name) for name in ("Asma", "Dua", "Bilal"))
        self.operator = staff(clock(), "operator")
        self.groups = [self._group(400.0), self._group(300.0)]
        self.made: dict[str, list[str]] = {"reports": [], "patrols": [], "gatherings": [], "alerts": [], "beats": []}
        self.ends: dict[int, int] = {}

    def does(self, who: Signed, method: str, path: str, body: Body | None = None, **more: str) -> Body:
        sent = {} if body is None else body
        self.clock.forward(minutes=self.draw.choice((0, 1, 40, 120)))
        answer = self.api.open(f"/v1/watch{path}", method=method, json=sent, headers=headers(who, self.clock()) | more)
        assert answer.status_code < 500, answer.text
        self.ends[answer.status_code] = self.ends.get(answer.status_code, 0) + 1
        return (answer.get_json() or {}) if answer.status_code < 300 else {}

    def _group(self, half_m: float) -> Body:
        self.ends = {}
        made = self.does(self.asma, "POST", "/groups", {"name": "Block", "area": square(half_m), "rules": "Be kind."})
        made["link"] = self.does(self.asma, "POST", f"/groups/{made['id']}/link")["token"]
        for who in (self.dua, self.bilal):
            self.joins(who, made)
        return made

    def joins(self, who: Signed, group: Body) -> None:
        self.does(who, "POST", f"/groups/{group['id']}/members", {"rules_version": 1, "link": group["link"]})

    def keep(self, kind: str, made: Body) -> None:
        if made:
            self.made[kind].append(made["id"])

    def one_of(self, kind: str) -> str:
        return self.draw.choice(self.made[kind] or ["none"])

    def group(self) -> Body:
        return self.draw.choice(self.groups)

    def somebody(self) -> Signed:
        return self.draw.choice([self.dua, self.bilal])

    # what happens

    def report(self) -> None:
        lat, lon = geo.destination(*PLACE, self.draw.uniform(0, 360), self.draw.choice((50.0, 340.0)))
        body = {"category": "street_light", "position": {"lat": lat, "lon": lon}, "note": "The lamp is out."}
        self.keep("reports", self.does(self.somebody(), "POST", "/reports", body))

    def about_a_report(self) -> None:
        path, who = f"/reports/{self.one_of('reports')}", self.somebody()
        held = self.does(who, "GET", path)
        match self.draw.randrange(4):
            case 0:
                version = {"If-Match": f'"{held.get("version", 1)}"'}
                self.does(who, "PATCH", path, {"note": f"It flickers, {self.draw.random()}."}, **version)
            case 1:
                self.does(who, "POST", f"{path}/withdraw")
            case 2:
                self.does(self.operator, "POST", f"{path}/decision", {"status": "removed", "reason": "No."})
            case _:
                where = {"lat": PLACE[0], "lon": PLACE[1]}
                self.does(who, "POST", f"{path}/confirmations", {"stand": "confirm", "position": where})

    def beat(self) -> None:
        body = {"group": self.group()["id"], "name": "Market", "geometry": square(120.0)}
        self.keep("beats", self.does(self.asma, "POST", "/beats", body))
        self.does(self.asma, "PATCH", f"/beats/{self.one_of('beats')}", {"name": f"Lane {self.draw.randrange(99)}"})

    def patrol(self) -> None:
        days = [(self.clock() + timedelta(days=self.draw.randrange(1, 5))).date().isoformat()]
        body = {"beat": self.one_of("beats"), "dates": days, "since": "18:00", "until": "20:00", "capacity": 2}
        for made in self.does(self.asma, "POST", "/patrols", body).get("items", []):
            self.keep("patrols", made)

    def about_a_patrol(self) -> None:
        path = f"/patrols/{self.one_of('patrols')}"
        self.does(self.somebody(), "POST", f"{path}/places")
        self.does(self.somebody(), "POST", f"{path}/{self.draw.choice(['offer', 'take'])}")
        if self.draw.random() < 0.3:
            self.does(self.asma, "POST", f"{path}/cancel", {"reason": "Rain."})

    def gathering(self) -> None:
        begins = self.clock() + timedelta(days=self.draw.randrange(1, 9))
        body = {
            "group": self.group()["id"], "kind": "workshop", "title": "First aid", "capacity": 5,
            "place": {"lat": PLACE[0], "lon": PLACE[1], "name": "School"}, "starts_at": begins.isoformat(),
            "ends_at": (begins + timedelta(hours=2)).isoformat(),
        }  # fmt: skip
        self.keep("gatherings", self.does(self.asma, "POST", "/gatherings", body))
        path = f"/gatherings/{self.one_of('gatherings')}"
        self.does(self.somebody(), "PUT", f"{path}/answer", {"answer": "going"})
        if self.draw.random() < 0.3:
            self.does(self.asma, "POST", f"{path}/cancel", {"reason": "Rain."})

    def alert(self) -> None:
        body = {"groups": [self.group()["id"]], "texts": {"en": {"headline": "Lock your gate"}},
                "expires": (self.clock() + timedelta(hours=self.draw.choice((2, 70)))).isoformat()}  # fmt: skip
        self.keep("alerts", self.does(self.asma, "POST", "/alerts", body))
        if self.draw.random() < 0.3:
            self.does(self.asma, "POST", f"/alerts/{self.one_of('alerts')}/withdraw")

    def comes_and_goes(self) -> None:
        group = self.group()
        path = f"/groups/{group['id']}/members"
        match self.draw.randrange(5):
            case 0:
                self.does(self.bilal, "DELETE", f"{path}/me")
            case 1:
                self.does(self.asma, "DELETE", f"{path}/{self.bilal.person_id}?reason=Threats")
            case _:
                self.joins(self.bilal, group)
                self.does(self.asma, "POST", f"{path}/{self.bilal.person_id}/admit")

    def passes(self) -> None:
        """Time, with what is due in it."""
        self.clock.forward(hours=self.draw.choice((1, 5, 11)))
        for row in patrols.due(now=self.clock(), limit=100):
            walking.timers(row["_id"], now=self.clock())

    def steps(self) -> list[Callable[[], None]]:
        return [self.report, self.report, self.about_a_report, self.about_a_report, self.beat, self.patrol,
                self.about_a_patrol, self.gathering, self.alert, self.comes_and_goes, self.passes]  # fmt: skip


@pytest.mark.parametrize("seed", [2, 6])
def test_a_phone_that_was_away_for_a_week_has_what_a_new_one_has(api: FlaskClient, clock: Hand, seed: int) -> None:
    week = Week(api, clock, seed)
    often, away = Phone(api, week.bilal, clock), Phone(api, week.bilal, clock)
    began = clock()
    for step in week.steps():
        step()
    away.sync()
    told: set[str] = set()
    while clock() < began + timedelta(days=7):
        week.draw.choice(week.steps())()
        if week.draw.random() < 0.1:
            often.sync()
            told |= {kind for kind, _ in often.things}
    clock.forward(minutes=10)
    fresh = Phone(api, week.bilal, clock)
    assert {"watch_group", "watch_report", "watch_patrol", "watch_gathering", "watch_alert"} <= told
    assert away.sync() == fresh.sync()
    assert often.sync() == fresh.things
    assert week.ends[200] > 20


def test_what_a_group_had_comes_with_it_and_goes_with_it(api: FlaskClient, clock: Hand) -> None:
    week = Week(api, clock, 3)
    group = week.groups[0]
    week.does(week.bilal, "DELETE", f"/groups/{group['id']}/members/me")
    week.does(week.bilal, "DELETE", f"/groups/{week.groups[1]['id']}/members/me")
    old, phone = Phone(api, week.bilal, clock), Phone(api, week.bilal, clock)
    for _ in range(30):
        week.does(week.dua, "POST", "/reports", {"category": "noise", "position": {"lat": PLACE[0], "lon": PLACE[1]}})
    week.beat()
    week.patrol()
    week.alert()
    clock.forward(days=1)
    phone.sync()
    assert [kind for kind, _ in phone.things] == ["profile"]
    week.joins(week.bilal, group)
    clock.forward(minutes=1)
    phone.seen.clear()
    phone.sync()
    mine = {each["_id"] for each in reports.held(group["id"], clock() - timedelta(days=9), clock(), limit=200)}
    assert len(mine) == 30
    assert sorted(each for kind, each in phone.seen if kind == "watch_report") == sorted(mine), "each once"
    assert phone.things == old.sync()
    week.does(week.asma, "DELETE", f"/groups/{group['id']}/members/{week.bilal.person_id}?reason=Threats")
    assert [kind for kind, _ in phone.sync()] == ["profile"]


@pytest.mark.parametrize("kind", ["watch_report", "watch_patrol", "watch_alert", "own reports"])
def test_of_many_changes_in_one_millisecond_each_comes_once(api: FlaskClient, clock: Hand, kind: str) -> None:
    clock.forward(hours=1)
    who, group = signed_in(clock()), f"wgr_{uuid.uuid4().hex[:8]}"
    put({"_id": group, "city": "lahore"}, who.person_id, lambda _: stands(GroupRole.MEMBER, Standing.MEMBER),
        by="per_1", now=clock())  # fmt: skip
    phone = Phone(api, who, clock)
    clock.forward(minutes=1)
    phone.sync()
    clock.forward(minutes=1)
    ids = [f"x{uuid.uuid4().hex}" for _ in range(260)]
    common: Body = {"city": "lahore", "changed_at": clock(), "version": 1}
    report = common | {
        "groups": [group], "author": "per_1", "category": "noise", "status": "published", "public": {"lat": 31.5, "lon": 74.3},
        "position": {"lat": 31.5, "lon": 74.3}, "cells": {"r9": "893c14d0b1bffff"}, "at": clock(), "score": 0.0,
        "confirmed": 0, "denied": 0, "created_at": clock() - timedelta(days=1),
    }  # fmt: skip
    rows: dict[str, tuple[Any, Body]] = {
        "watch_report": (reports.reports(), report),
        "own reports": (reports.reports(), report | {"groups": [], "author": who.person_id}),
        "watch_patrol": (patrols.patrols(), common | {
            "group": group, "beat": f"bea_{group}", "places": {}, "people": [], "status": "planned", "capacity": 2,
            "starts_at": clock(), "ends_at": clock() + timedelta(hours=2),
        }),
        "watch_alert": (alerts.watch_alerts(), common | {
            "groups": [group], "texts": {"en": {"headline": "x"}}, "urgent": False, "by": "per_1", "status": "issued",
            "issued_at": clock(), "expires": clock() + timedelta(hours=2),
        }),
    }  # fmt: skip
    patrols.beats().insert_one({"_id": f"bea_{group}", "city": "lahore", "group": group, "name": "Market"})
    collection, row = rows[kind]
    collection.insert_many([row | {"_id": each} for each in random.Random(4).sample(ids, len(ids))])
    clock.forward(minutes=1)
    phone.seen.clear()
    phone.sync()
    assert sorted(name for _, name in phone.seen) == sorted(ids)
    assert len(ids) > sync.MOST
