"""JSON as the contract has it: times as RFC 3339, Urdu as Urdu."""

from datetime import datetime
from typing import Any

from flask.json.provider import DefaultJSONProvider

from api.schemas import rfc3339


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    return DefaultJSONProvider.default(value)


class JsonProvider(DefaultJSONProvider):
    """Flask's, which would write times as HTTP dates."""

    default = staticmethod(_plain)
    ensure_ascii = False
    sort_keys = False
    compact = True
