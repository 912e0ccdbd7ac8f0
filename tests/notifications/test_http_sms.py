"""A gateway of the table over HTTP: what is asked for, what its answers and reports mean, which tables are refused."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from notifications.channel import ChannelError, FailureCode, Permanent, Receipt, Temporary, Unknown
from notifications.channels import http_sms
from notifications.channels.http_sms import HttpSmsChannel
from notifications.gateway_table import BadTable, HttpGateway, at, fill, parse, read
from notifications.messages import Address, AddressKind, Message, nonce_of
from notifications.registry import build_channels
from runtime.settings import Settings
from tests.invariants.sources import ROOT
from tests.notifications.odd_carrier import answering, odd_carrier
from tests.notifications.twins import gateway, number

EXAMPLE = ROOT / "deploy" / "sms-gateways.toml"


@pytest.fixture
def message() -> Message:
    nonce = nonce_of("dlv_1-1")
    return Message("dlv_1-1", Address(AddressKind.SMS, number()), text=f"Hello\nRef {nonce}", nonce=nonce, ttl_s=90)


def posted(message: Message, **fields: Any) -> tuple[bytes, bytes]:
    """Head and body of the request that sends a message."""
    seen: list[bytes] = []
    with odd_carrier(answering("202 Accepted", b'{"messages": [{"id": "GW1"}]}'), requests=seen) as url:
        HttpSmsChannel(gateway(url, "t", **fields)).send(message, timeout_s=3)
    head, _, body = seen[0].partition(b"\r\n\r\n")
    return head, body


def test_every_message_has_a_lifetime_our_id_and_a_place_for_its_reports(message: Message) -> None:
    head, body = posted(replace(message, status_url="http://127.0.0.1:1/webhooks/sms/x?signature=1"))
    assert head.startswith(b"POST /gateway/messages HTTP/1.1")
    assert b"Authorization: Bearer t" in head
    assert json.loads(body) == {
        "to": message.to.value, "from": "Amaan", "text": message.text, "validity_minutes": 2,
        "reference": "dlv_1-1", "report_url": "http://127.0.0.1:1/webhooks/sms/x?signature=1",
    }  # fmt: skip


def test_a_form_and_a_query_carry_the_same_fields(message: Message) -> None:
    body = {"msisdn": "{digits}", "msg": "{text}", "coding": "{encoding}", "valid": "{ttl_s}"}
    _, form = posted(message, format="form", body=body)
    assert b"msisdn=" + message.to.value[1:].encode() in form
    assert b"coding=gsm7" in form
    assert b"valid=90" in form
    head, _ = posted(replace(message, text="سلام"), format="query", body=body, method="GET")
    assert head.startswith(b"GET /gateway/messages?msisdn=92")
    assert b"coding=ucs2" in head


@pytest.mark.parametrize(
    ("status", "answer", "error", "code", "told"),
    [
        ("200 OK", {"error": {"code": "E14"}}, Permanent, FailureCode.NOT_MOBILE, "E14"),
        ("400 Bad Request", {"error": {"code": "E30"}}, Temporary, FailureCode.UNREACHABLE, "E30"),
        ("402 Payment Required", {}, Temporary, FailureCode.MISCONFIGURED, "http 402"),
        ("422 Unprocessable", {"error": {"code": "X9"}}, Permanent, FailureCode.REJECTED, "X9"),
        ("302 Found", {}, Temporary, FailureCode.MISCONFIGURED, "http 302"),
        ("400 Bad", {"error": {"code": "no route to +923001234567"}}, Permanent, FailureCode.REJECTED, "other"),
        ("400 Bad", {"error": {"code": "923001234567"}}, Permanent, FailureCode.REJECTED, "other"),
        ("200 OK", {"messages": [{"id": ""}]}, Unknown, FailureCode.NO_ANSWER, "no id"),
    ],
)
def test_a_refusal_is_read_in_our_words(
    message: Message, status: str, answer: Any, error: type[ChannelError], code: FailureCode, told: str
) -> None:
    with odd_carrier(answering(status, json.dumps(answer).encode())) as url, pytest.raises(error) as failed:
        HttpSmsChannel(gateway(url, "t")).send(message, timeout_s=3)
    assert (failed.value.code, failed.value.vendor_code) == (code, told)


def test_a_gateway_without_a_list_says_so(message: Message) -> None:
    channel = HttpSmsChannel(gateway("http://127.0.0.1:1", "t").model_copy(update={"look_up": None}))
    with pytest.raises(Unknown) as failed:
        channel.reconcile(message, since=datetime.now(UTC))
    assert failed.value.code == FailureCode.NO_LIST


@pytest.mark.parametrize(
    ("report", "receipt"),
    [
        ({"status": "ACCEPTED"}, Receipt("sent")),
        ({"status": "DELIVERED"}, Receipt("delivered")),
        ({"status": "FAILED", "error": "E30"}, Receipt("failed_temporary", FailureCode.UNREACHABLE, "E30")),
        ({"status": "FAILED", "error": "E31"}, Receipt("failed_permanent", FailureCode.INVALID_ADDRESS, "E31", True)),
        ({"status": "EXPIRED", "error": "E36"}, Receipt("failed_permanent", FailureCode.EXPIRED, "E36")),
        ({"status": "FAILED", "error": "of next year"}, Receipt("failed_temporary", FailureCode.UNREACHABLE, "other")),
        ({"status": "BUFFERED"}, None),
        ({}, None),
    ],
)
def test_a_report_is_read_in_our_words(report: dict[str, Any], receipt: Receipt | None) -> None:
    assert http_sms.receipt(gateway("http://127.0.0.1:1", "t"), report) == receipt


# --- the table --------------------------------------------------------------------------------------------------------


def settings(**values: Any) -> Settings:
    twilio = {"twilio_account_sid": "AC1", "twilio_auth_token": "t", "twilio_from": "+924235550100"}
    return Settings(**{"secret": "x" * 32, **twilio, **values})


@pytest.mark.parametrize(
    ("to", "order"),
    [
        ("+923001234567", ("local_http", "twilio_sms")),
        ("+923451234567", ("twilio_sms",)),
        ("+441234567890", ("twilio_sms", "local_http")),
    ],
)
def test_the_longest_prefix_of_a_number_chooses_its_gateways(tmp_path: Path, to: str, order: tuple[str, ...]) -> None:
    text = EXAMPLE.read_text().split("# --- a gateway that speaks SMPP")[0]
    text = text.replace('"local_smpp", ', "").replace("[routes]", '[routes]\n"+9234" = ["twilio_sms"]')
    (tmp_path / "table.toml").write_text(text)
    sms: Any = build_channels(settings(sms_gateways=str(tmp_path / "table.toml")))["sms"]
    assert sms.order(to) == order


def test_without_a_table_there_is_twilio_alone() -> None:
    sms: Any = build_channels(settings())["sms"]
    assert sms.order("+923001234567") == ("twilio_sms",)


Body = dict[str, Any]
BREAKS: list[tuple[str, Callable[[Body], object]]] = [
    ("http.0.url", lambda body: body["http"][0].update(url="http://example.com/send")),
    ("http.0.body: Value error, must name ttl_s", lambda body: body["http"][0]["body"].pop("validity_minutes")),
    ("http.0.look_up.url", lambda body: body["http"][0]["look_up"].update(url="http://example.com/?r={key}")),
    ("names colour", lambda body: body["http"][0]["look_up"].update(url="https://example.com/?r={colour}")),
    ("smpp.0.password", lambda body: body["smpp"][0].update(password="nine char")),
    ("names password", lambda body: body["http"][0]["body"].update(x="{password}")),
    ("must name text", lambda body: body["http"][0]["body"].pop("text")),
    ("http.0.errors", lambda body: body["http"][0]["errors"].update(E1="not_in_the_mood")),
    ("http.0.errors", lambda body: body["http"][0]["errors"].update(E1="no_list")),
    ("http.0.reports.statuses", lambda body: body["http"][0]["reports"]["statuses"].update(X="perhaps")),
    ("http.0.colour", lambda body: body["http"][0].update(colour="red")),
    ("a name of its own", lambda body: body["http"][0].update(name="local_smpp")),
    ("http.0.name", lambda body: body["http"][0].update(name="No Name")),
    ("names nobody", lambda body: body["routes"].update({"+93": ["nobody"]})),
    ("not the beginning", lambda body: body["routes"].update({"0092": ["twilio_sms"]})),
    ("names no gateway", lambda body: body["routes"].update({"+93": []})),
    ("every other number", lambda body: body["routes"].pop("+")),
    ("smpp.0.port", lambda body: body["smpp"][0].update(port=0)),
    ("smpp.0.system_id", lambda body: body["smpp"][0].update(system_id="x" * 16)),
]


@pytest.mark.parametrize(("where", "wreck"), BREAKS, ids=[where for where, _ in BREAKS])
def test_a_wrong_table_is_refused_in_one_line_that_names_where(where: str, wreck: Callable[[Body], object]) -> None:
    body = tomllib.loads(EXAMPLE.read_text())
    wreck(body)
    with pytest.raises(BadTable) as refused:
        parse(body, "table.toml")
    assert str(refused.value).startswith("AMAAN_SMS_GATEWAYS: table.toml: ")
    assert where.replace("Value error, ", "") in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "smsc-pw" not in str(refused.value)


def test_a_table_that_is_not_there_or_not_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="No such file"):
        read(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[http")
    with pytest.raises(BadTable):
        read(tmp_path / "bad.toml")


def test_a_template_holds_whatever_a_text_holds() -> None:
    values = {"text": "{to} {__class__} %s \n \"'", "to": "+1", "ttl_s": 5}
    assert fill({"a": ["{text}"], "b": "x{to}", "c": "{ttl_s}", "d": 7}, values) == {
        "a": [values["text"]], "b": "x+1", "c": 5, "d": 7,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "found"), [("a.0.b", 1), ("a.1.b", None), ("a.b", None), ("", {"a": [{"b": 1}]}), ("x.y", None)]
)
def test_a_path_that_leads_nowhere_is_none(path: str, found: Any) -> None:
    assert at({"a": [{"b": 1}]}, path) == found


def test_the_example_is_a_good_table() -> None:
    table = read(EXAMPLE)
    assert [each.name for each in (*table.http, *table.smpp)] == ["local_http", "local_smpp"]
    assert isinstance(table.http[0], HttpGateway)
