"""Whatever a carrier might pass on: no webhook ever breaks, and what came to the SOS number is an SOS."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.small_city import SOS, SmallCity

junk = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["\x00", "+92300", "anonymous", "9" * 400, "1a", "SOS 1e9,1e9", 'A"ML=1;lt=', "$ne", "../..", "{}"]
    ),
)


QUERIES = st.sampled_from(["", "?ask=1", "?sos=inc_x", "?sos=", "?delivery=x&attempt=y"])


@pytest.fixture(autouse=True)
def idle(small_city: SmallCity) -> Iterator[None]:
    """Only the webhooks are looked at; jobs on other threads would disturb hypothesis's own randomness."""
    small_city.idle = True
    yield
    small_city.idle = False


def seen(params: dict[str, str]) -> dict[str, str]:
    """What can be sent in a form: no halves of surrogate pairs."""
    return {name: value.encode("utf-8", "ignore").decode() for name, value in params.items()}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sender=junk, body=junk, sid=junk, to=st.one_of(st.just(SOS), junk))
def test_any_sms_is_answered(small_city: SmallCity, sender: str, body: str, sid: str, to: str) -> None:
    answer = small_city.webhook("sms", seen({"From": sender, "To": to, "Body": body, "MessageSid": sid}))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/xml; charset=utf-8")
    assert "cannot take your message" not in answer.text
    if to == SOS and not body.strip().lower().endswith("a"):
        assert small_city.open_incidents()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sender=junk, sid=junk, to=st.one_of(st.just(SOS), junk), digits=junk, query=QUERIES)
def test_any_call_is_answered(small_city: SmallCity, sender: str, sid: str, to: str, digits: str, query: str) -> None:
    params = seen({"From": sender, "To": to, "CallSid": sid, "Digits": digits})
    answer = small_city.webhook(f"voice{query}", params)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/xml; charset=utf-8")
    assert "Redirect" not in answer.text


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(word=junk, code=junk, sid=st.sampled_from(["CallSid", "MessageSid"]))
def test_any_report_is_taken(small_city: SmallCity, word: str, code: str, sid: str) -> None:
    params = seen({sid: "x", "CallStatus": word, "MessageStatus": word, "ErrorCode": code})
    assert small_city.webhook("status?delivery=dlv_x&attempt=1", params).status_code == 204
