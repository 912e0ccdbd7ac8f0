"""The rules of the line, of danger and of safe times, as tables."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.helpline import figures, questions, safe_times, timing
from domain.helpline.states import Danger, Mode

LAHORE = ZoneInfo("Asia/Karachi")
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)  # a Monday, 14:00 in Lahore
ALL = tuple(questions.QUESTIONS)


@pytest.mark.parametrize(
    ("yes", "no", "found"),
    [
        (5, 0, Danger.HIGH), (4, 0, Danger.HIGH), (4, 1, Danger.HIGH), (3, 0, Danger.RAISED), (3, 2, Danger.RAISED),
        (2, 3, Danger.USUAL), (0, 5, Danger.USUAL), (2, 2, Danger.UNKNOWN), (0, 0, Danger.UNKNOWN),
    ],
)  # fmt: skip
def test_the_five_questions_score_as_published(yes: int, no: int, found: Danger) -> None:
    answers = {name: index < yes for index, name in enumerate(ALL[: yes + no])}
    assert questions.level(answers) == found


def test_whoever_waits_long_enough_comes_first_but_for_danger_now() -> None:
    old = questions.line_at(NOW - timedelta(minutes=50), Danger.USUAL)
    at = [questions.line_at(NOW, danger) for danger in (Danger.HIGH, Danger.RAISED, Danger.USUAL)]
    assert [old, *at] == sorted([old, *at])
    assert len({old, *at}) == 4
    assert questions.line_at(NOW, Danger.NOW) < questions.line_at(NOW - timedelta(hours=20), Danger.HIGH)


def window(days: str, since: str, until: str) -> dict[str, Any]:
    return {"days": days.split(), "from": since, "until": until}


@pytest.mark.parametrize(
    ("windows", "safe", "until"),
    [
        ([], False, None),
        ([window("mon", "13:30", "14:30")], True, "09:30"),
        ([window("mon", "14:00", "14:01")], True, "09:01"),
        ([window("mon", "13:00", "14:00")], False, None),  # its end is outside
        ([window("tue", "13:30", "14:30")], False, None),
        ([window("mon", "13:30", "02:00")], True, "21:00"),  # past midnight
        ([window("sun", "22:00", "14:30")], True, "09:30"),  # since yesterday
        ([window("mon", "13:30", "14:10"), window("mon", "13:50", "15:00")], True, "10:00"),
    ],
)
def test_a_call_is_safe_inside_her_times_alone(windows: list[Any], safe: bool, until: str | None) -> None:
    assert safe_times.is_safe(windows, LAHORE, NOW) is safe
    ends = safe_times.safe_until(windows, LAHORE, NOW)
    assert (f"{ends:%H:%M}" if ends else None) == until


def test_a_time_that_is_good_once_is_over_next_week() -> None:
    once = [{"since": NOW.isoformat(), "till": (NOW + timedelta(minutes=30)).isoformat()}]
    assert safe_times.is_safe(once, LAHORE, NOW)
    assert not safe_times.is_safe(once, LAHORE, NOW + timedelta(minutes=30))
    assert not safe_times.is_safe(once, LAHORE, NOW + timedelta(days=7))


@given(
    st.lists(st.sampled_from(safe_times.DAYS), min_size=1, unique=True),
    st.times(), st.times(), st.integers(0, 365 * 1440).map(lambda minutes: NOW + timedelta(minutes=minutes)),
)  # fmt: skip
def test_the_next_time_is_one_at_which_a_call_is_safe(days: list[str], since: Any, until: Any, now: datetime) -> None:
    windows = [window(" ".join(days), f"{since:%H:%M}", f"{until:%H:%M}")]
    at = safe_times.next_safe(windows, LAHORE, now)
    assert at is not None
    assert now <= at <= now + timedelta(days=8)
    assert safe_times.is_safe(windows, LAHORE, at)
    ends = safe_times.safe_until(windows, LAHORE, at)
    assert ends is not None
    assert at < ends <= at + timedelta(days=1, hours=1)
    assert not safe_times.is_safe(windows, LAHORE, ends) or f"{since:%H:%M}" == f"{until:%H:%M}"


def test_the_waiting_time_is_honest() -> None:
    assert figures.waiting_s(0, [], 0) is None
    assert figures.waiting_s(0, [600.0], 1) == 600
    assert figures.waiting_s(3, [600.0, 1200.0], 2) == 1800
    assert figures.waiting_s(0, [], 3) == 300


def test_the_figures_count_those_who_still_wait() -> None:
    at = [NOW - timedelta(seconds=100)] * 4
    found = figures.answered_within(
        [(at[0], at[0] + timedelta(seconds=5)), (at[1], at[1] + timedelta(seconds=18)), (at[2], None), (at[3], at[3])],
        NOW,
    )
    assert (found["asked"], found["answered"], found["within_15_s"], found["within_20_s"]) == (4, 3, 0.5, 0.75)
    assert figures.answered_within([], NOW)["within_15_s"] is None


@pytest.mark.parametrize(
    ("wanted", "waited", "free", "offered"),
    [
        ("woman", 100, {"male": 1}, "anyone"), ("woman", 10, {"male": 1}, ""), ("woman", 100, {"female": 1, "male": 1}, ""),
        ("woman", 100, {}, ""), ("man", 100, {"female": 2}, "anyone"), ("anyone", 100, {"male": 1}, ""),
        ("woman", 100, {"": 1}, "anyone"),
    ],
)  # fmt: skip
def test_whom_she_wants_is_never_a_dead_end(wanted: str, waited: int, free: dict[str, int], offered: str) -> None:
    doc = {"wanted": wanted, "asked_at": NOW - timedelta(seconds=waited)}
    assert timing.other_gender(doc, NOW, free) == offered


def test_a_call_back_needs_a_number_and_a_time() -> None:
    assert safe_times.windows_problem(Mode.CALL_BACK, [{}], has_phone=False)
    assert safe_times.windows_problem(Mode.CALL_BACK, [], has_phone=True)
    assert not safe_times.windows_problem(Mode.CALL_BACK, [{}], has_phone=True)
    assert not safe_times.windows_problem(Mode.SILENT, [], has_phone=False)
