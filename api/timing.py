"""How long each request takes, counted in memory by route and status class and written together every few seconds: no
request waits for its figure, and whichever process answers `/metrics` says the same.
"""

import atexit
import threading
import time
from bisect import bisect_left
from typing import Final

from flask import Flask, Response, current_app, g, request

from domain.insights import requests
from domain.insights.requests import EDGES_MS, NAMES, Kind
from runtime import mongo

FLUSH_S: Final = 5.0
_KEY: Final = "amaan_timings"
_EDGES_S: Final = tuple(edge / 1000 for edge in EDGES_MS)
_CLASSES: Final = ("", "1xx", "2xx", "3xx", "4xx", "5xx")


class Timings:
    """One application's counts that wait to be written. Shared by threads; begun after the fork, with the application."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str, int], list[float]] = {}
        self._wake = threading.Event()
        self._writes = False

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request. Microseconds; written within FLUSH_S."""
        key = (method, route, status // 100)
        bucket = bisect_left(_EDGES_S, seconds)
        with self._lock:
            held = self._waiting.get(key)
            if held is None:
                held = self._waiting[key] = [0.0] * (len(NAMES) + 1)
                self._begin()
            held[bucket] += 1
            held[-1] += seconds

    def _begin(self) -> None:
        """Something waits: the writer is told, and there is one from the first request on."""
        if not self._writes:
            self._writes = True
            atexit.register(self.flush)
            threading.Thread(target=self._write_for_ever, name="timings", daemon=True).start()
        self._wake.set()

    def flush(self) -> None:
        """Write what waits; what the store does not take now waits on."""
        with self._lock:
            taken, self._waiting = self._waiting, {}
        for (method, route, status), held in taken.items():
            counts = {name: int(number) for name, number in zip(NAMES, held, strict=False) if number}
            try:
                with mongo.connecting:
                    requests.add(Kind(method, route, _CLASSES[status]), counts, held[-1])
            except Exception:  # whatever it is, the figures wait: they must never end a thread
                with self._lock:
                    again = self._waiting.setdefault((method, route, status), [0.0] * (len(NAMES) + 1))
                    again[:] = [one + other for one, other in zip(again, held, strict=True)]
                self._wake.set()

    def forget(self) -> None:
        """Drop what waits, where its store is gone for good: it is not written into another one."""
        with self._lock:
            self._waiting.clear()

    def _write_for_ever(self) -> None:
        while True:
            self._wake.wait()
            time.sleep(FLUSH_S)
            self._wake.clear()
            self.flush()


def install(app: Flask) -> None:
    """Time every request of this application, before anything else is done for it and after all of it."""
    timings = app.extensions[_KEY] = Timings()

    def begin() -> None:
        g.began = time.perf_counter()

    def end(answer: Response) -> Response:
        began = g.get("began")
        if began is None:
            return answer
        rule = request.url_rule
        method = request.method if rule is not None else "-"  # whatever was asked, of what is not there
        route = rule.rule if rule is not None else "-"
        timings.count(method, route, answer.status_code, time.perf_counter() - began)
        return answer

    app.before_request_funcs.setdefault(None, []).insert(0, begin)
    app.after_request_funcs.setdefault(None, []).insert(0, end)  # they run from the last to the first


def timings() -> Timings:
    """Those of the application that serves this request."""
    found: Timings = current_app.extensions[_KEY]
    return found
