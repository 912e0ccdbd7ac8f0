"""From figures to notices: the marks at which a cause begins and ends, and one notice a cause, whoever sees it."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import outbox
from domain.notices import queries, rules, service
from domain.notices.errors import NoticeNotFound, NoticeOver
from domain.notices.rules import Seen
from domain.notices.states import NoticeKind, NoticeStatus

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
K = NoticeKind
QUIET: dict[str, int] = {}


def carrier(n: float, faults: float, open: float = 0.0) -> Seen:
    return Seen(carriers={"twilio_sms": {"n": n, "faults": faults, "open": open}}, jobs=QUIET)


@pytest.mark.parametrize(
    ("seen", "stands", "expected"),
    [
        (carrier(100, 0), set(), set()),
        (carrier(4, 4), set(), set()),  # a few say little
        (carrier(10, 5), set(), {(K.CARRIER_FAILING, "twilio_sms")}),
        (carrier(100, 29), set(), set()),
        (carrier(100, 30), set(), {(K.CARRIER_FAILING, "twilio_sms")}),
        # It stands until it is clearly better, so that it does not come and go.
        (carrier(100, 12), {(K.CARRIER_FAILING, "twilio_sms")}, {(K.CARRIER_FAILING, "twilio_sms")}),
        (carrier(100, 9), {(K.CARRIER_FAILING, "twilio_sms")}, set()),
        (carrier(0, 0), {(K.CARRIER_FAILING, "twilio_sms")}, set()),
        (carrier(6, 5, 1), set(), {(K.CARRIER_FAILING, "twilio_sms"), (K.CARRIER_LEFT_ALONE, "twilio_sms")}),
        (Seen(jobs=None), set(), {(K.QUEUE_AWAY, "redis")}),
        (Seen(jobs={"urgent": 199}), set(), set()),
        (Seen(jobs={"urgent": 200}), set(), {(K.QUEUE_BEHIND, "urgent")}),
        (Seen(jobs={"urgent": 100}), {(K.QUEUE_BEHIND, "urgent")}, {(K.QUEUE_BEHIND, "urgent")}),
        (Seen(jobs={"urgent": 99}), {(K.QUEUE_BEHIND, "urgent")}, set()),
        (Seen(jobs={"bulk": 12_000}), set(), set()),  # a broadcast is no trouble
        (Seen(jobs=QUIET, events_late_s={"incidents": 15.0, "people": 2.0}), set(), {(K.EVENTS_BEHIND, "incidents")}),
        (Seen(jobs=QUIET, messages_late_s=31.0), set(), {(K.MESSAGES_BEHIND, "deliveries")}),
        (Seen(jobs=QUIET, stubborn={"incidents": 1, "people": 0}), set(), {(K.REACTION_FAILS, "incidents")}),
        (Seen(jobs=QUIET, free_bytes=1_200_000_000), set(), set()),
        (Seen(jobs=QUIET, free_bytes=900_000_000), set(), {(K.DISK_FULL, "disk")}),
        (Seen(jobs=QUIET, free_bytes=1_200_000_000), {(K.DISK_FULL, "disk")}, {(K.DISK_FULL, "disk")}),
    ],
)
def test_what_is_measured_becomes_what_is_wrong(seen: Seen, stands: set[Any], expected: set[Any]) -> None:
    assert rules.wrong(seen, stands).keys() == expected


def test_every_kind_that_is_measured_can_come_of_it() -> None:
    worst = Seen(
        carriers={"fcm": {"n": 10, "faults": 10, "open": 1}}, jobs={"urgent": 10_000},
        events_late_s={"incidents": 99}, messages_late_s=99, stubborn={"incidents": 1}, free_bytes=0,
    )  # fmt: skip
    found = {kind for kind, _ in rules.wrong(worst, set())} | {kind for kind, _ in rules.wrong(Seen(), set())}
    assert found == rules.MEASURED


@pytest.fixture
def see(documents: None) -> Any:
    """The cause shows, at a time."""

    def seen(at: datetime = NOW, **fields: Any) -> str:
        return service.see(K.CARRIER_FAILING, "fcm", city="*", now=at, **fields)

    return seen


def opened(notice_id: str) -> list[Any]:
    return [
        each["id"]
        for each in (outbox.collection("notices").find_one({"_id": notice_id}) or {}).get("pending_events") or []
    ]


def test_many_who_see_one_cause_make_one_notice_and_tell_once(see: Any) -> None:
    ids: list[str] = []
    threads = [threading.Thread(target=lambda: ids.append(see())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (found,) = set(ids)
    assert (queries.get(found)["status"], queries.get(found)["times"]) == (NoticeStatus.OPEN, 1)
    assert len(opened(found)) == 1


def test_it_is_acknowledged_once_cleared_and_opens_again(see: Any) -> None:
    found = see()
    assert service.acknowledge(found, by="per_1", now=NOW)["acknowledged_by"] == "per_1"
    assert service.acknowledge(found, by="per_2", now=NOW)["acknowledged_by"] == "per_1"
    see(NOW + timedelta(minutes=1), figures={"failed": 9})
    assert queries.get(found)["status"] == NoticeStatus.ACKNOWLEDGED  # somebody sees to it still
    assert queries.get(found)["figures"] == {"failed": 9}
    assert service.clear(K.CARRIER_FAILING, "fcm", city="*", now=NOW)
    assert not service.clear(K.CARRIER_FAILING, "fcm", city="*", now=NOW)
    with pytest.raises(NoticeOver):
        service.acknowledge(found, by="per_1", now=NOW)
    see(NOW + timedelta(minutes=5))  # soon again: nobody is rung again
    held = queries.get(found)
    assert (held["status"], held["times"], len(opened(found))) == (NoticeStatus.OPEN, 2, 1)
    assert "acknowledged_by" not in held
    service.clear(K.CARRIER_FAILING, "fcm", city="*", now=NOW)
    see(NOW + timedelta(hours=2))
    assert len(opened(found)) == 2
    with pytest.raises(NoticeNotFound):
        service.acknowledge("ntc_none", by="per_1", now=NOW)


def test_what_staff_hear_of_in_another_way_tells_nobody(see: Any) -> None:
    found = see(tell=False)
    assert opened(found) == []
    assert [each["_id"] for each in queries.listed("lahore", statuses=["open"], after=None, limit=5)] == [found]
