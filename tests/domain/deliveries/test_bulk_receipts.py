"""A broadcast's outcomes are written some hundred at a time, so receipts often come first: they stay."""

import uuid
from typing import Any

import pytest

from domain.deliveries import bulk, service
from domain.deliveries.states import AttemptState
from tests.factories.incidents import NOON

pytestmark = pytest.mark.usefixtures("documents")

SENT = {"state": str(AttemptState.SENT), "vendor_id": "GW1", "segments": 1, "done_at": NOON}


def under_way() -> str:
    """A delivery of a broadcast whose first SMS is under way."""
    made: dict[str, Any] = {
        "_id": f"dlv_{uuid.uuid4().hex}", "city": "lahore", "purpose": "alert_issued", "subject": "alt_1",
        "batch": uuid.uuid4().hex, "recipient": {"kind": "person", "id": "per_1", "of": ""}, "refs": {},
        "plan": ["fcm", "sms"], "status": "queued", "life_critical": False, "priority": 4, "receipt_wait_s": 20,
        "valid_until": NOON, "tries": 1, "created_at": NOON, "version": 1,
        "attempts": {"1": {"channel": "sms", "state": "sending", "at": NOON, "gateway": "gw"}},
    }  # fmt: skip
    bulk.insert([made])
    return str(made["_id"])


@pytest.mark.parametrize("late", [AttemptState.SENT, AttemptState.UNKNOWN])
@pytest.mark.parametrize("said", [AttemptState.PERMANENT, AttemptState.TEMPORARY, AttemptState.DELIVERED])
def test_what_the_carrier_reported_first_stays(said: AttemptState, late: AttemptState) -> None:
    found = under_way()
    service.reported(found, 1, said, code="unreachable", vendor_code="30003", now=NOON)
    bulk.finish({found: (1, {**SENT, "state": str(late)})})
    row = service.get(found)
    assert row["attempts"]["1"]["state"] == said
    assert row["attempts"]["1"]["vendor_id"] == "GW1"
    assert ("next_at" in row) == (said != AttemptState.DELIVERED)  # another way is tried


@pytest.mark.parametrize("early", [False, True])
def test_a_message_is_found_by_its_carriers_own_id(early: bool) -> None:
    found, gateway_id = under_way(), uuid.uuid4().hex
    if early:
        service.reported(found, 1, AttemptState.DELIVERED, code="", vendor_code="", now=NOON)
    bulk.finish({found: (1, {**SENT, "vendor_id": gateway_id})}, {found: [f"gw:{gateway_id}"]})
    assert service.by_vendor_id("gw", gateway_id) == (found, 1, True)
