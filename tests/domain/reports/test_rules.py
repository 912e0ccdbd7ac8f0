"""How far a report is believed, which may be one, and what a human reads first: told as tables."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.reports import rules, wording
from domain.reports.categories import CATEGORIES
from domain.reports.errors import ReportOver
from domain.reports.rules import Voice
from domain.reports.states import STEPS, ReportStatus, Stand

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OLD = NOW - timedelta(days=100)
PLACE = (31.5102, 74.3441)


def voice(name: str, stand: Stand = Stand.CONFIRM, *, metres: float = 0.0, **fields: Any) -> Voice:
    return Voice(name, stand, metres, **{"made": OLD, "device": f"phone-{name}", **fields})


def crowd(count: int, **fields: Any) -> list[Voice]:
    return [voice(f"p{number}", **fields) for number in range(count)]


@pytest.mark.parametrize(
    ("voices", "score", "holds"),
    [
        (crowd(1), 0.4, False),
        (crowd(2), 0.571, False),
        (crowd(3), 0.667, False),
        (crowd(4), 0.727, True),
        ([*crowd(4), voice("d", Stand.DENY)], 0.615, False),
        ([voice("a"), *crowd(9, metres=300.0)], 0.786, True),
        ([voice("a"), *crowd(9, metres=5_000.0)], 0.559, False),
        ([voice("a"), *crowd(20, device="one phone")], 0.571, False),
        ([voice("a"), *crowd(500, made=NOW - timedelta(days=1))], 0.423, False),
        ([voice("a"), *[voice(f"n{n}", made=NOW - timedelta(hours=n)) for n in range(100)]], 0.5, False),
        ([voice("a"), *crowd(9, false_alarms=9)], 0.684, False),
        ([voice("a", made=None), *crowd(3)], 0.674, False),
        ([voice("a"), *[voice(f"m{n}", made=OLD + timedelta(minutes=n), address="cafe") for n in range(9)]], 0.571, False),
        ([voice("a"), *[voice(f"m{n}", made=OLD + timedelta(days=n), address="cafe") for n in range(9)]], 0.719, True),
        ([voice(f"m{n}", made=OLD + timedelta(days=n), address="4:net") for n in range(4)], 0.581, False),
        ([voice("a"), *[voice(f"m{n}", made=OLD + timedelta(days=n), address="6:home") for n in range(9)]], 0.571, False),
        ([voice(f"m{n}", made=NOW - timedelta(days=14, minutes=50 * n)) for n in range(9)], 0.4, False),
        ([voice(f"m{n}", made=NOW - timedelta(days=14, minutes=70 * n)) for n in range(9)], 0.857, True),
        ([voice(f"m{n}", made=NOW - timedelta(days=40, minutes=50 * n)) for n in range(9)], 0.857, True),
        ([voice("a"), *[voice(f"n{n}", made=NOW - timedelta(hours=n), address="cafe") for n in range(50)]], 0.423, False),
    ],
    ids=[
        "the author alone", "two", "three", "four", "one there denies it", "nine next door", "nine by hearsay",
        "twenty of one phone", "a brigade made together", "a brigade made apart", "nine who cried wolf", "no account's age",
        "old accounts made together in one place", "a carrier's address", "four behind a carrier's address",
        "nine of one household", "made one after another, two weeks ago", "made apart, two weeks ago",
        "came in together, long ago", "new accounts of one place",
    ],
)  # fmt: skip
def test_what_voices_are_worth(voices: list[Voice], score: float, holds: bool) -> None:
    belief = rules.believe(voices, now=NOW)
    assert belief.score == pytest.approx(score, abs=0.001)
    assert belief.holds is holds


def test_the_order_of_voices_does_not_matter_and_parts_make_the_score() -> None:
    voices = [*crowd(3), *crowd(5, made=NOW - timedelta(hours=2)), voice("d", Stand.DENY)]
    there, back = rules.believe(voices, now=NOW), rules.believe(voices[::-1], now=NOW)
    assert there == back
    parts = there.parts
    assert parts.keys() == {"confirmed", "denied", "from_new_accounts", "cameras", "doubt"}
    whole = parts["confirmed"] + parts["denied"] + parts["doubt"]
    assert there.score == pytest.approx(parts["confirmed"] / whole, abs=0.001)


def test_who_has_something_in_common_with_two_hands_makes_them_one() -> None:
    phone, home = voice("a"), voice("b", made=OLD + timedelta(days=1), address="6:home")
    both = voice("c", made=OLD + timedelta(days=2), device="phone-a", address="6:home")
    stranger = voice("d", made=OLD + timedelta(days=3))
    for order in itertools.permutations([phone, home, both, stranger]):
        hands = rules.independent(order, now=NOW)
        assert sorted(sorted(each.person for each in hand) for hand in hands) == [["a", "b", "c"], ["d"]]
    twice = voice("c", made=OLD + timedelta(days=1, minutes=5), device="phone-a", address="6:home")
    assert len(rules.independent([phone, home, twice], now=NOW)) == 1, "two ties to one hand are one tie"


@pytest.mark.parametrize(
    ("note", "reasons"),
    [
        ("LEB 1234 drove off", ["plate_number"]),
        ("leb-1234", ["plate_number"]),
        ("ABC-12-345", ["plate_number"]),
        ("گاڑی LEB ۱۲۳۴", ["plate_number"]),
        ("call 0300 1234567", ["phone_number"]),
        ("+923001234567", ["phone_number"]),
        ("35202-1234567-1", ["identity_number"]),
        ("at 1530 near the market, about 200 metres away", []),
        ("two men, 20 to 30 years old", []),
        ("", []),
    ],
)
def test_numbers_that_a_human_reads_first(note: str, reasons: list[str]) -> None:
    assert wording.held_for(note) == reasons


@pytest.mark.parametrize("before", list(ReportStatus))
@pytest.mark.parametrize("after", list(ReportStatus))
def test_no_step_but_those_of_the_table(before: ReportStatus, after: ReportStatus) -> None:
    if after in STEPS[before]:
        rules.check_step(before, after)
    else:
        with pytest.raises(ReportOver):
            rules.check_step(before, after)


def test_every_kind_has_a_name_in_both_languages() -> None:
    assert all(each.names.en and each.names.ur for each in CATEGORIES.values())
    assert {"explosion", "open_manhole"} <= CATEGORIES.keys()
