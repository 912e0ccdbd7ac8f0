"""`/calendar/…`: a member's calendar, for the app that subscribed to it. The address is the key, as with every calendar."""

from flask import Blueprint, Response, request

from api.gatherings.routes import host_of
from api.pages.serve import count_wrong_token
from api.services import services
from domain.gatherings import calendar
from domain.gatherings.errors import CalendarNotFound
from domain.people import queries as people

blp = Blueprint("calendar", __name__, url_prefix="/calendar")

_LONGEST = 64


@blp.get("/<token>.ics")
def feed(token: str) -> Response:
    """The calendar. Raises CalendarNotFound (counted for the address; LimitReached for one that guesses)."""
    found = services()
    try:
        person = calendar.owner(token[:_LONGEST])
    except CalendarNotFound:
        count_wrong_token()
        raise
    row = people.collection().find_one({"_id": person}, {"language": 1}) or {}
    language = row.get("language") or "ur"
    shown = calendar.entries(person, language, now=found.clock())
    body = calendar.ics(shown, language=language, host=host_of(found.settings.public_url))
    answer = Response(body, content_type="text/calendar; charset=utf-8")
    answer.add_etag(weak=True)
    answer.headers["Cache-Control"] = "private, max-age=300"
    answer.make_conditional(request)
    return answer
