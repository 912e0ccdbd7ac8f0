"""What every page behind a signed link has: language, headers that keep it private, and a limit on guessing."""

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from flask import Response, redirect, render_template, request

from api.pages.words import WORDS
from api.services import services
from domain.errors import LimitReached
from domain.limits import service as limits
from notifications.render.catalogue import is_right_to_left

WRONG_TOKENS: Final = 20
"""A window; tokens have 60 bits, so this is for the peace of the store. A right token is shown all the same: whole
neighbourhoods share an address, and a responder's page must open."""
WRONG_WINDOW_S: Final = 600


def language(of_reader: str = "", of_owner: str = "") -> str:
    """`?lang=`, else the reader's own where we know it, else what the browser asks for, else the language of whom the page
    is about: a visitor shares theirs with people who read no Urdu. Else Urdu.
    """
    for wanted in (request.args.get("lang", ""), of_reader):
        if wanted in WORDS:
            return wanted
    return request.accept_languages.best_match(list(WORDS)) or (of_owner if of_owner in WORDS else "ur")


def count_wrong_token() -> None:
    """Count a token that opened nothing; raises LimitReached for an address that guesses."""
    found = services()
    limits.take(
        found.settings.signing_key,
        "wrong_link",
        request.remote_addr or "",
        limit=WRONG_TOKENS,
        window_s=WRONG_WINDOW_S,
        now=found.clock(),
    )


def page(
    template: str, lang: str, values: Mapping[str, Any], *, status: int = HTTPStatus.OK, refresh_s: int = 0
) -> Response:
    """A page. Nothing is loaded from anywhere, nothing is kept, nothing is indexed, no address is told to others."""
    nonce = secrets.token_urlsafe(16)
    direction = "rtl" if is_right_to_left(lang) else "ltr"
    other = "en" if lang == "ur" else "ur"
    html = render_template(
        template, say=WORDS[lang], lang=lang, dir=direction, other=other, nonce=nonce, refresh_s=refresh_s, **values
    )
    answer = Response(html, status=status, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Frame-Options"] = "DENY"
    answer.headers["Content-Language"] = lang
    return answer


def back(token: str) -> Response:
    """To the page again, after a button was pressed: a reload presses nothing twice."""
    lang = request.args.get("lang", "")
    where = f"/t/{token}" + (f"?lang={lang}" if lang in WORDS else "")
    there: Response = redirect(where, HTTPStatus.SEE_OTHER)  # type: ignore[assignment]
    there.headers["Cache-Control"] = "no-store"
    return there


def over(lang: str, error: Exception) -> Response:
    """The page for a link that opens nothing: over, unknown, or one guess too many."""
    if isinstance(error, LimitReached):
        answer = page("over.html", lang, {"what": "too_often"}, status=HTTPStatus.TOO_MANY_REQUESTS)
        answer.headers["Retry-After"] = str(round(float(error.data.get("retry_after") or 1)))
        return answer
    gone = getattr(error, "error_code", "") == "link_over"
    status = HTTPStatus.GONE if gone else HTTPStatus.NOT_FOUND
    return page("over.html", lang, {"what": "over" if gone else "unknown"}, status=status)
