"""What is told of a patrol: that it is near, that it was cancelled, that a place was taken, that somebody is missed. A push
never says where or when: the app asks for that itself.
"""

from domain.cities import queries as cities
from domain.deliveries.service import Delivery
from domain.deliveries.states import Suppressed
from domain.errors import NotFound
from domain.patrols import queries, service
from domain.patrols.states import PatrolStatus
from notifications.recipients import Reached
from runtime.settings import Settings

Params = dict[str, str]


def roster(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    """To who signed up, or did: `variant` says what about it."""
    return {"variant": delivery["refs"].get("variant", ""), **_which(delivery)}


def _which(delivery: Delivery) -> Params:
    """Which patrol; place and time are for an SMS to whoever has no app, by the clock on their wall."""
    doc = queries.get(delivery["subject"])
    begins = doc["starts_at"].astimezone(cities.current(doc["city"]).zone)
    when = f"{begins.day}.{begins.month}. {begins:%H:%M}"
    return {"patrol_id": doc["_id"], "what": queries.beat(doc["beat"])["name"], "when": when}


def roster_overtaken(delivery: Delivery) -> str:
    """Nobody is reminded of what they gave back, or of what was cancelled."""
    if delivery["refs"].get("variant"):
        return ""
    try:
        doc = queries.get(delivery["subject"])
    except NotFound:
        return str(Suppressed.OVER)
    on_it = doc["status"] == PatrolStatus.PLANNED and delivery["recipient"]["id"] in doc["places"]
    return "" if on_it else str(Suppressed.OVER)


def missed(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    """To those who lead the group."""
    return _which(delivery)


def missed_overtaken(delivery: Delivery) -> str:
    """They came after all."""
    try:
        doc = queries.get(delivery["subject"])
    except NotFound:
        return str(Suppressed.OVER)
    return "" if service.missing(doc) else str(Suppressed.OVER)
