"""The command that keeps a case for a court: set, listed, lifted, each on the audit chain."""

from datetime import timedelta

from domain.audit.documents import AuditDoc
from domain.clock import utc_now
from domain.incidents import retention
from domain.incidents import service as incidents
from domain.incidents.service import SosFacts
from tests.cli.test_keeping import Amaan, amaan
from tests.factories.people import SECRET

__all__ = ["amaan"]


def test_a_hold_is_set_listed_and_lifted(amaan: Amaan) -> None:
    facts = SosFacts("lahore", "threat", ("police",), "Severe", "Immediate", "Likely", owner="test", key="1")
    raised = incidents.raise_sos(facts, now=utc_now(), secret=SECRET, link_ttl=timedelta(hours=1))
    incident = raised.incident["_id"]
    assert amaan("holds", "set", incident).exit_code == 2  # whose order?
    assert amaan("holds", "set", "inc_none", "--reason", "x").exit_code == 1
    assert amaan("holds", "set", incident, "--reason", "writ 77/2026").exit_code == 0
    listed = amaan("holds", "list", "lahore").output
    assert incident in listed
    assert "writ 77/2026" in listed
    assert retention.held("lahore").incidents == {incident}
    assert amaan("holds", "lift", incident, "--reason", "dismissed").exit_code == 0
    assert amaan("holds", "list", "lahore").output == ""
    entries = AuditDoc._get_collection().find({"subject": incident})
    assert [(each["action"], each["reason"]) for each in sorted(entries, key=lambda each: each["seq"])] == [
        ("incident.held", "writ 77/2026"),
        ("incident.hold_lifted", "dismissed"),
    ]
    assert [entry["kind"] for entry in incidents.get(incident)["timeline"]] == ["raised", "held", "hold_lifted"]
