"""What must never stand in a log does not, though an error quotes it."""

import json
import logging as standard
from collections.abc import Iterator

import pytest
import structlog

from runtime import logging


@pytest.fixture
def our_own_log() -> Iterator[None]:
    """Our own set-up of a process's log; other tests get theirs back."""
    before, root = structlog.get_config(), standard.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers[:] = []
    logging.configure("info")
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


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
