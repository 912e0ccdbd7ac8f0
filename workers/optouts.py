"""A responder who wants no more SMS: their supervisors hear of it, since an offer may now reach them later or not at all."""

from datetime import timedelta

from domain.deliveries.service import Recipient, Telling
from domain.dispatch import queries as dispatch
from domain.outbox import Event
from domain.people import queries as people
from domain.people.documents import PersonDoc
from notifications.fanout import tell
from workers.context import Context

MATTERS_FOR = timedelta(days=1)


def opted_out(event: Event, context: Context) -> None:
    """Tell the supervisors of the responder's agency; of anybody else nobody needs to know."""
    person = PersonDoc.objects(id=event["subject"], erased_at=None).only("unit_id", "agency_id").first()
    if person is None or not person.unit_id or not person.agency_id:
        return
    unit = dispatch.units().find_one({"_id": person.unit_id}, {"city": 1})
    if unit is None:  # struck off since: whoever struck it off knows
        return
    city = unit["city"]
    told = {each.id for each in people.supervisors_of(city, person.agency_id)} - {person.id}
    tell(
        [
            Telling(
                key=event["id"],
                city=city,
                purpose="responder_opted_out",
                subject=person.id,
                recipient=Recipient("person", supervisor),
                plan=("sms",),
                valid_for=MATTERS_FOR,
            )
            for supervisor in sorted(told)
        ],
        context.post,
    )
