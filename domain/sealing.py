"""Sealing single fields: AES-256-GCM with a key per purpose and the place of the value bound to it.

A sealed text is `v1.` and base64 of 12 bytes nonce and the ciphertext (NIST SP 800-38D). `where` (document and field)
is authenticated with it, so that nobody can move one person's sealed value to another.
"""

import base64
import binascii
import hashlib
import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION: Final = "v1."


class NotSealed(Exception):
    """The text was not sealed with this key for this place."""


def _cipher(secret: str, purpose: str) -> AESGCM:
    return AESGCM(hmac.new(secret.encode(), f"amaan/seal/{purpose}".encode(), hashlib.sha256).digest())


def seal(secret: str, purpose: str, where: str, text: str) -> str:
    """The text as it is stored."""
    nonce = os.urandom(12)
    sealed = _cipher(secret, purpose).encrypt(nonce, text.encode(), where.encode())
    return _VERSION + base64.urlsafe_b64encode(nonce + sealed).decode()


def unseal(secret: str, purpose: str, where: str, sealed: str) -> str:
    """The text again; raises NotSealed."""
    try:
        raw = base64.urlsafe_b64decode(sealed.removeprefix(_VERSION))
        return _cipher(secret, purpose).decrypt(raw[:12], raw[12:], where.encode()).decode()
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise NotSealed from error
