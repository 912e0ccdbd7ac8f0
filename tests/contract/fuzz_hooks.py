"""Keeps the one person of the fuzzed API signed in: whatever ended their session or took their roles is undone at once.

Loaded by schemathesis (schemathesis.toml) in its own process.
"""

import os
from typing import Any

import schemathesis
from pymongo import MongoClient

_people: Any = MongoClient(os.environ["MONGODB_URL"], tz_aware=True).get_default_database()["people"]
_PERSON = _people.find_one({"_id": os.environ["CONTRACT_PERSON"]})
ENDING = {
    "auth_logout",
    "people_erase",
    "people_end_session",
    "people_change_me",
    "staff_end_session",
    "staff_dismiss",
    "staff_change_staff",
    "units_put_on",
    "units_take_off",
    "units_retire_unit",
}


schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")  # tus sends bytes


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Put the person back as they were."""
    if case.operation.definition.raw.get("operationId") in ENDING and response.status_code < 300:
        _people.replace_one({"_id": _PERSON["_id"]}, _PERSON, upsert=True)
