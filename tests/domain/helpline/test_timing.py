"""What time alone brings to a helpline request, as a clock that is turned on: who hears how often, and when it is over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.helpline import rules, timing
from domain.helpline.rules import Step

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
IDLE = timedelta(days=14)


def waiting(**other: Any) -> dict[str, Any]:
    return {
        "status": "waiting", "channel": "app", "wanted": "anyone", "danger": "unknown", "asked_at": NOW,
        "updated_at": NOW, "active_at": NOW, "waiting_since": NOW, "told": 0, "due_at": NOW + timedelta(minutes=1),
        "flags": [], **other,
    }  # fmt: skip


def looked(doc: dict[str, Any], now: datetime, *, absent: bool = False, **free: int) -> Step:
    """What the sweep does at that time, written into the document."""
    step = timing.overdue(doc, now, free=free, absent=absent, idle_after=IDLE)
    assert step is not None
    doc.update(step.sets)
    for name in step.gone:
        doc.pop(name, None)
    doc["updated_at"] = now
    if not step.by_time:
        doc["active_at"] = now
    return step


def test_it_is_told_with_growing_gaps_to_more_and_then_no_more_and_ends_by_itself() -> None:
    doc, told = waiting(), []
    for _ in range(100):
        if "due_at" not in doc:
            break
        now = doc["due_at"]
        for kind, ids in looked(doc, now).events:
            told.append((kind.rpartition(".")[2], (now - NOW), ids.get("to", "")))
    told, end = told[:-1], told[-1]
    assert {kind for kind, _, _ in told} == {"unclaimed"}
    assert [at for _, at, _ in told] == list(timing.TELLINGS)
    gaps = [after - before for before, after in zip(timing.TELLINGS, timing.TELLINGS[1:], strict=False)]
    assert gaps == sorted(gaps)
    assert [to for _, _, to in told] == ["supervisors"] * 3 + ["room"] * 7
    assert end[:2] == ("closed", IDLE)
    assert (doc["status"], doc["outcome"], doc["closed_at"]) == ("closed", "unanswered", NOW + IDLE)


def test_what_was_missed_while_nothing_swept_is_told_once() -> None:
    doc = waiting()
    assert [kind for kind, _ in looked(doc, NOW + timedelta(minutes=40)).events] == ["helpline.unclaimed"]
    assert (doc["told"], doc["due_at"]) == (5, NOW + timedelta(hours=1))
    assert looked(doc, NOW + timedelta(minutes=41)).events == []


def test_who_comes_back_to_the_line_is_told_of_anew() -> None:
    doc = waiting(told=10, status="claimed", counsellor="per_1", answered_at=NOW)
    later = NOW + timedelta(days=3)
    doc["active_at"] = later
    looked(doc, later, absent=True)
    assert (doc["status"], doc["told"], doc["waiting_since"]) == ("waiting", 0, later)
    assert [kind for kind, _ in looked(doc, later + timedelta(minutes=1)).events] == ["helpline.unclaimed"]


@pytest.mark.parametrize(
    ("doc", "outcome"),
    [
        ({"status": "claimed", "counsellor": "per_1", "answered_at": NOW}, "unreachable"),
        ({"answered_at": NOW}, "unreachable"),
        ({}, "unanswered"),
    ],
)
def test_nothing_done_by_anybody_ends_it_and_a_look_of_ours_is_nothing_done(doc: dict[str, Any], outcome: str) -> None:
    held = waiting(**doc)
    looked(held, NOW + IDLE - timedelta(minutes=1))
    assert held["status"] != "closed"
    looked(held, NOW + IDLE)
    assert (held["status"], held["outcome"]) == ("closed", outcome)


def test_one_that_is_older_than_this_rule_counts_from_its_last_change() -> None:
    old = waiting(updated_at=NOW + timedelta(days=3))
    del old["active_at"], old["waiting_since"], old["told"]
    for day in range(4, 17):
        looked(old, NOW + timedelta(days=day))
        assert old["status"] == "waiting"
    looked(old, NOW + timedelta(days=17))
    assert old["status"] == "closed"


def test_whoever_wants_another_one_is_looked_after_at_once_also_after_an_offer() -> None:
    doc = waiting(wanted="woman", told=10, waiting_since=NOW - timedelta(days=2))
    looked(doc, NOW + timedelta(minutes=2), male=1)
    assert (doc["offered"], doc["due_at"]) == ("anyone", NOW + IDLE)
    step = rules.prefer(doc, {"wanted": "man"})
    assert step is not None
    assert step.sets["due_at"] <= NOW
