"""What may happen to one service's slot: offers, the first yes, progress, and falling back to open."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.dispatch import rules
from domain.dispatch.rules import Asked
from domain.errors import DomainError
from domain.incidents import rules as incident_rules
from domain.incidents.draft import Draft
from domain.incidents.states import AssignmentStatus, Resolution
from tests.factories.incidents import NOON, SECRET, accepted, apply, assignment_of_unit, events, incident, offered

A = AssignmentStatus
LATER = NOON + timedelta(minutes=5)
STALL = timedelta(minutes=3)


def refused(doc: dict[str, Any], rule: Callable[[Draft], None]) -> DomainError:
    with pytest.raises(DomainError) as error:
        rule(Draft(doc, LATER))
    return error.value


def say_yes(assignment: str) -> Callable[[Draft], None]:
    return lambda draft: rules.accept(draft, assignment, by="res", via="app", stall_after=STALL)


def go(doc: dict[str, Any], unit: str, *steps: A, service: str = "police") -> dict[str, Any]:
    for step in steps:
        found = assignment_of_unit(doc, unit, service=service)
        doc = apply(doc, lambda draft, found=found, step=step: rules.progress(draft, found, step, by="res"), at=LATER)
    return doc


# --- offers ----------------------------------------------------------------------------------------------------------


def test_an_offer_is_an_assignment_with_a_link_and_an_event() -> None:
    doc = offered(incident(), "u1", "u2")
    first = doc["assignments"][assignment_of_unit(doc, "u1")]
    assert (first["status"], first["unit"], first["distance_m"]) == ("offered", "u1", 100)
    assert first["expires_at"] == NOON + timedelta(minutes=1)
    assert doc["asked_units"] == ["u1", "u2"]
    assert {link["id"] for link in doc["links"]} == set(doc["assignments"])
    assert events(doc) == ["assignment.offered"]
    assert set(doc["pending_events"][0]["assignments"]) == set(doc["assignments"])
    assert doc["status"] == "open"


def test_the_same_offer_again_asks_nobody_twice() -> None:
    doc = offered(incident(), "u1")
    draft = Draft(doc, LATER)
    made = rules.offer(draft, "police", [Asked("u1", "a", 5.0)], channels=(), ttl=STALL, by="ladder", secret=SECRET)
    assert made == []
    assert draft.empty


def ask(doc: dict[str, Any], unit: str, at: datetime) -> dict[str, Any]:
    """As an operator does by hand."""
    units = [Asked(unit, "agency", 100.0)]
    return apply(
        doc,
        lambda draft: rules.offer(
            draft, "police", units, channels=("sms",), ttl=STALL, by="op", secret=SECRET, anew=True
        ),
        at=at,
    )


def test_an_operator_may_ask_a_unit_anew_that_said_no_or_nothing() -> None:
    doc = offered(incident(), "u1", "u2")
    assert ask(doc, "u1", LATER)["assignments"] == doc["assignments"]  # its offer stands
    first = assignment_of_unit(doc, "u1")
    doc = apply(doc, lambda draft: rules.decline(draft, first, by="res"), at=LATER)
    doc = ask(doc, "u1", LATER)
    (second,) = doc["assignments"].keys() - offered(incident(), "u1", "u2")["assignments"].keys()
    assert (doc["assignments"][second]["unit"], doc["assignments"][second]["status"]) == ("u1", "offered")
    assert ask(doc, "u1", LATER)["assignments"] == doc["assignments"]
    assert apply(doc, say_yes(second), at=LATER)["slots"]["police"]["assignment"] == second


def test_a_unit_that_takes_a_later_offer_is_not_told_that_it_is_handled() -> None:
    doc = offered(incident(), "u1", "u2")
    doc = apply(doc, rules.expire, at=LATER)
    doc = ask(doc, "u1", LATER)
    (second,) = (found for found, each in doc["assignments"].items() if each["status"] == "offered")
    before = len(doc["pending_events"])
    doc = apply(doc, say_yes(second), at=LATER)
    told = [event for event in doc["pending_events"][before:] if event["type"] == "assignment.withdrawn"]
    assert [event["assignments"] for event in told] == [[assignment_of_unit(doc, "u2")]]
    assert doc["assignments"][assignment_of_unit(doc, "u1")]["status"] == "withdrawn"


@pytest.mark.parametrize("state", ["taken", "closed"])
def test_nothing_is_offered_for_a_slot_that_is_taken_or_over(state: str) -> None:
    doc = accepted(offered(incident(), "u1"), "u1")
    if state == "closed":
        doc = apply(doc, lambda draft: incident_rules.close(draft, Resolution.HELPED, by="op"))
    draft = Draft(doc, LATER)
    assert rules.offer(draft, "police", [Asked("u9", "a", 1.0)], channels=(), ttl=STALL, by="op", secret=SECRET) == []
    assert draft.empty


# --- the first yes ---------------------------------------------------------------------------------------------------


def test_the_first_yes_wins_and_the_others_are_told() -> None:
    doc = accepted(offered(incident("police", "medical"), "u1", "u2", "u3"), "u2", at=LATER)
    winner = assignment_of_unit(doc, "u2")
    slot = doc["slots"]["police"]
    assert (slot["assignment"], slot["status"], slot["due_at"]) == (winner, "acknowledged", LATER + STALL)
    assert doc["status"] == "acknowledged"
    assert doc["slots"]["medical"]["status"] == "open"
    assert {doc["assignments"][assignment_of_unit(doc, unit)]["status"] for unit in ("u1", "u3")} == {"withdrawn"}
    last = doc["pending_events"][-1]
    assert (last["type"], len(last["assignments"])) == ("assignment.withdrawn", 2)
    assert winner not in last["assignments"]


def test_the_second_yes_hears_that_it_is_handled() -> None:
    doc = accepted(offered(incident(), "u1", "u2"), "u1")
    error = refused(doc, say_yes(assignment_of_unit(doc, "u2")))
    assert (error.error_code, error.data["current"]) == ("already_handled", "acknowledged")


def test_a_yes_that_is_repeated_changes_nothing() -> None:
    doc = accepted(offered(incident(), "u1"), "u1")
    draft = Draft(doc, LATER)
    say_yes(assignment_of_unit(doc, "u1"))(draft)
    assert draft.empty


def test_a_late_yes_is_taken_while_the_slot_is_free() -> None:
    doc = apply(offered(incident(), "u1"), rules.expire, at=LATER)
    assert doc["assignments"][assignment_of_unit(doc, "u1")]["status"] == "expired"
    assert accepted(doc, "u1", at=LATER)["status"] == "acknowledged"


def test_an_offer_expires_at_its_time_and_not_before() -> None:
    doc = offered(incident(), "u1")
    for seconds, status in [(59, "offered"), (60, "expired")]:
        after = apply(doc, rules.expire, at=NOON + timedelta(seconds=seconds))
        assert after["assignments"][assignment_of_unit(after, "u1")]["status"] == status


def test_a_yes_to_what_is_over_or_unknown_is_refused() -> None:
    doc = offered(incident(), "u1")
    yes = say_yes(assignment_of_unit(doc, "u1"))
    closed = apply(doc, lambda draft: incident_rules.close(draft, Resolution.HELPED, by="op"))
    assert refused(closed, yes).error_code == "incident_closed"
    assert refused(doc, say_yes("asg_x")).error_code == "assignment_not_found"
    declined = apply(doc, lambda draft: rules.decline(draft, assignment_of_unit(doc, "u1"), by="res"))
    assert refused(declined, yes).error_code == "wrong_transition"


# --- progress --------------------------------------------------------------------------------------------------------


def test_the_way_of_one_unit_closes_an_incident_of_one_service() -> None:
    doc = accepted(offered(incident(), "u1"), "u1")
    on_way = go(doc, "u1", A.EN_ROUTE)
    assert (on_way["status"], on_way["slots"]["police"]["due_at"]) == ("en_route", NOON + STALL)
    there = go(on_way, "u1", A.ON_SCENE)
    assert (there["status"], there["slots"]["police"]["due_at"]) == ("on_scene", None)
    done = go(there, "u1", A.CLEARED)
    assert (done["status"], done["resolution"]) == ("closed", "helped")
    assert set(done["milestones"]) >= {"offered_at", "acknowledged_at", "en_route_at", "on_scene_at"}


def test_an_incident_stays_open_while_another_service_still_waits() -> None:
    doc = accepted(offered(incident("police", "medical"), "u1"), "u1")
    doc = go(doc, "u1", A.ON_SCENE, A.CLEARED)
    assert doc["status"] == "open"
    assert doc["slots"]["medical"]["status"] == "open"
    assert rules.due_slots(doc, NOON + timedelta(hours=1)) == ["medical"]


@pytest.mark.parametrize("step", [A.EN_ROUTE, A.ON_SCENE, A.CLEARED])
def test_whoever_does_not_have_the_slot_makes_no_progress(step: A) -> None:
    doc = offered(incident(), "u1")
    found = assignment_of_unit(doc, "u1")
    error = refused(doc, lambda draft: rules.progress(draft, found, step, by="res"))
    assert (error.error_code, error.data["current"]) == ("wrong_transition", "offered")


def test_progress_never_goes_back_and_repeats_harmlessly() -> None:
    doc = go(accepted(offered(incident(), "u1"), "u1"), "u1", A.ON_SCENE)
    found = assignment_of_unit(doc, "u1")
    assert refused(doc, lambda draft: rules.progress(draft, found, A.EN_ROUTE, by="res")).data["current"] == "on_scene"
    draft = Draft(doc, LATER)
    rules.progress(draft, found, A.ON_SCENE, by="res")
    assert draft.empty


# --- no, no longer, taken back ---------------------------------------------------------------------------------------


def test_when_all_who_were_asked_say_no_the_next_rung_need_not_wait() -> None:
    doc = offered(incident(), "u1", "u2")
    one = apply(doc, lambda draft: rules.decline(draft, assignment_of_unit(doc, "u1"), by="res"), at=LATER)
    assert one["slots"]["police"]["due_at"] == doc["slots"]["police"]["due_at"]
    both = apply(one, lambda draft: rules.decline(draft, assignment_of_unit(doc, "u2"), by="res"), at=LATER)
    assert both["slots"]["police"]["due_at"] == LATER


@pytest.mark.parametrize("reached", [(), (A.EN_ROUTE,), (A.ON_SCENE,)], ids=str)
@pytest.mark.parametrize("how", ["decline", "withdraw"])
def test_a_slot_that_loses_its_unit_opens_again_in_a_new_round(how: str, reached: tuple[A, ...]) -> None:
    doc = go(accepted(offered(incident(), "u1"), "u1"), "u1", *reached)
    found = assignment_of_unit(doc, "u1")
    if how == "decline":
        after = apply(doc, lambda draft: rules.decline(draft, found, by="res", reason="flat tyre"), at=LATER)
    else:
        after = apply(doc, lambda draft: rules.withdraw(draft, found, by="ladder", reason="stalled"), at=LATER)
    slot = after["slots"]["police"]
    assert (slot["status"], slot["assignment"], slot["rung"], slot["round"]) == ("open", None, -1, 1)
    assert (after["status"], after["ladder_due"]) == ("open", LATER)
    assert "slot.reopened" in events(after)
    # Who gave it up is passed over by the rungs that choose; nobody else is.
    assert rules.gave_up(after, "police") == {"u1"}
    assert rules.asked_in_round(after, "police", 0) == {"u1"}
    assert rules.asked_in_round(after, "police", 1) == set()


def test_an_offer_that_is_taken_back_leaves_the_others_asked() -> None:
    doc = offered(incident(), "u1", "u2")
    found = assignment_of_unit(doc, "u1")
    after = apply(doc, lambda draft: rules.withdraw(draft, found, by="op", reason="off_duty"))
    assert after["slots"]["police"]["round"] == 0
    assert after["assignments"][assignment_of_unit(doc, "u2")]["status"] == "offered"
    assert events(after)[-1] == "assignment.withdrawn"
    assert refused(after, lambda draft: rules.withdraw(draft, found, by="op", reason="x")).error_code == (
        "wrong_transition"
    )


def test_only_who_has_it_can_call_mayday_and_once() -> None:
    doc = offered(incident(), "u1")
    found = assignment_of_unit(doc, "u1")
    assert refused(doc, lambda draft: rules.mayday(draft, found, by="res")).data["current"] == "offered"
    called = apply(accepted(doc, "u1"), lambda draft: rules.mayday(draft, found, by="res"))
    assert called["severity"] == "Extreme"
    draft = Draft(called, LATER)
    rules.mayday(draft, found, by="res")
    assert draft.empty


# --- timers ----------------------------------------------------------------------------------------------------------


def test_on_the_way_said_again_is_a_word_and_a_retry_is_none() -> None:
    doc = accepted(offered(incident(), "u1"), "u1")
    (found,) = doc["assignments"]
    moving = apply(doc, lambda draft: rules.progress(draft, found, A.EN_ROUTE, by="res"))
    draft = Draft(moving, LATER)
    rules.progress(draft, found, A.EN_ROUTE, by="res")
    assert draft.empty == (LATER - moving["assignments"][found]["en_route_at"] < rules.WORD_AGAIN)
    draft = Draft(moving, moving["assignments"][found]["en_route_at"] + rules.WORD_AGAIN)
    rules.progress(draft, found, A.EN_ROUTE, by="res")
    assert draft.doc["assignments"][found]["word_at"] == draft.now
    assert draft.doc["assignments"][found]["status"] == "en_route"


def test_a_paused_slot_is_due_when_its_pause_is_over() -> None:
    doc = incident("police", "medical")
    doc["slots"]["medical"] |= {"paused": True, "paused_until": LATER + timedelta(minutes=1)}
    assert rules.due_slots(doc, NOON) == []
    assert rules.due_slots(doc, LATER) == ["police"]
    assert rules.due_slots(doc, LATER + timedelta(minutes=1)) == ["police", "medical"]


def test_a_yes_ends_a_pause_so_that_a_stall_is_seen() -> None:
    doc = offered(incident(), "u1")
    doc["slots"]["police"] |= {"paused": True, "paused_until": LATER}
    slot = accepted(doc, "u1")["slots"]["police"]
    assert slot["paused"] is False
    assert "paused_until" not in slot


def test_a_slot_that_nobody_asked_for_is_opened_by_hand_and_a_taken_one_is_not() -> None:
    draft = Draft(incident(), NOON)
    rules.check_free(draft, "fire")
    assert draft.doc["slots"]["fire"]["status"] == "open"
    doc = accepted(offered(incident(), "u1"), "u1")
    assert refused(doc, lambda draft: rules.check_free(draft, "police")).error_code == "already_handled"
