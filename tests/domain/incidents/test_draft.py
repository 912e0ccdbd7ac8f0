"""A draft shows the incident as it will be, leaves the original alone, and becomes one write that a store takes."""

import copy
from datetime import timedelta
from typing import Any

import pytest
from pymongo.database import Database

from domain.incidents.draft import TIMELINE_KEPT, Draft
from tests.factories.incidents import NOON, incident


def test_the_draft_shows_what_will_be_and_the_original_stays() -> None:
    doc = incident(citizen={"person": "per_1"})
    before = copy.deepcopy(doc)
    draft = Draft(doc, NOON)
    draft.set("slots.police.status", "acknowledged")
    draft.set("citizen.cancel", {"at": NOON})
    draft.unset("citizen.person")
    draft.set("milestones.offered_at", NOON)
    assert draft.doc["slots"]["police"]["status"] == "acknowledged"
    assert draft.doc["citizen"] == {"cancel": {"at": NOON}}
    assert draft.doc["milestones"] == {"offered_at": NOON}
    assert doc == before


def test_nothing_decided_is_nothing_to_write() -> None:
    draft = Draft(incident(flags=["late"]), NOON)
    draft.flag("late")
    draft.unflag("silent")
    assert draft.empty
    draft.unflag("late")
    assert not draft.empty


Step = tuple[str, str, Any]

OVERLAPPING: list[list[Step]] = [
    [("set", "a.b", 1), ("set", "a", {"c": 2})],
    [("set", "a", {"c": 2}), ("set", "a.b", 1)],
    [("set", "a", {"c": 2}), ("unset", "a.c", None)],
    [("unset", "a", None), ("set", "a.b", 1)],
    [("set", "a.b", 1), ("unset", "a", None)],
    [("unset", "a.b", None), ("unset", "a", None)],
    [("unset", "a.b", None), ("set", "a", {"b": 3})],
    [("set", "a.b.c", 1), ("set", "a.b.d", 2), ("unset", "a.b.c", None)],
]


@pytest.mark.parametrize("steps", OVERLAPPING, ids=lambda steps: " ".join(f"{step[0]}:{step[1]}" for step in steps))
def test_changes_that_overlap_become_one_write_that_means_the_same(
    steps: list[Step], store: Database[dict[str, Any]]
) -> None:
    doc = incident(a={"b": {"c": 0}, "z": 9})
    store.incidents.insert_one(doc)
    draft = Draft(doc, NOON)
    for kind, path, value in steps:
        if kind == "set":
            draft.set(path, value)
        else:
            draft.unset(path)
    store.incidents.update_one({"_id": doc["_id"]}, draft.operators())
    written = store.incidents.find_one({"_id": doc["_id"]})
    assert written is not None
    assert written.get("a") == draft.doc.get("a")


def test_one_write_counts_the_version_and_numbers_the_timeline(store: Database[dict[str, Any]]) -> None:
    doc = incident()
    store.incidents.insert_one(doc)
    draft = Draft(doc, NOON + timedelta(seconds=3))
    draft.entry("rung", service="police")
    draft.entry("offered", by="ladder")
    draft.event("assignment.offered", assignments=["asg_1"])
    store.incidents.update_one({"_id": doc["_id"]}, draft.operators())
    written = store.incidents.find_one({"_id": doc["_id"]})
    assert written is not None
    assert (written["version"], written["timeline_seq"]) == (2, 3)
    assert [(entry["seq"], entry["kind"]) for entry in written["timeline"]] == [
        (1, "raised"),
        (2, "rung"),
        (3, "offered"),
    ]
    (event,) = written["pending_events"]
    assert (event["type"], event["v"], event["subject"], event["city"]) == ("assignment.offered", 2, "inc_1", "lahore")
    assert written["outbox_due"] == NOON + timedelta(seconds=5)


def test_a_long_timeline_gives_its_oldest_entries_away() -> None:
    entries = [{"seq": seq, "kind": "rung", "at": NOON} for seq in range(1, TIMELINE_KEPT + 1)]
    draft = Draft(incident(timeline=entries, timeline_seq=TIMELINE_KEPT), NOON)
    assert draft.overflow() == []
    draft.entry("note")
    draft.entry("note")
    assert [entry["seq"] for entry in draft.overflow()] == [1, 2]
    pushed = draft.operators()["$push"]["timeline"]
    assert pushed["$slice"] == -TIMELINE_KEPT
    assert [entry["seq"] for entry in pushed["$each"]] == [TIMELINE_KEPT + 1, TIMELINE_KEPT + 2]


def test_the_next_timer_is_the_earliest_of_the_slots_that_run() -> None:
    draft = Draft(incident("police", "medical", "fire"), NOON)
    draft.set("slots.police.due_at", NOON + timedelta(seconds=30))
    draft.set("slots.medical.due_at", NOON + timedelta(seconds=10))
    draft.set("slots.medical.paused", True)
    draft.set("slots.medical.paused_until", NOON + timedelta(seconds=40))
    draft.set("slots.fire.due_at", None)
    assert draft.operators()["$set"]["ladder_due"] == NOON + timedelta(seconds=30)


def test_a_pause_ends_by_itself() -> None:
    draft = Draft(incident(), NOON)
    draft.set("slots.police.paused", True)
    draft.set("slots.police.paused_until", NOON + timedelta(minutes=10))
    assert draft.operators()["$set"]["ladder_due"] == NOON + timedelta(minutes=10)


def test_without_a_slot_that_runs_there_is_no_timer() -> None:
    draft = Draft(incident(ladder_due=NOON), NOON)
    draft.set("slots.police.due_at", None)
    assert "ladder_due" in draft.operators()["$unset"]


def test_the_status_follows_the_slots_and_leaves_its_first_time() -> None:
    draft = Draft(incident("police", "medical"), NOON)
    draft.set("slots.medical.status", "en_route")
    written = draft.operators()["$set"]
    assert written["status"] == "en_route"
    assert draft.doc["milestones"] == {"en_route_at": NOON}
    again = Draft(draft.doc, NOON + timedelta(minutes=1))
    again.set("slots.medical.status", "acknowledged")
    again.set("slots.medical.status", "en_route")
    again.operators()
    assert again.doc["milestones"]["en_route_at"] == NOON


def test_a_closed_incident_keeps_its_status_and_has_no_timer() -> None:
    draft = Draft(incident(status="closed", ladder_due=NOON), NOON)
    draft.entry("note")
    update = draft.operators()
    assert "status" not in update["$set"]
    assert "ladder_due" in update["$unset"]
