"""Sampling the cameras that nobody records: a few seconds of each, round and round, all day.

Children do it (`workers/vision/sample.py`), for what a camera sends may kill whoever reads it: one question at a time, in
its time limit, else the child is ended and another one asked.
"""

import json
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from domain.cameras import health, queries, registry, sources
from domain.cameras.health_rules import Sample
from domain.cameras.queries import Camera
from domain.cameras.states import HealthState, SourceKind
from domain.cities import queries as cities
from domain.cities.config import CityConfig
from runtime import logging
from runtime.mongo import STORE_DOWN
from workers.context import Context

EVERY: Final = timedelta(seconds=60)
"""A camera is sampled so often, as far as the machine can."""
AT_ONCE: Final = 2
LIMIT_S: Final = 15.0
"""Of one sample, connection and all."""

log = logging.get(__name__)


class Sampling:
    """A child that samples, begun when first asked and again when it died. One question at a time."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def ask(self, task: dict[str, Any], limit_s: float = LIMIT_S) -> dict[str, Any]:
        """The report on a camera: as `workers/vision/record.py` reports, or `{lost: reason}`."""
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = subprocess.Popen(
                [sys.executable, "-m", "workers.vision.sample"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=Path(__file__).resolve().parent.parent,
            )
        child = self._child
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(json.dumps(task).encode() + b"\n")
            child.stdin.flush()
            if not select.select([child.stdout], [], [], limit_s)[0]:
                self.close()
                return {"lost": "out_of_time"}
            line = child.stdout.readline()
            found: dict[str, Any] = json.loads(line)
        except (OSError, ValueError):
            self.close()
            return {"lost": "decoder_died"}
        return found

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # a question that nobody read


def sampled(camera: Camera, config: CityConfig, sampling: Sampling, context: Context) -> None:
    """Sample one camera and keep what it says."""
    if not sources.allowed_now(camera["source"], config):
        report: dict[str, Any] = {"lost": "address_not_allowed"}
    else:
        source = registry.source_of(camera, secret=context.settings.signing_key)
        if "path" in source:
            source["path"] = str(Path(source["path"]).absolute())
        url = str(source.get("url") or "")
        report = sampling.ask(
            {
                "source": source,
                "config": {
                    "allowed_addresses": [sources.place_of(url)] if url else [],
                    "allowed_networks": sources.networks_of(url, config),
                    "allowed_roots": []
                    if url
                    else [each.path for each in config.camera_sources if each.scheme == "file"],
                },
            }
        )
    now = context.clock()
    if "lost" in report:
        sample = Sample(now, HealthState.DOWN, (str(report["lost"]),))
    else:
        flags = tuple(str(flag) for flag in report["flags"])
        state = HealthState.IMPAIRED if flags else HealthState.OK
        sample = Sample(now, state, flags, report["fps"], report["luma"], report["scene"])
    health.note(camera, sample, by="sampler")


def due(context: Context, recorded: frozenset[str]) -> list[tuple[Camera, CityConfig]]:
    """The cameras to sample now, the longest unseen first. Gateways look for themselves."""
    found: list[tuple[Camera, CityConfig]] = []
    for city in cities.known():
        config = cities.current(city)
        mine = [
            each
            for each in queries.in_service(city)
            if each["_id"] not in recorded and each["source"].get("kind") != SourceKind.GATEWAY
        ]
        found += [(each, config) for each in health.due(mine, context.clock(), EVERY)]
    return found


def run(context: Context, over: threading.Event, recorded: Callable[[], frozenset[str]]) -> None:
    """Sample until `over`."""
    kept = [Sampling() for _ in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sample") as pool:
        while not over.is_set():
            began = time.monotonic()
            try:
                waiting = due(context, recorded())
                list(
                    pool.map(
                        lambda pair: _some(pair[0], pair[1], context, over), zip(kept, _shares(waiting), strict=True)
                    )
                )
            except STORE_DOWN:
                log.warning("store_away")
            except Exception:
                log.exception("sampler_failed")
            over.wait(max(0.5, 5.0 - (time.monotonic() - began)))
    for sampling in kept:
        sampling.close()


def _shares(waiting: list[tuple[Camera, CityConfig]]) -> list[list[tuple[Camera, CityConfig]]]:
    return [waiting[index::AT_ONCE] for index in range(AT_ONCE)]


def _some(sampling: Sampling, share: list[tuple[Camera, CityConfig]], context: Context, over: threading.Event) -> None:
    for camera, config in share:
        if over.is_set():
            return
        sampled(camera, config, sampling, context)
