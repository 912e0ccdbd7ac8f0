"""What is left of an SOS whose citizen asks to be forgotten: the same to the phone, whichever PIN it was cancelled with."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.deliveries import service as deliveries
from domain.deliveries.service import Recipient, Telling
from domain.evidence import service as evidence
from domain.incidents import personal, retention, rules, seen
from domain.incidents import service as incidents
from domain.incidents.documents import TimelineDoc
from domain.incidents.draft import Draft
from domain.incidents.states import Resolution
from domain.tracks import service as tracks
from tests.factories.incidents import NOON, incident

pytestmark = pytest.mark.usefixtures("documents")

LATER = NOON + timedelta(minutes=5)
WORDS = {"id": "msg_1", "at": NOON, "from": "citizen", "by": "per_1", "text": "third floor"}


def cancelled(name: str, rule: Callable[..., None]) -> str:
    citizen = {"person": "per_1", "phone": "+923001234567", "note": "help", "messages": [WORDS]}
    incidents.incidents().insert_one(incident(citizen=citizen) | {"_id": name})
    incidents.change(name, lambda draft: rule(draft, by="per_1"), now=LATER)
    return name


def shown(name: str) -> dict[str, Any]:
    return seen.by_citizen(incidents.get(name), LATER) | {"id": ""}


def test_a_duress_cancel_is_forgotten_to_the_phone_as_a_safe_one_is() -> None:
    safe, forced = cancelled("inc_safe", rules.cancel), cancelled("inc_forced", rules.duress)
    assert shown(safe) == shown(forced)
    personal.forget("per_1")
    assert shown(safe) == shown(forced)
    assert shown(safe)["messages"] == []
    assert [incidents.get(each)["citizen"]["erased"] for each in (safe, forced)] == [True, True]
    assert "phone" not in incidents.get(safe)["citizen"]
    assert incidents.get(forced)["citizen"]["phone"] == "+923001234567"  # somebody may be on the way

    def help_came(draft: Draft) -> None:
        rules.close(draft, Resolution.HELPED, by="per_2")

    incidents.change(forced, help_came, now=LATER)
    personal.forget("per_1")
    assert shown(safe) == shown(forced)
    assert not {"phone", "note", "person", "messages"} & incidents.get(forced)["citizen"].keys()


def test_nothing_of_the_person_is_left_in_a_closed_case_and_the_case_is() -> None:
    by = "per_gone"
    citizen = {"person": by, "phone": "+923001234567", "cancel_reason": "I am at Sana's"}
    doc = incident(citizen=citizen) | {"_id": "inc_gone", "facts": [{"note": "blue door"}]}
    incidents.incidents().insert_one(doc)

    def busy(draft: Draft) -> None:
        for number in range(230):  # the older ones leave the document
            draft.entry("message", by=by if number % 2 else "per_op", message=f"msg_{number}")

    incidents.change("inc_gone", busy, now=LATER)
    incidents.change("inc_gone", busy, now=LATER)
    incidents.change("inc_gone", lambda draft: rules.close(draft, Resolution.HELPED, by="per_op"), now=LATER)
    tracks.add("lahore", "inc_gone", [{"lat": 31.5, "lon": 74.3, "captured_at": NOON}], now=NOON)
    for rows in (evidence.uploads(), evidence.evidence()):
        rows.insert_one(
            {"_id": "evd_gone", "incident": "inc_gone", "declared": {"filename": "sana.jpg", "sha256": "ab"}}
            | {"metadata": "filename c2FuYS5qcGc="}
        )
    for kind, recipient in (("person", by), ("guardian", "gua_1")):
        told = Recipient(kind, recipient, of=by if kind == "guardian" else "")
        telling = Telling(f"k-{kind}", "lahore", "incident_updated", "inc_gone", told, ["sms"], timedelta(hours=1))
        deliveries.write_down(telling, now=NOON)
    assert personal.forget(by) == 1
    assert personal.forget(by) == 0
    left = incidents.get("inc_gone")
    older = list(TimelineDoc._get_collection().find({"incident": "inc_gone"}))
    beside = [*older, *deliveries.deliveries().find({"subject": "inc_gone"}), *evidence.evidence().find({})]
    assert not any(word in str([left, *beside]) for word in (by, "+923001234567", "Sana", "sana", "blue door"))
    assert tracks.read("inc_gone") == []
    assert (left["status"], left["resolution"], len(left["timeline"]), len(older) > 0) == (
        "closed",
        "helped",
        200,
        True,
    )
    assert {entry["by"] for entry in left["timeline"]} == {"citizen", "per_op"}
    assert [row["declared"] for row in evidence.evidence().find({})] == [{"sha256": "ab"}]


def test_everybody_is_forgotten_however_many_cases_there_are() -> None:
    closed = incident(citizen={"person": "per_many"}) | {"status": "closed"}
    incidents.incidents().insert_many([closed | {"_id": f"inc_many{number}"} for number in range(1005)])
    assert personal.forget("per_many") == 1005


def test_a_case_that_a_court_asked_for_is_gone_for_the_phone_and_kept_until_the_hold_is_lifted() -> None:
    name = cancelled("inc_held", rules.cancel)
    retention.hold(name, by="system:cli", reason="writ 77/2026", now=LATER)
    for _ in range(2):
        personal.forget("per_1")
    assert incidents.get(name)["citizen"]["phone"] == "+923001234567"
    assert incidents.get(name)["citizen"]["erased"] is True
    retention.lift(name, by="system:cli", reason="dismissed", now=LATER)
    assert incidents.get(name)["pending_events"][-1]["type"] == "incident.hold_lifted"
    personal.forget("per_1")
    assert "phone" not in incidents.get(name)["citizen"]


def test_an_open_case_that_nobody_cancelled_goes_on_for_its_phone() -> None:
    incidents.incidents().insert_one(incident(citizen={"person": "per_1", "phone": "+923001234567"}))
    personal.forget("per_1")
    assert incidents.get("inc_1")["citizen"] == {"person": "per_1", "phone": "+923001234567"}
