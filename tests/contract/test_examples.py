"""mobile-contract/examples/: each request and answer is what the API says today, and what openapi.json promises."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import pytest
from flask import Flask
from pymongo import MongoClient

from api.contract import document
from app import create_app
from cli.indexes import create as create_indexes
from runtime import mongo
from tests.contract import journeys

HOW_TO_MEND = "the API answers otherwise now: run `.venv/bin/python -m tests.contract.journeys`, look, and commit it"
FILES = sorted(journeys.FOLDER.glob("*.json"))


@pytest.fixture(scope="module")
def clock() -> journeys.Clock:
    return journeys.Clock()


@pytest.fixture(scope="module")
def app(
    mongodb_url: str,
    redis_url: str,
    clock: journeys.Clock,
    mongo_client: MongoClient[dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Flask]:
    database = f"{mongodb_url.rstrip('/')}/t_{uuid.uuid4().hex[:12]}"
    settings = journeys.settings_for(database, redis_url, tmp_path_factory.mktemp("journeys"))
    made = create_app(settings, clock=clock, enqueue=lambda *_: True)
    create_indexes()
    yield made
    name = mongo.database().name
    mongo.disconnect()
    mongo_client.drop_database(name)


def test_they_are_what_the_api_answers(app: Flask, clock: journeys.Clock) -> None:
    played = journeys.play(app, clock)
    committed = {file.name: file.read_text(encoding="utf-8") for file in FILES}
    assert committed.keys() == played.keys(), HOW_TO_MEND
    for name, text in played.items():
        assert json.loads(committed[name]) == json.loads(text), f"{name}: {HOW_TO_MEND}"


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((journeys.FOLDER.parent / "openapi.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_they_keep_the_contract(contract: dict[str, Any], file: Path) -> None:
    operations = {found["operationId"]: (path, found) for path, _, found in document.operations(contract)}
    steps = json.loads(file.read_text(encoding="utf-8"))["steps"]
    assert steps
    for step in steps:
        say, request, answer = step["say"], step["request"], step["answer"]
        path, operation = operations[step["operation"]]
        known = [*contract["paths"][path].get("parameters", []), *operation.get("parameters", [])]
        given = dict(parse_qsl(urlsplit(request["path"]).query))
        unknown = given.keys() - {each["name"] for each in known if each["in"] == "query"}
        assert not unknown or answer["status"] == 422, say
        for name, value in request["headers"].items():
            schema: dict[str, Any] = next((each["schema"] for each in known if each["name"] == name), {})
            value = int(value) if schema.get("type") == "integer" else value
            assert not problems(contract, schema, value), f"{say} {name}"
        content = operation.get("requestBody", {}).get("content", {})
        if "body" in request and answer["status"] < 400:
            assert not problems(contract, content["application/json"]["schema"], request["body"]), say
        response = operation["responses"][str(answer["status"])]
        if "body" in answer:
            (told,) = (each["schema"] for each in response["content"].values())
            assert not problems(contract, told, answer["body"]), say
        for name in answer["headers"]:
            assert name in response.get("headers", {}), f"{say}: {name} is not documented"


def problems(contract: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with a value by a schema of the contract."""
    whole = {**schema, "components": contract["components"]}
    return [error.message for error in jsonschema.Draft202012Validator(whole).iter_errors(value)]
