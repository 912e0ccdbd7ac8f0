"""The data of each push against its JSON Schema, and against what a stranger may read."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from notifications.messages import Address, AddressKind, Message
from notifications.render import MissingParam, listing, render
from notifications.render.push import CARRIED, push_payload

SCHEMAS = Path(__file__).parents[2] / "mobile-contract" / "push"
KINDS = {
    "assignment.offered", "assignment.withdrawn", "incident.updated", "guardian.alerted", "journey.due", "call.due",
    "helpline.message", "helpline.expire_local", "watch.alert", "watch.group", "watch.moderation",
    "roster.reminder", "gathering.reminder", "guardian.invited", "drill.ping",
    "alert.issued", "notice.opened",
}  # fmt: skip
"""What the contract with the phone lists, and what staff get about Amaan itself."""
OWN_TITLE = {"helpline.message": "اطلاع", "alert.issued": "عوامی انتباہ"}
"""What says another name than ours: she may be watched; the public is warned."""
IDS = {name: f"{name[:3]}_0123456789abcdef" for names in CARRIED.values() for name in names}
PRIVATE = {
    "first_name": "Ayesha",
    "area": "Gulberg",
    "category": "Medical",
    "status": "en_route",
    "phone": "+923001234567",
}


def schema(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{kind}.schema.json").read_text(encoding="utf-8"))
    return found


def payload(kind: str) -> dict[str, str]:
    return push_payload(kind, delivery_id="dlv_01jd", receipt_token="0123456789ab", params=IDS | PRIVATE)


def test_there_is_one_schema_for_each_kind_of_the_contract() -> None:
    assert {path.name.removesuffix(".schema.json") for path in SCHEMAS.glob("*.schema.json")} == KINDS == set(CARRIED)


@pytest.mark.parametrize("kind", sorted(KINDS))
class TestEachKind:
    def test_its_payload_is_valid(self, kind: str) -> None:
        Draft202012Validator.check_schema(schema(kind))
        Draft202012Validator(schema(kind)).validate(payload(kind))

    def test_its_example_is_what_the_code_makes_and_valid(self, kind: str) -> None:
        committed = (SCHEMAS / "examples" / f"{kind}.json").read_text(encoding="utf-8")
        assert committed == listing.push_examples()[kind], "run: .venv/bin/amaan messages mobile-contract"
        Draft202012Validator(schema(kind)).validate(json.loads(committed))

    def test_schema_and_code_name_the_same_ids(self, kind: str) -> None:
        envelope = {"type", "v", "delivery_id", "receipt_token"}
        assert set(schema(kind)["required"]) == set(schema(kind)["properties"]) == {*CARRIED[kind], *envelope}

    def test_it_carries_nothing_private(self, kind: str) -> None:
        told = json.dumps(payload(kind))
        assert [word for word in PRIVATE.values() if word in told] == []

    def test_the_schema_refuses_anything_more(self, kind: str) -> None:
        with pytest.raises(ValidationError):
            Draft202012Validator(schema(kind)).validate(payload(kind) | {"name": "Ayesha"})

    def test_its_keys_are_none_that_fcm_keeps_for_itself(self, kind: str) -> None:
        reserved = {"from", "message_type", "collapse_key", "notification"}
        assert not [key for key in payload(kind) if key in reserved or key.startswith(("google", "gcm"))]

    def test_what_is_shown_has_words(self, kind: str) -> None:
        purpose = kind.replace(".", "_")
        if schema(kind)["x-visible"]:
            assert render(purpose, "push_title", "ur", {}) == OWN_TITLE.get(kind, "امان")
            assert render(purpose, "push_body", "ur", {})


@pytest.mark.parametrize("kind", sorted(kind for kind in KINDS if CARRIED[kind]))
def test_a_missing_id_is_refused(kind: str) -> None:
    with pytest.raises(MissingParam):
        push_payload(kind, delivery_id="dlv_1", receipt_token="0123456789ab", params=PRIVATE)


def test_a_message_shows_nothing_private_when_printed() -> None:
    message = Message(
        "dlv_1-1", Address(AddressKind.SMS, "+923001234567"), text="secret", data={"receipt_token": "tok"}
    )
    assert not [word for word in ("+92300", "secret", "tok") if word in repr(message)]


def test_the_texts_of_the_contract_are_those_that_are_sent() -> None:
    committed = (SCHEMAS.parent / "sms" / "texts.md").read_text(encoding="utf-8")
    assert committed == listing.sms_texts(), "run: .venv/bin/amaan messages mobile-contract"
    rows = [line.split("|") for line in committed.splitlines() if line.startswith("| [")]
    assert len(rows) > 60
    assert [row[1] for row in rows if int(row[5]) > 2] == []
