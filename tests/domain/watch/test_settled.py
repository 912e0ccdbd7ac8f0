"""How many hands made some accounts: who makes three one after another is one."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.watch import settled

BEFORE = datetime(2026, 11, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours_before", "found"),
    [
        ([], 0),
        ([1], 1),
        ([0], 1),
        ([-0.1], 0),
        ([1, 1.5, 2.4], 1),
        ([1, 2, 3], 3),
        ([100, 300, 299.5, -2], 2),
    ],
    ids=["nobody", "one", "just old enough", "new", "one after another", "apart", "three, two together, one new"],
)
def test_hands(hours_before: list[float], found: int) -> None:
    made = [BEFORE - timedelta(hours=each) for each in hours_before]
    assert settled.hands(made, before=BEFORE) == found
    assert settled.hands(made[::-1], before=BEFORE) == found
