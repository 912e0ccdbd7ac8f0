"""Danger: the five questions, and a request that becomes an SOS without her telling anything again.

What goes along into the SOS is what whoever comes needs: place, number, language. What she told the helpline stays there.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from domain.cities import queries as cities
from domain.helpline import questions, rules, safe_times
from domain.helpline.rules import Request, Step, event
from domain.helpline.service import change, opened, packed
from domain.helpline.states import Danger, Mode
from domain.incidents import service as incidents
from domain.incidents.calls import CallForHelp, facts
from domain.incidents.service import Raised, SosFacts
from domain.vault.service import Box

CATEGORY: Final = "domestic_violence"
"""As responders of a women's unit are sent; an operator makes it another where it is."""


def assess(
    doc: Request, box: Box, *, answers: Mapping[str, bool], danger_now: bool, judged: Danger | None, by: str,
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """Keep the answers sealed, and the level that they or the counsellor's judgement give in clear: the line needs it."""
    held = opened(doc, box, ["answers"]).get("answers") or {}
    merged = {**held, **answers}
    found = judged if judged is not None and by != "citizen" else Danger.NOW if danger_now else questions.level(merged)
    sealed = box.seal("answers", packed(merged)) if merged else None
    return change(doc["_id"], lambda each: rules.assess(each, found, by=by, sealed=sealed), now=now)


def sos_facts(doc: Request, box: Box, *, position: Mapping[str, Any] | None, now: datetime) -> SosFacts:
    """The SOS of a request: the place where she is now, else the one that she told. Silent where she is, and where no
    call is safe now: whoever comes rings her no more than the helpline may.
    """
    told = opened(doc, box, ["person", "phone", "position", "safe_to_call"])
    place = position or told.get("position")
    config = cities.current(doc["city"])
    rings = "phone" in told and safe_times.is_safe(told.get("safe_to_call") or [], config.zone, now)
    return facts(
        CallForHelp(
            channel="helpline",
            position={**place, "source": "app" if position else "helpline"} if place else None,
            phone=told.get("phone"),
            person=told.get("person"),
            device=f"helpline-{doc['_id']}",
            verified=True,
            category=CATEGORY if CATEGORY in config.categories else config.default_category,
            silent=doc["mode"] == Mode.SILENT or not rings,
            language=doc["language"],
            key=f"helpline-{doc['_id']}",
            city=doc["city"],
        ),
        now=now,
    )


def raise_sos(
    doc: Request, box: Box, *, position: Mapping[str, Any] | None, by: str, secret: str, link_ttl: timedelta,
    now: datetime,
) -> Raised:  # fmt: skip
    """Raise it, or meet the one that was raised, and let the request know. Whoever calls enqueues both."""
    raised = incidents.raise_sos(
        sos_facts(doc, box, position=position, now=now), now=now, secret=secret, link_ttl=link_ttl
    )
    became_sos(doc, raised.incident["_id"], by=by, now=now)
    return raised


def became_sos(doc: Request, incident_id: str, *, by: str, now: datetime) -> dict[str, Any]:
    """The request knows its SOS, stands first, and stays open: its counsellor is still there."""

    def rule(found: Request) -> Step | None:
        if found.get("sos") == incident_id:
            return None
        return Step(
            sets={
                "sos": incident_id,
                "danger": str(Danger.NOW),
                "line_at": questions.line_at(found["asked_at"], Danger.NOW),
            },
            log={"kind": "sos", "by": by},
            events=[event("helpline.sos", incident=incident_id, by="citizen" if by == "citizen" else "counsellor")],
        )

    return change(doc["_id"], rule, now=now)
