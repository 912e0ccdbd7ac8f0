"""How people look from outside: documents to plain values for the schemas."""

from typing import Any

from api.blueprint import Call
from domain.alerts import following
from domain.people import service
from domain.people.sign_in import Lifetimes


def life(call: Call) -> Lifetimes:
    """How long codes, tokens and sessions live, from the settings."""
    settings = call.services.settings
    return Lifetimes(settings.otp_ttl_s, settings.access_ttl_s, settings.refresh_ttl_days)


def person_view(person: Any, call: Call, second_factor: bool) -> dict[str, Any]:
    """A person as they see themself."""
    secret = call.services.settings.signing_key
    return {
        "id": person.id,
        "phone": person.phone,
        "name": person.name,
        "language": person.language,
        "city": person.city,
        "gender": person.gender,
        "languages": list(person.languages),
        "blood_group": service.unsealed(person, "blood_group", secret=secret),
        "medical_note": service.unsealed(person, "medical_note", secret=secret),
        "alerts": {**following.DEFAULT, **(person.alert_settings or {})},
        "has_pins": service.has_pins(person),
        "roles": list(person.roles),
        "second_factor": second_factor,
        "unit_id": person.unit_id or "",
        "duty": person.duty,
        "created_at": person.created_at,
    }
