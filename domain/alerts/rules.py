"""What makes an alert fit to go out, and how urgently it does. Pure."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from domain.alerts.errors import AlertInvalid
from domain.alerts.states import AlertStatus, MsgType
from domain.cities.config import Severity, Urgency

LONGEST: Final = timedelta(days=7)
"""No alert is in force for longer: what goes on is updated."""
USUAL: Final = timedelta(hours=6)
"""How long an alert is in force where nobody says."""
CLOCKS_APART: Final = timedelta(minutes=5)
TEXT_FIELDS: Final = ("event", "headline", "description", "instruction")
NEEDED: Final = ("event", "headline")
RECEIPT_WAIT_S: Final = 60
"""After how long without a receipt from the phone a life-critical alert goes on by SMS."""


def is_life_critical(alert: Mapping[str, Any]) -> bool:
    """Whether neither throttle nor quiet hours may hold it: great threat, act at once. A cancel never is."""
    return (
        alert["msg_type"] != MsgType.CANCEL
        and alert["severity"] in {Severity.EXTREME, Severity.SEVERE}
        and alert["urgency"] == Urgency.IMMEDIATE
    )


def check_times(onset: datetime | None, expires: datetime, *, now: datetime) -> None:
    """Raises AlertInvalid for an alert that is over before it begins, or in force for too long."""
    errors: dict[str, list[str]] = {}
    if expires <= now:
        errors["expires"] = ["It has passed."]
    elif expires > now + LONGEST:
        errors["expires"] = [f"At most {LONGEST.days} days ahead."]
    if onset is not None and onset >= expires:
        errors["onset"] = ["It begins after it is over."]
    if errors:
        raise AlertInvalid("the times do not fit", errors=errors)


def check_texts(texts: Mapping[str, Mapping[str, str]], languages: Sequence[str]) -> None:
    """Raises AlertInvalid where one of the city's languages lacks what every reader needs."""
    errors = {
        f"texts.{language}.{name}": [f"Needed in {language}."]
        for language in languages
        for name in NEEDED
        if not (texts.get(language) or {}).get(name)
    }
    if errors:
        raise AlertInvalid("it is not written in all of the city's languages", errors=errors)


def in_language(texts: Mapping[str, Mapping[str, str]], language: str, name: str) -> str:
    """A text in this language (a BCP 47 tag), else in whichever has it: a warning in the wrong one is still a warning."""
    primary = language.replace("_", "-").split("-", 1)[0].lower()
    for each in (primary, "en", "ur", *texts):
        if found := (texts.get(each) or {}).get(name):
            return str(found)
    return ""


def plain(text: str) -> str:
    """Without what hides or turns text around: control and format characters but line breaks and the joiner of Urdu words.

    A headline goes to other systems and to screens that we do not draw.
    """
    kept = (char for char in text if char in "\n\u200c" or unicodedata.category(char) not in {"Cc", "Cf", "Co", "Cn"})
    return "".join(kept).strip()


def is_in_force(alert: Mapping[str, Any], now: datetime) -> bool:
    """Whether people should act on it now. A cancel is news, not an alert in force."""
    in_force = alert["status"] == AlertStatus.ISSUED and alert["msg_type"] != MsgType.CANCEL
    return in_force and bool(alert["expires"] > now)
