"""Reactions that send somebody: rank the caller, begin the ladders, free the units."""

from domain.dispatch import leases
from domain.dispatch import service as dispatch
from domain.incidents import service as incidents
from domain.incidents import trust
from domain.incidents.draft import Draft
from domain.incidents.states import HOLDING
from domain.outbox import Event
from workers.context import Context


def rank(event: Event, context: Context) -> None:
    """Give the incident its trust score with its parts: it orders, and never decides whether somebody comes."""
    doc = incidents.get(event["subject"])
    if doc.get("trust"):
        return
    now = context.clock()
    score = trust.score(trust.facts_of(doc, now=now))

    def rule(draft: Draft) -> None:
        if not draft.doc.get("trust"):
            draft.set("trust", score.to_document())

    incidents.change(doc["_id"], rule, now=now)


def start_ladders(event: Event, context: Context) -> None:
    """Ask the first units for every slot that waits."""
    dispatch.start(event["subject"], context.desk(event["city"]), now=context.clock())


def free_units(event: Event, context: Context) -> None:
    """Give back the lease of every unit whose assignment no longer holds its slot."""
    doc = incidents.get(event["subject"])
    wanted = event.get("assignments") or ([event["assignment"]] if event.get("assignment") else doc["assignments"])
    for assignment_id in wanted:
        assignment = doc["assignments"].get(assignment_id)
        if assignment and assignment["status"] not in HOLDING:
            leases.give_back(assignment["unit"], assignment_id)
