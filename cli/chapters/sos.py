"""Chapter `sos`: a woman in Liberty Market taps once; units, guardians and cameras answer; somebody comes.

Nothing is read from the store: every step is seen from outside, through the API or in a phone's inbox.
"""

import re
import uuid
from collections.abc import Callable
from typing import Any

import requests

from cli.chapters.observed import NotObserved, Story, wait_for
from cli.chapters.phones import LINK, Phone, Town, rfc3339, unix
from sandbox.townspeople import PLACE, Cast

SAFE_PIN, DURESS_PIN = "2580", "1379"
RECEIPT_WAIT_S = 5


def play(town: Town, cast: Cast, story: Story, *, operator_token: str) -> None:
    """Play it. Steps that are not seen in time are recorded as missed; the story goes on as far as it can."""
    story.say("Zainab signs in with a code by SMS, names two guardians, sets a safe and a duress PIN.")
    zainab = Phone(town, cast.citizen_phone)
    zainab.sign_in()
    _guardians(zainab, cast)
    pins = {"safe_pin": SAFE_PIN, "duress_pin": DURESS_PIN}
    zainab.call("PUT", "/v1/me/pins", pins).raise_for_status()
    hearing, deaf, texted = _responders(town, cast)
    story.say("Responders: one has the app and coverage, one has the app and no data, the others have SMS alone.")

    story.begin()
    raised = _tap(zainab, story)
    sos, share = raised["id"], raised["share_url"]

    def step(name: str, text: str, look: Callable[[], tuple[str, float | None] | None], seconds: float) -> bool:
        try:
            evidence, at = wait_for(text, look, seconds)
        except (NotObserved, requests.RequestException) as error:
            story.missed(name, text, str(error))
            return False
        story.seen(name, text, evidence, at=at)
        return True

    step("push", "A unit is offered it by push", lambda: _first_push(hearing, "assignment.offered"), 10)
    step("sms", "A unit without the app is offered it by SMS", lambda: _first_link(town, texted), 10)
    step(
        "sms_after_push",
        "No receipt came from one phone, so it gets an SMS",
        lambda: _first_link(town, [deaf.number]),
        RECEIPT_WAIT_S + 8,
    )
    guardians = [cast.guardian_phone, cast.silent_guardian_phone]
    for index, number in enumerate(guardians):
        who = "The guardian who confirmed" if index == 0 else "The guardian who has not confirmed yet"
        step(f"guardian_{index + 1}", f"{who} is told", lambda number=number: _first_link(town, [number]), 10)  # type: ignore[misc]
    step("share_page", "The live page shows the SOS", lambda: _page_shows(town, share), 10)
    step("cameras", "Cameras near by were looked at", lambda: _cameras(zainab, sos, operator_token), 60)

    link = LINK.search(_sms_with_link(town, texted)["body"])
    if link is None:
        raise NotObserved("no offer with a link")
    page = town.page(link.group())
    story.say(f"The responder opens {link.group()} ({len(page)} bytes, works without JavaScript).")
    if _status(zainab, sos) != "open":
        story.missed("link_is_safe", "Opening the link accepts nothing", "the SOS was no longer open")
    for action, status, text in (
        ("accept", "acknowledged", "Accepted by the signed link"),
        ("en_route", "en_route", "The unit is on its way"),
        ("on_scene", "on_scene", "The unit is there"),
        ("clear", "closed", "Helped, and closed"),
    ):
        try:
            town.press(link.group(), action)
        except (NotObserved, requests.RequestException) as error:
            story.missed(status, text, str(error))
            break
        step(status, text, lambda status=status: _has_status(zainab, sos, status), 10)  # type: ignore[misc]
    step("citizen_push", "Zainab's phone heard each step", lambda: _heard(zainab), 10)
    step("others_told", "The other units were told that it is handled", lambda: _withdrawn(hearing), 10)


def _guardians(zainab: Phone, cast: Cast) -> None:
    for name, number in (("Sana", cast.guardian_phone), ("Rabia", cast.silent_guardian_phone)):
        body = {"name": name, "phone": number, "language": "ur"}
        zainab.call("POST", "/v1/me/guardians", body, Idempotency_Key=str(uuid.uuid4())).raise_for_status()

    def invited() -> str | None:
        for sms in zainab.town.sms(cast.guardian_phone):
            if found := re.search(r"https?://\S+/t/\S+", sms["body"]):
                return found.group()
        return None

    link = wait_for("the guardian's invitation", invited, 10)
    zainab.town.page(link)
    zainab.town.press(link, "confirmed")


def _responders(town: Town, cast: Cast) -> tuple[Phone, Phone, list[str]]:
    """The nearest three units' people: with app and coverage, with app and no data, and by SMS alone."""
    first, second, *others = cast.responder_phones[:6]
    hearing, deaf = Phone(town, first), Phone(town, second)
    hearing.sign_in()
    deaf.sign_in(receipts=False)
    return hearing, deaf, others


def _tap(zainab: Phone, story: Story) -> dict[str, Any]:
    body = {
        "position": {"lat": PLACE[0], "lon": PLACE[1], "accuracy_m": 12, "captured_at": rfc3339()},
        "category": "harassment",
        "battery_pct": 41,
    }
    answer = zainab.call("POST", "/v1/sos", body, Idempotency_Key=str(uuid.uuid4()))
    answer.raise_for_status()
    raised: dict[str, Any] = answer.json()
    story.seen("stored", "One tap, and the SOS is stored", f"{answer.status_code} {raised['id']}")
    return raised


def _first_push(phone: Phone, kind: str) -> tuple[str, float | None] | None:
    found = phone.pushes(kind)
    return (f"push {kind} on {phone.number}", unix(found[0]["at"])) if found else None


def _sms_with_link(town: Town, numbers: list[str]) -> dict[str, Any]:
    for number in numbers:
        for sms in town.sms(number):
            if LINK.search(sms["body"]):
                return sms
    return {}


def _first_link(town: Town, numbers: list[str]) -> tuple[str, float | None] | None:
    sms = _sms_with_link(town, numbers)
    return (f"SMS with its link on {sms.get('to', numbers[0])}", unix(sms["at"])) if sms else None


def _page_shows(town: Town, share: str) -> tuple[str, float | None] | None:
    return (f"GET {share}", None) if "<html" in town.page(share) else None


def _status(phone: Phone, sos: str) -> str:
    return str(phone.call("GET", f"/v1/sos/{sos}").json()["status"])


def _has_status(phone: Phone, sos: str, status: str) -> tuple[str, float | None] | None:
    return (f"GET /v1/sos/{sos} says {status}", None) if _status(phone, sos) == status else None


def _cameras(phone: Phone, sos: str, operator: str) -> tuple[str, float | None] | None:
    answer = phone.call("GET", f"/v1/incidents/{sos}", bearer=operator)
    answer.raise_for_status()
    cameras = answer.json().get("cameras") or []
    states = [camera["state"] for camera in cameras]
    if not states or any(state in {"asked", "looking"} for state in states):
        return None
    found = [finding for camera in cameras for finding in camera.get("findings") or []]
    if "lying" not in found:
        return None
    return f"{len(states)} cameras: {', '.join(states)}; a person lying was seen", None


def _heard(phone: Phone) -> tuple[str, float | None] | None:
    found = phone.pushes("incident.updated")
    return (f"{len(found)} pushes incident.updated", None) if len(found) >= 4 else None


def _withdrawn(phone: Phone) -> tuple[str, float | None] | None:
    found = phone.pushes("assignment.withdrawn")
    return ("push assignment.withdrawn", unix(found[0]["at"])) if found else None
