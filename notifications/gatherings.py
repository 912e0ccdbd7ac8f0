"""What is told of a gathering: that it is near, that something of it changed, that it does not take place."""

from domain.cities import queries as cities
from domain.deliveries.service import Delivery
from domain.deliveries.states import Suppressed
from domain.errors import NotFound
from domain.gatherings import queries, rules
from domain.gatherings.states import GatheringStatus
from notifications.recipients import Reached
from runtime.settings import Settings


def reminder(delivery: Delivery, reached: Reached, settings: Settings) -> dict[str, str]:
    """Name and time are for an SMS, to whoever has no app; a push has the id alone. `variant`: what about it."""
    doc = queries.get(delivery["subject"])
    begins = doc["starts_at"].astimezone(cities.current(doc["city"]).zone)
    return {
        "variant": delivery["refs"].get("variant", ""),
        "gathering_id": doc["_id"],
        "what": doc["title"],
        "when": f"{begins.day}.{begins.month}. {begins:%H:%M}",
    }


def overtaken(delivery: Delivery) -> str:
    """Nobody is reminded of what was cancelled, or of what they do not come to any more."""
    try:
        doc = queries.get(delivery["subject"])
    except NotFound:
        return str(Suppressed.OVER)
    if delivery["refs"].get("variant") == "cancelled":
        return ""
    wanted = delivery["recipient"]["id"] in rules.wanted_by(doc)
    return "" if wanted and doc["status"] == GatheringStatus.PLANNED else str(Suppressed.OVER)
