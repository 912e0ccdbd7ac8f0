"""The vault of this process, with its master keys: from the settings, or kept by a plug-in.

A key in the settings is `id:base64 of 32 bytes`; several are separated by commas. The first one wraps what is new, the
others still open what they wrapped, until the sweeper has wrapped it anew. A laptop needs none: one is derived from
AMAAN_SECRET, which stays the last of the ring.
"""

import base64
import binascii
import hashlib
import hmac
import importlib
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.people.tokens import purpose_key
from domain.vault.ports import KeysUnavailable, MasterKeys
from domain.vault.service import Vault
from runtime.settings import BadSetting, Settings

DERIVED: Final = "secret"
"""The id of the key that is derived where none is set."""
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32


class KeyRing:
    """Master keys in memory, by id; the first one is current."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self._current = next(iter(keys))

    @property
    def current(self) -> str:
        """The id of the key that wraps what is new."""
        return self._current

    @property
    def older(self) -> tuple[str, ...]:
        """The ids of the others."""
        return tuple(name for name in self._keys if name != self._current)

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        """AES-256-GCM, with the subject authenticated."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._keys[self._current].encrypt(nonce, data_key, context)

    def unwrap(self, master: str, wrapped: bytes, context: bytes) -> bytes:
        """The data key; raises KeysUnavailable for a master key that is not set, or is another one."""
        if master not in self._keys:
            raise KeysUnavailable("a master key of the vault is not set", retry_after=60)
        try:
            return self._keys[master].decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], context)
        except InvalidTag as error:
            raise KeysUnavailable("a master key of the vault is another one", retry_after=60) from error


def read_keys(text: str) -> dict[str, bytes]:
    """`id:base64,…` as a map in order; raises BadSetting, which never quotes a key."""
    keys: dict[str, bytes] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, _, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not name or not name.isalnum() or len(key) != _KEY_BYTES or name in keys:
            raise BadSetting("AMAAN_VAULT_KEYS: must be id:base64 of 32 bytes, separated by commas, each id once")
        keys[name] = key
    return keys


def _plugin(name: str) -> MasterKeys:
    module, _, attribute = name.partition(":")
    try:
        made: MasterKeys = getattr(importlib.import_module(module), attribute)()
    except (ImportError, AttributeError, TypeError) as error:
        raise BadSetting(f"AMAAN_VAULT_KMS: {name} cannot be made: {type(error).__name__}") from None
    return made


@lru_cache(maxsize=8)
def _vault(secret: str, keys: str, kms: str) -> Vault:
    derived = hmac.new(secret.encode(), b"amaan/vault-master", hashlib.sha256).digest()
    masters = _plugin(kms) if kms else KeyRing({**read_keys(keys), DERIVED: derived})
    return Vault(masters, purpose_key(secret, "vault-index"))


def vault(settings: Settings) -> Vault:
    """The vault of these settings; made once a process. Raises BadSetting."""
    return _vault(settings.signing_key, settings.vault_keys.get_secret_value(), settings.vault_kms)
