"""The keys of days: what is kept of an unlisted plate can be found while its day is kept, and by nobody afterwards."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from domain.vault.errors import Destroyed
from domain.vault.ports import KeysUnavailable
from domain.vault.service import Vault, vault_keys
from domain.watchlists.hashing import DayKeys, Hashed, forget_keys
from runtime.vault import KeyRing

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
OLD, NEW, INDEX = os.urandom(32), os.urandom(32), os.urandom(32)
PLATE = "LEA-19 4052"


def keys(city: str = "lahore", **ring: bytes) -> DayKeys:
    return DayKeys(Vault(KeyRing(ring or {"a": OLD}), INDEX), city)


def asked(plate: str, at: datetime, among: DayKeys | None = None) -> Hashed | None:
    return next(iter((among or keys()).span(plate, at, at)), None)


@pytest.mark.usefixtures("documents")
class TestDayKeys:
    def test_one_day_is_one_key_whoever_makes_it_and_no_other_day_or_city_has_it(self) -> None:
        with ThreadPoolExecutor(8) as pool:  # eight workers read the first plate of the day
            made = set(pool.map(lambda _: keys().hashed(PLATE, NOW, now=NOW), range(8)))
        (today,) = made
        assert asked("lea 194O52", NOW) == today, "O is 0"
        other = asked("LEA 19 40S2", NOW)
        assert other
        assert (other.alike == today.alike, other.exact == today.exact) == (True, False), "S is like 5"
        tomorrow = keys().hashed(PLATE, NOW + timedelta(days=1), now=NOW)
        assert keys().span(PLATE, NOW, NOW + timedelta(days=3)) == [today, tomorrow]
        elsewhere = keys("karachi").hashed(PLATE, NOW, now=NOW)
        assert len({*today, *tomorrow, *elsewhere}) == 6

    def test_to_look_makes_no_key(self) -> None:
        assert asked(PLATE, NOW) is None
        assert not list(vault_keys().find({}))

    def test_the_key_of_a_day_that_is_over_is_destroyed_and_never_made_again(self) -> None:
        week = [NOW + timedelta(days=day) for day in range(3)]
        for at in week:
            keys().hashed(PLATE, at, now=at)
            keys("karachi").hashed(PLATE, at, now=at)
        vault = Vault(KeyRing({"a": OLD}), INDEX)
        before = week[1].replace(hour=23, minute=59)
        assert forget_keys("lahore", before, vault, now=week[2]) == 1, "the second day is not over yet"
        assert forget_keys("lahore", before, vault, now=week[2]) == 0
        assert [asked(PLATE, at) is None for at in week] == [True, False, False]
        assert asked(PLATE, week[0], keys("karachi")), "each city has its own days"
        held = vault_keys().find_one({"_id": "plates:lahore:2026-11-23"}) or {}
        assert "wrapped" not in held
        with pytest.raises(Destroyed):
            keys().hashed(PLATE, week[0], now=week[2])

    def test_master_keys_change_and_the_hashes_stay(self) -> None:
        made = keys(a=OLD).hashed(PLATE, NOW, now=NOW)
        assert asked(PLATE, NOW, keys(b=NEW, a=OLD)) == made
        assert Vault(KeyRing({"b": NEW, "a": OLD}), INDEX).rotate(now=NOW) == 1
        assert asked(PLATE, NOW, keys(b=NEW)) == made, "the former master key may go"
        with pytest.raises(KeysUnavailable):
            asked(PLATE, NOW, keys(a=OLD))
