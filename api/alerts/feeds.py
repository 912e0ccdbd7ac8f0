"""The CAP feeds of other systems that a city reads, as operators see them."""

from typing import Any

from api.admin.scope import city_of
from api.alerts import schemas
from api.blueprint import Blueprint, Call
from domain.alerts import queries
from domain.cities import queries as cities

blp = Blueprint("cap_feeds", __name__, url_prefix="/v1/cap-feeds", description="Alerts of other systems.")

ISSUE = "alert.issue"


@blp.endpoint("GET ", permission=ISSUE, query=schemas.FeedsQuery, answer=schemas.FeedsAnswer)
def list_feeds(call: Call) -> Any:
    """The feeds of other systems that the city reads, and what they brought of late: taken, ignored or refused, and why."""
    city = city_of(call, ISSUE, call.query.get("city"))
    known = {row["feed"]: row for row in queries.feeds_of(city)}
    feeds = [
        {"feed": feed.id, "name": feed.names.en, "issues": feed.issues, **known.get(feed.id, {})}
        for feed in cities.current(city).cap_feeds.values()
    ]
    return {"feeds": feeds, "items": [{**row, "id": row["_id"]} for row in queries.brought(city)]}
