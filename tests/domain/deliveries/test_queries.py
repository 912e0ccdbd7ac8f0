"""What is read of deliveries when an incident has very many of them."""

from datetime import timedelta

import pytest

from domain.deliveries import queries
from domain.deliveries.service import Recipient, Telling, write_down
from tests.factories.incidents import NOON

pytestmark = pytest.mark.usefixtures("documents")


def test_a_long_ladder_hides_no_offer_and_no_news() -> None:
    for number in range(30):
        write_down(
            Telling(
                key=f"asg_{number}",
                city="lahore",
                purpose="assignment_offered",
                subject="inc_1",
                recipient=Recipient("person", f"per_{number}"),
                plan=("sms",),
                valid_for=timedelta(minutes=10),
                refs={"assignment": f"asg_{number}"},
            ),
            now=NOON + timedelta(seconds=number),
        )
    newest = [each["recipient"]["id"] for each in queries.of_subject("inc_1", limit=3)]
    assert newest == ["per_27", "per_28", "per_29"]
    found = queries.offers("inc_1", ["asg_0", "asg_29", "asg_none"])
    assert {each["recipient"]["id"] for each in found} == {"per_0", "per_29"}
