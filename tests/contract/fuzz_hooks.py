"""Keeps the one person of the fuzzed API signed in: what ended their session or took their roles is undone at once.

Loaded by schemathesis (schemathesis.toml) in its own process.
"""

import os
from typing import Any

import schemathesis
from pymongo import MongoClient

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")  # tus sends bytes
for kind in (
    "image/jpeg",
    "image/png",
    "image/webp",
    "audio/ogg",
    "audio/mpeg",
    "audio/mp4",
    "audio/x-m4a",
    "audio/aac",
):
    schemathesis.serializer.alias(kind, "application/octet-stream")  # a picture, a voice

KEPT = ("phone", "name", "language", "city", "roles", "sessions", "unit_id", "agency_id", "duty")
_people: Any = MongoClient(os.environ["MONGODB_URL"], tz_aware=True).get_default_database()["people"]
_person: dict[str, Any] = _people.find_one({"_id": os.environ["CONTRACT_PERSON"]})
_AS_THEY_WERE = {
    "$set": {name: _person[name] for name in KEPT if name in _person},
    "$unset": {"erased_at": ""},
}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Before each request they are who they were."""
    _people.update_one({"_id": _person["_id"]}, _AS_THEY_WERE)
