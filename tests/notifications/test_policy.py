"""What to do next about a delivery, as tables: what was tried, what is known of it, and how long ago."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deliveries.states import ENDED, AttemptState
from notifications import policy
from notifications.policy import TRIES_A_CHANNEL, Do, Route, Step, next_step

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALL = ("fcm", "sms", "voice")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def delivery(*attempts: dict[str, Any], plan: tuple[str, ...] = ("fcm", "sms"), **fields: Any) -> dict[str, Any]:
    return {
        "status": "sent" if attempts else "queued",
        "plan": list(plan),
        "attempts": {str(number): attempt for number, attempt in enumerate(attempts, start=1)},
        "receipt_wait_s": 5,
        "valid_until": NOON + timedelta(minutes=10),
        **fields,
    }


def tried(channel: str, state: str, seconds: float = 0, **more: Any) -> dict[str, Any]:
    return {"channel": channel, "state": state, "at": at(seconds), **more}


def step(row: dict[str, Any], seconds: float, reachable: tuple[str, ...] = ALL) -> Step:
    return next_step(row, reachable, at(seconds))


# --- the first try ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "reachable", "expected"),
    [
        (("fcm", "sms"), ALL, Step(Do.SEND, channel="fcm")),
        (("fcm", "sms"), ("sms", "voice"), Step(Do.SEND, channel="sms")),
        (("fcm",), ("sms",), Step(Do.GIVE_UP, reason="no_address")),
        (("fcm", "sms"), (), Step(Do.GIVE_UP, reason="no_address")),
    ],
)
def test_the_first_channel_with_an_address_is_tried_first(
    plan: tuple[str, ...], reachable: tuple[str, ...], expected: Step
) -> None:
    assert step(delivery(plan=plan), 0, reachable) == expected


def test_what_no_longer_matters_is_not_sent() -> None:
    assert step(delivery(), 600) == Step(Do.GIVE_UP, reason="expired")


@pytest.mark.parametrize("status", sorted(ENDED))
def test_what_has_ended_is_left_alone(status: str) -> None:
    assert step(delivery(tried("fcm", "permanent"), status=status), 700) == Step(Do.WAIT)


# --- receipts --------------------------------------------------------------------------------------------------------


def test_a_push_without_receipt_is_followed_by_an_sms_and_not_before() -> None:
    row = delivery(tried("fcm", "sent"))
    assert step(row, 4.9) == Step(Do.WAIT, until=at(5))
    assert step(row, 5) == Step(Do.SEND, channel="sms")


@pytest.mark.parametrize("state", ["sent", "delivered"])
def test_the_last_channel_waits_for_its_receipt(state: str) -> None:
    assert step(delivery(tried("fcm", "sent"), tried("sms", state, 5)), 500) == Step(Do.WAIT)


@pytest.mark.parametrize(
    ("state", "seconds", "expected"),
    [
        ("sent", 24, Step(Do.WAIT, until=at(25))),
        ("sent", 25, Step(Do.SEND, channel="voice")),
        ("delivered", 500, Step(Do.WAIT)),
    ],
)
def test_an_sms_that_the_network_delivered_is_not_followed_by_a_call(
    state: str, seconds: float, expected: Step
) -> None:
    row = delivery(tried("fcm", "sent"), tried("sms", state, 5), plan=ALL)
    assert step(row, seconds) == expected


# --- failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["temporary", "permanent"])
def test_a_channel_that_fails_is_left_at_once_for_the_next(state: str) -> None:
    row = delivery(tried("fcm", state, retry_at=at(30), done_at=at(1)))
    assert step(row, 1) == Step(Do.SEND, channel="sms")


def test_a_dead_token_leaves_the_number() -> None:
    row = delivery(tried("fcm", "permanent", done_at=at(1)))
    assert step(row, 1, ("sms",)) == Step(Do.SEND, channel="sms")
    assert step(row, 1, ()) == Step(Do.GIVE_UP, reason="no_address")


@pytest.mark.parametrize("state", ["permanent", "temporary", "unknown"])
def test_a_number_that_died_meanwhile_is_left_for_what_stands_behind_it_and_nothing_is_said_twice(state: str) -> None:
    row = delivery(tried("fcm", "sent"), tried("sms", state, 5, code="not_mobile", done_at=at(6)), plan=ALL)
    assert step(row, 60, ("fcm", "voice")) == Step(Do.SEND, channel="voice")
    assert step(row, 60, ("fcm",)) == Step(Do.GIVE_UP, reason="not_mobile")
    assert step(row, 60, ()) == Step(Do.GIVE_UP, reason="not_mobile")


def test_the_last_channel_is_tried_again_when_the_carrier_said() -> None:
    row = delivery(tried("sms", "temporary", retry_at=at(8), done_at=at(1)), plan=("sms",))
    assert step(row, 7) == Step(Do.WAIT, until=at(8))
    assert step(row, 8) == Step(Do.SEND, channel="sms")


def test_a_failure_that_the_network_reports_later_is_not_answered_in_the_same_second() -> None:
    row = delivery(tried("sms", "temporary", reported_at=at(40), done_at=at(1)), plan=("sms",))
    assert step(row, 40) == Step(Do.WAIT, until=at(41))
    assert step(row, 41) == Step(Do.SEND, channel="sms")


def test_the_last_channel_is_given_up_after_its_tries() -> None:
    tries = [tried("sms", "temporary", n, code="carrier_down", done_at=at(n)) for n in range(TRIES_A_CHANNEL)]
    assert step(delivery(*tries[:-1], plan=("sms",)), 300).do == Do.SEND
    assert step(delivery(*tries, plan=("sms",)), 300) == Step(Do.GIVE_UP, reason="carrier_down")


def test_a_permanent_failure_of_the_last_channel_says_why() -> None:
    row = delivery(tried("sms", "permanent", code="not_mobile"), plan=("sms",))
    assert step(row, 1) == Step(Do.GIVE_UP, reason="not_mobile")


# --- unknown outcomes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["sms", "voice"])
@pytest.mark.parametrize("state", ["unknown", "sending"])
def test_nothing_is_sent_again_before_the_carrier_was_asked(channel: str, state: str) -> None:
    row = delivery(tried(channel, state), plan=(channel, "fcm"))
    assert step(row, 0.5).do == Do.WAIT
    assert step(row, 9) == Step(Do.RECONCILE, channel=channel, number=1)
    # Even when it no longer matters: whether they were told must be known.
    assert step(row, 700) == Step(Do.RECONCILE, channel=channel, number=1)


def test_a_carrier_that_cannot_be_asked_is_asked_again_after_a_pause() -> None:
    row = delivery(tried("sms", "unknown", retry_at=at(20), done_at=at(20)), plan=("sms",))
    assert step(row, 20) == Step(Do.WAIT, until=at(21))
    assert step(row, 21).do == Do.RECONCILE


def test_a_push_of_unknown_outcome_is_followed_by_an_sms_at_once() -> None:
    assert step(delivery(tried("fcm", "unknown", done_at=at(3), retry_at=at(3))), 3) == Step(Do.SEND, channel="sms")


def test_a_push_alone_is_repeated_with_pauses_and_not_for_ever() -> None:
    tries = [tried("fcm", "unknown", n, done_at=at(n), retry_at=at(n)) for n in range(TRIES_A_CHANNEL)]
    assert step(delivery(tries[0], plan=("fcm",)), 0) == Step(Do.WAIT, until=at(1))
    assert step(delivery(tries[0], plan=("fcm",)), 1) == Step(Do.SEND, channel="fcm")
    assert step(delivery(*tries, plan=("fcm",)), 500).do == Do.GIVE_UP


def test_an_attempt_under_way_is_left_to_its_process() -> None:
    """A push whose process died costs no more than one without a receipt; an SMS is looked for before it is repeated."""
    push = delivery(tried("fcm", "sending"))
    assert step(push, 4.9) == Step(Do.WAIT, until=at(5))
    assert step(push, 5) == Step(Do.SEND, channel="sms")
    hasty = delivery(tried("fcm", "sending"), receipt_wait_s=2)
    assert step(hasty, 3.9) == Step(Do.WAIT, until=at(4))
    sms = delivery(tried("sms", "sending"))
    assert step(sms, 7.9) == Step(Do.WAIT, until=at(8))
    assert step(sms, 8) == Step(Do.RECONCILE, channel="sms", number=1)


# --- gateways --------------------------------------------------------------------------------------------------------

BOTH = Route(("one", "two"), ("one", "two"))
FIRST_AWAY = Route(("one", "two"), ("two",))
AWAY = Route(("one", "two"), (), at(20))


def through(row: dict[str, Any], seconds: float, **routes: Route) -> Step:
    return next_step(row, ALL, at(seconds), routes)


@pytest.mark.parametrize(
    ("route", "gateway"), [(BOTH, "one"), (FIRST_AWAY, "two"), (Route(("two", "one"), ("two", "one")), "two")]
)
def test_the_first_gateway_that_is_not_down_is_asked(route: Route, gateway: str) -> None:
    assert through(delivery(plan=("sms",)), 0, sms=route) == Step(Do.SEND, channel="sms", gateway=gateway)


@pytest.mark.parametrize(
    ("state", "code", "goes_to"),
    [
        ("temporary", "carrier_down", ("sms", "two")),
        ("temporary", "not_connected", ("sms", "two")),
        ("temporary", "rate_limited", ("sms", "two")),
        ("temporary", "not_taken", ("sms", "two")),  # unknown before, and the carrier does not have it
        ("permanent", "rejected", ("sms", "two")),
        ("temporary", "unreachable", ("voice", "")),  # the phone is off, whoever asks for it
        ("permanent", "not_mobile", ("voice", "")),
        ("permanent", "opted_out", ("voice", "")),  # nobody goes round a "stop" by another carrier
    ],
)
def test_what_one_gateway_did_not_take_the_next_one_gets_at_once(
    state: str, code: str, goes_to: tuple[str, str]
) -> None:
    row = delivery(tried("sms", state, code=code, gateway="one", done_at=at(1), retry_at=at(60)), plan=("sms", "voice"))
    assert through(row, 1, sms=BOTH) == Step(Do.SEND, channel=goes_to[0], gateway=goes_to[1])


def test_after_both_gateways_the_next_channel_has_its_turn() -> None:
    tries = [tried("sms", "temporary", n, code="carrier_down", gateway=name, done_at=at(n)) for n, name in
             enumerate(("one", "two"))]  # fmt: skip
    assert through(delivery(*tries, plan=("sms", "voice")), 2, sms=BOTH) == Step(Do.SEND, channel="voice")
    assert through(delivery(*tries, plan=("sms",)), 2, sms=BOTH).do == Do.SEND
    assert through(delivery(*tries, plan=("sms",)), 1.5, sms=BOTH) == Step(Do.WAIT, until=at(2))


@pytest.mark.parametrize("state", ["unknown", "sending"])
def test_nothing_goes_to_the_second_gateway_before_the_first_was_asked_what_became_of_it(state: str) -> None:
    row = delivery(tried("sms", state, gateway="one"), plan=("sms", "voice"))
    for route in (BOTH, FIRST_AWAY, AWAY):
        assert through(row, 30, sms=route) == Step(Do.RECONCILE, channel="sms", number=1)


def test_where_every_gateway_is_down_the_next_channel_is_taken_at_once() -> None:
    assert through(delivery(plan=("sms", "voice")), 0, sms=AWAY) == Step(Do.SEND, channel="voice")
    row = delivery(tried("fcm", "sent"), plan=ALL)
    assert through(row, 5, sms=AWAY) == Step(Do.SEND, channel="voice")


def test_where_nothing_else_is_left_news_waits_and_an_alarm_does_not() -> None:
    assert through(delivery(plan=("sms",)), 0, sms=AWAY) == Step(Do.WAIT, until=at(20))
    alarm = delivery(plan=("sms",), life_critical=True)
    assert through(alarm, 0, sms=AWAY) == Step(Do.SEND, channel="sms", gateway="one")


# --- what worked last -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "worked", "order"),
    [
        (ALL, "", ALL),
        (ALL, "fcm", ALL),
        (ALL, "sms", ("sms", "fcm", "voice")),
        (ALL, "voice", ALL),  # a call wakes the house
        (("voice", "sms"), "sms", ("voice", "sms")),  # and is first where it is meant to
        (("fcm",), "sms", ("fcm",)),
    ],
)
def test_what_reached_somebody_last_is_where_it_begins(
    plan: tuple[str, ...], worked: str, order: tuple[str, ...]
) -> None:
    assert policy.order(plan, worked) == order


def test_an_sms_before_a_push_is_given_no_longer_than_a_push() -> None:
    row = delivery(tried("sms", "sent"), plan=("sms", "fcm", "voice"))
    assert step(row, 4.9) == Step(Do.WAIT, until=at(5))
    assert step(row, 5) == Step(Do.SEND, channel="fcm")


@pytest.mark.parametrize(
    ("channels", "receipt", "learned"),
    [
        (("fcm",), "fcm", None),  # as always: nothing is written for it
        (("fcm", "sms"), "sms", "sms"),
        (("fcm", "sms"), "fcm", ""),  # late, and yet: the phone answers
        (("sms", "fcm"), "fcm", ""),
        (("sms",), "sms", None),  # no push was tried, so none was missed
        (("fcm", "sms", "voice"), "voice", None),
    ],
)
def test_a_receipt_teaches_where_another_channel_was_tried_before(
    channels: tuple[str, ...], receipt: str, learned: str | None
) -> None:
    assert policy.lesson(delivery(*(tried(channel, "sent") for channel in channels)), receipt) == learned


# --- in general ------------------------------------------------------------------------------------------------------

ATTEMPTS = st.lists(
    st.builds(
        tried,
        st.sampled_from(ALL),
        st.sampled_from(sorted(AttemptState)),
        st.integers(0, 600),
        done_at=st.none() | st.integers(0, 600).map(at),
        retry_at=st.none() | st.integers(0, 1200).map(at),
    ),
    max_size=8,
)


@given(
    ATTEMPTS,
    st.permutations(ALL).flatmap(lambda order: st.integers(1, 3).map(lambda size: tuple(order[:size]))),
    st.sets(st.sampled_from(ALL)),
    st.integers(0, 2000),
)
def test_every_delivery_has_a_next_step_that_makes_sense(
    attempts: list[dict[str, Any]], plan: tuple[str, ...], reachable: set[str], seconds: int
) -> None:
    decided = step(delivery(*attempts, plan=plan), seconds, tuple(reachable))
    if decided.do == Do.SEND:
        assert decided.channel in reachable
        assert decided.channel in plan
        assert seconds < 600
        last = attempts[-1] if attempts else tried("fcm", "sent")
        askable = last["channel"] in plan and last["channel"] in reachable and last["channel"] != "fcm"
        assert last["state"] != "unknown" or not askable
    elif decided.do == Do.WAIT:
        assert decided.until is None or decided.until > at(seconds)
    elif decided.do == Do.GIVE_UP:
        assert decided.reason
    else:
        assert decided.number == len(attempts)


@given(st.integers(1, 50), st.floats(0, 1), st.none() | st.floats(0, 3600))
def test_the_pause_grows_to_a_minute_and_never_ends_before_the_carriers_word(
    tries: int, jitter: float, retry_after: float | None
) -> None:
    pause = policy.backoff(tries, jitter, retry_after).total_seconds()
    assert pause >= (retry_after or 0) - 1e-6
    plain = min(60, 2 ** (tries - 1))
    assert 0.75 * plain - 1e-6 <= pause <= max(1.25 * plain, retry_after or 0) + 1e-6
