"""A silent SOS, from the start or by a duress PIN: no sound, no SMS and no call ever reaches its citizen's phone."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.deliveries import service as deliveries
from domain.deliveries.service import Recipient, Telling
from domain.incidents import cancelling, rules
from domain.incidents import service as incidents
from domain.people import devices
from domain.people.devices import DeviceFacts
from domain.people.states import PinMatch
from notifications.deliveries import Post, advance
from notifications.messages import Address, Message, Sent
from tests.factories.people import Signed, signed_in
from tests.fakes.small_city import SmallCity


class Recorder:
    """A channel that takes everything and keeps it."""

    name = "recorder"

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def send(self, message: Message, *, timeout_s: float) -> Sent:
        self.sent.append(message)
        return Sent(f"id{len(self.sent)}", 1)


@pytest.fixture
def citizen(small_city: SmallCity) -> Signed:
    """A citizen whose phone has the app."""
    return with_phone(small_city)


def with_phone(small_city: SmallCity) -> Signed:
    person = signed_in(small_city.now(), language="en")
    facts = DeviceFacts("dev1", token=f"tok-{person.person_id}")
    devices.bind(person.person_id, person.session_id, facts, now=small_city.now())
    return person


def news(city: SmallCity, citizen: Signed, incident: str) -> str:
    """That somebody took her SOS, planned while nothing was silent: by push, then by SMS, then by a call."""
    telling = Telling(
        key=f"news-{incident}", city="lahore", purpose="incident_updated", subject=incident,
        recipient=Recipient("person", citizen.person_id), plan=("fcm", "sms", "voice"), valid_for=timedelta(hours=1),
        refs={"status": "acknowledged"},
    )  # fmt: skip
    return str(deliveries.write_down(telling, now=city.now())[0]["_id"])


def run(city: SmallCity, delivery: str) -> dict[str, list[Message]]:
    """Everything that goes out for a delivery when no receipt ever comes."""
    channels = {name: Recorder() for name in ("fcm", "sms", "voice")}
    ahead = timedelta(0)
    for _ in range(8):
        advance(delivery, Post(city.settings, lambda: city.now() + ahead, channels))  # type: ignore[arg-type]  # noqa: B023
        ahead += timedelta(seconds=30)
    return {name: channel.sent for name, channel in channels.items()}


def raised(city: SmallCity, citizen: Signed, **body: Any) -> str:
    incident = str(city.sos(**body)["id"])
    incidents.incidents().update_one({"_id": incident}, {"$set": {"citizen.person": citizen.person_id}})
    city.settle()
    return incident


def test_an_open_sos_may_ring(small_city: SmallCity, citizen: Signed) -> None:
    sent = run(small_city, news(small_city, citizen, raised(small_city, citizen)))
    assert [len(sent[name]) for name in ("fcm", "sms", "voice")] == [1, 1, 1]
    assert not sent["fcm"][0].quiet
    assert "has taken your call" in sent["sms"][0].text


def test_on_a_silent_sos_a_push_makes_no_sound_and_nothing_follows_it(small_city: SmallCity, citizen: Signed) -> None:
    sent = run(small_city, news(small_city, citizen, raised(small_city, citizen, silent=True)))
    assert (len(sent["sms"]), len(sent["voice"])) == (0, 0)
    assert sent["fcm"]
    assert all(each.quiet and each.body == "There is news for you." for each in sent["fcm"])


def test_an_sos_that_she_makes_silent_stops_what_was_planned(small_city: SmallCity, citizen: Signed) -> None:
    incident = raised(small_city, citizen)
    delivery = news(small_city, citizen, incident)
    incidents.change(incident, lambda draft: rules.learn(draft, {"silent": True}), now=small_city.now())
    sent = run(small_city, delivery)
    assert (len(sent["sms"]), len(sent["voice"])) == (0, 0)
    assert all(each.quiet for each in sent["fcm"])


@pytest.mark.parametrize("silent", [False, True])
def test_after_too_many_wrong_pins_the_phone_hears_the_same_whichever_came_last(
    small_city: SmallCity, silent: bool
) -> None:
    heard = []
    for forced in (False, True):
        person = with_phone(small_city)
        incident = raised(small_city, person, silent=silent)
        incidents.change(
            incident,
            lambda draft, match=_LAST[forced]: cancelling._refuse(draft, match, None, small_city.now(), None),  # type: ignore[misc]
            now=small_city.now(),
        )
        assert ("duress" in incidents.get(incident)["flags"]) is forced
        sent = run(small_city, news(small_city, person, incident))
        heard.append({name: [plainly(each) for each in messages] for name, messages in sent.items()})
    assert heard[0] == heard[1]
    assert len(heard[0]["sms"]) == (0 if silent else 1)


_LAST = {False: PinMatch.SAFE, True: PinMatch.DURESS}


def plainly(message: Message) -> Message:
    """A message without what differs by its ids: who gets it, its key, its link."""
    data = {name: value for name, value in message.data.items() if not name.endswith(("_id", "_token"))}
    text = re.sub(r"/t/[0-9a-z]{12}", "/t/", message.text.replace(message.nonce, ""))
    return replace(
        message,
        key="",
        nonce="",
        to=Address(message.to.kind, ""),
        data=data,
        text=text,
        status_url=None,
        twiml_url=None,
        collapse="",
    )


def test_after_a_cancel_with_either_pin_the_phone_is_left_alone(small_city: SmallCity, citizen: Signed) -> None:
    outcomes = []
    for rule in (rules.cancel, rules.duress):
        incident = raised(small_city, citizen)
        delivery = news(small_city, citizen, incident)
        incidents.change(incident, lambda draft, rule=rule: rule(draft, by=None), now=small_city.now())  # type: ignore[misc]
        sent = run(small_city, delivery)
        found = deliveries.get(delivery)
        outcomes.append((found["status"], found["reason"], [len(each) for each in sent.values()]))
    assert outcomes == [("suppressed", "cancelled", [0, 0, 0])] * 2
