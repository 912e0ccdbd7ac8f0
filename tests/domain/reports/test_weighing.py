"""A cluster is weighed by whoever comes, also two at once: what was counted last stands, and what came meanwhile is due."""

from datetime import timedelta
from typing import Any

import pytest

from domain.clusters import believing, queries, service
from domain.people import queries as people
from domain.reports import personal
from domain.reports import service as reports_service
from domain.reports.queries import get, reports, voices_of_any
from domain.reports.service import Seen
from domain.reports.states import Anonymity
from tests.factories.cameras import NOON, PLACE, SECRET

pytestmark = pytest.mark.usefixtures("documents")
SECOND = timedelta(seconds=1)


def report(name: str) -> str:
    """The cluster that a neighbour's report is in."""
    author = {"_id": f"per_{name}", "city": "lahore", "created_at": NOON - timedelta(days=60), "roles": []}
    people.collection().insert_one(author)
    place = {"lat": PLACE[0], "lon": PLACE[1], "accuracy_m": 10.0}
    told = Seen("shooting", place, NOON, "Shots.", Anonymity.NOBODY)
    doc, _ = reports_service.add(
        f"rpt_{name}", f"per_{name}", told, session="", fingerprint="f", secret=SECRET, now=NOON
    )
    believing.heard(doc, now=NOON)
    return str(get(doc["_id"])["cluster"])


def test_of_two_who_weigh_at_once_the_one_that_began_later_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = report("first")
    between = iter(["second"])

    def read_then_others_come(own: list[str]) -> Any:
        said = voices_of_any(own)
        for name in between:  # once: another reports, and another weighs it, before this one has counted
            report(name)
            believing.weigh(cluster, now=NOON + SECOND)
        return said

    monkeypatch.setattr(believing, "voices_of_any", read_then_others_come)
    late = believing.weigh(cluster, now=NOON + SECOND)
    assert (late["voices"], late["reports"]) == (2, 2), "the older count was not written over the newer one"
    assert queries.due(now=NOON + timedelta(hours=1)) == [], "nothing waits to be weighed"


def test_what_is_said_while_a_cluster_is_weighed_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = report("first")

    def read_then_somebody_speaks(own: list[str]) -> Any:
        said = voices_of_any(own)
        service.again(cluster, now=NOON + SECOND)
        return said

    monkeypatch.setattr(believing, "voices_of_any", read_then_somebody_speaks)
    believing.weigh(cluster, now=NOON + SECOND)
    assert queries.due(now=NOON + SECOND) == [cluster]


def test_of_an_erased_report_neither_voice_nor_number_is_left() -> None:
    cluster = {report(name) for name in ("first", "second")}.pop()
    assert believing.weigh(cluster, now=NOON + SECOND)["voices"] == 2
    personal.forget("per_second", drop=lambda _name: None, now=NOON + SECOND)
    assert queries.due(now=NOON + SECOND) == [cluster]
    whole = believing.weigh(cluster, now=NOON + 2 * SECOND)
    assert (whole["voices"], whole["reports"]) == (1, 1)


def test_a_report_that_others_may_not_read_is_not_counted() -> None:
    cluster = {report(name) for name in ("first", "second")}.pop()
    reports().update_one({"_id": "rpt_second"}, {"$set": {"status": "held"}})
    assert believing.weigh(cluster, now=NOON + SECOND)["reports"] == 1


def test_what_died_while_it_weighed_is_due_again(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = report("first")

    def die(_own: list[str]) -> Any:
        raise SystemExit

    monkeypatch.setattr(believing, "voices_of_any", die)
    with pytest.raises(SystemExit):
        believing.weigh(cluster, now=NOON)
    assert queries.due(now=NOON + believing.TAKES) == [cluster]
