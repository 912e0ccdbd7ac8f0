"""A city to measure in: the whole stack with invented people, and SOS requests made beforehand."""

import json
import random
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from bench.load import post
from cli.stack import Stack
from domain import geo
from domain.clock import utc_now
from domain.people.tokens import access_token
from runtime import mongo
from runtime.settings import Settings
from sandbox.townspeople import PLACE

CITY = "lahore"


@contextmanager
def stack(var: Path, *, workers: bool) -> Iterator[Stack]:
    """A stack of its own that is gone afterwards; this process is connected to its store."""
    shutil.rmtree(var, ignore_errors=True)
    made = Stack(var, workers=workers)
    made.start()
    try:
        mongo.connect(settings_of(made), timeout_ms=60_000, selection_ms=60_000)
        yield made
    finally:
        mongo.disconnect()
        made.stop()
        shutil.rmtree(var, ignore_errors=True)


def settings_of(made: Stack) -> Settings:
    """The settings that the stack's processes have, as far as the benches need them."""
    return Settings.model_validate(
        {
            "mongodb_url": made.env["MONGODB_URL"],
            "redis_url": made.env["REDIS_URL"],
            "secret": made.env["AMAAN_SECRET"],
        }
    )


def bodies(count: int, *, seed: int, spread_m: float = 6000.0) -> Iterator[bytes]:
    """Bodies of SOS around the demo's place."""
    draw = random.Random(seed)
    for _ in range(count):
        lat, lon = geo.destination(*PLACE, draw.uniform(0, 360), draw.uniform(0, spread_m))
        position = {"lat": round(lat, 6), "lon": round(lon, 6), "accuracy_m": 15, "captured_at": utc_now().isoformat()}
        yield json.dumps({"position": position, "category": "robbery", "battery_pct": 60}).encode()


def taps(made: Stack, count: int, *, seed: int, path: str = "/v1/sos", spread_m: float = 6000.0) -> list[bytes]:
    """Requests of `count` phones that are signed in, each with its own key."""
    secret, now = made.env["AMAAN_SECRET"], utc_now()
    tokens = [
        access_token(secret, f"per_bench{index}", "ses_bench", now=now + timedelta(minutes=10), ttl_s=900)
        for index in range(200)
    ]
    return [
        post(
            path,
            body,
            {
                "Authorization": f"Bearer {tokens[index % len(tokens)]}",
                "Idempotency-Key": str(uuid.uuid4()),
                "Sent-At": now.isoformat(),
            },
        )
        for index, body in enumerate(bodies(count, seed=seed, spread_m=spread_m))
    ]
