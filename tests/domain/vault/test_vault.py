"""The vault: what is sealed opens with its own key, in its own place, until that key is destroyed; master keys change."""

import base64
import json
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from domain.vault.errors import Destroyed
from domain.vault.ports import KeysUnavailable
from domain.vault.service import NotSealed, Vault, vault_keys
from runtime.settings import BadSetting, Settings
from runtime.vault import KeyRing, read_keys, vault
from tests.factories.people import SECRET

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
OLD, NEW = os.urandom(32), os.urandom(32)
INDEX = os.urandom(32)


def made(keys: dict[str, bytes]) -> Vault:
    return Vault(KeyRing(keys), INDEX)


@pytest.mark.usefixtures("documents")
class TestBoxes:
    def test_what_is_sealed_opens_again_and_nowhere_else(self) -> None:
        first = made({"a": OLD}).make("hlp_a1", "lahore", now=NOW)
        other = made({"a": OLD}).make("hlp_b1", "lahore", now=NOW)
        sealed = first.seal("phone", "+923009988776")
        assert "9988776" not in sealed
        assert first.seal("phone", "+923009988776") != sealed
        assert made({"a": OLD}).box("hlp_a1").open("phone", sealed) == "+923009988776"
        for box, name, text in (
            (first, "name", sealed),  # passed off as another field
            (other, "phone", sealed),  # moved to another request
            (first, "phone", sealed[:-6] + "AAAAA="),  # changed
            (first, "phone", "v2."),
            (first, "phone", "plain"),
        ):
            with pytest.raises(NotSealed):
                box.open(name, text)

    def test_a_retry_meets_the_same_key(self) -> None:
        keys = made({"a": OLD})
        sealed = keys.make("hlp_a2", "lahore", now=NOW).seal("x", "ہاں")
        assert keys.make("hlp_a2", "lahore", now=NOW).open("x", sealed) == "ہاں"

    def test_erasure_destroys_the_key(self) -> None:
        keys = made({"a": OLD})
        sealed = keys.make("hlp_a3", "lahore", now=NOW).seal("x", "gone")
        backup = dict(vault_keys().find_one({"_id": "hlp_a3"}) or {})
        assert keys.destroy("hlp_a3", now=NOW)
        assert not keys.destroy("hlp_a3", now=NOW)
        held = vault_keys().find_one({"_id": "hlp_a3"}) or {}
        assert "wrapped" not in held
        assert held["destroyed_at"] == NOW
        with pytest.raises(Destroyed):
            keys.box("hlp_a3")
        with pytest.raises(Destroyed):
            keys.make("hlp_a3", "lahore", now=NOW)  # nor does a late retry make another
        assert backup["wrapped"]
        assert sealed

    def test_a_wrapped_key_moved_to_another_request_opens_nothing(self) -> None:
        keys = made({"a": OLD})
        keys.make("hlp_a4", "lahore", now=NOW)
        keys.make("hlp_a5", "lahore", now=NOW)
        stolen = vault_keys().find_one({"_id": "hlp_a4"}) or {}
        vault_keys().update_one({"_id": "hlp_a5"}, {"$set": {"wrapped": stolen["wrapped"]}})
        with pytest.raises(KeysUnavailable):
            keys.box("hlp_a5")


@pytest.mark.usefixtures("documents")
class TestRotation:
    def test_keys_are_wrapped_anew_and_the_old_master_may_go(self) -> None:
        before = made({"old": OLD})
        sealed = {f"hlp_r{n}": before.make(f"hlp_r{n}", "lahore", now=NOW).seal("x", str(n)) for n in range(5)}
        both = made({"new": NEW, "old": OLD})
        assert both.box("hlp_r0").open("x", sealed["hlp_r0"]) == "0"
        assert both.rotate(now=NOW, limit=3) == 3
        assert both.rotate(now=NOW, limit=3) == 2
        assert both.rotate(now=NOW) == 0
        after = made({"new": NEW})
        for n, (subject, text) in enumerate(sealed.items()):
            assert after.box(subject).open("x", text) == str(n)
        with pytest.raises(KeysUnavailable):
            before.box("hlp_r0")
        vault_keys().delete_many({})

    def test_the_hash_by_which_something_is_found_stays(self) -> None:
        assert made({"a": OLD}).index("phone", "+92300") == made({"b": NEW}).index("phone", "+92300")
        assert made({"a": OLD}).index("phone", "+92300") != made({"a": OLD}).index("person", "+92300")
        assert Vault(KeyRing({"a": OLD}), os.urandom(32)).index("phone", "1") != made({"a": OLD}).index("phone", "1")


class FakeKms:
    """A key management service as a plug-in has it: keys never leave it."""

    current = "projects/amaan/keys/1"
    older = ()

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        return context + b"|" + data_key

    def unwrap(self, master: str, wrapped: bytes, context: bytes) -> bytes:
        held, _, data_key = wrapped.partition(b"|")
        if (master, held) != (self.current, context):
            raise KeysUnavailable("another key")
        return data_key


def settings(**named: Any) -> Settings:
    return Settings(secret=SecretStr(SECRET), **named)


def encoded(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode()


class TestSettings:
    @pytest.mark.usefixtures("documents")
    def test_a_plugin_keeps_the_master_keys(self) -> None:
        keys = vault(settings(vault_kms="tests.domain.vault.test_vault:FakeKms"))
        sealed = keys.make("hlp_k1", "lahore", now=NOW).seal("x", "y")
        assert keys.box("hlp_k1").open("x", sealed) == "y"
        held = vault_keys().find_one({"_id": "hlp_k1"}) or {}
        assert held["master"] == "projects/amaan/keys/1"
        assert held["wrapped"].startswith(base64.urlsafe_b64encode(b"hlp_k1|").decode()[:8])

    @pytest.mark.usefixtures("documents")
    def test_what_a_laptop_sealed_opens_after_keys_were_set(self) -> None:
        sealed = vault(settings()).make("hlp_k2", "lahore", now=NOW).seal("x", "y")
        later = vault(settings(vault_keys=SecretStr(f"k1:{encoded(NEW)}")))
        assert later.box("hlp_k2").open("x", sealed) == "y"
        assert later.rotate(now=NOW) >= 1
        assert (vault_keys().find_one({"_id": "hlp_k2"}) or {})["master"] == "k1"

    @pytest.mark.parametrize(
        "wrong",
        ["k1", "k1:", "k1:c2hvcnQ=", f":{encoded(NEW)}", f"k1:{encoded(NEW)},k1:{encoded(OLD)}", "k 1:x"],
        ids=["no key", "empty", "short", "no name", "one name twice", "a space"],  # the keys are new in each process
    )
    def test_a_wrong_key_stops_the_start_and_is_not_quoted(self, wrong: str) -> None:
        with pytest.raises(BadSetting, match="AMAAN_VAULT_KEYS") as told:
            read_keys(wrong)
        assert encoded(NEW)[:10] not in str(told.value)

    def test_a_plugin_that_is_not_there_stops_the_start(self) -> None:
        with pytest.raises(BadSetting, match="AMAAN_VAULT_KMS"):
            vault(settings(vault_kms="no.such:Thing"))

    def test_nothing_of_a_box_is_printed(self) -> None:
        box = made({"a": OLD})
        assert "b'" not in repr(box)
        assert json.dumps(repr(box))
