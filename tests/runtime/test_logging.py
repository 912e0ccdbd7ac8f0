"""What must never stand in a log does not, though an error quotes it."""

import io
import json
import logging as standard
import sys
from collections.abc import Iterator

import pytest
import structlog

from runtime import logging


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a process with our own set-up writes to its log; other tests get theirs back."""
    before, root = structlog.get_config(), standard.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers[:] = []
    made = io.StringIO()
    monkeypatch.setattr(sys, "stderr", made)
    logging.configure("info")
    yield made
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_an_error_that_quotes_somebody_is_logged_without_the_words(written: io.StringIO) -> None:
    quoted = "dup key {phone: '+923001234567'} at 31.520412, 74.358711 for /t/abc123def456 inc_0123456789abc, line 120"
    try:
        raise ValueError(quoted)
    except ValueError:
        logging.get("test").exception("failed", phone="+923001234567", subject="inc_0123456789abc")
    line = json.loads(written.getvalue())
    assert (line["event"], line["phone"], line["subject"]) == ("failed", "[private]", "inc_0123456789abc")
    said = line["exception"].rpartition("ValueError: ")[2]
    assert said == "dup key {phone: '[private]'} at [private], [private] for /t/[private] inc_0123456789abc, line 120"
