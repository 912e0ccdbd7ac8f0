"""What every spoken answer needs: the words of a purpose, and the address that is asked what comes next."""

from urllib.parse import urlencode

from flask import request

from api.services import services
from notifications.render.text import render


def words(purpose: str, language: str) -> str:
    """A sentence that has no fields."""
    return render(purpose, "voice", language, {})


def here(**changed: str) -> str:
    """This call's own address, with these parameters set, or taken away where they are empty."""
    kept = {name: value for name, value in request.args.items() if name not in changed}
    query = urlencode(kept | {name: value for name, value in changed.items() if value})
    return f"{services().settings.public_url}/webhooks/twilio/voice{'?' if query else ''}{query}"
