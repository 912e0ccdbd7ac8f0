"""What somebody who was told answers by a key on a call or by a reply code, and what became of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from api.desk import desk
from api.services import services
from domain.cities import queries as cities
from domain.deliveries import service as deliveries
from domain.deliveries.service import Delivery
from domain.dispatch import queries as dispatch_queries
from domain.dispatch import rules, supervising
from domain.dispatch import service as dispatch
from domain.dispatch.errors import UnitTaken
from domain.errors import Conflict, NotFound
from domain.incidents import service as incidents
from domain.incidents.states import ASKED, AssignmentStatus


class Step(StrEnum):
    """What is answered."""

    ACCEPT = "accept"
    """We come; of a supervisor: I see to it."""
    DECLINE = "decline"
    """We cannot, or no longer."""
    EN_ROUTE = "en_route"
    """On the way, which is a yes too where none was said before."""
    ON_SCENE = "on_scene"
    """There, likewise."""


class Outcome(StrEnum):
    """What became of an answer; a person hears or reads it in words."""

    TAKEN = "taken"
    """Done, now or by an earlier answer of the same."""
    TOO_LATE = "too_late"
    """Somebody else has it, or it is over."""
    UNIT_BUSY = "unit_busy"
    """The unit has another assignment."""
    NOT_POSSIBLE = "not_possible"
    """The task stands elsewhere: such as on scene after it was cleared."""


@dataclass(frozen=True)
class Answer:
    """Who answers what, by which way (`voice`, `sms`)."""

    delivery: Delivery
    step: Step
    via: str

    @property
    def by(self) -> str:
        """The person, or the unit where nobody is on it by name."""
        return str(self.delivery["recipient"]["id"])


_WANTED: Final = {Step.EN_ROUTE: AssignmentStatus.EN_ROUTE, Step.ON_SCENE: AssignmentStatus.ON_SCENE}


def to_offer(answer: Answer) -> Outcome:
    """Accept, decline or go on with the assignment that the delivery offered. Repeated ones change nothing."""
    incident_id, assignment_id = answer.delivery["subject"], answer.delivery["refs"]["assignment"]
    try:
        doc = incidents.get(incident_id)
        status = AssignmentStatus(rules.assignment_of(doc, assignment_id)["status"])
        outcome = _answered(answer, doc, status)
    except UnitTaken:
        outcome = Outcome.UNIT_BUSY
    except NotFound:
        outcome = Outcome.NOT_POSSIBLE
    except Conflict as conflict:
        over = conflict.error_code in {"already_handled", "incident_closed"}
        gone = conflict.data.get("current") == AssignmentStatus.WITHDRAWN
        outcome = Outcome.TOO_LATE if over or gone else Outcome.NOT_POSSIBLE
    _seen(answer)
    return outcome


def _answered(answer: Answer, doc: dict[str, Any], status: AssignmentStatus) -> Outcome:
    incident_id, assignment_id = answer.delivery["subject"], answer.delivery["refs"]["assignment"]
    now = services().clock()
    if status == AssignmentStatus.WITHDRAWN:  # before the unit's lease is touched for it
        return Outcome.TOO_LATE
    if answer.step == Step.DECLINE:
        dispatch.decline(incident_id, assignment_id, by=answer.by, reason="", now=now)
    elif answer.step == Step.ACCEPT and status in {AssignmentStatus.CLEARED, AssignmentStatus.DECLINED}:
        return Outcome.NOT_POSSIBLE
    else:
        # On the way without a yes before it is a yes.
        if status in ASKED:
            dispatch.accept(incident_id, assignment_id, desk(doc["city"]), by=answer.by, via=answer.via, now=now)
        if answer.step in _WANTED:
            _go_on(answer, status)
    return Outcome.TAKEN


def _go_on(answer: Answer, status: AssignmentStatus) -> None:
    wanted = _WANTED[answer.step]
    if status == AssignmentStatus.ON_SCENE and wanted == AssignmentStatus.EN_ROUTE:
        return  # the SMS overtook each other: there is more than on the way
    dispatch.progress(
        answer.delivery["subject"],
        answer.delivery["refs"]["assignment"],
        wanted,
        by=answer.by,
        now=services().clock(),
    )


def handled_by(delivery: Delivery, language: str) -> str:
    """Who has what the delivery offered, as the others may know it: the unit's name, else its agency's; "" for nobody."""
    doc = incidents.get(delivery["subject"])
    assignments = doc.get("assignments") or {}
    service = (assignments.get(delivery["refs"]["assignment"]) or {}).get("service") or ""
    holder = assignments.get(((doc.get("slots") or {}).get(service) or {}).get("assignment") or "") or {}
    if not holder:
        return ""
    unit = dispatch_queries.units().find_one({"_id": holder["unit"]}, {"name": 1}) or {}
    agency = cities.current(doc["city"]).agencies.get(holder.get("agency") or "")
    return str(unit.get("name") or (agency.names.in_language(language) if agency else ""))


def to_supervisor_call(answer: Answer) -> Outcome:
    """A supervisor sees to it, or cannot: kept in the incident's timeline."""
    said = supervising.acknowledge if answer.step == Step.ACCEPT else supervising.refuse
    service = answer.delivery["refs"].get("service") or ""
    try:
        said(answer.delivery["subject"], service=service, by=answer.by, via=answer.via, now=services().clock())
        outcome = Outcome.TAKEN
    except (Conflict, NotFound):
        outcome = Outcome.TOO_LATE
    _seen(answer)
    return outcome


def _seen(answer: Answer) -> None:
    """Somebody answered, so the delivery has done its work; what the answer changed is worked off."""
    found = services()
    deliveries.opened(answer.delivery["_id"], now=found.clock())
    found.enqueue("drain", "incidents", answer.delivery["subject"])
