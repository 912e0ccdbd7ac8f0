"""Who is told of an event, and who is not. Without a store: what is read and written stands in the test."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from domain.deliveries import queries as deliveries
from domain.deliveries.service import Telling
from domain.incidents import service as incidents
from domain.people import queries as people
from notifications import policy
from tests.factories.incidents import NOON, incident
from workers import tell

Told = list[Telling]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What would be written down."""
    made: Told = []
    monkeypatch.setattr(tell, "tell", lambda tellings, post: made.extend(tellings))
    return made


class Anything:
    """A context that nobody asks for more than a clock."""

    post = None

    def clock(self) -> Any:
        return NOON


def shown(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> dict[str, Any]:
    doc = incident(**fields)
    monkeypatch.setattr(incidents, "get", lambda _: doc)
    return doc


def test_the_control_room_hears_of_a_duress_cancel_and_never_on_the_citizen_s_own_phone(
    monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    shown(monkeypatch, citizen={"person": "per_her"})
    monkeypatch.setattr(tell, "_operators", lambda _: {"per_her", "per_other"})
    event = {"type": "incident.duress", "subject": "inc_1", "city": "lahore", "v": 2}
    tell.operators_of_duress(event, Anything())  # type: ignore[arg-type]
    assert [each.recipient.id for each in told] == ["per_other"]


@pytest.mark.parametrize(
    ("links", "heard"),
    [([], True), ([{"kind": "share"}], True), ([{"kind": "guardian"}], False)],
)
def test_guardians_hear_when_a_retry_is_the_first_to_say_who_she_is(
    monkeypatch: pytest.MonkeyPatch, links: list[dict[str, str]], heard: bool
) -> None:
    shown(monkeypatch, links=links)
    asked: list[str] = []
    react: Callable[..., None] = lambda event, context: asked.append(event["subject"])  # noqa: E731
    monkeypatch.setattr(tell, "guardians", react)
    tell.guardians_at_last({"subject": "inc_1"}, Anything())  # type: ignore[arg-type]
    assert asked == ["inc_1"] * heard


@pytest.mark.parametrize(("channel", "heard"), [("app", True), ("sms", True), ("helpline", False), ("escort", False)])
def test_guardians_hear_nothing_of_what_she_told_the_helpline(
    monkeypatch: pytest.MonkeyPatch, told: Told, channel: str, heard: bool
) -> None:
    """One of them may be whom she fears."""
    shown(monkeypatch, channel=channel, citizen={"person": "per_her"})
    her = SimpleNamespace(id="per_her")
    monkeypatch.setattr(tell, "PersonDoc", SimpleNamespace(objects=lambda **_: SimpleNamespace(first=lambda: her)))
    guardian = SimpleNamespace(id="grd_1", status="confirmed")
    monkeypatch.setattr(people, "guardians_of", lambda person: [guardian])
    monkeypatch.setattr(tell, "_open_pages", lambda *_: None)
    tell.guardians({"type": "incident.raised", "subject": "inc_1", "city": "lahore"}, Anything())  # type: ignore[arg-type]
    assert [each.recipient.id for each in told] == ["grd_1"] * heard


def test_everybody_who_heard_of_an_offer_hears_that_it_is_handled(monkeypatch: pytest.MonkeyPatch, told: Told) -> None:
    """However many were told before: the oldest 200 deliveries of an incident are not all of them."""

    def delivery(number: int, *channels: str) -> dict[str, Any]:
        return {
            "refs": {"assignment": f"asg_{number}"},
            "recipient": {"kind": "person", "id": f"per_{number}", "of": ""},
            "attempts": {str(n): {"channel": channel} for n, channel in enumerate(channels)},
        }

    held = {each["refs"]["assignment"]: each for each in (delivery(n, "fcm", "sms") for n in range(250))}
    held["asg_1"] = delivery(1)  # never went out
    monkeypatch.setattr(deliveries, "offers", lambda subject, ids: [held[each] for each in ids])
    event = {"subject": "inc_1", "city": "lahore", "v": 9, "reason": "handled", "assignments": list(held)}
    tell.withdrawn(event, Anything())  # type: ignore[arg-type]
    assert {each.recipient.id for each in told} == {f"per_{n}" for n in range(250)} - {"per_1"}
    assert {each.plan[0] for each in told} == {"sms"}


@pytest.mark.parametrize(
    ("heard_by", "plan"),
    [
        (["fcm"], ("fcm", "sms")),
        (["fcm", "sms"], ("sms", "fcm")),
        (["sms", "voice"], ("sms", "fcm")),
        (["voice"], ("fcm", "sms")),
    ],
)
def test_a_stand_down_has_a_second_way_and_gives_the_app_time_to_say_that_it_has_it(
    monkeypatch: pytest.MonkeyPatch, told: Told, heard_by: list[str], plan: tuple[str, ...]
) -> None:
    asked = {
        "refs": {"assignment": "asg_1"},
        "recipient": {"kind": "person", "id": "per_1", "of": ""},
        "attempts": {str(n): {"channel": channel} for n, channel in enumerate(heard_by)},
    }
    monkeypatch.setattr(deliveries, "offers", lambda subject, ids: [asked])
    event = {"subject": "inc_1", "city": "lahore", "v": 9, "reason": "handled", "assignments": ["asg_1"]}
    tell.withdrawn(event, Anything())  # type: ignore[arg-type]
    (telling,) = told
    assert tuple(telling.plan) == plan
    sent = {
        "_id": "dlv_1",
        "status": "sent",
        "plan": list(telling.plan),
        "attempts": {"1": {"channel": "fcm", "state": "sent", "at": NOON}},
        "receipt_wait_s": telling.receipt_wait_s,
        "valid_until": NOON + telling.valid_for,
    }
    if plan[0] == "fcm":
        soon, late = NOON + timedelta(seconds=10), NOON + timedelta(seconds=16)
        assert policy.next_step(sent, ["fcm", "sms"], soon).do == policy.Do.WAIT
        assert policy.next_step(sent, ["fcm", "sms"], late).channel == "sms"
        assert policy.next_step({**sent, "status": "received"}, ["fcm", "sms"], late).do == policy.Do.WAIT
    assert policy.next_step({**sent, "attempts": {}}, ["sms"], NOON).channel == "sms"
