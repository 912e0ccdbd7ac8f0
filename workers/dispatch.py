"""Reactions that send somebody: rank the caller, begin the ladders, free the units."""

from typing import Any

from pymongo.errors import PyMongoError

from domain.dispatch import leases
from domain.dispatch import service as dispatch
from domain.incidents import service as incidents
from domain.incidents import trust
from domain.incidents.draft import Draft
from domain.incidents.states import ASKED, HOLDING
from domain.limits import service as limits
from domain.outbox import Event
from domain.people import service as people
from runtime import logging
from workers.context import Context

log = logging.get(__name__)


def rank(event: Event, context: Context) -> None:
    """Give the incident its trust score with its parts: it orders, and never decides whether somebody comes."""
    doc = incidents.get(event["subject"])
    if doc.get("trust"):
        return
    now = context.clock()
    repeated = _repeated(doc, context)
    score = trust.score(trust.facts_of(doc, now=now, repeated=repeated))

    first = False

    def rule(draft: Draft) -> None:
        nonlocal first
        first = not draft.doc.get("trust")
        if first:
            draft.set("trust", score.to_document(draft.doc))
            if repeated:
                draft.flag("repeated")

    incidents.change(doc["_id"], rule, now=now, known=doc)
    if first and (doc.get("citizen") or {}).get("person"):
        people.count(doc["citizen"]["person"], sos_raised=1)


def _repeated(doc: dict[str, Any], context: Context) -> bool:
    """Whether this device or address has sent more SOS in a minute than one in need would. Counted once it is stored,
    so a counter that fails costs nobody anything.
    """
    citizen, settings = doc.get("citizen") or {}, context.settings
    found = False
    for name in ("device", "address"):
        if citizen.get(name):
            try:
                so_far = limits.count(
                    settings.signing_key, f"sos_{name}", citizen[name], window_s=60, now=doc["received_at"]
                )
            except PyMongoError:
                log.warning("limits_away")
                continue
            found = found or so_far > settings.sos_rate_per_minute * (1 if name == "device" else _A_NEIGHBOURHOOD)
    return found


_A_NEIGHBOURHOOD = 10
"""Phones that share an address behind their operator's NAT."""


def start_ladders(event: Event, context: Context) -> None:
    """Ask the first units for every slot that waits."""
    dispatch.start(event["subject"], context.desk(event["city"]), now=context.clock())


def keep_unit(event: Event, context: Context) -> None:
    """Whoever accepted holds its unit, or gives the slot up."""
    dispatch.confirm(event["subject"], event["assignment"], now=context.clock())


def free_units(event: Event, context: Context) -> None:
    """Give back the lease of every unit whose assignment is over. One that may still say yes may be saying it now."""
    doc = incidents.get(event["subject"])
    wanted = event.get("assignments") or ([event["assignment"]] if event.get("assignment") else doc["assignments"])
    for assignment_id in wanted:
        assignment = doc["assignments"].get(assignment_id)
        if assignment and assignment["status"] not in HOLDING | ASKED:
            leases.give_back(assignment["unit"], assignment_id)
