"""Ids sort by time or follow from a key; links are signed, short and revocable."""

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain import ids

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # naive bounds


@given(TIMES, st.integers(min_value=1, max_value=10**9))
def test_later_ids_sort_later(at: datetime, millis: int) -> None:
    later = at + timedelta(milliseconds=millis)
    assert ids.new_id("inc", at) < ids.new_id("inc", later)


def test_ids_of_one_millisecond_differ() -> None:
    made = {ids.new_id("inc", NOW) for _ in range(2000)}
    assert len(made) == 2000
    assert all(re.fullmatch(r"inc_[0-9a-hjkmnp-tv-z]{23}", each) for each in made)


@given(st.lists(st.text(), min_size=1), st.lists(st.text(), min_size=1))
def test_a_derived_id_is_the_same_for_the_same_parts_only(one: list[str], other: list[str]) -> None:
    assert (ids.derived_id("inc", *one) == ids.derived_id("inc", *other)) == (one == other)


def test_parts_cannot_be_shifted_from_one_to_the_next() -> None:
    assert ids.derived_id("inc", "ab", "c") != ids.derived_id("inc", "a", "bc")
    assert ids.derived_id("inc", "1:a") != ids.derived_id("inc", "1", "a")


def test_a_link_is_twelve_characters_and_follows_from_all_that_signs_it() -> None:
    link = ids.link_token("secret", "share", "inc_1", 0)
    assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{12}", link)
    assert link == ids.link_token("secret", "share", "inc_1", 0)
    others = {
        ids.link_token("other", "share", "inc_1", 0),
        ids.link_token("secret", "assignment", "inc_1", 0),
        ids.link_token("secret", "share", "inc_2", 0),
        ids.link_token("secret", "share", "inc_1", 1),
    }
    assert len(others) == 4
    assert link not in others


def test_what_is_stored_of_a_token_does_not_show_it() -> None:
    token = ids.random_token()
    assert len(token) >= 43
    assert token not in ids.token_hash(token)
    assert ids.token_hash(token) == ids.token_hash(token) != ids.token_hash(ids.random_token())
