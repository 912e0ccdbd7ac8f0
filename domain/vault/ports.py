"""Who keeps the master keys: settings on a laptop, a key management service in a city. Given, never imported."""

from typing import Protocol

from domain.errors import Unavailable


class KeysUnavailable(Unavailable):
    """The master key that this needs is not here, or whoever keeps it does not answer."""

    code = "vault_unavailable"


class MasterKeys(Protocol):
    """Wraps data keys. A plug-in is a class with these members, named in AMAAN_VAULT_KMS and made without arguments.

    `context` is authenticated with the wrapped key (AWS KMS and Google Cloud KMS call it encryption context and
    additional authenticated data), so that a key moved to another subject does not open there. Both methods raise
    KeysUnavailable where the key is unknown or the service does not answer.
    """

    @property
    def current(self) -> str:
        """The id of the master key that wraps new data keys."""

    @property
    def older(self) -> tuple[str, ...]:
        """Ids of master keys that may still wrap something: rotation wraps those data keys anew."""

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        """The data key under the current master key."""

    def unwrap(self, master: str, wrapped: bytes, context: bytes) -> bytes:
        """The data key again, wrapped by the master key of that id."""
