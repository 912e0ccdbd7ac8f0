"""What the vault costs a message, and how the line does with 10,000 who wait. `python -m bench.helpline`.

The same chat message is stored once sealed and once as it is, on the same store, so that the difference is the vault's.
"""

import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bench.figures import Figure, keep, percentile
from cli.indexes import create as create_indexes
from domain.helpline import chat, line, questions, rules
from domain.helpline import service as helpline
from domain.helpline.service import Asked
from domain.helpline.states import Danger, Side
from domain.vault.service import Box
from runtime import mongo
from runtime.settings import Settings
from runtime.vault import vault
from tests import local_servers

COMMAND = "python -m bench.helpline"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
WAITING = 10_000
MESSAGES = 300
TEXT = "وہ ابھی گھر پر نہیں ہے، میں بات کر سکتی ہوں۔ " * 4


class Plain(Box):
    """A box that seals nothing, for the comparison."""

    def seal(self, name: str, text: str) -> str:
        return text


def timed(times: int, act: Callable[[int], Any]) -> list[float]:
    """Milliseconds of each."""
    found = []
    for index in range(times):
        began = time.perf_counter()
        act(index)
        found.append((time.perf_counter() - began) * 1000)
    return found


def main() -> None:
    """Measure and keep."""
    with tempfile.TemporaryDirectory() as name, local_servers.embedded_docstore(Path(name)) as (url, _):
        mongodb_url = f"{url.rstrip('/')}/b_{uuid.uuid4().hex[:8]}"
        settings = Settings(secret=SecretStr("b" * 40), mongodb_url=mongodb_url, redis_url="redis://127.0.0.1:9/0")
        mongo.connect(settings)
        create_indexes()
        figures = [*messages(settings), *long_line(settings)]
        mongo.disconnect()
    for row in keep(figures):
        if row["command"] == COMMAND:
            print(f"{row['name']}: {row['value']} {row['unit']} (aim {row['aim'] or 'none'})", flush=True)


def messages(settings: Settings) -> list[Figure]:
    """Storing a message, sealed and not; opening one."""
    keys = vault(settings)
    doc, _ = helpline.ask(Asked(city="lahore"), keys, now=NOW)
    box = keys.box(doc["_id"])
    plain = Plain(box.subject, box._data_key)

    def write(how: Box, index: int) -> None:
        chat.write(doc, how, TEXT, side=Side.CITIZEN, by="citizen", key=uuid.uuid4().hex, now=NOW)

    timed(50, lambda index: write(box, index))  # warm
    sealed = timed(MESSAGES, lambda index: write(keys.box(doc["_id"]), index))
    bare = timed(MESSAGES, lambda index: write(plain, index))
    stored = chat.after(doc["_id"], 0, limit=1)[0]
    opening = timed(2000, lambda _: chat.view(stored, box))
    sealing = timed(2000, lambda _: box.seal("message:x", TEXT))
    fetching = timed(500, lambda _: keys.box(doc["_id"]))
    with_key, without = percentile(sealed, 0.5), percentile(bare, 0.5)
    return [
        Figure("helpline message stored, sealed, key fetched anew, p50", with_key, "ms", "< 20", COMMAND),
        Figure("the same, not sealed, p50", without, "ms", "", COMMAND),
        Figure("vault overhead a message, p50", with_key - without, "ms", "< 3", COMMAND),
        Figure("sealing 180 letters of Urdu, p50", percentile(sealing, 0.5) * 1000, "µs", "< 50", COMMAND),
        Figure("opening them, p50", percentile(opening, 0.5) * 1000, "µs", "< 50", COMMAND),
        Figure("fetching and unwrapping a request's key, p50", percentile(fetching, 0.5), "ms", "< 5", COMMAND),
    ]


def long_line(settings: Settings) -> list[Figure]:
    """10,000 wait: asking, one's own place, the first page of the desk, a claim."""
    keys = vault(settings)
    shape, _ = helpline.ask(Asked(city="karachi"), keys, now=NOW)
    levels = list(Danger)
    rows = []
    for index in range(WAITING):
        at = NOW - timedelta(seconds=index)
        danger = levels[index % len(levels)]
        rows.append(
            {
                **shape,
                "_id": f"hlp_{index:08d}",
                "asked_at": at,
                "danger": str(danger),
                "line_at": questions.line_at(at, danger),
            }
        )
        for gone in ("pending_events", "outbox_due", "due_at"):
            rows[-1].pop(gone, None)
    for start in range(0, WAITING, 1000):
        helpline.requests().insert_many(rows[start : start + 1000])
    asking = timed(200, lambda _: helpline.ask(Asked(city="karachi"), keys, now=NOW))
    middle = helpline.get(f"hlp_{WAITING // 2:08d}")
    placing = timed(100, lambda _: line.place(middle, now=NOW))
    listing = timed(100, lambda _: line.waiting("karachi", after=None, limit=21))
    ids = [row["_id"] for row in line.waiting("karachi", after=None, limit=100)]

    def claim(index: int) -> None:
        helpline.change(ids[index], lambda doc: rules.claim(doc, "per_bench", NOW), now=NOW)

    claiming = timed(100, claim)
    size = f"{WAITING:,} wait"
    return [
        Figure(f"{size}: asking, p95", percentile(asking, 0.95), "ms", "< 50", COMMAND),
        Figure(f"{size}: her place in the line, p95", percentile(placing, 0.95), "ms", "< 100", COMMAND),
        Figure(f"{size}: the desk's first page, p95", percentile(listing, 0.95), "ms", "< 100", COMMAND),
        Figure(f"{size}: a claim, p95", percentile(claiming, 0.95), "ms", "< 50", COMMAND),
    ]


if __name__ == "__main__":
    main()
