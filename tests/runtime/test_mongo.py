"""The one connection of a process, also while threads of it ask for it."""

import contextlib
import threading

from mongoengine.connection import ConnectionFailure, get_connection
from pymongo.errors import ConnectionFailure as DriverFailure

from runtime import mongo
from tests.factories.stores import settings_for


def test_who_asks_while_a_process_connects_gets_no_connection_of_their_own(mongodb_url: str) -> None:
    """A second one would be closed by nobody."""
    settings, given, stop = settings_for(mongodb_url), set[int](), threading.Event()

    def ask() -> None:
        while not stop.is_set():
            with contextlib.suppress(ConnectionFailure, DriverFailure):
                given.add(id(get_connection()))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        made = [mongo.connect(settings) for _ in range(50)]
        assert given <= {id(client) for client in made}
        assert get_connection() is made[-1]
    finally:
        stop.set()
        asking.join()
        mongo.disconnect()
