"""Reads an address that belongs to somebody else: for so long, so many bytes, and nowhere else than asked.

No redirect is followed (it would lead where nobody allowed), no proxy or credentials of this machine are used, and the whole
call has one deadline, however slowly the other side drips.
"""

import time
from collections.abc import Mapping
from typing import NamedTuple

import requests
from urllib3.exceptions import HTTPError

_CHUNK = 16 * 1024


class NotFetched(Exception):
    """Nothing usable came. The text is safe to log and to show."""


class Fetched(NamedTuple):
    """What came: `status` 200 with a body, or 304 without."""

    status: int
    body: bytes
    headers: Mapping[str, str]


def fetch(address: str, *, timeout_s: float, max_bytes: int, headers: Mapping[str, str] | None = None) -> Fetched:
    """GET an address. Raises NotFetched for anything but 200 and 304, too many bytes, or too long a time."""
    end = time.monotonic() + timeout_s
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.get(
                address,
                headers={"Accept-Encoding": "identity", "User-Agent": "Amaan", **(headers or {})},
                timeout=min(timeout_s, 5.0),
                stream=True,
                allow_redirects=False,
            ) as answer:
                if answer.status_code not in (200, 304):
                    raise NotFetched(f"http {answer.status_code}")
                body = bytearray()
                while chunk := answer.raw.read1(_CHUNK, decode_content=True):  # what is there, not a full chunk
                    body += chunk
                    if len(body) > max_bytes:
                        raise NotFetched(f"more than {max_bytes} bytes")
                    if time.monotonic() > end:
                        raise NotFetched(f"not within {timeout_s:g} s")
                return Fetched(answer.status_code, bytes(body), dict(answer.headers))
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise NotFetched(type(error).__name__) from None
