"""Who reaches what: scopes are places, staff roles need a second factor, and what is out of reach does not exist."""

import pytest

from domain.errors import NotAllowed, NotFound
from domain.permissions import STAFF, Held, Principal, Role, Scope, Target, reaches, require, require_reach, scopes


def who(*roles: Held, second_factor: bool = True, unit_id: str = "") -> Principal:
    return Principal("per_1", "ses_1", "lahore", roles, second_factor, unit_id)


def test_everybody_is_a_citizen() -> None:
    assert scopes(who(), "me.read") == {Scope.SELF}
    assert reaches(who(), "sos.read", Target(person_ids=frozenset({"per_1"})))
    assert not reaches(who(), "sos.read", Target(city="lahore", person_ids=frozenset({"per_2"})))


def test_a_city_role_stops_at_the_city() -> None:
    operator = who(Held(Role.OPERATOR, "lahore"))
    assert reaches(operator, "incident.edit", Target(city="lahore"))
    assert not reaches(operator, "incident.edit", Target(city="karachi"))
    assert not reaches(operator, "incident.edit", Target())
    with pytest.raises(NotFound):
        require_reach(operator, "incident.edit", Target(city="karachi"))
    assert reaches(who(Held(Role.ADMIN, "*")), "unit.edit", Target(city="karachi"))


def test_an_agency_role_stops_at_the_agency() -> None:
    supervisor = who(Held(Role.SUPERVISOR, "lahore", "rescue_1122"))
    assert reaches(supervisor, "incident.edit", Target(city="lahore", agency_ids=frozenset({"rescue_1122", "edhi"})))
    assert not reaches(supervisor, "incident.edit", Target(city="lahore", agency_ids=frozenset({"edhi"})))


def test_a_group_role_stops_at_the_group() -> None:
    deputy = who(Held(Role.DEPUTY, "lahore", group_id="grp_1"), second_factor=False)
    assert reaches(deputy, "watch.coordinate", Target(city="lahore", group_id="grp_1"))
    assert not reaches(deputy, "watch.coordinate", Target(city="lahore", group_id="grp_2"))
    assert not reaches(deputy, "watch.coordinate", Target(city="lahore"))


def test_a_responder_reaches_what_is_assigned_to_the_unit() -> None:
    responder = who(Held(Role.RESPONDER, "lahore", "rescue_1122"), second_factor=False, unit_id="unt_1")
    assert reaches(responder, "incident.read", Target(city="lahore", unit_ids=frozenset({"unt_1"})))
    assert not reaches(responder, "incident.read", Target(city="lahore", unit_ids=frozenset({"unt_2"})))
    offline = who(Held(Role.RESPONDER, "lahore", "rescue_1122"))
    assert not reaches(offline, "incident.read", Target(city="lahore", unit_ids=frozenset({""})))


@pytest.mark.parametrize("role", sorted(STAFF))
def test_staff_without_a_second_factor_are_citizens(role: Role) -> None:
    action = next(
        action
        for action in ("incident.read", "helpline.answer", "insights.read", "staff.edit", "review.answer")
        if scopes(who(Held(role, "lahore")), action)
    )
    with pytest.raises(NotAllowed) as refused:
        require(who(Held(role, "lahore"), second_factor=False), action)
    assert refused.value.error_code == "second_factor_needed"


def test_who_never_may_is_told_so() -> None:
    with pytest.raises(NotAllowed) as refused:
        require(who(), "staff.edit")
    assert refused.value.error_code == "not_allowed"


def test_an_admin_sees_no_case() -> None:
    for action in ("incident.read", "sos.read", "helpline.answer", "evidence.read", "audit.read"):
        assert Scope.CITY not in scopes(who(Held(Role.ADMIN, "*")), action)
