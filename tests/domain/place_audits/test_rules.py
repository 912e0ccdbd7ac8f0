"""No figure is of fewer than k people, and no two answers differ by fewer."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.place_audits import rules

K = 5
GOOD, BAD = dict.fromkeys(rules.ASPECTS, 3), dict.fromkeys(rules.ASPECTS, 0)


def folded(*people: tuple[str, dict[str, int]], k: int = K) -> dict[str, Any]:
    cell: dict[str, Any] = {}
    for somebody, ratings in people:
        cell = rules.fold(cell, somebody, ratings, k) or cell
    return cell


def test_nothing_is_told_before_k_people() -> None:
    four = folded(*((f"p{n}", GOOD) for n in range(K - 1)))
    assert rules.told({2026: four}) is None
    told = rules.told({2026: folded(*((f"p{n}", GOOD) for n in range(K)))})
    assert told == {"n": K, "ratings": dict.fromkeys(rules.ASPECTS, 3.0), "score": 3.0}


def test_one_person_counts_once_however_often_they_rate() -> None:
    assert rules.told({2026: folded(*(("same", GOOD) for _ in range(50)))}) is None


def test_who_waits_may_change_their_mind_and_who_is_counted_may_not() -> None:
    cell = folded(("p0", BAD), ("p0", GOOD), *((f"p{n}", GOOD) for n in range(1, K)))
    assert cell["sums"]["lighting"] == 3 * K
    assert rules.fold(cell, "p0", BAD, K) is None


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), max_size=80), st.integers(3, 7))
def test_two_answers_in_a_row_differ_by_none_or_by_k_people(rated: list[tuple[int, int]], k: int) -> None:
    cell: dict[str, Any] = {}
    before = 0
    for person, stars in rated:
        cell = rules.fold(cell, str(person), dict.fromkeys(rules.ASPECTS, stars), k) or cell
        told = rules.told({2026: cell})
        n = told["n"] if told else 0
        assert n == before or n - before >= k
        before = n
    assert before == len(cell.get("counted", []))


def test_a_rating_twice_is_one() -> None:
    cell = folded(("p0", GOOD))
    assert rules.fold(cell, "p0", GOOD, K) is None


@pytest.mark.parametrize(
    ("at", "hour"),
    [(datetime(2026, 12, 31, 18, 59, tzinfo=UTC), (2026, 23)), (datetime(2026, 12, 31, 19, tzinfo=UTC), (2027, 0))],
)
def test_the_hour_is_the_city_s(at: datetime, hour: tuple[int, int]) -> None:
    assert rules.hour_of(at, ZoneInfo("Asia/Karachi")) == hour


def test_two_years_are_told_together() -> None:
    one = folded(*((f"p{n}", GOOD) for n in range(K)))
    other = folded(*((f"p{n}", BAD) for n in range(K)))
    told = rules.told({2025: one, 2026: other})
    assert told is not None
    assert (told["n"], told["score"]) == (2 * K, 1.5)
