"""A change to a journey while it is being decided: an incident's Draft with a journey's own timers."""

from datetime import datetime

from domain.incidents.draft import Draft
from domain.journeys.concerns import NOT_HEARD_AFTER
from domain.journeys.states import GOING_ON, Concern, JourneyStatus


class JourneyDraft(Draft):
    """What a rule has decided so far about one journey."""

    def settle(self) -> None:
        """Set the earliest of the timers: the one that the sweeper looks for."""
        timers = self._timers()
        if timers and min(timers) != self.doc.get("due_at"):
            self.set("due_at", min(timers))
        elif not timers and self.doc.get("due_at") is not None:
            self.unset("due_at")

    def _timers(self) -> list[datetime]:
        doc = self.doc
        if doc["status"] not in GOING_ON:
            return []
        own = {
            JourneyStatus.UNDER_WAY: doc.get("next_due"),
            JourneyStatus.ASKED: doc.get("answer_by"),
            JourneyStatus.MISSED: doc.get("raise_at"),
        }[JourneyStatus(doc["status"])]
        quiet = None
        if doc.get("position") and Concern.NOT_HEARD not in (doc.get("concerns") or {}):
            quiet = doc["heard_at"] + NOT_HEARD_AFTER
        return [each for each in (own, quiet) if each]
