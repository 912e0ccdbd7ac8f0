"""Forgetting a request for good: its case first, then its key, its words, and what finds it. Each step again is harmless,
and what finds it goes last, so that a run which dies in between is done again.
"""

from datetime import datetime

from domain.helpline import cases
from domain.helpline import service as helpline
from domain.vault.service import Vault


def erase(request_id: str, vault: Vault, *, now: datetime) -> bool:
    """True when there was something to forget."""
    doc = helpline.requests().find_one({"_id": request_id})
    if doc is None:
        return False
    cases.forget(doc, vault, now=now)
    return helpline.erase(request_id, vault, now=now)
