"""A database of the test's own for what the domain keeps, with its indexes."""

import uuid
from collections.abc import Iterator
from typing import Any

import mongoengine
import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from runtime import mongo
from runtime.settings import Settings


@pytest.fixture
def documents(mongodb_url: str, mongo_client: MongoClient[dict[str, Any]]) -> Iterator[None]:
    """mongoengine connected to an empty database."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    mongo.connect(
        Settings(
            secret=SecretStr("s" * 40),
            mongodb_url=f"{mongodb_url.rstrip('/')}/{name}",
            redis_url="redis://127.0.0.1:9/0",
        )
    )
    for document in mongoengine.Document.__subclasses__():  # those that the test imports
        if document.__module__.startswith("domain."):
            document.ensure_indexes()
    yield
    mongo.disconnect()
    mongo_client.drop_database(name)
