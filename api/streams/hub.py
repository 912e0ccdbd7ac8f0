"""One look at the store for all who watch: a thread that asks for versions twice a second and wakes whom it concerns.

However many screens are open, the store gets one query for the watched incidents, one for the watched helpline requests
and one a watched city. Under gevent
the thread is a greenlet; nothing here knows the difference.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from domain.clock import Clock
from domain.errors import Unavailable
from domain.helpline import line
from domain.incidents import queries
from runtime import logging
from runtime.mongo import STORE_DOWN

EVERY_S: Final = 0.5
MOST: Final = 2000
"""Streams of one process; the next one is told to poll."""
OVERLAP: Final = timedelta(seconds=3)
"""A change becomes visible a little after the time that it bears."""

_log = logging.get(__name__)


class Watch:
    """One watcher's bell. `rows` is what changed in a watched city; a single incident only rings."""

    def __init__(self) -> None:
        self._bell = threading.Event()
        self._lock = threading.Lock()
        self._rows: list[dict[str, Any]] = []

    def ring(self, rows: list[dict[str, Any]] | None = None) -> None:
        """Something changed."""
        with self._lock:
            self._rows += rows or []
        self._bell.set()

    def wait(self, timeout_s: float) -> bool:
        """Whether it rang within the time."""
        rang = self._bell.wait(timeout_s)
        self._bell.clear()
        return rang

    def rows(self) -> list[dict[str, Any]]:
        """What changed since the last call."""
        with self._lock:
            rows, self._rows = self._rows, []
        return rows


class Hub:
    """The process's one look-out."""

    def __init__(self, clock: Clock, every_s: float = EVERY_S) -> None:
        self._clock, self._every_s = clock, every_s
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._incidents: dict[str, set[Watch]] = defaultdict(set)
        self._requests: dict[str, set[Watch]] = defaultdict(set)
        self._cities: dict[str, set[Watch]] = defaultdict(set)
        self._versions: dict[str, int] = {}
        self._seen: dict[str, dict[str, tuple[int, datetime]]] = {}
        self._since: dict[str, datetime] = {}

    @property
    def watchers(self) -> int:
        """How many streams are open."""
        return sum(len(each) for where in (self._incidents, self._requests, self._cities) for each in where.values())

    def check_room(self) -> None:
        """Raise Unavailable when too many watch."""
        if self.watchers >= MOST:
            raise Unavailable("too many streams are open: poll instead", code="too_many_streams", retry_after=30)

    @contextmanager
    def incident(self, incident_id: str) -> Iterator[Watch]:
        """Watch one incident."""
        with self._watching(self._incidents, incident_id) as watch:
            yield watch

    @contextmanager
    def request(self, request_id: str) -> Iterator[Watch]:
        """Watch one helpline request: its place in the line, its talk, its receipts."""
        with self._watching(self._requests, request_id) as watch:
            yield watch

    @contextmanager
    def city(self, city: str) -> Iterator[Watch]:
        """Watch a city's incidents."""
        with self._watching(self._cities, city) as watch:
            yield watch

    @contextmanager
    def _watching(self, where: dict[str, set[Watch]], name: str) -> Iterator[Watch]:
        watch = Watch()
        with self._lock:
            where[name].add(watch)
            if self._thread is None or not self._thread.is_alive():
                self._stop.clear()
                self._thread = threading.Thread(target=self._run, name="streams", daemon=True)
                self._thread.start()
        try:
            yield watch
        finally:
            with self._lock:
                where[name].discard(watch)
                if not where[name]:
                    del where[name]
                    self._forget(name)

    def _forget(self, name: str) -> None:
        self._versions.pop(name, None)
        self._seen.pop(name, None)
        self._since.pop(name, None)

    def close(self) -> None:
        """End the look-out."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            for look in (self.look_at_incidents, self.look_at_requests, self.look_at_cities):
                self._safely(look)

    @staticmethod
    def _safely(look: Callable[[], None]) -> None:
        try:
            look()
        except STORE_DOWN:
            _log.warning("store_away")
        except Exception:
            _log.exception("look_failed")

    def look_at_incidents(self) -> None:
        """Ring for every watched incident whose version is another than the last time."""
        self._look(self._incidents, queries.versions)

    def look_at_requests(self) -> None:
        """The same for helpline requests."""
        self._look(self._requests, line.versions)

    def _look(self, where: Mapping[str, set[Watch]], versions: Callable[[Sequence[str]], Mapping[str, int]]) -> None:
        with self._lock:
            watched = list(where)
        if not watched:
            return
        for name, version in versions(watched).items():
            if self._versions.get(name) != version:
                self._versions[name] = version
                self._ring(where, name)

    def look_at_cities(self) -> None:
        """Hand every watched city what changed in it."""
        with self._lock:
            watched = list(self._cities)
        for city in watched:
            since = self._since.setdefault(city, self._clock())
            seen = self._seen.get(city, {})
            rows = queries.changed(city, since - OVERLAP)
            fresh = [row for row in rows if seen.get(row["_id"], (0,))[0] != row["version"]]
            for row in fresh:
                seen[row["_id"]] = (row["version"], row["updated_at"])
                since = max(since, row["updated_at"])
            self._since[city] = since
            oldest = since - 2 * OVERLAP
            self._seen[city] = {each: known for each, known in seen.items() if known[1] >= oldest}
            if fresh:
                self._ring(self._cities, city, fresh)

    def _ring(self, where: Mapping[str, set[Watch]], name: str, rows: list[dict[str, Any]] | None = None) -> None:
        with self._lock:
            watches = list(where.get(name, ()))
        for watch in watches:
            watch.ring(rows)
