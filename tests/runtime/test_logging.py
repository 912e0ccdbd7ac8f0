"""What must never stand in a log does not, though an error quotes it."""

import json
import logging as standard
from collections.abc import Iterator

import pytest
import structlog

from runtime import logging


@pytest.fixture
def configured(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Our own processors, writing to what capsys reads; other tests get theirs back."""
    before, root = structlog.get_config(), standard.getLogger()
    handlers, level = list(root.handlers), root.level
    logging.configure("info")
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("configured")
def test_an_error_that_quotes_somebody_is_logged_without_the_words(capsys: pytest.CaptureFixture[str]) -> None:
    quoted = "dup key {phone: '+923001234567'} at 31.520412, 74.358711 for /t/abc123def456 inc_0123456789abc, line 120"
    try:
        raise ValueError(quoted)
    except ValueError:
        logging.get("test").exception("failed", phone="+923001234567", subject="inc_0123456789abc")
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (line["event"], line["phone"], line["subject"]) == ("failed", "[private]", "inc_0123456789abc")
    for private in ("923001234567", "31.52", "74.35", "abc123def456"):
        assert private not in line["exception"]
    for useful in ("ValueError", "inc_0123456789abc", "line 120"):
        assert useful in line["exception"]
