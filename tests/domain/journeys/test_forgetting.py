"""A journey is kept for as long as a city says, and never forgotten while somebody is still waited for."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.journeys import service
from domain.journeys.queries import journeys

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("documents")


def test_who_is_missed_is_not_forgotten_first() -> None:
    made = {"city": "lahore", "version": 1, "forget_at": NOW}
    journeys().insert_one({"_id": "jny_missed", "status": "missed", **made})
    journeys().insert_one({"_id": "jny_event", "status": "raised", "outbox_due": NOW, **made})
    journeys().insert_one({"_id": "jny_over", "status": "arrived", **made})
    assert service.forget_old(now=NOW) == 1
    assert {row["_id"] for row in journeys().find({})} >= {"jny_missed", "jny_event"}
    assert journeys().find_one({"_id": "jny_over"}) is None

    # It is over by now, and what follows from it was done.
    journeys().update_one({"_id": "jny_missed"}, {"$set": {"status": "arrived"}})
    journeys().update_one({"_id": "jny_event"}, {"$unset": {"outbox_due": ""}})
    assert service.forget_old(now=NOW + timedelta(hours=2)) == 2
