"""The vault: each subject has a data key of its own, and each field is sealed with it by AES-256-GCM.

A sealed field is `v2.` and base64 of 12 bytes nonce and the ciphertext (NIST SP 800-38D; nonces are random, and a key
seals far fewer than the 2^32 fields that the standard allows). Subject and field name are authenticated with it, so that
no value can be moved to another request or passed off as another field. What must be found again without being opened
(a phone number, a person) stands beside it as a keyed hash.
"""

import base64
import binascii
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from domain.sealing import NotSealed
from domain.vault.documents import VaultKeyDoc
from domain.vault.errors import Destroyed
from domain.vault.ports import MasterKeys

__all__ = ["Box", "NotSealed", "Vault", "vault_keys"]

_VERSION: Final = "v2."
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


def vault_keys() -> Collection[dict[str, Any]]:
    """The raw collection of wrapped keys."""
    found: Collection[dict[str, Any]] = VaultKeyDoc._get_collection()
    return found


@dataclass(frozen=True)
class Box:
    """One subject's fields, open: it holds the data key in memory, and is not kept longer than a request or a job."""

    subject: str
    _data_key: bytes = field(repr=False)

    @property
    def _cipher(self) -> AESGCM:
        return AESGCM(self._data_key)

    def seal(self, name: str, text: str) -> str:
        """The text of a field as it is stored."""
        return _VERSION + base64.urlsafe_b64encode(self.seal_bytes(name, text.encode())).decode()

    def open(self, name: str, sealed: str) -> str:
        """The text again; raises NotSealed for what was sealed for another subject or field, or was changed."""
        try:
            raw = base64.urlsafe_b64decode(sealed.removeprefix(_VERSION))
            return self.open_bytes(name, raw).decode()
        except (binascii.Error, ValueError) as error:
            raise NotSealed from error

    def seal_bytes(self, name: str, data: bytes) -> bytes:
        """Bytes as they are stored: nonce and ciphertext."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, self._bound_to(name))

    def open_bytes(self, name: str, sealed: bytes) -> bytes:
        """The bytes again; raises NotSealed."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._bound_to(name))
        except (InvalidTag, ValueError) as error:
            raise NotSealed from error

    def keyed(self, name: str, text: str) -> str:
        """HMAC-SHA256 of a text, hexadecimal, under a key of this box (HKDF of its data key, RFC 5869): by what it is found
        again among what else was keyed here, and by nobody once the box's key is destroyed.
        """
        key = HKDFExpand(SHA256(), _KEY_BYTES, b"amaan/vault/keyed").derive(self._data_key)
        return hmac.new(key, self._bound_to(name) + b"\x1f" + text.encode(), hashlib.sha256).hexdigest()

    def _bound_to(self, name: str) -> bytes:
        return f"{self.subject}\x1f{name}".encode()


class Vault:
    """Opens and makes the boxes of subjects. `index_key` (32 bytes) keys the hashes by which sealed values are found."""

    def __init__(self, masters: MasterKeys, index_key: bytes) -> None:
        self._masters = masters
        self._index_key = index_key

    def make(self, subject: str, city: str, *, now: datetime) -> Box:
        """The box of a new subject. A retry meets the key that the first call made."""
        data_key = os.urandom(_KEY_BYTES)
        made = {"_id": subject, "city": city, "made_at": now, **self._wrapped(subject, data_key, now)}
        try:
            vault_keys().insert_one(made)
        except DuplicateKeyError:
            return self.box(subject)
        return Box(subject, data_key)

    def box(self, subject: str) -> Box:
        """The box of a subject; raises Destroyed when its key is gone, KeysUnavailable when no master key opens it."""
        held = vault_keys().find_one({"_id": subject})
        if held is None or not held.get("wrapped"):
            raise Destroyed("it was erased")
        return Box(subject, self._unwrapped(held))

    def destroy(self, subject: str, *, now: datetime) -> bool:
        """Erase a subject for good: without its key nothing of it can be read, in no copy. True when this call did it."""
        done = vault_keys().update_one(
            {"_id": subject, "wrapped": {"$exists": True}},
            {"$unset": {"wrapped": "", "master": ""}, "$set": {"destroyed_at": now}},
        )
        return done.modified_count == 1

    def rotate(self, *, now: datetime, limit: int = 500) -> int:
        """Wrap keys of older master keys anew under the current one; how many were. The sealed fields stay as they are.

        Again until it says 0; then the older master key may go.
        """
        done = 0
        for master in self._masters.older:
            for held in vault_keys().find({"master": master}).limit(limit - done):
                fresh = self._wrapped(held["_id"], self._unwrapped(held), now)
                result = vault_keys().update_one(
                    {"_id": held["_id"], "master": master, "wrapped": held["wrapped"]}, {"$set": fresh}
                )
                done += result.modified_count
            if done >= limit:
                break
        return done

    def index(self, purpose: str, value: str) -> str:
        """By what a sealed value is found: 160 bits of HMAC-SHA256(index key, purpose, value)."""
        message = f"amaan/vault/{purpose}\x1f{value}".encode()
        return hmac.new(self._index_key, message, hashlib.sha256).hexdigest()[:40]

    def _wrapped(self, subject: str, data_key: bytes, now: datetime) -> dict[str, Any]:
        wrapped = self._masters.wrap(data_key, subject.encode())
        return {
            "master": self._masters.current,
            "wrapped": base64.urlsafe_b64encode(wrapped).decode(),
            "wrapped_at": now,
        }

    def _unwrapped(self, held: dict[str, Any]) -> bytes:
        wrapped = base64.urlsafe_b64decode(held["wrapped"])
        return self._masters.unwrap(held["master"], wrapped, str(held["_id"]).encode())
