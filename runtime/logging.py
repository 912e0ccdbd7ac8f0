"""Logs: one JSON line an entry, ids only. A processor drops what must never stand in a log, should it be passed."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

PRIVATE = frozenset(
    {"phone", "position", "lat", "lon", "pin", "safe_pin", "duress_pin", "token", "note", "text", "body", "code", "to"}
)


def _redact(_logger: Any, _name: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in PRIVATE & entry.keys():
        entry[key] = "[private]"
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
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get(name: str) -> Any:
    """A logger named after its module."""
    return structlog.get_logger(name)
