"""The embedded server is killed in the middle of writes, again and again: what it acknowledged is there.

The server's own file and process are needed for this, so it is always the embedded one, also when MONGODB_URL is set.
"""

import os
import random
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import AutoReconnect, PyMongoError

from tests import local_servers

ROUNDS = 4
WRITERS = 6


class Writer(threading.Thread):
    """Inserts, claims and deletes until the server dies; remembers what was acknowledged."""

    def __init__(self, url: str, name: str, known: list[str]) -> None:
        super().__init__(daemon=True)
        self.url, self.prefix = url, name
        self.inserted: dict[str, int] = {}
        self.deleted: set[str] = set()
        self.maybe: set[str] = set()
        self.known = known
        self.failure: Exception | None = None

    def run(self) -> None:
        """Write until the connection breaks."""
        client: MongoClient[dict[str, Any]] = MongoClient(self.url, retryWrites=False, serverSelectionTimeoutMS=500)
        things = client.city.things
        rng = random.Random(self.prefix)
        try:
            for number in range(100_000):
                key = f"{self.prefix}-{number}"
                self.maybe = {key}
                things.insert_one({"_id": key, "n": 0, "token": f"t-{key}", "text": "x" * rng.randrange(600)})
                self.inserted[key] = 0
                if number % 3 == 0:
                    found = things.find_one_and_update({"_id": key, "n": 0}, {"$inc": {"n": 1}}, return_document=True)
                    assert found is not None
                    self.inserted[key] = 1
                if number % 10 == 0:
                    assert things.delete_one({"_id": key}).deleted_count == 1
                    self.deleted.add(key)
        except AutoReconnect:
            pass
        except PyMongoError as error:
            self.failure = error
        finally:
            client.close()


@pytest.mark.timeout(180)
def test_acknowledged_writes_survive_kill_9(tmp_path: Path) -> None:
    file = tmp_path / "city.db"
    inserted: dict[str, int] = {}
    deleted: set[str] = set()
    maybe: set[str] = set()
    for round_ in range(ROUNDS):
        with local_servers.embedded_docstore(tmp_path, str(file)) as (url, process):
            with MongoClient[dict[str, Any]](url) as client:
                things = client.city.things
                if round_ == 0:
                    things.create_index([("token", 1)], unique=True)
                    things.create_index([("n", 1)])
                check(things, inserted, deleted, maybe)
            writers = [Writer(url, f"{round_}{number}", []) for number in range(WRITERS)]
            for writer in writers:
                writer.start()
            threading.Event().wait(0.7 + 0.4 * random.random())
            os.kill(process, signal.SIGKILL)
            for writer in writers:
                writer.join(20)
                assert not writer.is_alive()
                assert writer.failure is None
                inserted |= writer.inserted
                deleted |= writer.deleted
                maybe |= writer.maybe
    with local_servers.embedded_docstore(tmp_path, str(file)) as (url, _), MongoClient[dict[str, Any]](url) as client:
        check(client.city.things, inserted, deleted, maybe)
        assert len(inserted) > 100 * ROUNDS


def check(things: Any, inserted: dict[str, int], deleted: set[str], maybe: set[str]) -> None:
    """Nothing acknowledged is missing, nothing deleted is back, and the indexes agree with the documents."""
    found = {thing["_id"]: thing for thing in things.find()}
    lost = [
        key
        for key, n in inserted.items()
        if key not in deleted and key not in maybe and (found.get(key) or {"n": -1})["n"] < n
    ]
    assert not lost, f"{len(lost)} of {len(inserted)} acknowledged writes lost"
    assert not [key for key in deleted if key in found], "a deleted document is back"
    assert set(found) <= set(inserted) | maybe
    assert things.count_documents({"n": {"$gte": 0}}) == len(found)
    for key in list(found)[-20:]:
        assert things.find_one({"token": f"t-{key}"})["_id"] == key


def test_indexes_and_databases_survive_a_clean_end(tmp_path: Path) -> None:
    file = tmp_path / "city.db"
    for round_ in range(2):
        with local_servers.embedded_docstore(tmp_path, str(file)) as (url, process):
            with MongoClient[dict[str, Any]](url, tz_aware=True) as client:
                if round_ == 0:
                    client.a.things.create_index([("k", 1)], unique=True, name="k")
                    client.a.gone.insert_one({"_id": 1})
                    client.a.gone.drop()
                    client.b.other.insert_one({"_id": 1})
                    client.drop_database("b")
                    client.a.things.insert_many([{"_id": i, "k": i} for i in range(500)])
                else:
                    assert client.a.list_collection_names() == ["things"]
                    assert "k" in client.a.things.index_information()
                    assert client.a.things.count_documents({"k": {"$lt": 100}}) == 100
                    assert client.b.other.count_documents({}) == 0
                    assert client.a.gone.count_documents({}) == 0
            os.kill(process, signal.SIGTERM)
