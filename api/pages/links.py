"""From the token in an address to what it opens; a page in words where it opens nothing."""

from typing import Any

from flask import Blueprint, Response

from api.pages import serve
from api.services import services
from domain.errors import DomainError, Gone, LimitReached, NotFound
from domain.incidents import queries

_LONGEST = 64


def behind(token: str, kinds: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(incident, link). Raises NotFound (counted for the address, LimitReached after too many), Gone."""
    try:
        return queries.by_link(token[:_LONGEST], kinds, now=services().clock())
    except NotFound:
        serve.count_wrong_token()
        raise


def install_errors(blp: Blueprint) -> None:
    """Answer in words for a link that is over or unknown; anything else goes on to the general handler."""

    def opens_nothing(error: DomainError) -> Response:
        return serve.over(serve.language(), error)

    for kind in (NotFound, Gone, LimitReached):
        blp.register_error_handler(kind, opens_nothing)
