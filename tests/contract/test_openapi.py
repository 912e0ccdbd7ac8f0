"""mobile-contract/openapi.json is what the code says, is valid, and tells phone developers all that they need."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.contract import codes, document, states
from api.contract.examples import BODIES, PARAMETERS
from api.contract.links import LINKS
from app import create_app
from runtime import mongo

FOLDER = Path(__file__).resolve().parents[2] / "mobile-contract"
HOW_TO_MEND = "the code has moved on: run `make openapi`, look at the difference, and commit it"
OPERATION_ID = re.compile(r"[a-z][a-z0-9_]*")


@pytest.fixture(scope="module")
def app() -> Iterator[Flask]:
    yield create_app(document.settings_for_writing())
    mongo.disconnect()


@pytest.fixture(scope="module")
def contract(app: Flask) -> dict[str, Any]:
    return document.document(app)


def operations(contract: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(f"{method.upper()} {path}", found) for path, method, found in document.operations(contract)]


def test_the_committed_contract_is_what_the_code_says(app: Flask) -> None:
    committed = (FOLDER / "openapi.json").read_text(encoding="utf-8")
    assert committed == document.text(app), HOW_TO_MEND


def test_the_committed_words_are_what_the_code_says() -> None:
    assert (FOLDER / "error-codes.md").read_text(encoding="utf-8") == codes.table(), HOW_TO_MEND
    assert (FOLDER / "states.md").read_text(encoding="utf-8") == states.tables(), HOW_TO_MEND


def test_it_is_valid_openapi(contract: dict[str, Any]) -> None:
    errors = [error.message for error in OpenAPIV31SpecValidator(contract).iter_errors()]
    assert not errors


def _descriptions(part: Any) -> Iterator[str]:
    for name, each in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        if name == "description" and isinstance(each, str):
            yield each
        yield from _descriptions(each)


def test_a_description_is_prose_and_names_no_schema(contract: dict[str, Any]) -> None:
    """`AlertReason it was not read` is what a rename leaves behind."""
    names = {name for name in contract["components"]["schemas"] if re.match(r"[A-Z][a-z]+[A-Z]", name)}
    damaged = [each for each in _descriptions(contract) if names & set(re.findall(r"\w+", each))]
    assert not damaged


def test_every_route_under_v1_is_documented(app: Flask, contract: dict[str, Any]) -> None:
    known = {f"{method} {path}" for path, method, _ in document.operations(contract)}
    # PATCH, HEAD and DELETE for networks without them.
    known |= {"post /v1/sos/{sos_id}/media/{upload_id}", "post /v1/watch/reports/{report_id}/uploads/{upload_id}"}
    served = {name for name in document.operation_ids(app) if name.split(" ")[1].startswith("/v1")}
    missing = {name for name in served if name.split(" ")[0] in {"get", "post", "put", "patch", "delete"}} - known
    assert not missing, f"declare these with blp.endpoint, or by hand in api/contract: {sorted(missing)}"


def test_every_operation_says_what_a_phone_developer_needs(contract: dict[str, Any]) -> None:
    seen = set()
    for name, operation in operations(contract):
        assert operation["summary"].endswith((".", "?")), f"{name}: the first line of the view's docstring"
        assert OPERATION_ID.fullmatch(operation["operationId"]), name
        assert operation["operationId"] not in seen, f"{name}: two operations with one id"
        seen.add(operation["operationId"])
        assert "security" in operation, name
        assert operation.get("x-permission") or operation.get("x-public"), name
        problems = [status for status in operation["responses"] if status[0] in "45"]
        for status in problems:
            content = operation["responses"][status]["content"]
            assert content["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}, name
        assert "503" in problems, name
        if operation["security"] and {} not in operation["security"]:
            assert "401" in problems, name


def test_a_list_tells_its_filters_its_paging_and_its_etag(contract: dict[str, Any]) -> None:
    known = {name: operation for name, operation in operations(contract) if name.startswith("GET ")}
    told = {each["name"] for each in known["GET /v1/incidents"]["parameters"]}
    assert told >= {"city", "status", "category", "since", "until", "near", "order", "cursor", "limit", "If-None-Match"}
    for name, operation in known.items():
        parameters = {each["name"] for each in operation.get("parameters", [])}
        if {"cursor", "limit"} <= parameters:
            assert "If-None-Match" in parameters, name
            assert "304" in operation["responses"], name
            assert "ETag" in operation["responses"]["200"]["headers"], name


def test_every_body_has_examples_that_its_schema_takes(contract: dict[str, Any]) -> None:
    used = set()
    for name, operation in operations(contract):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        used.add(operation["operationId"])
        assert content["examples"], f"{name}: add an example to api/contract/examples.py"
        for title, example in content["examples"].items():
            errors = [error.message for error in validator(contract, content["schema"]).iter_errors(example["value"])]
            assert not errors, f"{name}, {title}: {errors}"
    assert used == BODIES.keys(), "examples of operations that are no more: take them out of api/contract/examples.py"


def test_every_parameter_of_a_path_has_an_example(contract: dict[str, Any]) -> None:
    for name, operation in operations(contract):
        path = contract["paths"][name.split(" ")[1]]
        for parameter in [*path.get("parameters", []), *operation.get("parameters", [])]:
            if parameter["in"] == "path":
                assert parameter["name"] in PARAMETERS, f"{name}: add {parameter['name']} to api/contract/examples.py"
            if "example" in parameter:
                errors = list(validator(contract, parameter["schema"]).iter_errors(parameter["example"]))
                assert not errors, f"{name} {parameter['name']}: {errors}"


def test_links_lead_from_an_answer_to_an_operation_that_takes_the_parameter(contract: dict[str, Any]) -> None:
    by_id = {found["operationId"]: (name, found) for name, found in operations(contract)}
    for (origin, status), steps in LINKS.items():
        assert status in by_id[origin][1]["responses"], f"{origin} does not answer {status}"
        for to, parameters in steps:
            name, target = by_id[to]
            path = contract["paths"][name.split(" ")[1]]
            takes = {each["name"] for each in [*path.get("parameters", []), *target.get("parameters", [])]}
            assert parameters.keys() <= takes, f"{origin} → {to}"


def test_every_code_has_a_row_that_says_when_it_comes() -> None:
    found = codes.found()
    assert {"wrong_pin", "idempotency_conflict", "wrong_tus_version", "internal_error"} <= found.keys()
    silent = [code for code, uses in found.items() if not any(use.when for use in uses)]
    assert not silent, f"give the class of these a docstring, or the raise a text: {silent}"


def test_every_state_has_its_sentence() -> None:
    silent = [
        f"{each.__name__}.{value or '(empty)'}"
        for enums in states.SHOWN.values()
        for each in enums
        for value, sentence in states.sentences(each).items()
        if not sentence
    ]
    assert not silent, f"say below the member when it applies: {silent}"
    for enums in states.SHOWN.values():
        for each in enums:
            assert [str(member) for member in each] == list(states.sentences(each))


def test_no_word_of_the_contract_is_missing_from_the_states(contract: dict[str, Any]) -> None:
    shown = [{str(member) for member in each} for enums in states.SHOWN.values() for each in enums]
    chosen: list[tuple[str, set[str]]] = []

    def walk(node: Any, path: str) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("enum"), list) and len(node["enum"]) > 1:
                chosen.append((path, {value for value in node["enum"] if value is not None}))
            for key, value in node.items():
                walk(value, f"{path}/{key}")
        elif isinstance(node, list):
            for index, value in enumerate(node):
                walk(value, f"{path}/{index}")

    walk(contract["components"]["schemas"], "")
    told_in_place = (
        "order", "platform", "from", "channel", "action", "kind", "by", "blood_group", "Geometry/properties/type",
        "days/items",
    )  # fmt: skip
    for path, values in chosen:
        if path.endswith(told_in_place):
            continue  # a choice between words that say themselves
        assert any(values <= words for words in shown), f"{path}: add its StrEnum to SHOWN in api/contract/states.py"


def validator(contract: dict[str, Any], schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """Of a schema inside the contract, whose references are followed in the contract."""
    whole = {**schema, "components": contract["components"]}
    return jsonschema.Draft202012Validator(
        json.loads(json.dumps(whole)), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
