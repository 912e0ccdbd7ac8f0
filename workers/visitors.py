"""A visitor calls for help: the tourist police are put beside those who come, where the city has them."""

from domain.cities import queries as cities
from domain.cities.config import AgencyKind
from domain.errors import Conflict
from domain.incidents import operating
from domain.incidents import service as incidents
from domain.outbox import Event
from workers.context import Context

BY = "system:visitors"


def tourist_police(event: Event, context: Context) -> None:
    """Their supervisors hear of it; who comes first is decided as for everybody. Again changes nothing."""
    doc = incidents.get(event["subject"])
    if "visitor" not in doc["flags"] or "practice" in doc["flags"]:
        return
    config = cities.current(doc["city"])
    for agency in config.agencies.values():
        if agency.kind == AgencyKind.TOURIST_POLICE:
            try:
                operating.hand_over(
                    doc["_id"], agency.id, reason="a visitor", by=BY, config=config, now=context.clock()
                )
            except Conflict:
                return  # closed already: nobody needs to hear
