"""When cameras are asked about a report that nobody has to believe yet, and what they saw is worth: told as tables."""

from datetime import timedelta
from typing import Any

import pytest

from domain.cities import queries as cities
from domain.reports import look_rules, rules
from domain.reports.categories import CATEGORIES
from domain.reports.rules import Voice
from domain.reports.states import Stand
from tests.domain.reports.test_rules import NOW, crowd, voice


@pytest.mark.parametrize(
    ("voices", "asked"),
    [
        (crowd(1), False),
        (crowd(2), True),
        ([voice("a", helped=2, false_alarms=1)], True),
        ([voice("a", helped=1, false_alarms=1)], False),
        ([voice("a", helped=2, made=NOW)], False),
        ([voice("a", helped=2), voice("d", Stand.DENY)], False),
        ([*crowd(2), *[voice(f"d{n}", Stand.DENY) for n in range(2)]], False),
        (crowd(2, metres=600.0), False),
    ],
    ids=[
        "one alone", "two", "one whose word was good", "one who was wrong as often", "a new account",
        "one whose word was good, and somebody there denies it", "as many deny it", "two from afar",
    ],
)  # fmt: skip
def test_when_it_is_likely_enough_for_cameras_to_be_asked(voices: list[Voice], asked: bool) -> None:
    assert look_rules.is_worth_a_look(rules.believe(voices, now=NOW), voices[0], now=NOW) is asked


@pytest.mark.parametrize(
    ("category", "facts", "allowed"),
    [
        ("shooting", {}, True),
        ("shooting", {"flags": [{"why": "private", "counts": True}]}, False),
        ("shooting", {"flags": [{"why": "private", "counts": False}, {"why": "false", "counts": True}]}, True),
        ("shooting", {"at": NOW - timedelta(minutes=11)}, False),
        ("shooting", {"allowed": ["fire"]}, False),
        ("suspicious", {}, False),
        ("harassment", {}, False),
    ],
    ids=[
        "gunfire", "flagged as private", "flagged by a new account, and otherwise", "long over", "not in this city",
        "a kind without cameras", "a kind whose place tells where somebody lives",
    ],
)  # fmt: skip
def test_about_what_cameras_may_be_asked(category: str, facts: dict[str, Any], allowed: bool) -> None:
    known = {"allowed": list(CATEGORIES), "flags": [], "at": NOW, **facts}
    assert look_rules.may_be_looked_at(CATEGORIES[category], now=NOW, **known) is allowed


def test_no_city_asks_cameras_about_what_its_neighbours_have_to_keep_private() -> None:
    for city in cities.known():
        for code in cities.current(city).report_looks:
            assert look_rules.may_be_looked_at(CATEGORIES[code], [code], [], at=NOW, now=NOW), f"{city}: {code}"


def test_what_cameras_saw_is_a_part_of_the_score_and_no_voice() -> None:
    sights: list[dict[str, Any]] = [
        {"findings": [{"kind": "dispersal", "confidence": 0.8}, {"kind": "lying", "confidence": 0.6}]}, {}
    ]  # fmt: skip
    assert look_rules.share(sights, "shooting") == 0.4
    assert look_rules.share(sights, "flood") == 0.0
    assert [look_rules.share([{"findings": [{"kind": "fall", "confidence": 0.6, "said": said}]}], "shooting")
            for said in ("yes", "no", "cannot_tell")] == [0.5, 0.0, 0.15]  # fmt: skip
    alone, seen = (rules.believe(crowd(1), now=NOW, seen=each) for each in (0.0, 0.4))
    assert (seen.score, seen.parts["cameras"], seen.voices) == (0.483, 0.4, alone.voices)
    assert not rules.believe(crowd(2), now=NOW, seen=0.5).holds
