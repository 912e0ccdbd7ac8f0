"""From "these people must be told this" to deliveries under way: written down one by one, then sent side by side.

The pool belongs to the process, so one carrier call that hangs holds one thread, not the job and not the others.
"""

import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import lru_cache

from domain.deliveries import service as store
from domain.deliveries.service import Telling
from domain.errors import DomainError
from notifications.deliveries import Post, advance
from runtime import logging

POOL_THREADS = 24
PATIENCE_S = 2.0
"""How long a job waits for its sends. What takes longer goes on in the pool; the sweeper watches over it."""

log = logging.get(__name__)


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(POOL_THREADS, thread_name_prefix="send")


_under_way: set[str] = set()
_lock = threading.Lock()


def tell(tellings: Iterable[Telling], post: Post, *, patience_s: float = PATIENCE_S) -> list[str]:
    """Write the deliveries down and take each its first step. Returns their ids; a repeated call tells nobody twice."""
    ids = [store.write_down(telling, now=post.clock())[0]["_id"] for telling in tellings]
    advance_all(ids, post, patience_s=patience_s)
    return ids


def advance_all(ids: Iterable[str], post: Post, *, patience_s: float = PATIENCE_S) -> None:
    """Take each delivery its next step, side by side; returns when all are done or patience ends."""
    futures: list[Future[None]] = [_pool().submit(_advance, each, post) for each in ids]
    wait(futures, timeout=patience_s)


def _advance(delivery_id: str, post: Post) -> None:
    with _lock:
        if delivery_id in _under_way:
            return
        _under_way.add(delivery_id)
    try:
        advance(delivery_id, post)
    except DomainError as error:
        log.warning("delivery_refused", delivery=delivery_id, reason=error.error_code)
    except Exception:
        log.exception("delivery_failed", delivery=delivery_id)  # its next_at brings the sweeper
    finally:
        with _lock:
            _under_way.discard(delivery_id)
