"""Who may call what is declared at the route, and the contract's manners hold for every one of them."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

import app as application
from domain import permissions
from runtime import mongo
from runtime.settings import Settings

OPEN: dict[str, str] = {
    "POST /v1/auth/otp": "This is how one becomes known.",
    "POST /v1/auth/token": "This is how one becomes known.",
    "POST /v1/auth/refresh": "The refresh token is the proof.",
    "POST /v1/sos": "An SOS is taken whoever sends it.",
    "GET /v1/sos/<sos_id>": "The SOS's own token opens it, or its citizen's.",
    "GET /v1/sos/<sos_id>/events": "The SOS's own token opens it, or its citizen's.",
    "POST /v1/sos/<sos_id>/share": "The SOS's own token opens it, or its citizen's.",
    "POST /v1/sos/<sos_id>/positions": "The SOS's own token opens it, or its citizen's.",
    "POST /v1/sos/<sos_id>/messages": "The SOS's own token opens it, or its citizen's.",
    "GET /v1/sos/<sos_id>/messages": "The SOS's own token opens it, or its citizen's.",
    "POST /v1/sos/<sos_id>/cancel": "The SOS's own token opens it, or its citizen's.",
    "POST /v1/sos/<sos_id>/media": "tus: the SOS's own token opens it, or its citizen's.",
    "PATCH /v1/sos/<sos_id>/media/<upload_id>": "tus: the SOS's own token opens it, or its citizen's.",
    "POST /v1/sos/<sos_id>/media/<upload_id>": "tus: the SOS's own token opens it, or its citizen's.",
    "DELETE /v1/sos/<sos_id>/media/<upload_id>": "tus: the SOS's own token opens it, or its citizen's.",
    "POST /v1/helpline/requests": "Whoever needs the helpline need not be known to it.",
    "GET /v1/helpline/quick-replies": "Words alone, the same for everybody.",
    "GET /v1/helpline/referrals": "Public numbers.",
    "GET /v1/helpline/assessment": "Words alone, the same for everybody.",
    **dict.fromkeys(
        (
            "GET /v1/helpline/requests/<request_id>",
            "PATCH /v1/helpline/requests/<request_id>",
            "DELETE /v1/helpline/requests/<request_id>",
            "POST /v1/helpline/requests/<request_id>/contact",
            "GET /v1/helpline/requests/<request_id>/events",
            "GET /v1/helpline/requests/<request_id>/messages",
            "POST /v1/helpline/requests/<request_id>/messages",
            "POST /v1/helpline/requests/<request_id>/receipts",
            "POST /v1/helpline/requests/<request_id>/close",
            "POST /v1/helpline/requests/<request_id>/assessment",
            "POST /v1/helpline/requests/<request_id>/sos",
            "POST /v1/helpline/requests/<request_id>/word",
            "POST /v1/helpline/requests/<request_id>/expire-local",
            "POST /v1/helpline/requests/<request_id>/join",
            "POST /v1/helpline/requests/<request_id>/media",
            "GET /v1/helpline/requests/<request_id>/messages/<message_id>/media",
            "GET /v1/helpline/requests/<request_id>/export",
        ),
        "The request's own token opens it, or its person's, or its counsellor's.",
    ),
    "POST /v1/deliveries/<delivery_id>/received": "The token that the push carried is the proof.",
    "POST /v1/deliveries/<delivery_id>/seen": "The token that the push carried is the proof.",
    "POST /v1/cameras/<camera_id>/observations": "The key of the camera's own gateway opens it.",
    "GET /v1/safe-places": "Somebody who is followed may not be signed in.",
    "GET /v1/embassies": "A visitor has no account here.",
    "GET /v1/app-config": "A phone reads the helplines before anybody signed in.",
}
"""Routes under /v1 without a permission, each with its reason. Keep it short."""

HOW_TO_MEND = (
    "Declare the route with `@blp.endpoint(..., permission=…)` (an action of domain/permissions.py ACTIONS). "
    "If anybody at all may call it, say why in `public=` and add it, with that reason, to OPEN in this file."
)


@pytest.fixture(scope="module")
def app() -> Iterator[Flask]:
    settings = Settings(
        secret="x" * 40,  # type: ignore[arg-type]  # pydantic makes it secret
        mongodb_url="mongodb://127.0.0.1:9/amaan",
        redis_url="redis://127.0.0.1:9/0",
    )
    yield application.create_app(settings)
    mongo.disconnect()


def routes(app: Flask) -> list[tuple[str, Any]]:
    """("GET /v1/me", view) for everything under /v1."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/v1"):
            found += [
                (f"{method} {rule.rule}", app.view_functions[rule.endpoint])
                for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            ]
    return found


def declared(view: Any) -> dict[str, str]:
    return dict(getattr(view, "_amaan", {}))


def test_every_route_names_who_may(app: Flask) -> None:
    nobody_said = [name for name, view in routes(app) if not declared(view).get("permission") and name not in OPEN]
    assert not nobody_said, f"{nobody_said} name no permission. {HOW_TO_MEND}"


def test_the_list_of_open_routes_has_no_leftovers(app: Flask) -> None:
    names = {name for name, view in routes(app) if not declared(view).get("permission")}
    gone = sorted(OPEN.keys() - names - {"GET /v1/app-config"})
    assert not gone, f"{gone} are no longer open routes: take them out of OPEN in this file."


def test_open_routes_say_why(app: Flask) -> None:
    silent = [
        name
        for name, view in routes(app)
        if name in OPEN and hasattr(view, "_amaan") and not declared(view).get("public")
    ]
    assert not silent, f"{silent} give no reason. {HOW_TO_MEND}"


def test_permissions_exist_and_somebody_has_them(app: Flask) -> None:
    used = {action for _, view in routes(app) if (action := declared(view).get("permission"))}
    unknown = permissions.unknown_actions(used)
    assert not unknown, f"{unknown} are not in domain/permissions.py ACTIONS: add them there, with a sentence."
    nobodys = {action for action in permissions.ACTIONS if not permissions.roles_for(action)}
    assert not nobodys, f"no role in domain/permissions.py TABLE has {nobodys}: give it to one, or take it out."
    granted = {action for grants in permissions.TABLE.values() for actions in grants.values() for action in actions}
    unnamed = permissions.unknown_actions(granted)
    assert not unnamed, f"{unnamed} are granted in TABLE and have no sentence in ACTIONS of domain/permissions.py."


def test_every_role_has_a_row() -> None:
    missing = set(permissions.Role) - permissions.TABLE.keys()
    assert not missing, f"{missing} have no row in TABLE of domain/permissions.py."


def test_the_documentation_says_the_same(app: Flask) -> None:
    paths = app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict()["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            if method in {"parameters", "summary"}:
                continue
            who = operation.get("x-permission", {}).get("action") or operation.get("x-public")
            assert who, f"{method} {path} is documented without saying who may call it. {HOW_TO_MEND}"
            assert operation.get("summary"), f"{method} {path}: its view has no docstring, which is its summary."
