"""What the messages about a journey say, read from the journey at the moment of sending. `content.py` has them in its table."""

from collections.abc import Mapping
from typing import Any

from domain.cities import queries as cities
from domain.deliveries.service import Delivery
from domain.journeys import fake_calls, queries, service
from domain.journeys.states import GOING_ON, JourneyStatus
from domain.people.documents import PersonDoc
from notifications.recipients import Reached
from runtime.settings import Settings

Params = dict[str, str]


def due(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    """To the traveller: nothing that a stranger may not read. Silent where she asked for it."""
    doc = queries.get(delivery["subject"])
    return {"journey_id": doc["_id"], "quiet": "1" if doc.get("silent") else ""}


def due_overtaken(delivery: Delivery) -> str:
    """She answered, or the guardians were asked, before this could be sent."""
    doc = queries.get(delivery["subject"])
    if concern := delivery["refs"].get("concern"):
        return "" if concern in (doc.get("concerns") or {}) and doc["status"] in GOING_ON else "over"
    return "" if doc["status"] == JourneyStatus.ASKED else "answered"


def is_silent(delivery: Delivery) -> bool:
    """Whether her phone may make no sound for this journey: as she asked, and never because of what a PIN set off."""
    return bool(queries.get(delivery["subject"]).get("silent"))


def guardian(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    """To a guardian: whose journey, what about it (`variant`), the live page, the area where the phone was last."""
    doc = queries.get(delivery["subject"])
    owner: Any = PersonDoc.objects(id=delivery["recipient"]["of"]).only("name").first()
    token = service.guardian_token(settings.signing_key, doc, delivery["recipient"]["id"])
    return {
        "first_name": ((owner.name if owner else "") or "").split(" ")[0],
        "link": f"{settings.links}/t/{token}",
        "area": _area(doc, reached.language),
        "variant": str(delivery["refs"].get("variant") or ""),
    }


def _area(doc: Mapping[str, Any], language: str) -> str:
    position = doc.get("position")
    return cities.area_name(doc["city"], position["lat"], position["lon"], language) if position else ""


def call(delivery: Delivery, reached: Reached, settings: Settings) -> Params:
    """The call that she asked for; the name that it shows is fetched by the app, and stands in no message."""
    return {"call_id": delivery["subject"]}


def call_overtaken(delivery: Delivery) -> str:
    """She took it back."""
    return "" if fake_calls.exists(delivery["subject"]) else "taken_back"


def shared_overtaken(delivery: Delivery) -> str:
    """The journey is over, or she no longer shares it."""
    doc = queries.get(delivery["subject"])
    if doc["status"] not in GOING_ON:
        return "over"
    return "" if doc.get("sharing") else "sharing_ended"


def concern_overtaken(delivery: Delivery) -> str:
    """What worried is over."""
    doc = queries.get(delivery["subject"])
    if doc["status"] not in GOING_ON:
        return "over"
    return "" if delivery["refs"]["variant"] in (doc.get("concerns") or {}) else "over"


def missed_overtaken(delivery: Delivery) -> str:
    """She answered meanwhile, or it is an SOS already, of which the guardians hear by themselves."""
    status = queries.get(delivery["subject"])["status"]
    return "" if status == JourneyStatus.MISSED else "over"
