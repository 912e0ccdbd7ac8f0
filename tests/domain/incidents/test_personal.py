"""What is left of an SOS whose citizen asks to be forgotten: the same to the phone, whichever PIN it was cancelled with."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.incidents import personal, retention, rules, seen
from domain.incidents import service as incidents
from domain.incidents.draft import Draft
from domain.incidents.states import Resolution
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
