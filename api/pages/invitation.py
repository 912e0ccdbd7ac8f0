"""What the pages of invitations have in common: to be somebody's guardian, to join a watch group. GET shows, only POST acts,
so that a link preview answers nothing.

A page is a template that extends `invitation.html`, with the words of its language as `say`, and either a `problem` or what
it asks.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Protocol

from flask import Blueprint, Response, render_template, request

from api.errors import status_of
from api.pages import serve
from domain.errors import DomainError, LimitReached
from domain.people.errors import LinkOver


class Words(Protocol):
    """What every invitation says of itself in one language."""

    @property
    def title(self) -> str: ...
    @property
    def over(self) -> str: ...
    @property
    def too_often(self) -> str: ...


def language(words: Mapping[str, Words], of_reader: str = "") -> str:
    """`?lang=`, else the reader's own, where it has those words; else what the browser asks for, else Urdu."""
    asked = request.args.get("lang") or of_reader
    return asked if asked in words else request.accept_languages.best_match(list(words)) or "ur"


def page(template: str, say: Words, lang: str, *, status: int = HTTPStatus.OK, **values: object) -> Response:
    """The page. Nothing is loaded from anywhere, and nothing is kept."""
    html = render_template(template, say=say, language=lang, **values)
    answer = Response(html, status=status, mimetype="text/html")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"
    return answer


def install_errors(blp: Blueprint, template: str, words: Mapping[str, Words]) -> None:
    """Say in words what went wrong. A token that opens nothing is counted, as on every page; a right one never is."""

    def problem(error: DomainError) -> Response:
        if isinstance(error, LinkOver):
            try:
                serve.count_wrong_token()
            except LimitReached as too_often:
                error = too_often
        lang = language(words)
        say = words[lang]
        said = say.too_often if isinstance(error, LimitReached) else say.over
        answer = page(template, say, lang, status=status_of(error), problem=said)
        if isinstance(error, LimitReached):
            answer.headers["Retry-After"] = str(round(float(error.data.get("retry_after") or 1)))
        return answer

    blp.register_error_handler(DomainError, problem)
