"""Reactions that count: how quickly the city was, and how a caller's SOS ended. Figures, never a decision."""

from domain.incidents import service as incidents
from domain.incidents.draft import Draft
from domain.incidents.states import Resolution
from domain.insights import rules
from domain.insights import service as insights
from domain.outbox import Event
from domain.people import service as people
from workers.context import Context

_OUTCOMES = {Resolution.HELPED: "helped", Resolution.FALSE_ALARM: "false_alarm"}
"""What of a resolution is kept with the person, for ranking the next SOS."""


def dispatched(event: Event, context: Context) -> None:
    """The first acceptance: how long the answer and the dispatch took."""
    _observe_first(event, "accepted_at", ("answer", "dispatch"))


def arrived(event: Event, context: Context) -> None:
    """The first unit of a service on scene: how long that took."""
    doc = incidents.get(event["subject"])
    service = doc["assignments"][event["assignment"]]["service"]
    _observe_first(event, "on_scene_at", (f"arrival.{service}",))


def _observe_first(event: Event, field: str, measures: tuple[str, ...]) -> None:
    doc = incidents.get(event["subject"])
    mine = doc["assignments"][event["assignment"]]
    same = [
        each[field]
        for each in doc["assignments"].values()
        if each.get(field) and (field == "accepted_at" or each["service"] == mine["service"])
    ]
    if not same or min(same) != mine.get(field):
        return
    times = rules.times_of(doc)
    found = {measure: times[measure] for measure in measures if measure in times}
    insights.observe(event["city"], event["id"], found)


def unanswered(event: Event, context: Context) -> None:
    """A whole ladder found nobody."""
    insights.observe(event["city"], event["id"], {}, unanswered=1)


def outcome(event: Event, context: Context) -> None:
    """How it ended is kept with its citizen, once an incident."""
    doc = incidents.get(event["subject"])
    person = (doc.get("citizen") or {}).get("person")
    kept = _OUTCOMES.get(Resolution(doc["resolution"])) if doc.get("resolution") else None
    if not person or kept is None or (doc.get("citizen") or {}).get("outcome"):
        return
    counted_here = False

    def rule(draft: Draft) -> None:
        nonlocal counted_here
        counted_here = not (draft.doc.get("citizen") or {}).get("outcome")
        if counted_here:
            draft.set("citizen.outcome", kept)

    incidents.change(doc["_id"], rule, now=context.clock())
    if counted_here:
        people.count(person, **{kept: 1})
