"""Every change to a city is a new version that stays, and a city without a stored version is served by its preset."""

import copy
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import AutoReconnect

from domain.audit import chain
from domain.cities import queries, service
from domain.cities.config import Service
from domain.cities.errors import BadCity, CityChanged, UnknownCity
from domain.cities.presets import PRESETS, read_preset
from domain.errors import Invalid

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LAHORE = PRESETS / "lahore.toml"


class Reads:
    """Counts how often the store is asked for a city, so that memory can be shown to serve."""

    def __init__(self) -> None:
        self.count = 0


@pytest.fixture
def reads(store: Database[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Reads]:
    """A database of the test's own behind the cities and the audit."""
    counter, latest = Reads(), queries.latest

    def counted(city: str) -> dict[str, Any] | None:
        counter.count += 1
        return latest(city)

    monkeypatch.setattr(queries, "city_configs", lambda: store["city_config"])
    monkeypatch.setattr(chain, "_audit", lambda: store["audit"])
    monkeypatch.setattr(queries, "latest", counted)
    queries.forget()
    yield counter
    queries.forget()


@pytest.fixture
def body() -> dict[str, Any]:
    return copy.deepcopy(read_preset(LAHORE))


def test_a_preset_becomes_the_first_version_once(reads: Reads) -> None:
    assert queries.current("lahore").version == 0
    assert service.load_preset(LAHORE, now=NOW).version == 1
    assert service.load_preset(LAHORE, now=NOW).version == 1
    assert queries.current("lahore").version == 1
    assert [each["version"] for each in queries.versions("lahore")] == [1]


def test_what_is_stored_reads_back_as_the_same_city(reads: Reads) -> None:
    before = queries.current("lahore")
    service.load_preset(LAHORE, now=NOW)
    after = queries.current("lahore")
    assert (after.ladders, after.categories, after.helplines) == (before.ladders, before.categories, before.helplines)
    assert (after.quiet, after.targets, after.inbound) == (before.quiet, before.targets, before.inbound)


def test_a_change_is_a_new_version_and_the_old_one_stays(reads: Reads, body: dict[str, Any]) -> None:
    service.load_preset(LAHORE, now=NOW)
    old = copy.deepcopy(body)
    body["targets"]["arrival_s"]["police"] = 420
    changed = service.change(body, expected_version=1, now=NOW, by="per_1", reason="council decision 7")
    assert changed.version == 2
    assert queries.current("lahore").targets.arrival_s[Service.POLICE] == 420
    assert queries.version("lahore", 1)["body"] == old
    newest = queries.versions("lahore")[0]
    assert (newest["version"], newest["by"], newest["reason"], newest["at"]) == (2, "per_1", "council decision 7", NOW)
    assert "body" not in newest
    with pytest.raises(UnknownCity):
        queries.version("lahore", 3)


def test_a_change_is_audited_by_ids_alone(reads: Reads, store: Database[dict[str, Any]], body: dict[str, Any]) -> None:
    service.change(body, expected_version=0, now=NOW, by="per_1", reason="because of Sana's case")
    verdict = chain.verify("lahore", NOW)
    assert (verdict.entries, verdict.broken_at) == (1, None)
    (entry,) = store["audit"].find()
    assert (entry["actor"], entry["action"], entry["subject"]) == ("per_1", "city.changed", "cty_lahore_000001")
    assert "Sana" not in str(entry)


def test_a_change_on_an_old_version_is_refused_with_the_current_one(reads: Reads, body: dict[str, Any]) -> None:
    service.load_preset(LAHORE, now=NOW)
    for expected in (0, 2, 7):
        with pytest.raises(CityChanged) as refused:
            service.change(body, expected_version=expected, now=NOW, by="per_1", reason="late")
        assert refused.value.data["current"] == 1
    assert len(queries.versions("lahore")) == 1


def test_of_two_who_change_at_once_one_wins(reads: Reads, body: dict[str, Any]) -> None:
    service.load_preset(LAHORE, now=NOW)
    start, won, lost = threading.Barrier(6), list[int](), list[Exception]()

    def change(number: int) -> None:
        mine = copy.deepcopy(body)
        mine["targets"]["answer_s"] = 20 + number
        start.wait()
        try:
            service.change(mine, expected_version=1, now=NOW, by=f"per_{number}", reason="race")
            won.append(number)
        except CityChanged as error:
            lost.append(error)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 5)
    assert queries.current("lahore").targets.answer_s == 20 + won[0]
    assert service.is_intact("lahore")


def test_a_bad_change_leaves_nothing_behind(reads: Reads, body: dict[str, Any]) -> None:
    service.load_preset(LAHORE, now=NOW)
    with pytest.raises(Invalid):
        service.change(body, expected_version=1, now=NOW, by="per_1", reason=" ")
    body["ladders"] = []
    with pytest.raises(BadCity):
        service.change(body, expected_version=1, now=NOW, by="per_1", reason="broken")
    assert len(queries.versions("lahore")) == 1


def test_an_upgrade_takes_back_no_citys_own_change(reads: Reads, body: dict[str, Any]) -> None:
    service.load_preset(LAHORE, now=NOW)
    body["targets"]["answer_s"] = 9
    service.change(body, expected_version=1, now=NOW, by="per_1", reason="ours")
    assert service.load_preset(LAHORE, now=NOW).version == 2
    assert queries.current("lahore").targets.answer_s == 9
    assert service.load_preset(LAHORE, now=NOW, by="per_1", reason="start again", replace=True).version == 3
    assert queries.current("lahore").targets.answer_s == 10


def test_an_edited_or_removed_version_is_noticed(reads: Reads, body: dict[str, Any]) -> None:
    service.load_preset(LAHORE, now=NOW)
    for version in (1, 2):
        body["targets"]["answer_s"] = 30 + version
        service.change(body, expected_version=version, now=NOW, by="per_1", reason="more")
    assert service.is_intact("lahore")
    stored = queries.city_configs()
    stored.update_one({"_id": "cty_lahore_000002"}, {"$set": {"body.targets.answer_s": 99}})
    assert not service.is_intact("lahore")
    stored.update_one({"_id": "cty_lahore_000002"}, {"$set": {"body.targets.answer_s": 31}})
    assert service.is_intact("lahore")
    stored.delete_one({"_id": "cty_lahore_000002"})
    assert not service.is_intact("lahore")


def test_current_asks_the_store_seldom(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    service.load_preset(LAHORE, now=NOW)
    queries.current("lahore")
    before = reads.count
    for _ in range(200):
        queries.current("lahore")
    assert reads.count == before
    monkeypatch.setattr(queries, "FRESH_S", 0.0)
    queries.forget()
    queries.current("lahore")
    first = queries.current("lahore")
    assert reads.count == before + 2
    assert queries.current("lahore") is first  # the same version is not parsed again


def test_another_process_sees_a_change_within_seconds(
    reads: Reads, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    service.load_preset(LAHORE, now=NOW)
    moment = 1_000.0
    monkeypatch.setattr(queries, "time", SimpleNamespace(monotonic=lambda: moment))
    queries.forget()
    assert queries.current("lahore").version == 1
    body["targets"]["answer_s"] = 9
    monkeypatch.setattr(queries, "forget", lambda city=None: None)  # as if somebody else made the change
    service.change(body, expected_version=1, now=NOW, by="per_1", reason="elsewhere")
    moment += queries.FRESH_S - 0.1
    assert queries.current("lahore").version == 1
    moment += 0.2
    assert queries.current("lahore").version == 2


def test_a_store_that_went_away_leaves_the_last_known_city(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    service.load_preset(LAHORE, now=NOW)
    monkeypatch.setattr(queries, "FRESH_S", 0.0)
    assert queries.current("lahore").version == 1

    def away(city: str) -> None:
        raise AutoReconnect("gone")

    monkeypatch.setattr(queries, "latest", away)
    assert queries.current("lahore").version == 1
    queries.forget()
    assert queries.current("lahore").version == 0  # a process that never saw the store: the preset
    with pytest.raises(UnknownCity):
        queries.current("atlantis")


def test_a_stored_city_that_cannot_be_used_is_not_used(reads: Reads) -> None:
    service.load_preset(LAHORE, now=NOW)
    queries.city_configs().update_one({"city": "lahore"}, {"$set": {"body.ladders": []}})
    queries.forget()
    assert queries.current("lahore").version == 0


def test_an_emptied_store_is_served_by_the_preset_again(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "FRESH_S", 0.0)
    service.load_preset(LAHORE, now=NOW)
    assert queries.current("lahore").version == 1
    queries.city_configs().delete_many({})
    assert queries.current("lahore").version == 0
