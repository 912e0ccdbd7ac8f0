"""Counting what carriers do: hours that can be added up, percentiles read off buckets, the last minutes by slots."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.insights import carriers
from domain.insights.carriers import MS_EDGES, Whose, bucket, quantile

NOW = datetime(2026, 11, 23, 9, 58, tzinfo=UTC)
OURS = "carrier_of_these_tests"
"""Nobody else counts for it: what channels of earlier tests still had to write down comes at any time."""
SMS = Whose(OURS, "sms", "lahore")


@pytest.mark.parametrize(
    ("values", "share", "low", "high"),
    [
        ([12.0] * 100, 0.5, 10, 20),
        ([12.0] * 90 + [700.0] * 10, 0.5, 10, 20),
        ([12.0] * 90 + [700.0] * 10, 0.95, 500, 750),
        ([99_999.0], 0.5, 5000, 5000),  # beyond the last edge: at least so long
        ([3.0], 0.95, 0, 5),
    ],
)
def test_a_percentile_lies_in_the_bucket_of_the_value(
    values: list[float], share: float, low: float, high: float
) -> None:
    counts: dict[str, float] = {}
    for value in values:
        counts[bucket(value, MS_EDGES)] = counts.get(bucket(value, MS_EDGES), 0) + 1
    found = quantile(counts, MS_EDGES, share)
    assert found is not None
    assert low <= found <= high
    assert quantile({}, MS_EDGES, share) is None


def test_hours_add_up_and_cities_stay_apart(documents: None) -> None:
    for back in (0, 30, 90):
        carriers.add(
            SMS, {"n.taken": 2, "n.temporary": 1, "ms.20": 3, "cost.PKR": 1.5}, at=NOW - timedelta(minutes=back)
        )
    carriers.add(Whose(OURS, "sms", "karachi"), {"n.taken": 5}, at=NOW)
    carriers.add(Whose(OURS, "sms", ""), {"n.taken": 1, "n.failed_later": 1}, at=NOW)
    rows = carriers.between("lahore", NOW - timedelta(hours=1), NOW)
    found = {each.whose.city: each for each in rows if each.whose.carrier == OURS}
    assert found.keys() == {"lahore", "-"}
    # 09:58 and 09:28 are of the ninth hour, 08:28 of the eighth, which the asked time touches
    assert (found["lahore"].sends, found["lahore"].failed, found["lahore"].cost["PKR"]) == (9, 3, 4.5)
    assert found["lahore"].failure_rate == pytest.approx(1 / 3)
    assert found["-"].failure_rate == 1.0
    assert sum(each.n["taken"] for each in carriers.ever() if each.whose.carrier == OURS) == 6 + 5 + 1


def test_the_last_minutes_are_seen_over_the_turn_of_the_hour(documents: None) -> None:
    carriers.add(SMS, {"now.n": 4, "now.faults": 2}, at=NOW)
    carriers.add(SMS, {"now.open": 1}, at=NOW)
    assert carriers.lately(NOW)[OURS] == {"n": 4, "faults": 2, "open": 1}
    assert carriers.lately(NOW + timedelta(minutes=4))[OURS]["faults"] == 2  # 10:02
    assert OURS not in carriers.lately(NOW + timedelta(minutes=8))  # 10:06: two slots of five minutes ago
