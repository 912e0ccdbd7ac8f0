"""Many at once: one counsellor gets a request, messages take one order without gaps, and a second run changes nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.cities.presets import PRESETS
from domain.cities.service import load_preset
from domain.errors import DomainError
from domain.helpline import cases, casework, chat, danger, erasing, joining, line, returning, rules
from domain.helpline import service as helpline
from domain.helpline.errors import AlreadyClaimed, RequestNotFound
from domain.helpline.service import Asked, KeyUsedOtherwise
from domain.helpline.states import Consent, Danger, Outcome, Side, Stage, Track
from domain.reviews import service as reviews
from domain.reviews.errors import AnsweredAlready, OwnQuestion
from domain.reviews.states import ReviewKind, ReviewStatus, Said
from domain.vault.errors import Destroyed
from domain.vault.service import Vault
from runtime.vault import KeyRing

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
KEYS = Vault(KeyRing({"a": b"a" * 32}), b"i" * 32)

pytestmark = pytest.mark.usefixtures("documents")


def asked(**named: Any) -> dict[str, Any]:
    return helpline.ask(Asked(city="lahore", **named), KEYS, now=NOW)[0]


def test_one_counsellor_gets_it_however_many_try() -> None:
    doc = asked()

    def claim(who: int) -> str:
        try:
            helpline.change(doc["_id"], lambda found: rules.claim(found, f"per_{who}", NOW), now=NOW)
        except AlreadyClaimed:
            return ""
        return f"per_{who}"

    with ThreadPoolExecutor(8) as pool:
        won = list(filter(None, pool.map(claim, range(8))))
    assert len(won) == 1
    after = helpline.get(doc["_id"])
    assert after["counsellor"] == won[0]
    assert sum(each["kind"] == "claimed" for each in after["log"]) == 1
    assert sum(each["type"] == "helpline.claimed" for each in after["pending_events"]) == 1


def test_messages_that_come_at_once_take_one_order_without_gaps() -> None:
    doc = asked()
    box = KEYS.box(doc["_id"])

    def write(n: int) -> int:
        key = str(n // 2)  # each is sent twice, as a phone does that saw no answer
        message, _ = chat.write(doc, box, key, side=Side.CITIZEN, by="citizen", key=key, now=NOW)
        return int(message["seq"])

    with ThreadPoolExecutor(8) as pool:
        places = list(pool.map(write, range(24)))
    assert sorted(set(places)) == list(range(1, 13))
    held = chat.after(doc["_id"], 0, limit=100)
    assert [each["seq"] for each in held] == list(range(1, 13))
    assert sorted(chat.view(each, box)["text"] for each in held) == sorted(str(n) for n in range(12))


def test_a_retry_is_the_same_request_and_another_body_is_refused() -> None:
    first = asked(owner="per_1", key="k" * 8, fingerprint="one", told={"phone": "+923001234567"})
    again, made = helpline.ask(
        Asked(city="lahore", owner="per_1", key="k" * 8, fingerprint="one"), KEYS, now=NOW + timedelta(hours=1)
    )
    assert (again["_id"], made) == (first["_id"], False)
    with pytest.raises(KeyUsedOtherwise):
        asked(owner="per_1", key="k" * 8, fingerprint="two")
    assert asked(owner="per_2", key="k" * 8)["_id"] != first["_id"]


def test_an_anonymous_request_keeps_no_person() -> None:
    doc = asked(anonymous=True, told={"person": "per_1", "name": "Ayesha", "phone": "+923001234567"})
    assert doc["sealed"].keys() == {"phone"}
    assert "person_ref" not in doc


def test_the_line_is_ordered_by_danger_and_time_and_counted() -> None:
    docs = [helpline.ask(Asked(city="lahore"), KEYS, now=NOW + timedelta(seconds=n))[0] for n in range(5)]
    assert [line.ahead(doc) for doc in docs] == [0, 1, 2, 3, 4]
    late = helpline.change(docs[4]["_id"], lambda doc: rules.assess(doc, Danger.NOW, by="citizen"), now=NOW)
    assert line.ahead(late) == 0
    rows = line.waiting("lahore", after=None, limit=3)
    more = line.waiting("lahore", after=(rows[-1]["line_at"], rows[-1]["_id"]), limit=3)
    assert [row["_id"] for row in [*rows, *more]] == [docs[4]["_id"], *(doc["_id"] for doc in docs[:4])]
    helpline.change(docs[0]["_id"], lambda doc: rules.close(doc, Outcome.HELPED, NOW, by="citizen"), now=NOW)
    assert line.ahead(helpline.get(docs[1]["_id"])) == 1
    assert "sealed" not in rows[0]


def test_erasing_twice_and_a_late_message_leave_nothing() -> None:
    doc = asked(told={"phone": "+923001234567"})
    box = KEYS.box(doc["_id"])
    chat.write(doc, box, "one", side=Side.CITIZEN, by="citizen", key="1", now=NOW)
    returning.remember(doc["_id"], "آسمان بادل بارش باغ", KEYS, now=NOW)
    assert returning.found(" آسمان  بادل بارش باغ ", KEYS, city="lahore") == [doc["_id"]]
    dropped: list[str] = []
    assert erasing.erase(doc["_id"], KEYS, dropped.append, now=NOW)
    assert not erasing.erase(doc["_id"], KEYS, dropped.append, now=NOW)
    assert returning.found("آسمان بادل بارش باغ", KEYS, city="lahore") == []
    # Another process had the key in memory, and its message comes after: nobody can read it, and it does not stay.
    with pytest.raises(RequestNotFound):
        chat.write(doc, box, "two", side=Side.CITIZEN, by="citizen", key="2", now=NOW)
    assert helpline.messages().find_one({"request": doc["_id"]}) is None
    with pytest.raises(DomainError):
        KEYS.box(doc["_id"])
    with pytest.raises(DomainError):
        helpline.get(doc["_id"])


class TestReviews:
    def ask(self, key: str = "") -> dict[str, Any]:
        return reviews.ask(
            ReviewKind.VAULT_OPENING, city="lahore", subject="hlp_1", asked_by="per_1", reason="why", key=key, now=NOW
        )[0]

    def test_one_no_is_a_no_and_n_yes_are_a_yes(self) -> None:
        yes, no = {"said": "yes"}, {"said": "no"}
        for answers, needed, found in (
            ([], 1, "open"), ([yes], 1, "approved"), ([yes], 2, "open"), ([yes, yes], 2, "approved"),
            ([yes, no], 2, "refused"), ([no], 1, "refused"),
        ):  # fmt: skip
            assert reviews.decision(answers, needed) == found

    def test_nobody_answers_their_own_question_and_a_retry_is_the_same_answer(self) -> None:
        doc = self.ask("k" * 8)
        assert self.ask("k" * 8)["_id"] == doc["_id"]
        with pytest.raises(OwnQuestion):
            reviews.answer(doc["_id"], by="per_1", said=Said.YES, reason="me", now=NOW)
        first = reviews.answer(doc["_id"], by="per_2", said=Said.YES, reason="seen", now=NOW)
        again = reviews.answer(doc["_id"], by="per_2", said=Said.YES, reason="seen", now=NOW)
        assert (first["status"], again["version"]) == (ReviewStatus.APPROVED, first["version"])
        with pytest.raises(AnsweredAlready):
            reviews.answer(doc["_id"], by="per_2", said=Said.NO, reason="no", now=NOW)

    def test_a_yes_and_a_no_at_once_are_one_decision(self) -> None:
        for _ in range(5):
            doc = self.ask()

            def say(approve: bool, review_id: str = doc["_id"]) -> None:
                try:
                    reviews.answer(
                        review_id, by=f"per_{approve}", said=Said.YES if approve else Said.NO, reason="seen", now=NOW
                    )
                except DomainError:
                    return

            with ThreadPoolExecutor(2) as pool:
                list(pool.map(say, (True, False)))
            after = reviews.get(doc["_id"])
            assert len(after["answers"]) == 1
            assert sum(each["type"] == "review.decided" for each in after["pending_events"]) == 1
            assert "due_at" not in after


def test_what_a_quick_reply_says_stands_nowhere_in_clear() -> None:
    doc = asked()
    box = KEYS.box(doc["_id"])
    message, _ = chat.write(
        doc, box, chat.QUICK["not_safe"]["en"], side=Side.CITIZEN, by="citizen", key="k", kind="not_safe", now=NOW
    )
    assert "not_safe" not in str(helpline.messages().find_one({"_id": message["_id"]}))
    assert chat.view(message, box)["kind"] == "not_safe"


def test_a_case_goes_with_its_last_request_however_they_go() -> None:
    """Two that go at once, and one that was moved to another case, leave no key behind."""
    first, second, third = asked(), asked(), asked()
    mine = cases.open_for(first, KEYS, by="per_1", how=Consent.CHAT, now=NOW)
    joining.join(mine["_id"], second["_id"], KEYS, by="per_1", how=Consent.CHAT, now=NOW)
    own = cases.open_for(third, KEYS, by="per_1", how=Consent.CHAT, now=NOW + timedelta(days=1))
    joining.join(mine["_id"], third["_id"], KEYS, by="citizen", how=Consent.APP, now=NOW)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda doc: erasing.erase(doc["_id"], KEYS, print, now=NOW), (first, second, third)))
    for case, ended in ((mine, "erased_at"), (own, "moved_at")):
        held = cases.cases().find_one({"_id": case["_id"]})
        assert held is not None
        assert (held["requests"], bool(held[ended])) == ([], True)
        assert not set(cases.ENTRIES) & held.keys()
        with pytest.raises(Destroyed):
            KEYS.box(case["_id"])


def _cases_of_two() -> list[dict[str, Any]]:
    made = []
    for n in range(2):
        at = NOW + timedelta(hours=n)
        case = cases.open_for(asked(), KEYS, by="per_1", how=Consent.CHAT, now=at)
        made.append(casework.stage(case, Track.FIR, Stage.ASKED, f"note {n}", KEYS, by="per_1", key="k", now=at))
    return made


def test_two_cases_joined_from_both_sides_at_once_are_one_with_all_of_both() -> None:
    for _ in range(5):
        one, other = _cases_of_two()
        ways = [(one["_id"], other["requests"][0]), (other["_id"], one["requests"][0])] * 2

        def join(way: tuple[str, str]) -> str:
            case, request = way
            return str(joining.join(case, request, KEYS, by="citizen", how=Consent.APP, now=NOW)["_id"])

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(join, ways)) == {one["_id"]}
        joining.absorb(other["_id"], KEYS, now=NOW)  # its event, late: no change
        held = cases.get(other["_id"])
        assert sorted(held["requests"]) == sorted([*one["requests"], *other["requests"]])
        assert [each["note"] for each in cases.view(held, KEYS)["stages"]] == ["note 0", "note 1"]
        assert {helpline.get(each)["case"] for each in held["requests"]} == {one["_id"]}


def test_cases_joined_by_a_run_that_died_are_whole_for_whoever_reads_and_their_event_ends_it() -> None:
    one, other = _cases_of_two()
    assert joining._decided(other, one["_id"], now=NOW)
    assert [each["note"] for each in cases.view(cases.get(other["_id"]), KEYS)["stages"]] == ["note 0", "note 1"]
    left = cases.cases().find_one({"_id": other["_id"]})
    assert left is not None
    (event,) = left["pending_events"]
    assert (event["type"], event["into"]) == ("helpline.case_joined", one["_id"])
    for _ in range(2):
        joining.absorb(event["subject"], KEYS, now=NOW)
    assert len(cases.get(one["_id"])["stages"]) == 2
    with pytest.raises(Destroyed):
        KEYS.box(other["_id"])


def test_who_erased_a_request_before_its_case_was_moved_leaves_nothing_of_it() -> None:
    one, other = _cases_of_two()
    assert joining._decided(other, one["_id"], now=NOW)
    erasing.erase(other["requests"][0], KEYS, print, now=NOW)
    joining.absorb(other["_id"], KEYS, now=NOW)
    held = cases.get(one["_id"])
    assert (held["requests"], [each["note"] for each in cases.view(held, KEYS)["stages"]]) == (one["requests"], ["note 0"])


@pytest.mark.parametrize(
    ("mode", "windows", "silent"),
    [
        ("chat", [], True),
        ("chat", [{"days": ["mon"], "from": "13:00", "until": "15:00"}], False),
        ("chat", [{"days": ["mon"], "from": "15:00", "until": "16:00"}], True),
        ("silent", [{"days": ["mon"], "from": "13:00", "until": "15:00"}], True),
    ],
)
def test_an_sos_rings_her_no_more_than_the_helpline_may(mode: str, windows: list[dict[str, Any]], silent: bool) -> None:
    """It is Monday, 14:00 in Lahore."""
    load_preset(PRESETS / "lahore.toml", now=NOW)
    doc = asked(mode=mode, told={"phone": "+923001234567", "safe_to_call": windows})
    assert ("silent" in danger.sos_facts(doc, KEYS.box(doc["_id"]), position=None, now=NOW).flags) is silent
