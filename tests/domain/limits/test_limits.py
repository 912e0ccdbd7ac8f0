"""Limits count by window, hold under a race, and keep nobody's number."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.errors import LimitReached
from domain.limits import service as limits
from domain.limits.documents import LimitDoc

NOW = datetime(2026, 11, 23, 9, 0, 20, tzinfo=UTC)
SECRET = "s" * 40

pytestmark = pytest.mark.usefixtures("documents")


def take(subject: str = "a", now: datetime = NOW) -> None:
    limits.take(SECRET, "try", subject, limit=3, window_s=60, now=now)


def test_beyond_the_limit_it_says_how_long() -> None:
    for _ in range(3):
        take()
    with pytest.raises(LimitReached) as reached:
        take()
    assert reached.value.data["retry_after"] == 40
    take("b")
    take(now=NOW + timedelta(seconds=40))


def test_spacing_lets_one_pass_at_a_time() -> None:
    def space(now: datetime) -> None:
        limits.space(SECRET, "resend", "a", every_s=60, now=now)

    space(NOW)
    with pytest.raises(LimitReached) as reached:
        space(NOW + timedelta(seconds=59.5))
    assert reached.value.data["retry_after"] == 1
    space(NOW + timedelta(seconds=60))
    with pytest.raises(LimitReached):
        space(NOW + timedelta(seconds=61))


def test_a_race_counts_everybody() -> None:
    def one(_: int) -> bool:
        try:
            take()
        except LimitReached:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(40))) == 3


def test_nobodys_number_is_kept_and_old_counters_go() -> None:
    limits.take(SECRET, "otp", "+923001234567", limit=3, window_s=60, now=NOW)
    rows: list[Any] = list(LimitDoc._get_collection().find({}))
    assert "923001234567" not in str(rows)
    assert limits.sweep(now=NOW) == 0
    assert limits.sweep(now=NOW + timedelta(seconds=60)) == 1


def test_a_sweep_takes_all_that_is_over_and_nothing_else() -> None:
    for number in range(25):
        take(f"over-{number}")
    later = NOW + timedelta(minutes=10)
    take("now", now=later)
    assert limits.sweep(now=later, limit=10) == 25
    assert LimitDoc.objects.count() == 1


def test_admission_lets_the_limit_pass_and_says_when_the_rest_may_come() -> None:
    def admit(now: datetime = NOW) -> datetime | None:
        return limits.admit(SECRET, "told", "+923001234567", limit=5, window_s=60, now=now)

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda _: admit(), range(12)))
    ends = NOW + timedelta(seconds=40)
    assert sorted(found, key=str) == [*[ends] * 7, *[None] * 5]
    assert admit(ends) is None
    kept = [row["_id"] + str(row) for row in LimitDoc._get_collection().find({"_id": {"$regex": "^told"}})]
    assert len(kept) == 2
    assert not any("3001234567" in row for row in kept)
