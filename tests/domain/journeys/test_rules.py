"""Steps of a journey as a table: which follow from which, what the timers ask for, and when she is asked next."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.errors import Conflict, Invalid
from domain.journeys import rules
from domain.journeys.concerns import Point
from domain.journeys.draft import JourneyDraft
from domain.journeys.projection import traveller_view
from domain.journeys.states import GOING_ON, TRANSITIONS, JourneyStatus, Reason, check

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def journey(status: str = "under_way", **fields: Any) -> dict[str, Any]:
    return {
        "_id": "jny_1", "city": "lahore", "person": "per_1", "status": status, "version": 1, "started_at": NOON,
        "updated_at": NOON, "heard_at": NOON, "destination": {"lat": 31.52, "lon": 74.35}, "expected_arrival": at(60),
        "check_ins": [], "check_in_every_s": None, "grace_s": 120, "guardians": ["gua_1"], "concerns": {},
        "next_due": at(60), "timeline": [], "timeline_seq": 0, **fields,
    }  # fmt: skip


def after(doc: dict[str, Any], rule: Any, now: datetime) -> tuple[dict[str, Any], list[str]]:
    """(the journey after one write, its new events)."""
    draft = JourneyDraft(doc, now)
    rule(draft)
    update = draft.operators()
    told = [each["type"] for each in update.get("$push", {}).get("pending_events", {}).get("$each", [])]
    return {**draft.doc, "version": doc["version"] + 1}, told


@pytest.mark.parametrize(("one", "other"), [*itertools.product(JourneyStatus, repeat=2)])
def test_only_the_table_s_steps_are_possible(one: JourneyStatus, other: JourneyStatus) -> None:
    if other in TRANSITIONS[one]:
        check(one, other)
    else:
        with pytest.raises(Conflict) as refused:
            check(one, other)
        assert refused.value.data["current"] == str(one)


def test_what_is_over_stays_over() -> None:
    for status in set(JourneyStatus) - GOING_ON:
        doc = journey(status)
        for rule in (lambda d: rules.check_in(d, at(1)), lambda d: rules.extend(d, at(90))):
            with pytest.raises(Conflict):
                after(doc, rule, at(1))
        assert after(doc, rules.tick, at(600))[1] == []


def test_the_timers_ask_her_then_the_guardians_then_raise() -> None:
    doc, told = after(journey(), rules.tick, at(60))
    assert (doc["status"], told, doc["due_at"]) == ("asked", ["journey.asked"], at(62))
    same, told = after(doc, rules.tick, at(61))
    assert (same["status"], told) == ("asked", [])
    doc, told = after(doc, rules.tick, at(62))
    assert (doc["status"], told, doc["due_at"]) == ("missed", ["journey.missed"], at(65))
    doc, told = after(doc, rules.tick, at(65))
    assert (doc["status"], told, "due_at" in doc) == ("raised", ["journey.raised"], False)
    assert after(doc, rules.tick, at(66))[1] == []


def test_without_guardians_nobody_is_waited_for() -> None:
    doc = journey("asked", guardians=[], answer_by=at(62))
    doc, _ = after(doc, rules.tick, at(62))
    assert doc["due_at"] == at(62)


def test_a_server_that_was_away_asks_her_first() -> None:
    doc, told = after(journey(), rules.tick, at(600))
    assert (told, doc["due_at"]) == (["journey.asked"], at(602))


@pytest.mark.parametrize(
    ("plan", "heard", "due"),
    [
        ({}, 0, 60),
        ({}, 61, 71),  # she was to be there: asked again
        ({"check_in_every_s": 900}, 0, 15),
        ({"check_in_every_s": 900}, 55, 60),  # the arrival comes first
        ({"check_ins": [at(20), at(40)]}, 0, 20),
        ({"check_ins": [at(20), at(40)]}, 19, 40),  # a little early answers the one at 20
        ({"check_ins": [at(20), at(40)], "check_in_every_s": 600}, 20, 30),
    ],
)
def test_when_she_is_asked_next(plan: dict[str, Any], heard: float, due: float) -> None:
    assert rules.next_due(journey(**plan), at(heard)) == at(due)


def test_a_check_in_of_before_she_was_asked_does_not_answer() -> None:
    doc = journey("asked", check_in_every_s=900, next_due=at(15), answer_by=at(17))
    late, _ = after(doc, lambda d: rules.check_in(d, at(10)), at(16))
    assert late["status"] == "asked"
    fresh, _ = after(doc, lambda d: rules.check_in(d, at(16)), at(16))
    assert (fresh["status"], fresh["next_due"]) == ("under_way", at(31))
    assert "answer_by" not in fresh


def test_an_answer_after_the_alarm_is_told() -> None:
    doc = journey("missed", raise_at=at(65))
    assert after(doc, lambda d: rules.check_in(d, at(63)), at(63))[1] == ["journey.answered"]


@pytest.mark.parametrize("minutes", [-5, 0, 24 * 60 + 1])
def test_it_is_not_extended_to_what_is_over_or_to_another_day(minutes: float) -> None:
    with pytest.raises(Invalid):
        after(journey(), lambda d: rules.extend(d, at(minutes)), at(0))


def test_duress_is_once_and_shows_nowhere() -> None:
    def forced(draft: JourneyDraft) -> None:
        rules.duress(draft)
        rules.end(draft, JourneyStatus.CANCELLED)

    hidden, told = after(journey(), forced, at(5))
    open_, _ = after(journey(), lambda d: rules.end(d, JourneyStatus.CANCELLED), at(5))
    assert traveller_view(hidden) == traveller_view(open_)
    assert told == ["journey.raised", "journey.ended"]
    again, told = after(hidden, rules.duress, at(6))
    assert told == []
    assert again["hidden"]["reason"] == Reason.DURESS


def test_silence_is_told_once_and_over_with_the_next_word() -> None:
    doc = journey(position={"lat": 31.5, "lon": 74.3, "at": NOON})
    doc, told = after(doc, lambda d: d.entry("x"), at(1))
    assert doc["due_at"] == at(10)
    doc, told = after(doc, rules.tick, at(10))
    assert (told, doc["due_at"]) == (["journey.concern"], at(60))
    doc, _ = after(doc, lambda d: rules.check_in(d, at(12)), at(12))
    assert doc["concerns"] == {}


def test_positions_after_the_end_say_nothing_new_but_where() -> None:
    point = Point(31.5, 74.3, at(20))
    place = {"lat": 31.5, "lon": 74.3}
    doc = journey("arrived", ended_at=at(10), position={"lat": 31.4, "lon": 74.3, "at": at(15)})
    moved, told = after(doc, lambda d: rules.moved(d, [point], place, pct=3), at(20))
    assert (moved["position"]["lat"], told, moved["concerns"]) == (31.5, [], {})
    old = Point(31.5, 74.3, at(12))
    draft = JourneyDraft({**doc, "hidden": {"reason": "duress"}}, at(20))
    rules.moved(draft, [old], place, pct=None)
    assert draft.empty, "an old point shows in no version, whether there is an SOS behind it or not"
    assert not rules.takes_positions(doc, at(41))
