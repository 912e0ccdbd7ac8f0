"""Which channels a machine has follows from its settings alone."""

import os
from pathlib import Path
from typing import Any

import pytest

from notifications import registry
from notifications.channels.bounded import retry_after
from notifications.gateway_table import Table
from notifications.messages import nonce_of
from notifications.registry import build_channels
from runtime.settings import Settings
from tests.fakes.carriers_process import CarriersProcess

TWILIO = {"twilio_account_sid": "AC1", "twilio_auth_token": "t"}


def settings(**values: Any) -> Settings:
    return Settings(**{"secret": "x" * 32, **values})


def test_the_table_is_read_again_when_it_changes_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody may send a report, and each is looked up in the table before anything is believed."""
    reads: list[Path] = []

    def read(path: Path) -> Table:
        reads.append(path)
        return Table()

    monkeypatch.setattr(registry, "read", read)
    path = tmp_path / "gateways.toml"
    path.write_text("")
    configured = settings(sms_gateways=str(path))
    for _ in range(3):
        registry.table(configured)
    assert len(reads) == 1
    os.utime(path, ns=(1, 1))
    registry.table(configured)
    assert len(reads) == 2


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ({}, {"console"}),
        ({**TWILIO, "twilio_from": "+924235550100"}, {"console", "sms", "voice"}),
        ({**TWILIO, "twilio_from": "Amaan"}, {"console", "sms"}),
        ({**TWILIO, "twilio_from": "MG" + "0" * 32}, {"console", "sms"}),
        (TWILIO, {"console"}),
        ({"fcm_project": "p"}, {"console"}),
    ],
)
def test_what_is_not_configured_is_not_there(values: dict[str, str], kinds: set[str]) -> None:
    assert set(build_channels(settings(**values))) == kinds


def test_the_local_carriers_serve_every_kind(carriers: CarriersProcess) -> None:
    channels = build_channels(
        settings(
            twilio_account_sid=carriers.account_sid,
            twilio_auth_token=carriers.auth_token,
            twilio_from=carriers.number,
            twilio_base_url=carriers.url,
            fcm_project=carriers.project,
            fcm_credentials=str(carriers.service_account),
            fcm_base_url=carriers.url,
        )
    )
    assert {kind: channel.name for kind, channel in channels.items()} == {
        "fcm": "fcm", "sms": "twilio_sms", "voice": "twilio_voice", "console": "console",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0.5", 0.5), ("-3", 0), ("99999", 3600), ("soon", None), (None, None), ("", None), ("nan", None),
     ("Wed, 21 Oct 2015 07:28:00 GMT", 0)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds


def test_a_nonce_is_its_keys_own_and_spells_no_word() -> None:
    nonces = {nonce_of(f"dlv_{n}-1") for n in range(5000)}
    assert len(nonces) > 4990
    assert nonce_of("dlv_1-1") == nonce_of("dlv_1-1")
    assert not {letter for nonce in nonces for letter in nonce} & set("aeiouy01l")
