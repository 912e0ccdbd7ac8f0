"""The command that says whether a chain of custody holds, and which entry does not."""

from datetime import timedelta

from domain.clock import utc_now
from domain.evidence import custody
from domain.evidence.service import evidence
from domain.evidence.states import Act
from tests.cli.test_keeping import Amaan, amaan
from tests.factories.cameras import sos

__all__ = ["amaan"]


def test_a_chain_of_custody_is_verified(amaan: Amaan) -> None:
    now = utc_now()
    incident = sos("cli", at=now)
    doc = {"_id": "evd_cli", "city": "lahore", "incident": incident, "kind": "footage", "camera": "cam_1", "at": now}
    evidence().insert_one(doc | {"state": "sealed"})
    custody.append(doc, Act.TAKEN, "per_sara", now=now, reason="FIR 212/26")
    custody.append(doc, Act.SEALED, "system:evidence", now=now + timedelta(seconds=1))

    assert "evd_cli\tfootage\tcam_1\tsealed" in amaan("evidence", "list", incident).output
    verified = amaan("evidence", "verify", "evd_cli")
    assert verified.exit_code == 0, verified.output
    assert "FIR 212/26" in verified.output
    assert "evd_cli: 2 entries hold\n" in verified.output
    assert amaan("evidence", "verify", "evd_none").exit_code == 1

    custody.custody().update_one({"_id": "evd_cli:000001"}, {"$set": {"reason": "another"}})
    broken = amaan("evidence", "verify", "evd_cli")
    assert (broken.exit_code, "entry 1 does not hold" in broken.output) == (1, True)
