"""/docs shows the contract, from this server alone."""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from api.contract import document
from api.docs import routes
from app import create_app
from runtime import mongo
from tests.contract.journeys import FOLDER


@pytest.fixture(scope="module")
def app() -> Iterator[Flask]:
    yield create_app(document.settings_for_writing())  # neither a store nor Redis answers there
    mongo.disconnect()


CHROMIUM = shutil.which("chromium")
needs_assets = pytest.mark.skipif(not routes.ASSETS.is_dir(), reason="`make setup` installs Swagger UI")


def test_the_contract_is_served_as_it_is_committed(app: Flask) -> None:
    answer = app.test_client().get("/docs/openapi.json")
    assert answer.status_code == 200
    assert answer.get_json() == json.loads((FOLDER.parent / "openapi.json").read_text(encoding="utf-8"))


@needs_assets
def test_the_page_and_all_that_it_loads_come_from_here(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/docs")
    assert page.status_code == 200
    named = re.findall(r'(?:src|href)="([^"]+)"', page.get_data(as_text=True))
    assert len(named) == 4
    for path in named:
        assert path.startswith("/docs/")
        with client.get(path) as found:
            assert found.status_code == 200, path
            assert found.headers["X-Content-Type-Options"] == "nosniff"
    assert "http" not in page.get_data(as_text=True)
    assert "http" not in client.get("/docs/start.js").get_data(as_text=True)


@needs_assets
def test_the_page_may_ask_no_other_address(app: Flask) -> None:
    policy = app.test_client().get("/docs").headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["connect-src"] == "'self'"


@needs_assets
@pytest.mark.parametrize("name", ["index.html", "package.json", "..%2f..%2fpackage.json", "swagger-ui-bundle.js.map"])
def test_nothing_else_of_the_package_is_served(app: Flask, name: str) -> None:
    assert app.test_client().get(f"/docs/{name}").status_code == 404


def test_without_the_assets_one_line_says_what_to_run(
    app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(routes, "ASSETS", tmp_path)
    answer = app.test_client().get("/docs")
    assert answer.status_code == 503
    assert answer.get_data(as_text=True) == routes.MISSING
    assert "make setup" in routes.MISSING
    assert routes.MISSING.count("\n") == 1
    assert app.test_client().get("/docs/openapi.json").status_code == 200


@needs_assets
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium fonts-noto-core")
def test_a_browser_shows_it_and_asks_nobody_else(app: Flask) -> None:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    asked: list[str] = []
    said: list[str] = []
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page()
            page.set_default_timeout(60_000)
            page.on("request", lambda request: asked.append(request.url))
            page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: said.append(str(error)))
            page.goto(f"{address}/docs")
            page.click("#operations-tag-sos .expand-operation")
            page.wait_for_selector("#operations-sos-sos_raise_sos")
            browser.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert f"{address}/docs/openapi.json" in asked
    assert [url for url in asked if not url.startswith((f"{address}/docs", "data:"))] == []
    assert said == []
