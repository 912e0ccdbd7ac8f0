"""What a city has kept long enough goes: at its hour and not before, by each city's own figures, never under a hold."""

import dataclasses
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from cli.indexes import create as create_indexes
from domain import retention as ends
from domain.audit import chain
from domain.cities import queries as cities
from domain.cities.config import CityConfig, Fate, Kept
from domain.clusters import queries as clusters
from domain.correlation import service as correlation
from domain.errors import DomainError
from domain.evidence import service as evidence
from domain.incidents import retention, rules
from domain.incidents import service as incidents
from domain.incidents.documents import TimelineDoc
from domain.incidents.service import SosFacts
from domain.incidents.states import Resolution
from domain.reviews import service as reviews
from domain.reviews.states import RULE, ReviewKind, Said
from domain.tracks import service as tracks
from runtime import mongo
from runtime.media import Media
from runtime.settings import Settings
from tests.factories.stores import settings_for
from workers import retention as sweep
from workers.context import Context

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "for tests only: forty characters of key.."
DAYS = {Kept.INCIDENTS: 100, Kept.TRACKS: 10, Kept.DELIVERIES: 20, Kept.MEDIA: 30, Kept.AUDIT: 200}
SECOND = timedelta(seconds=1)


class World:
    """Cities with times of their own, and a clock that is moved by hand."""

    def __init__(self, settings: Settings) -> None:
        self.now = NOON
        nothing: Any = None
        self.context = Context(settings, lambda: self.now, lambda *_: True, nothing, {})
        self.media = Media(settings.media_url)
        self.pool: Any = None

    def config(self, city: str = "lahore", **changes: Any) -> CityConfig:
        days = {**cities.current(city).retention_days, **DAYS, **changes.pop("days", {})}
        return dataclasses.replace(cities.current(city), retention_days=days, **changes)

    def apply(self, at: datetime, **changes: Any) -> dict[str, int]:
        """Let it be so late, and sweep one city."""
        self.now = at
        return sweep.of_city(self.config(**changes), self.context)

    def incident(self, *, city: str = "lahore", closed: datetime | None = NOON, key: str = "1") -> str:
        """A case with all that belongs to one."""
        facts = SosFacts(
            city, "threat", ("police",), "Severe", "Immediate", "Likely", owner="per_1", key=f"{city}{key}",
            person="per_1", phone="+923001234567", note="behind the blue door", flags=("late",),
            position={"lat": 31.5102, "lon": 74.3441, "captured_at": NOON},
        )  # fmt: skip
        found = str(incidents.raise_sos(facts, now=NOON, secret=SECRET, link_ttl=timedelta(hours=6)).incident["_id"])
        incidents.incidents().update_one({"_id": found}, {"$set": {"pending_events": []}, "$unset": {"outbox_due": ""}})
        tracks.add(city, found, [{"lat": 31.51, "lon": 74.34, "captured_at": NOON}], now=NOON)
        name = self.media.put(f"photo of {found}".encode())
        shown = self.media.put(f"copy of {found}".encode())
        incident = {"city": city, "incident": found}
        evidence.evidence().insert_one(
            {"_id": f"evd_{found}", **incident, "sha256": name, "shown": {"sha256": shown}, "at": NOON}
        )
        evidence.uploads().insert_one({"_id": f"upl_{found}", **incident, "status": "complete", "created_at": NOON})
        store = mongo.database()
        store.deliveries.insert_one({"_id": f"dlv_{found}", "city": city, "subject": found, "created_at": NOON})
        store.links.insert_one({"_id": f"lnk_{found}", "city": city, "ends": [found, "inc_other"]})
        TimelineDoc(id=f"{found}-000001", city=city, incident=found, seq=1, entry={"kind": "raised"}).save()
        if closed:
            incidents.change(found, lambda draft: rules.close(draft, Resolution.HELPED, by="op"), now=closed)
            incidents.incidents().update_one(
                {"_id": found}, {"$set": {"pending_events": []}, "$unset": {"outbox_due": ""}}
            )
        return found

    def left(self, incident: str) -> set[str]:
        """In which collections something of it is."""
        store = mongo.database()
        fields = {"tracks": "subject", "deliveries": "subject", "evidence": "incident", "uploads": "incident",
                  "links": "ends", "timeline": "incident", "incidents": "_id"}  # fmt: skip
        return {name for name, field in fields.items() if store[name].find_one({field: incident})}

    def bytes_of(self, incident: str) -> int:
        """How many of its two files are there."""
        found = 0
        for what in ("photo", "copy"):
            name = hashlib.sha256(f"{what} of {incident}".encode()).hexdigest()
            try:
                found += bool(self.media.get(name))
            except FileNotFoundError:
                continue
        return found


@pytest.fixture
def world(mongodb_url: str, mongo_client: MongoClient[dict[str, Any]], tmp_path: Path) -> Iterator[World]:
    """Empty cities."""
    settings = settings_for(mongodb_url, redis_url="redis://127.0.0.1:9/0", media_url=f"file://{tmp_path}")
    mongo.connect(settings)
    create_indexes()
    made = World(settings)
    with ThreadPoolExecutor(2) as pool:
        made.pool = pool
        yield made
    name = mongo.database().name
    mongo.disconnect()
    mongo_client.drop_database(name)


ALL = {"tracks", "deliveries", "evidence", "uploads", "links", "timeline", "incidents"}


@pytest.mark.parametrize(
    ("days", "goes"),
    [(10, {"tracks"}), (20, {"deliveries"}), (30, {"evidence", "uploads"}), (100, {"links", "timeline"})],
)
def test_each_kind_goes_at_its_own_hour_and_not_a_second_before(world: World, days: int, goes: set[str]) -> None:
    incident = world.incident()
    at = NOON + timedelta(days=days)
    world.apply(at - SECOND)
    assert goes <= world.left(incident)
    world.apply(at)
    assert not goes & world.left(incident)
    assert world.bytes_of(incident) == (0 if days >= 30 else 2)
    assert "incidents" in world.left(incident)


def test_what_stays_of_a_case_is_what_figures_are_made_of(world: World) -> None:
    incident = world.incident()
    world.apply(NOON + timedelta(days=100))
    doc = incidents.get(incident)
    text = repr(doc)
    for private in ("per_1", "+923001234567", "blue door", "31.51", "cells.r7", "'op'"):
        assert private not in text
    assert (doc["status"], doc["resolution"], doc["flags"]) == ("closed", "helped", ["late"])
    assert doc["raised_at"] == doc["closed_at"] == NOON
    assert set(doc["cells"]) == {"r5"}
    assert doc["anonymised_at"] == NOON + timedelta(days=100)
    assert world.apply(NOON + timedelta(days=101)) == {}  # once


def test_a_city_may_have_nothing_left(world: World) -> None:
    incident = world.incident()
    world.apply(NOON + timedelta(days=100), closed_incidents=Fate.DELETE)
    assert world.left(incident) == set()


def test_the_time_runs_from_the_last_close(world: World) -> None:
    still_open, reopened = world.incident(closed=None, key="open"), world.incident(key="again")
    incidents.change(reopened, lambda draft: rules.reopen(draft, by="op", reason="called again"), now=NOON)
    world.apply(NOON + timedelta(days=5000))
    assert incidents.get(still_open)["citizen"]
    assert world.left(still_open) == ALL  # somebody still works on it
    assert world.bytes_of(still_open) == 2
    assert incidents.get(reopened)["citizen"]
    closed_at = NOON + timedelta(days=50)
    incidents.change(reopened, lambda draft: rules.close(draft, Resolution.HELPED, by="op"), now=closed_at)
    world.apply(closed_at + timedelta(days=100) - SECOND)
    assert incidents.get(reopened)["citizen"]
    world.apply(closed_at + timedelta(days=100))
    assert not incidents.get(reopened)["citizen"]


def test_one_that_is_opened_again_while_its_end_goes_on_stays(world: World) -> None:
    """A duress PIN, or an operator, between the claim and the end."""
    again = world.incident()
    over = NOON + timedelta(days=100)
    assert retention.claim(again, NOON, now=over)
    incidents.change(again, lambda draft: rules.reopen(draft, by="op", reason="called again"), now=over)
    retention.delete(again)
    retention.anonymise(again)
    assert incidents.get(again)["citizen"]["phone"]
    assert retention.hold(again, by="system:cli", reason="court order 12/2026", now=over)["hold"]


def test_what_was_forgotten_is_not_opened_again(world: World) -> None:
    gone = world.incident()
    world.apply(NOON + timedelta(days=100))
    with pytest.raises(DomainError) as error:
        incidents.change(gone, lambda draft: rules.reopen(draft, by="op", reason="called again"), now=world.now)
    assert error.value.error_code == "forgotten"


def test_a_practice_has_its_time_as_well(world: World) -> None:
    facts = SosFacts("lahore", "threat", ("police",), "Severe", "Immediate", "Likely", owner="p", key="p",
                     flags=("practice",), phone="+923001234567")  # fmt: skip
    found = incidents.raise_sos(facts, now=NOON, secret=SECRET, link_ttl=timedelta(hours=6)).incident["_id"]
    assert world.apply(NOON + timedelta(days=100) - SECOND) == {}
    assert world.apply(NOON + timedelta(days=100)) == {"incidents": 1}
    assert incidents.get(found)["citizen"] == {}


def test_a_hold_goes_before_every_time(world: World) -> None:
    held, other = world.incident(key="held"), world.incident(key="other")
    chain.append("lahore", "per_9", "incident.read", held, now=NOON)
    chain.append("lahore", "per_9", "incident.read", other, now=NOON + timedelta(days=1))
    retention.hold(held, by="system:cli", reason="court order 12/2026", now=NOON)
    world.apply(NOON + timedelta(days=5000))
    assert world.left(held) == ALL
    assert world.bytes_of(held) == 2
    assert incidents.get(held)["citizen"]["phone"]
    assert world.left(other) == {"incidents"}
    assert chain.verify("lahore", NOON).entries == 1  # the day that speaks of it stays whole
    assert chain.verify("lahore", NOON + timedelta(days=1)).entries == 0
    retention.lift(held, by="system:cli", reason="it is over", now=NOON)
    world.apply(NOON + timedelta(days=5000))
    assert world.left(held) == {"incidents"}
    assert chain.verify("lahore", NOON).entries == 0
    with pytest.raises(DomainError) as error:
        retention.hold(held, by="system:cli", reason="too late", now=NOON)
    assert error.value.error_code == "forgotten"


def test_what_cameras_saw_for_a_held_case_is_held(world: World) -> None:
    incident = world.incident()
    shown = {"cam_1": {"state": "seen", "observation": "obs_1"}, "cam_2": {"state": "asked"}}
    linked = [{"kind": "observation", "id": "obs_2"}, {"kind": "incident", "id": "inc_2"}]
    incidents.incidents().update_one({"_id": incident}, {"$set": {"cameras": shown, "correlations": linked}})
    assert retention.held("lahore") == retention.Held()
    retention.hold(incident, by="system:cli", reason="court", now=NOON)
    assert retention.held("lahore") == retention.Held(frozenset({incident}), frozenset({"obs_1", "obs_2"}))
    assert retention.held("karachi") == retention.Held()


def test_each_city_has_its_own_figures(world: World) -> None:
    ours, theirs = world.incident(), world.incident(city="karachi")
    world.apply(NOON + timedelta(days=10))
    assert "tracks" not in world.left(ours)
    assert "tracks" in world.left(theirs)
    world.apply(NOON + timedelta(days=10), city="karachi", days={Kept.TRACKS: 11})
    assert "tracks" in world.left(theirs)
    world.apply(NOON + timedelta(days=11), city="karachi", days={Kept.TRACKS: 11})
    assert "tracks" not in world.left(theirs)


def test_the_chain_goes_by_whole_days_oldest_first_and_the_rest_still_verifies(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(3):
        for hour in range(4):
            at = NOON + timedelta(days=day, hours=hour)
            chain.append("lahore", "per_9", "incident.read", "inc_1", now=at)
    late = (NOON + timedelta(days=200)).replace(hour=0)
    assert world.apply(late - SECOND) == {}
    assert world.apply(late + timedelta(days=1) - SECOND) == {}  # the day of which it is over ended at midnight
    monkeypatch.setattr(sweep, "BATCH", 3)  # a day that begins to go is gone at once: a part of it would not verify
    assert world.apply(late + timedelta(days=1)) == {"audit": 4}
    assert [chain.verify("lahore", NOON + timedelta(days=day)).entries for day in range(3)] == [0, 4, 4]
    assert chain.verify("lahore", NOON + timedelta(days=1)).broken_at is None


def test_it_goes_in_batches_and_goes_on_where_it_was_interrupted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "BATCH", 2)
    monkeypatch.setattr(sweep, "ROUNDS", 2)
    made = [world.incident(key=str(number)) for number in range(7)]
    over = NOON + timedelta(days=100)

    class Died(Exception):
        pass

    def die(incident_id: str) -> int:
        raise Died

    monkeypatch.setattr(correlation, "forget", die)
    with pytest.raises(Died):
        world.apply(over)
    half = next(each for each in made if incidents.get(each).get("ends_at"))
    assert incidents.get(half)["citizen"]
    with pytest.raises(DomainError):
        retention.hold(half, by="system:cli", reason="half of it is gone", now=over)
    monkeypatch.undo()
    monkeypatch.setattr(sweep, "BATCH", 2)
    monkeypatch.setattr(sweep, "ROUNDS", 2)
    assert world.apply(over)["incidents"] == 4
    assert world.apply(over)["incidents"] == 3
    assert world.apply(over) == {}
    assert [world.left(each) for each in made] == [{"incidents"}] * 7


def test_clusters_go_with_their_parts_and_voices_and_handovers_with_their_notes(world: World) -> None:
    store, at, days = mongo.database(), NOON + timedelta(days=40), {Kept.REPORTS: 40}
    held = world.incident(key="held")
    retention.hold(held, by="system:cli", reason="court", now=NOON)
    row = {"city": "lahore", "made_at": NOON, "parts_of_it": [], "reports": 1}
    store.watch_clusters.insert_many(
        [
            row | {"_id": "clu_1", "parts_of_it": ["clu_2"]},
            row | {"_id": "clu_2", "into": "clu_1", "made_at": NOON + timedelta(days=1)},
            row | {"_id": "clu_3", "into": "clu_1", "made_at": NOON - timedelta(days=1)},  # its maker died
            row | {"_id": "clu_4", "incident": held},
            row | {"_id": "clu_5", "made_at": NOON + SECOND},
        ]
    )
    store.watch_voices.insert_many(
        [
            {"_id": f"voi_{number}", "city": "lahore", "report": f"clu_{number}", "person": "per_1"}
            for number in range(1, 6)
        ]
    )
    store.watch_handovers.insert_one({"_id": "srq_1", "city": "lahore", "report": "rpt_1", "requested_at": NOON})

    world.apply(at - SECOND, days=days)
    assert store.watch_clusters.count_documents({}) == 5
    gone = world.apply(at, days=days)
    assert (gone["clusters"], gone["watch_handovers"]) == (1, 1)
    assert sorted(each["_id"] for each in store.watch_clusters.find({})) == ["clu_4", "clu_5"]
    assert sorted(each["report"] for each in store.watch_voices.find({})) == ["clu_4", "clu_5"]
    assert store.watch_handovers.count_documents({}) == 0
    assert clusters.whole({"cluster": "clu_2"}) is None
    assert clusters.root("clu_4")["_id"] == "clu_4"


def test_bytes_that_somebody_else_sent_too_stay(world: World) -> None:
    old, young = world.incident(key="old"), world.incident(key="young")
    same = hashlib.sha256(f"photo of {old}".encode()).hexdigest()
    evidence.evidence().update_one({"incident": young}, {"$set": {"sha256": same, "at": NOON + timedelta(days=1)}})
    world.apply(NOON + timedelta(days=30))
    assert world.media.get(same)
    world.apply(NOON + timedelta(days=31))
    with pytest.raises(FileNotFoundError):
        world.media.get(same)


def test_the_sweep_counts_what_went_on_the_chain_and_says_nothing_when_nothing_did(world: World) -> None:
    world.incident()
    world.now = NOON
    assert sweep.kept_long_enough(world.context, world.pool) == 0
    world.now = NOON + timedelta(days=cities.current("lahore").retention_days[Kept.TRACKS])
    assert sweep.kept_long_enough(world.context, world.pool) == 1
    (entry,) = mongo.database().audit.find({})
    assert (entry["actor"], entry["action"], entry["refs"]) == (
        "system:retention",
        "retention.applied",
        {"tracks": "1"},
    )


def test_a_question_goes_with_the_days_of_the_chain_and_never_while_it_is_open(world: World) -> None:
    answered, asked = (
        reviews.ask(ReviewKind.CLIP_CHECK, city="lahore", subject=f"obs_{name}", asked_by=RULE, reason="", now=NOON)[0]
        for name in ("answered", "asked")
    )
    reviews.answer(answered["_id"], by="per_op", said=Said.YES, reason="", now=NOON)
    world.apply(NOON + timedelta(days=DAYS[Kept.AUDIT]) - SECOND)
    assert reviews.get(answered["_id"])["answers"]
    world.apply(NOON + timedelta(days=DAYS[Kept.AUDIT]))
    assert [row["_id"] for row in reviews.reviews().find({})] == [asked["_id"]]


def test_every_collection_that_ends_has_the_index_that_finds_it() -> None:
    for each in ends.ENDS:
        indexes = [tuple(spec["fields"]) for spec in each.document._meta["index_specs"]]
        assert (("city", 1), (each.since, 1)) in indexes, each
