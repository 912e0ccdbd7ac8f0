"""`amaan gateways`: what an administrator reads before a gateway is told where to report."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import group
from tests.invariants.sources import ROOT

ENVIRONMENT = {
    "AMAAN_SECRET": "x" * 32,
    "AMAAN_TWILIO_ACCOUNT_SID": "AC1",
    "AMAAN_TWILIO_AUTH_TOKEN": "t",
    "AMAAN_TWILIO_FROM": "+924235550100",
}


def told(monkeypatch: pytest.MonkeyPatch, table: Path | None, *arguments: str) -> str:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AMAAN_SMS_GATEWAYS", str(table or ""))
    done = CliRunner().invoke(group, ["gateways", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_each_gateway_and_its_numbers_are_listed_and_no_secret_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = tmp_path / "table.toml"
    text = (ROOT / "deploy" / "sms-gateways.toml").read_text().replace('# id = "id"', 'id = "id" #')
    table.write_text(text)
    output = told(monkeypatch, table)
    assert "local_smpp" in output
    assert "/webhooks/sms/local_http?signature=" in output
    assert "+92: local_http → local_smpp → twilio_sms" in output
    assert [word for word in ("smsc-pw", "local-carriers-auth-token") if word in output] == []
    assert told(monkeypatch, table, "--number", "+441234567890").strip() == "twilio_sms → local_http"


def test_without_a_table_there_is_twilio(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, None, "--number", "+923001234567").strip() == "twilio_sms"
