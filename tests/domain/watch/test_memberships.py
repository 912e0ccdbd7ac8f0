"""Somebody keeps the groups to which they belong, however many others write to them."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.watch import queries

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("documents")


def test_a_flood_of_invitations_hides_no_group_to_which_somebody_belongs() -> None:
    rows = [("own", "member", NOON)]
    rows += [
        (f"n{each}", "invited", NOON + timedelta(minutes=each + 1)) for each in range(2 * queries.MOST_OF_A_PERSON)
    ]
    queries.members().insert_many(
        {"_id": f"mem_{group}", "group": group, "person": "per_1", "standing": standing, "changed_at": at}
        for group, standing, at in rows
    )
    assert queries.joined("per_1") == ["own"]
    held = [row["group"] for row in queries.of_person("per_1")]
    newest = [f"n{each}" for each in reversed(range(queries.MOST_OF_A_PERSON, 2 * queries.MOST_OF_A_PERSON))]
    assert held == ["own", *newest]
