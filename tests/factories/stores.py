"""Settings over a database of a test's own."""

import uuid
from typing import Any

from pydantic import SecretStr

from runtime.settings import Settings
from tests.factories.people import SECRET


def settings_for(mongodb_url: str, **others: Any) -> Settings:
    """Settings whose document store is a new database on this server."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    return Settings(secret=SecretStr(SECRET), mongodb_url=f"{mongodb_url.rstrip('/')}/{name}", **others)
