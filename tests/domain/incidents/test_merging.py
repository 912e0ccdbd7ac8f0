"""Two operators, one pair of incidents: however their merges meet, one incident stays open."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.errors import Conflict, DomainError
from domain.incidents import operating, rules
from domain.incidents import service as incidents
from domain.incidents.states import Resolution
from tests.factories.incidents import NOON, incident

pytestmark = pytest.mark.usefixtures("documents")
LATER = NOON + timedelta(minutes=1)


def _merge(first: str, second: str, begin: Callable[[], object]) -> None:
    into = incidents.get(second)
    begin()
    try:
        operating.merge(first, into, by="op", now=LATER)
    except DomainError:
        return  # the other was first


@pytest.mark.parametrize("number", range(8))
def test_incidents_that_are_merged_into_each_other_leave_one_open(number: int) -> None:
    older, newer = f"inc_{number}a", f"inc_{number}b"
    for each in (older, newer):
        incidents.incidents().insert_one(incident(_id=each))
    gate = threading.Barrier(2)
    threads = [
        threading.Thread(target=_merge, args=(first, second, gate.wait))
        for first, second in ((older, newer), (newer, older))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {each: incidents.get(each) for each in (older, newer)}
    still_open = [each for each, doc in found.items() if doc["status"] == "open"]
    assert len(still_open) == 1, {each: (doc["status"], doc.get("merged_into")) for each, doc in found.items()}
    (closed,) = found.keys() - set(still_open)
    assert found[closed]["merged_into"] == still_open[0]
    assert "merged_into" not in found[still_open[0]]


def test_a_merge_into_what_was_closed_at_the_same_moment_is_taken_back() -> None:
    for each in ("inc_a", "inc_b"):
        incidents.incidents().insert_one(incident(_id=each))
    into = incidents.get("inc_b")
    operating.resolve("inc_b", Resolution.HELPED, by="op", reason="", now=LATER)
    with pytest.raises(Conflict) as refused:
        operating.merge("inc_a", into, by="op", now=LATER)
    assert refused.value.error_code == "incident_closed"
    found = incidents.get("inc_a")
    assert (found["status"], found.get("merged_into")) == ("open", None)
    assert found["slots"]["police"]["status"] == "open"


def test_a_forced_cancel_stands_over_the_incident_that_it_is_merged_into() -> None:
    """Two of her SOS, put together: the safe PIN on the one does not end the duress on the other."""
    citizen = {"person": "per_1"}
    for each in ("inc_forced", "inc_other"):
        incidents.incidents().insert_one(incident(_id=each, citizen=citizen))
    incidents.change("inc_forced", lambda draft: rules.duress(draft, by="per_1"), now=LATER)
    operating.merge("inc_forced", incidents.get("inc_other"), by="op", now=LATER)
    incidents.change("inc_other", lambda draft: rules.cancel(draft, by="per_1", not_waiting=["inc_forced"]), now=LATER)
    found = incidents.get("inc_other")
    assert (found["status"], found["severity"], "duress" in found["flags"]) == ("open", "Extreme", True)
    assert found["citizen"]["cancel"]["view"]["status"] == "closed"
