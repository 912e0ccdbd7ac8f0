"""How far a caller is trusted: a score in 0–1 with its parts. It ranks, it never drops.

85–95 % of calls to city helplines are noise (PRODUCT), so operators see the likely ones first and scarce units are not
all spent on the rest; but whoever calls is answered, and the ladder climbs whatever the score says.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.incidents.documents import IncidentDoc
from domain.people.documents import PersonDoc

CALLBACK_BELOW = 0.25
"""Below this an operator calls back first, for at most a minute."""
RECENT = timedelta(hours=24)


@dataclass(frozen=True)
class TrustFacts:
    """What is known of the caller. Counts are over all time but `recent`, which is of the last 24 hours."""

    verified: bool
    has_position: bool
    helped: int = 0
    false_alarms: int = 0
    recent: int = 0
    has_guardians: bool = False
    age_days: float = 0.0
    repeated: bool = False
    """Whether the device or the address sends many in a minute."""


@dataclass(frozen=True)
class Trust:
    """The score and what it was made of, each part in points of the score."""

    score: float
    parts: dict[str, float]

    def to_document(self, doc: dict[str, Any]) -> dict[str, Any]:
        """As it is stored with its incident: {score, parts, callback_first}."""
        return {"score": self.score, "parts": self.parts, "callback_first": callback_first(doc, self.score)}


def callback_first(doc: dict[str, Any], score: float) -> bool:
    """Whether an operator calls back before units are asked (at most a minute): low trust, or an SOS that came late.

    Never where nothing may ring, nor where there is nobody to call.
    """
    citizen = doc.get("citizen") or {}
    if "silent" in doc["flags"] or not (citizen.get("phone") or citizen.get("person")):
        return False
    return score < CALLBACK_BELOW or "late" in doc["flags"]


def score(facts: TrustFacts) -> Trust:
    """0.5 to start with; each part adds or takes. Weights are ours, to be set anew from a city's own outcomes."""
    parts = {
        "verified_phone": 0.2 if facts.verified else -0.1,
        "position": 0.1 if facts.has_position else -0.05,
        "helped_before": min(0.2, 0.1 * facts.helped),
        "false_alarms": -min(0.4, 0.15 * facts.false_alarms),
        "repeated_today": -min(0.2, 0.05 * max(0, facts.recent - 1)),
        "repeated_now": -0.2 if facts.repeated else 0.0,
        "guardians": 0.05 if facts.has_guardians else 0.0,
        "account_age": 0.05 if facts.age_days >= 30 else 0.0,
    }
    total = 0.5 + sum(parts.values())
    return Trust(round(min(1.0, max(0.0, total)), 3), {name: part for name, part in parts.items() if part})


def facts_of(doc: dict[str, Any], *, now: datetime, repeated: bool = False) -> TrustFacts:
    """Read what is known of an incident's caller."""
    citizen = doc.get("citizen") or {}
    has_position = bool(doc.get("position"))
    if not citizen.get("person"):
        return TrustFacts(verified=False, has_position=has_position, repeated=repeated)
    person = PersonDoc._get_collection().find_one(
        {"_id": citizen["person"]}, {"trust": 1, "guardians": 1, "created_at": 1}
    )
    facts = (person or {}).get("trust") or {}
    created = (person or {}).get("created_at")
    recent = IncidentDoc._get_collection().count_documents(
        {"citizen.person": citizen["person"], "raised_at": {"$gte": now - RECENT}}, limit=20
    )
    return TrustFacts(
        verified="unverified" not in doc["flags"],
        has_position=has_position,
        helped=facts.get("helped") or 0,
        false_alarms=facts.get("false_alarm") or 0,
        recent=recent,
        has_guardians=bool((person or {}).get("guardians")),
        age_days=(now - created).total_seconds() / 86400 if created else 0.0,
        repeated=repeated,
    )
