"""Who left a group or was taken out a moment ago is not brought back by whoever knew them as a member."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from domain.errors import DomainError
from domain.people import queries as people
from domain.watch import founding, leading, levels, queries, service
from domain.watch.errors import MemberNotFound
from domain.watch.queries import Group, Member
from domain.watch.states import GroupRole, GroupStatus, Standing
from domain.watch.writing import belongs, put, stands

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SECRET = "s" * 40

pytestmark = pytest.mark.usefixtures("documents")


@pytest.fixture
def group() -> Group:
    """A group that Asma leads."""
    made: Group = {
        "_id": "wgr_1", "city": "lahore", "name": "Block C", "status": str(GroupStatus.ACTIVE), "coordinator": "per_asma",
        "rules_version": 1, "link_generation": 0, "changed_at": NOW, "version": 1,
    }  # fmt: skip
    queries.groups().insert_one(made)
    for name in ("per_asma", "per_bilal"):
        people.collection().insert_one({"_id": name, "roles": [], "version": 1})
    comes(made, "per_asma", GroupRole.COORDINATOR)
    return made


def comes(group: Group, person: str, role: GroupRole = GroupRole.MEMBER) -> Member:
    return put(group, person, lambda _: stands(role, Standing.MEMBER), by=person, now=NOW)


def standing(group: Group, person: str = "per_bilal") -> str:
    return str((queries.membership(group["_id"], person) or {}).get("standing") or "")


def leave(group: Group) -> None:
    service.leave(group, "per_bilal", now=NOW)


def remove(group: Group) -> None:
    service.remove(group, "per_bilal", by="per_asma", reason="Threats", now=NOW)


GOES: list[tuple[Callable[[Group], None], str]] = [(leave, ""), (remove, "removed")]
STEPS: list[Callable[[Group], Any]] = [
    lambda group: levels.vouch(group, "per_bilal", by="per_asma", now=NOW),
    lambda group: levels.door_code(group, "per_bilal", by="per_asma", secret=SECRET, now=NOW),
    lambda group: leading.appoint(group, "per_bilal", GroupRole.DEPUTY, by="per_asma", now=NOW),
]


@pytest.mark.parametrize(("goes", "left"), GOES, ids=["leaves", "is taken out"])
def test_what_was_decided_of_a_member_is_not_written_of_who_went_meanwhile(
    group: Group, goes: Callable[[Group], None], left: str
) -> None:
    comes(group, "per_bilal")

    def slowly(held: Member | None) -> Mapping[str, Any]:
        here = belongs(held)
        goes(group)
        return {"level": "coordinator", "role": here["role"], "standing": here["standing"]}

    with pytest.raises(MemberNotFound):
        put(group, "per_bilal", slowly, by="per_asma", now=NOW)
    assert standing(group) == left


def test_nor_of_who_went_and_came_again(group: Group) -> None:
    comes(group, "per_bilal")
    seen: list[Member] = []

    def slowly(held: Member | None) -> Mapping[str, Any]:
        seen.append(belongs(held))
        if len(seen) == 1:
            leave(group)
            later = NOW + timedelta(minutes=1)
            put(group, "per_bilal", lambda _: stands(GroupRole.MEMBER, Standing.MEMBER), by="per_bilal", now=later)
        return {"level": "coordinator"}

    put(group, "per_bilal", slowly, by="per_asma", now=NOW)
    assert [each["since"] for each in seen] == [NOW, NOW + timedelta(minutes=1)]


@pytest.mark.parametrize("step", STEPS, ids=["vouched for", "a letter", "a deputy"])
@pytest.mark.parametrize(("goes", "left"), GOES, ids=["leaves", "is taken out"])
def test_at_one_moment(group: Group, goes: Callable[[Group], None], left: str, step: Callable[[Group], Any]) -> None:
    for _ in range(6):
        queries.members().delete_one({"person": "per_bilal"})
        comes(group, "per_bilal")
        together = Barrier(2)

        def run(what: Callable[[Group], Any], together: Barrier = together) -> None:
            together.wait(10)
            with suppress(DomainError):
                what(group)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(run, [goes, step]))
        assert standing(group) == left
        roles = (people.collection().find_one({"_id": "per_bilal"}) or {})["roles"]
        assert roles == [], "nor has power over the group"


def test_a_group_whose_new_coordinator_went_meanwhile_has_its_old_one(group: Group) -> None:
    comes(group, "per_bilal")
    stale = queries.get(group["_id"])
    service.leave(stale, "per_bilal", now=NOW)
    with pytest.raises(MemberNotFound):
        leading.appoint(stale, "per_bilal", GroupRole.COORDINATOR, by="per_asma", now=NOW)
    assert queries.get(group["_id"])["coordinator"] == "per_asma"


def test_of_two_letters_at_one_moment_one_code_opens(group: Group) -> None:
    comes(group, "per_bilal")
    together = Barrier(4)

    def letter(_: int) -> str:
        together.wait(10)
        return levels.door_code(group, "per_bilal", by="per_asma", secret=SECRET, now=NOW)

    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(letter, range(4)))
    assert len(set(codes)) == 4, "no two letters have one generation"
    held = queries.membership(group["_id"], "per_bilal") or {}
    assert held["door"]["generation"] == 4


def test_a_closed_group_s_member_is_not_vouched_for(group: Group) -> None:
    held = comes(group, "per_bilal")

    def slowly(now_held: Member | None) -> Mapping[str, Any]:
        belongs(now_held)
        founding.end_memberships([held], keep=timedelta(days=90), now=NOW)
        return {"level": "coordinator"}

    with pytest.raises(MemberNotFound):
        put(group, "per_bilal", slowly, by="per_asma", now=NOW)
    assert standing(group) == "closed"
