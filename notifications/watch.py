"""What a watch group's members are told: that there is news of their streets. What it is, the app asks for itself."""

from domain.deliveries.service import Delivery
from domain.deliveries.states import Suppressed
from domain.errors import NotFound
from domain.reports import queries
from domain.reports.states import ReportStatus
from notifications.recipients import Reached
from runtime.settings import Settings


def alert(delivery: Delivery, reached: Reached, settings: Settings) -> dict[str, str]:
    """The ids alone."""
    return {"group_id": delivery["refs"]["group"], "alert_id": delivery["subject"]}


def overtaken(delivery: Delivery) -> str:
    """Nobody hears of a report that was taken out, or back."""
    try:
        status = queries.get(delivery["subject"])["status"]
    except NotFound:
        return str(Suppressed.OVER)
    return "" if status == ReportStatus.PUBLISHED else str(Suppressed.OVER)
