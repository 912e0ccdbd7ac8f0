"""How long what belongs to incidents is kept: one table of the collections that simply end after their city's days."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from domain.cities.config import CityConfig, Kept
from domain.deliveries.documents import DeliveryDoc
from domain.drills.documents import DrillDoc
from domain.evidence.documents import FootageRequestDoc, UploadDoc
from domain.faces.documents import FaceSearchDoc
from domain.gatherings.documents import GatheringDoc
from domain.handovers.documents import HandoverDoc
from domain.notices.documents import NoticeDoc
from domain.patrols.documents import PatrolDoc
from domain.reports.documents import GoneReportDoc
from domain.reviews.documents import ReviewDoc
from domain.tracks.documents import TrackDoc
from domain.watch_alerts.documents import WatchAlertDoc


@dataclass(frozen=True)
class Ends:
    """A collection whose documents are removed when they are old enough. Each needs an index [city, `since`]."""

    kept: Kept
    document: Any
    since: str
    """The field with the time from which it is kept."""
    about: str
    """The field with the incident that it belongs to: a hold on that keeps it."""
    going: str = ""
    """The field that stands while there are bytes of it which somebody else ends: nothing goes before they went."""

    def over(self) -> dict[str, Any]:
        """Of which nothing else is to be ended first."""
        return {self.going: {"$exists": False}} if self.going else {}


ENDS: Final = (
    Ends(Kept.TRACKS, TrackDoc, "at", "subject"),
    Ends(Kept.TRACKS, PatrolDoc, "ends_at", "_id"),
    Ends(Kept.TRACKS, GatheringDoc, "ends_at", "_id"),
    Ends(Kept.DELIVERIES, WatchAlertDoc, "issued_at", "_id"),
    Ends(Kept.DELIVERIES, DeliveryDoc, "created_at", "subject"),
    Ends(Kept.DELIVERIES, DrillDoc, "at", "_id"),
    Ends(Kept.INCIDENTS, NoticeDoc, "opened_at", "cause"),
    Ends(Kept.REPORTS, HandoverDoc, "requested_at", "report"),
    Ends(Kept.TOMBSTONES, GoneReportDoc, "changed_at", "_id"),
    Ends(Kept.MEDIA, UploadDoc, "created_at", "incident"),
    Ends(Kept.EVIDENCE, FootageRequestDoc, "at", "incident"),
    Ends(Kept.EVIDENCE, FaceSearchDoc, "at", "incident", going="until"),
    Ends(Kept.AUDIT, ReviewDoc, "decided_at", "subject"),  # who answered what, as the chain says it: as long as the chain
)


def before(config: CityConfig, kept: Kept, now: datetime) -> datetime:
    """What came then or earlier has been kept long enough."""
    return now - timedelta(days=config.retention_days[kept])


def expire(ends: Ends, config: CityConfig, *, keep: Collection[str], now: datetime, limit: int) -> int:
    """Remove a batch, the oldest first, but for what belongs to an incident in `keep`; how many went."""
    rows = ends.document._get_collection()
    over = {
        "city": config.id,
        ends.since: {"$lte": before(config, ends.kept, now)},
        ends.about: {"$nin": sorted(keep)},
        **ends.over(),
    }
    ids = [row["_id"] for row in rows.find(over, {"_id": 1}).sort(ends.since, 1).limit(limit)]
    return int(rows.delete_many({"_id": {"$in": ids}}).deleted_count) if ids else 0


def forget(incident_id: str) -> None:
    """Remove all of it that belongs to one incident."""
    for ends in ENDS:
        ends.document._get_collection().delete_many({ends.about: incident_id, **ends.over()})
