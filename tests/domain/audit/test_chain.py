"""The audit chain: whoever changes, removes or slips in an entry is found out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.audit import chain
from domain.audit.documents import AuditDoc

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SECRET = "s" * 40

pytestmark = pytest.mark.usefixtures("documents")


def fill(count: int = 6, city: str = "lahore") -> list[dict[str, Any]]:
    return [
        chain.append(city, "per_1", "evidence.viewed", f"evd_{number}", now=NOW, reason="case 7", incident="inc_1")
        for number in range(count)
    ]


def raw() -> Any:
    return AuditDoc._get_collection()


def test_each_entry_holds_the_one_before() -> None:
    entries = fill(3)
    assert [entry["seq"] for entry in entries] == [1, 2, 3]
    assert [entry["prev"] for entry in entries] == [chain.GENESIS, entries[0]["hash"], entries[1]["hash"]]
    verdict = chain.verify("lahore", NOW)
    assert (verdict.entries, verdict.head, verdict.broken_at) == (3, entries[-1]["hash"], None)


def test_cities_and_days_have_chains_of_their_own() -> None:
    fill(2)
    fill(1, city="karachi")
    chain.append("lahore", "per_1", "x", "y", now=NOW + timedelta(days=1))
    found = [
        chain.verify(*where).entries for where in [("lahore", NOW), ("karachi", NOW), ("lahore", NOW + timedelta(1))]
    ]
    assert found == [2, 1, 1]
    assert chain.verify("quetta", NOW).entries == 0


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "per_2"},
        {"subject": "evd_9"},
        {"reason": ""},
        {"at": NOW + timedelta(seconds=1)},
        {"refs": {"incident": "inc_2"}},
        {"hash": "0" * 64},
    ],
)
def test_a_change_is_found(change: dict[str, Any]) -> None:
    fill()
    raw().update_one({"seq": 3}, {"$set": change})
    assert chain.verify("lahore", NOW).broken_at == 3


def test_a_removal_is_found() -> None:
    fill()
    raw().delete_one({"seq": 3})
    assert chain.verify("lahore", NOW).broken_at == 3


def test_a_rewritten_tail_does_not_fit_the_signed_head() -> None:
    fill()
    head = chain.signed_head(SECRET, "lahore", NOW)
    assert head is not None
    assert chain.head_holds(SECRET, head)
    raw().delete_many({"seq": {"$gte": 4}})
    fill(3)
    assert chain.verify("lahore", NOW).broken_at is None
    raw().delete_many({"seq": {"$gte": 4}})
    for number in range(3):
        chain.append("lahore", "per_9", "nothing.happened", f"evd_{number}", now=NOW)
    assert chain.verify("lahore", NOW).broken_at is None
    assert not chain.head_holds(SECRET, head)
    assert not chain.head_holds(SECRET, {**head, "signature": "0" * 64})


def test_nobody_vouches_for_a_day_that_does_not_hold() -> None:
    fill()
    raw().delete_one({"seq": 3})
    assert chain.signed_head(SECRET, "lahore", NOW) is None


def test_a_chain_knows_its_first_day() -> None:
    assert chain.first_day("lahore") is None
    for days in (3, 0, 5):
        chain.append("lahore", "per_1", "x", "y", now=NOW + timedelta(days=days))
    assert chain.first_day("lahore") == NOW.replace(hour=0)


def test_many_at_once_make_one_chain() -> None:
    with ThreadPoolExecutor(8) as pool:
        seqs = list(
            pool.map(lambda number: chain.append("lahore", "per_1", "seen", f"s{number}", now=NOW)["seq"], range(60))
        )
    assert sorted(seqs) == list(range(1, 61))
    assert chain.verify("lahore", NOW).broken_at is None
