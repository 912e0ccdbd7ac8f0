"""An application of each test module's own: its database, its clock, and a record of what it enqueued."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from pymongo import MongoClient

from app import create_app
from cli.indexes import create as create_indexes
from runtime import mongo
from runtime.settings import Settings
from tests.factories.people import SECRET
from tests.fakes.small_city import city_carriers, small_city, whole_city

__all__ = ["city_carriers", "small_city", "whole_city"]


@dataclass
class Hand:
    """A clock that tests move by hand. It starts at 2026-11-23 09:00 UTC."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 23, 9, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> datetime:
        """Move on by `timedelta(**by)`."""
        self.at += timedelta(**by)
        return self.at


@dataclass
class Enqueued:
    """What was put on the queues: (job, arguments)."""

    jobs: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def __call__(self, job: str, *args: str | int | float | None) -> bool:
        self.jobs.append((job, args))
        return True


@pytest.fixture(scope="module")
def clock() -> Hand:
    """The module's clock."""
    return Hand()


@pytest.fixture(scope="module")
def enqueued() -> Enqueued:
    """The module's record of jobs."""
    return Enqueued()


@pytest.fixture(scope="module")
def settings(mongodb_url: str, redis_url: str) -> Settings:
    """Settings with a database of the module's own."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    return Settings(
        secret=SecretStr(SECRET),
        mongodb_url=f"{mongodb_url.rstrip('/')}/{name}",
        redis_url=redis_url,
        sos_rate_per_minute=6,
    )


@pytest.fixture(scope="module")
def app(
    settings: Settings, clock: Hand, enqueued: Enqueued, mongo_client: MongoClient[dict[str, Any]]
) -> Iterator[Flask]:
    """The application."""
    made = create_app(settings, clock=clock, enqueue=enqueued)
    create_indexes()
    yield made
    name = mongo.database().name
    mongo.disconnect()
    mongo_client.drop_database(name)


@pytest.fixture
def api(app: Flask) -> FlaskClient:
    """A phone, a console, or anybody else with HTTP."""
    return app.test_client()
