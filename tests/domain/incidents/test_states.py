"""Every step from every state: the table is the only place that says what may follow what."""

import itertools

import pytest

from domain.errors import Conflict
from domain.incidents.states import (
    ASKED,
    ASSIGNMENT_TRANSITIONS,
    GOING_ON,
    HOLDING,
    SLOT_OF_ASSIGNMENT,
    AssignmentStatus,
    IncidentStatus,
    SlotStatus,
    check_assignment,
    incident_status,
)

A = AssignmentStatus

ALLOWED = {
    "offered": "accepted declined expired withdrawn",
    "expired": "accepted declined withdrawn",
    "accepted": "en_route on_scene cleared declined withdrawn",
    "en_route": "on_scene cleared declined withdrawn",
    "on_scene": "cleared declined withdrawn",
    "cleared": "",
    "declined": "",
    "withdrawn": "",
}


@pytest.mark.parametrize(("current", "wanted"), list(itertools.product(A, A)), ids=str)
def test_an_assignment_goes_only_where_the_contract_says(current: A, wanted: A) -> None:
    if wanted in ALLOWED[current].split():
        check_assignment(current, wanted)
    else:
        with pytest.raises(Conflict) as refused:
            check_assignment(current, wanted)
        assert refused.value.error_code == "wrong_transition"
        assert refused.value.data["current"] == current


def test_every_state_is_in_the_table_and_in_one_group() -> None:
    assert set(ASSIGNMENT_TRANSITIONS) == set(A)
    ended = {state for state, nexts in ASSIGNMENT_TRANSITIONS.items() if not nexts}
    assert ASKED | HOLDING | ended == set(A)
    assert not ASKED & HOLDING
    assert set(SLOT_OF_ASSIGNMENT) == HOLDING | {A.CLEARED}
    assert set(IncidentStatus) - {IncidentStatus.CLOSED} == GOING_ON


@pytest.mark.parametrize(
    ("slots", "status"),
    [
        ("", "open"),
        ("open", "open"),
        ("open acknowledged", "acknowledged"),
        ("acknowledged en_route", "en_route"),
        ("on_scene en_route open", "on_scene"),
        ("cleared open", "open"),
        ("cleared en_route", "en_route"),
        ("cleared cleared", "open"),
    ],
)
def test_an_incident_is_as_far_as_its_most_advanced_slot(slots: str, status: str) -> None:
    assert incident_status(SlotStatus(slot) for slot in slots.split()) == status
