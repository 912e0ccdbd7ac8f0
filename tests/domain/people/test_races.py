"""What comes twice at once happens once: a number's first sign-in, a code, a refresh, a guardian, a second factor."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.errors import Conflict, DomainError
from domain.people import codes, guardians, queries, second_factor, sessions, sign_in, staff
from domain.people.devices import DeviceFacts
from domain.people.documents import ChallengeDoc
from domain.people.sign_in import Lifetimes
from domain.permissions import Held, Role
from tests.factories.people import SECRET, authenticator, phone, signed_in

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LIFE = Lifetimes()

pytestmark = pytest.mark.usefixtures("documents")


def at_once(what: Callable[[int], Any], times: int = 8) -> list[Any]:
    """The answers of so many calls at once; an error stands as its code."""

    def one(number: int) -> Any:
        try:
            return what(number)
        except DomainError as error:
            return error.error_code

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def asked(number: str) -> tuple[str, str]:
    """(challenge id, code) of a fresh challenge."""
    made = sign_in.ask(SECRET, number, key=None, address="", language="ur", life=LIFE, now=NOW)
    return made.challenge_id, codes.otp_code(SECRET, ChallengeDoc.objects(id=made.subject).get())


def test_a_number_becomes_one_person() -> None:
    number = phone()
    people = at_once(lambda _: sign_in.person_for(number, language="ur", now=NOW)["_id"])
    assert len(set(people)) == 1


def test_a_code_opens_one_session() -> None:
    challenge, code = asked(phone())
    found = at_once(
        lambda n: sign_in.sign_in(SECRET, challenge, code, DeviceFacts(f"dev-{n:04d}"), key=None, life=LIFE, now=NOW),
        times=5,
    )
    assert sum(not isinstance(each, str) for each in found) == 1
    assert [each for each in found if isinstance(each, str)] == ["otp_wrong"] * 4


def test_guesses_at_once_are_five_at_most() -> None:
    challenge, code = asked(phone())
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    at_once(lambda _: sign_in.use_code(SECRET, challenge, wrong, key=None, now=NOW), times=12)
    assert ChallengeDoc.objects(id=codes.challenge_id(challenge)).get().tries == 5
    assert at_once(lambda _: sign_in.use_code(SECRET, challenge, code, key=None, now=NOW), times=1) == ["otp_wrong"]


def test_roles_that_change_in_many_places_at_once_all_hold_and_nobody_tries_for_ever() -> None:
    who = signed_in(NOW).person_id

    def one(number: int) -> Any:
        city = f"city{number}"
        return staff.change(who, city=city, roles=[Held(Role.OPERATOR, city)], facts={}, now=NOW).id

    found = at_once(one, times=6)
    done = [each for each in found if each == who]
    assert len(queries.get(who).roles) == len(done) >= 1
    assert set(found) <= {who, "changed_meanwhile"}


def test_a_person_who_keeps_changing_is_a_conflict_not_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    who = signed_in(NOW).person_id
    real, reads = queries.get, []

    def changing(person_id: str) -> Any:
        found = real(person_id)
        reads.append(person_id)
        queries.collection().update_one({"_id": person_id}, {"$inc": {"version": 1}})
        return found

    monkeypatch.setattr(queries, "get", changing)
    with pytest.raises(Conflict) as error:
        staff.change(who, city="lahore", roles=[], facts={}, now=NOW)
    assert (error.value.error_code, len(reads)) == ("changed_meanwhile", 12)


def test_a_refresh_token_renews_once_and_then_ends_the_session() -> None:
    who = signed_in(NOW)
    found = at_once(lambda _: sign_in.refresh(SECRET, who.refresh_token, key=None, life=LIFE, now=NOW))
    assert sum(not isinstance(each, str) for each in found) == 1
    assert {each for each in found if isinstance(each, str)} <= {"refresh_reused", "session_ended"}
    with pytest.raises(DomainError):
        queries.principal(who.person_id, who.session_id, now=NOW)


def test_a_guardian_is_invited_once() -> None:
    who, number = signed_in(NOW), phone()
    at_once(
        lambda _: guardians.add(
            queries.get(who.person_id), "Ammi", number, language="ur", silent=False, secret=SECRET, now=NOW
        ),
        times=4,
    )
    person = queries.get(who.person_id)
    assert len(person.guardians) == 1
    assert len({event["id"] for event in person.pending_events}) == 1
    assert len(person.pending_events) == 1


def test_a_second_factor_code_is_good_once() -> None:
    who = signed_in(NOW)
    code = authenticator(who.person_id, NOW).at(NOW)
    found = at_once(
        lambda _: second_factor.give(queries.get(who.person_id), who.session_id, code, secret=SECRET, now=NOW),
        times=5,
    )
    assert sorted(str(each) for each in found) == ["None"] + ["second_factor_wrong"] * 4


def test_a_session_is_ended_once_and_tells_once() -> None:
    who = signed_in(NOW)
    at_once(lambda _: sessions.end(who.person_id, who.session_id, now=NOW), times=6)
    assert [event["type"] for event in queries.get(who.person_id).pending_events] == ["session.ended"]
