"""Logs: one JSON line an entry, ids only. Processors drop what must never stand in a log, should it be passed or quoted."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

PRIVATE = frozenset(
    {"phone", "position", "lat", "lon", "pin", "safe_pin", "duress_pin", "token", "note", "text", "body", "code", "to"}
)

_QUOTED = re.compile(r"(?<![\w.])\+?\d{9,15}(?!\w)|(?<![\w.])-?\d{1,3}\.\d{4,}|(?<=/[at]/)[0-9a-z]{12}(?!\w)")
"""Phone numbers, degrees, and the tokens of signed links."""


def _redact(_logger: Any, _name: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in PRIVATE & entry.keys():
        entry[key] = "[private]"
    return entry


def _scrub(_logger: Any, _name: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A trace ends with its error's own words, and those may quote what somebody sent: a store's duplicate key, a
    carrier's refused number.
    """
    if "exception" in entry:
        entry["exception"] = _QUOTED.sub("[private]", str(entry["exception"]))
    return entry


def configure(level: str = "info") -> None:
    """Set up structlog and the standard library's logging for this process."""
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=level.upper(), force=True)
    for noisy in ("twilio", "urllib3", "google", "pymongo", "rq.worker"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _redact,
            structlog.processors.format_exc_info,
            _scrub,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        # Looked up with each line: whoever gives the process another stderr gets the lines from then on.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get(name: str) -> Any:
    """A logger named after its module."""
    return structlog.get_logger(name)
