"""What may happen to an incident as a whole."""

import copy
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.errors import Conflict, Invalid
from domain.incidents import rules
from domain.incidents.draft import Draft
from domain.incidents.states import Resolution
from tests.factories.incidents import NOON, accepted, apply, assignment_of_unit, events, incident, offered

LATER = NOON + timedelta(minutes=5)
HERE = {"lat": 31.5, "lon": 74.3}
ELSEWHERE = {"lat": 31.6, "lon": 74.4}


def refused(doc: dict[str, Any], rule: Callable[[Draft], None]) -> str:
    """The code with which a rule refuses; the draft is thrown away, so nothing of it may be kept."""
    with pytest.raises((Conflict, Invalid)) as error:
        rule(Draft(doc, LATER))
    return error.value.error_code


# --- late ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clock_error", [timedelta(0), timedelta(days=-400), timedelta(days=3)])
@pytest.mark.parametrize(("age", "late"), [(0, False), (15 * 60, False), (15 * 60 + 1, True), (86400, True)])
def test_lateness_is_by_the_phones_own_clock(age: int, late: bool, clock_error: timedelta) -> None:
    sent = NOON + clock_error
    assert rules.is_late(sent - timedelta(seconds=age), sent) is late


@pytest.mark.parametrize(("captured", "sent"), [(None, NOON), (NOON, None), (None, None)])
def test_nothing_is_claimed_about_a_time_that_is_missing(captured: datetime | None, sent: datetime | None) -> None:
    assert rules.is_late(captured, sent) is False


# --- close and reopen ------------------------------------------------------------------------------------------------


def test_closing_lets_everybody_go_and_says_so_once() -> None:
    doc = offered(incident("police", "medical"), "u1", "u2")
    doc = offered(doc, "m1", service="medical")
    doc = accepted(doc, "u1")
    closed = apply(doc, lambda draft: rules.close(draft, Resolution.HELPED, by="op"), at=LATER)
    assert (closed["status"], closed["resolution"], closed["closed_at"]) == ("closed", "helped", LATER)
    assert {each["status"] for each in closed["assignments"].values()} == {"withdrawn"}
    assert {slot["status"] for slot in closed["slots"].values()} == {"cleared"}
    assert "ladder_due" not in closed
    new = closed["pending_events"][len(doc["pending_events"]) :]
    assert [event["type"] for event in new] == ["incident.closed", "assignment.withdrawn"]
    # u2 was let go when u1 accepted, and is not told a second time.
    assert set(new[1]["assignments"]) == {
        assignment_of_unit(closed, "u1"),
        assignment_of_unit(closed, "m1", service="medical"),
    }
    assert refused(closed, lambda draft: rules.close(draft, Resolution.HELPED, by="op")) == "incident_closed"


def test_reopening_starts_every_ladder_anew_and_may_ask_the_same_units() -> None:
    doc = accepted(offered(incident(flags=["unanswered"]), "u1"), "u1")
    doc["slots"]["police"]["paused"] = True
    first = assignment_of_unit(doc, "u1")
    closed = apply(doc, lambda draft: rules.close(draft, Resolution.FALSE_ALARM, by="op"))
    again = apply(closed, lambda draft: rules.reopen(draft, by="op", reason="she called again"), at=LATER)
    slot = again["slots"]["police"]
    assert again["status"] == "open"
    assert "resolution" not in again
    assert "closed_at" not in again
    assert "unanswered" not in again["flags"]
    assert (slot["status"], slot["assignment"], slot["rung"], slot["paused"]) == ("open", None, -1, False)
    assert again["ladder_due"] == LATER
    assert events(again)[-1] == "incident.reopened"
    assert assignment_of_unit(again, "u1") != first
    assert len(offered(again, "u1")["assignments"]) == 2


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_reopening_needs_a_reason(reason: str) -> None:
    closed = apply(incident(), lambda draft: rules.close(draft, Resolution.HELPED, by="op"))
    assert refused(closed, lambda draft: rules.reopen(draft, by="op", reason=reason)) == "invalid"


def test_only_what_is_closed_is_reopened() -> None:
    assert refused(incident(), lambda draft: rules.reopen(draft, by="op", reason="x")) == "wrong_transition"


# --- cancel and duress -----------------------------------------------------------------------------------------------


def test_the_safe_pin_closes_for_everybody() -> None:
    doc = apply(incident(), lambda draft: rules.cancel(draft, by="per_1"))
    assert (doc["status"], doc["resolution"]) == ("closed", "cancelled_by_citizen")
    assert rules.citizen_cancelled(doc)
    draft = Draft(doc, LATER)
    rules.cancel(draft, by="per_1")
    assert draft.empty


def test_the_duress_pin_shows_the_phone_the_same_and_raises_the_incident() -> None:
    raised = incident()
    safe = apply(raised, lambda draft: rules.cancel(draft, by="per_1"))
    forced = apply(raised, lambda draft: rules.duress(draft, by="per_1"))
    assert forced["citizen"] == safe["citizen"]
    assert forced["status"] == "open"
    assert (forced["severity"], forced["urgency"]) == ("Extreme", "Immediate")
    assert {"duress", "silent"} <= set(forced["flags"])
    assert events(forced) == ["incident.duress"]


def test_a_safe_pin_after_a_duress_pin_closes_nothing() -> None:
    forced = apply(incident(), lambda draft: rules.duress(draft, by="per_1"))
    both = apply(forced, lambda draft: rules.cancel(draft, by="per_1"), at=LATER)
    assert both["status"] == "open"
    assert both["citizen"] == forced["citizen"]


@pytest.mark.parametrize("how", ["cancelled", "closed", "merged"])
def test_a_duress_pin_opens_again_what_was_closed(how: str) -> None:
    if how == "cancelled":
        doc = apply(incident(), lambda draft: rules.cancel(draft, by="per_1"))
    elif how == "closed":
        doc = apply(incident(), lambda draft: rules.close(draft, Resolution.UNFOUNDED, by="op"))
    else:
        doc = apply(incident(), lambda draft: rules.merge(draft, incident(_id="inc_2"), by="op"))
    forced = apply(doc, lambda draft: rules.duress(draft, by="per_1"), at=LATER)
    assert forced["status"] == "open"
    assert "merged_into" not in forced
    assert events(forced)[-2:] == ["incident.duress", "incident.reopened"]


@pytest.mark.parametrize(
    ("minutes", "kept"),
    [(0, True), (29, True), (30, True), (31, False)],
)
@pytest.mark.parametrize("pin", ["safe", "duress"])
def test_positions_are_kept_half_an_hour_after_either_pin(pin: str, minutes: int, kept: bool) -> None:
    rule = rules.cancel if pin == "safe" else rules.duress
    doc = apply(incident(), lambda draft: rule(draft, by="per_1"))
    assert rules.takes_positions(doc, NOON + timedelta(minutes=minutes)) is kept


# --- merge -----------------------------------------------------------------------------------------------------------


def test_a_merge_closes_as_duplicate_and_is_undone() -> None:
    doc = offered(incident(), "u1")
    merged = apply(doc, lambda draft: rules.merge(draft, incident(_id="inc_2"), by="op"))
    assert (merged["status"], merged["resolution"], merged["merged_into"]) == ("closed", "duplicate", "inc_2")
    apart = apply(merged, lambda draft: rules.unmerge(draft, by="op", reason="two happenings"), at=LATER)
    assert apart["status"] == "open"
    assert "merged_into" not in apart


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ({"_id": "inc_1"}, "invalid"),
        ({"_id": "inc_2", "merged_into": "inc_3"}, "merged_already"),
        ({"_id": "inc_2", "status": "closed"}, "incident_closed"),
        ({"_id": "inc_2", "city": "karachi"}, "other_city"),
    ],
)
def test_a_merge_that_makes_no_sense_is_refused(target: dict[str, Any], code: str) -> None:
    assert refused(incident(), lambda draft: rules.merge(draft, incident(**target), by="op")) == code


def test_what_nobody_did_yet_goes_over_to_the_other() -> None:
    merged = incident("police", "medical", "fire", assignments={"a": {"service": "fire", "status": "cleared"}})
    other = incident("police", _id="inc_2")
    after = apply(other, lambda draft: rules.take_over(draft, merged, by="op"), at=LATER)
    assert set(after["slots"]) == {"police", "medical"}
    assert after["slots"]["police"] == other["slots"]["police"]
    assert events(after) == ["incident.facts_added"]
    again = Draft(after, LATER)
    rules.take_over(again, merged, by="op")
    assert again.empty
    closed = apply(incident("police", status="closed"), lambda draft: rules.take_over(draft, merged, by="op"))
    assert (set(closed["slots"]), events(closed)) == ({"police"}, [])


def test_what_is_not_merged_cannot_be_taken_apart() -> None:
    assert refused(incident(), lambda draft: rules.unmerge(draft, by="op", reason="x")) == "not_merged"


# --- what a retry brings ---------------------------------------------------------------------------------------------


AHEAD = NOON + timedelta(days=3)


def at(place: dict[str, Any], captured: datetime | None) -> dict[str, Any]:
    return {**place, "captured_at": captured}


@pytest.mark.parametrize(
    ("known", "brought", "taken"),
    [
        (None, at(HERE, None), True),
        (at(HERE, NOON), at(ELSEWHERE, LATER), True),
        (at(HERE, LATER), at(ELSEWHERE, NOON), False),
        (at(HERE, NOON), at(ELSEWHERE, NOON), False),
        (at(HERE, None), at(ELSEWHERE, NOON), True),
        (at(HERE, NOON), at(ELSEWHERE, None), True),
        (at(HERE, NOON), at(HERE, LATER), False),
        # A clock that ran three days ahead and was set right, and one that still does.
        (at(HERE, AHEAD) | {"received_at": NOON}, at(ELSEWHERE, LATER) | {"received_at": LATER}, True),
        (at(HERE, AHEAD) | {"received_at": NOON}, at(ELSEWHERE, AHEAD) | {"received_at": LATER}, True),
        (at(HERE, LATER) | {"received_at": LATER}, at(ELSEWHERE, NOON) | {"received_at": LATER}, False),
    ],
)
def test_a_retry_brings_a_fresher_position_and_never_an_older_one(
    known: dict[str, Any] | None, brought: dict[str, Any], taken: bool
) -> None:
    doc = incident() | ({"position": known} if known else {})
    draft = Draft(doc, LATER)
    rules.learn(draft, {"position": brought, "cells": {"r7": "x"}})
    assert (draft.doc.get("position") == brought) is taken
    assert draft.empty is not taken


def test_the_same_again_changes_nothing() -> None:
    facts = {"phone": "+923001234567", "note": "help", "battery_pct": 7, "services": ("police",), "silent": False}
    once = apply(incident(), lambda draft: rules.learn(draft, facts))
    draft = Draft(once, LATER)
    rules.learn(draft, facts)
    assert draft.empty


def test_a_retry_adds_a_service_and_never_takes_one_away() -> None:
    doc = offered(incident(), "u1")
    more = apply(doc, lambda draft: rules.learn(draft, {"services": ("medical",)}), at=LATER)
    assert set(more["slots"]) == {"police", "medical"}
    assert more["slots"]["police"] == doc["slots"]["police"]
    assert events(more)[-1] == "incident.facts_added"


def test_a_phone_number_that_is_known_stays() -> None:
    doc = incident(citizen={"phone": "+923001234567"})
    draft = Draft(doc, LATER)
    rules.learn(draft, {"phone": "+923007654321"})
    assert draft.empty


def test_a_retried_practice_sends_nobody() -> None:
    practice = incident(flags=["practice"], slots={})
    before = copy.deepcopy(practice)
    after = apply(practice, lambda draft: rules.learn(draft, {"services": ("police",), "note": "drill"}))
    assert after["slots"] == before["slots"] == {}
    assert events(after) == []


def test_links_taken_back_again_and_again_do_not_fill_the_document() -> None:
    doc = incident(links=[{"h": "0", "kind": "assignment", "id": "asg_1"}])
    for number in range(200):
        doc["links"] = [*doc["links"], {"h": f"s{number}", "kind": "share", "id": "inc_1"}]
        doc = apply(doc, rules.take_links_back)
    assert doc["share_generation"] == 200
    assert len(doc["links"]) == 1 + rules.LINKS_OVER_KEPT
    assert doc["links"][0] == {"h": "0", "kind": "assignment", "id": "asg_1"}
    assert doc["links"][-1] == {"h": "s199", "kind": "share", "id": "inc_1", "revoked": True}
