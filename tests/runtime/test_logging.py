"""What must never stand in a log does not, though an error quotes it."""

import json

import pytest

from runtime import logging


@pytest.mark.usefixtures("our_own_log")
def test_an_error_that_quotes_somebody_is_logged_without_the_words(capsys: pytest.CaptureFixture[str]) -> None:
    quoted = "dup key {phone: '+923001234567'} at 31.520412, 74.358711 for /t/abc123def456 inc_0123456789abc, line 120"
    try:
        raise ValueError(quoted)
    except ValueError:
        logging.get("test").exception("failed", phone="+923001234567", subject="inc_0123456789abc")
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["phone"], line["subject"]) == ("failed", "[private]", "inc_0123456789abc")
    said = line["exception"].rpartition("ValueError: ")[2]
    assert said == "dup key {phone: '[private]'} at [private], [private] for /t/[private] inc_0123456789abc, line 120"
