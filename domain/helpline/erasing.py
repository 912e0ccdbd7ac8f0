"""Forgetting a request for good: its case first, then its key, its words, and what finds it. Each step again is harmless,
and what finds it goes last, so that a run which dies in between is done again.
"""

from collections.abc import Callable
from datetime import datetime

from domain.helpline import cases, chat
from domain.helpline import service as helpline
from domain.vault.service import Vault


def erase(request_id: str, vault: Vault, drop: Callable[[str], None], *, now: datetime) -> bool:
    """True when there was something to forget. `drop` takes stored bytes away by their name: pictures and voices, which
    nobody could read any more without the key, and which should not lie about either.
    """
    doc = helpline.requests().find_one({"_id": request_id})
    if doc is None:
        return False
    cases.forget(doc, vault, now=now)
    for name in chat.media_of(request_id):
        drop(name)
    return helpline.erase(request_id, vault, now=now)
