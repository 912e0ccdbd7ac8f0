"""Keeping positions in batches, in any order, some of them twice, however many come.

A track keeps one point a second of the phone's time, so that a quarter of an hour has at most 900, and takes no more than
QUARTERS_A_DAY new quarters a day, so that neither a document nor a track grows without end whatever a phone sends.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo.collection import Collection

from domain.clock import from_millis
from domain.tracks.documents import TrackDoc

QUARTER_MS: Final = 15 * 60 * 1000
SECOND_MS: Final = 1000
QUARTERS_A_DAY: Final = 300
"""A day has 96; a phone that was offline brings those of the day before, and its clock may have been set meanwhile."""

Point = Mapping[str, Any]


def tracks() -> Collection[dict[str, Any]]:
    """The raw collection."""
    found: Collection[dict[str, Any]] = TrackDoc._get_collection()
    return found


def add(city: str, subject: str, points: Sequence[Point], *, now: datetime) -> None:
    """Keep points {lat, lon, accuracy_m?, captured_at?}. The phone's own time is what makes two of them one.

    Of those within one second of its time the last is kept. One without a time counts as captured now if it is the
    batch's last, else a second before the one that follows it.
    """
    quarters: dict[int, dict[str, list[Any]]] = defaultdict(dict)
    for behind, point in zip(range(len(points) - 1, -1, -1), points, strict=True):
        captured_at = point.get("captured_at") or now - timedelta(seconds=behind)
        second, millis = divmod(round(captured_at.timestamp() * 1000), SECOND_MS)
        quarters[second * SECOND_MS // QUARTER_MS][str(second * SECOND_MS)] = [
            point["lat"], point["lon"], point.get("accuracy_m"), now, millis
        ]  # fmt: skip
    room = True
    for quarter, found in sorted(quarters.items()):
        room = _keep(city, subject, quarter, found, now, new=room) and room


def _keep(city: str, subject: str, quarter: int, points: Mapping[str, Any], now: datetime, *, new: bool = True) -> bool:
    """Add points to a quarter of an hour, which is made if it may be `new`; False when the day has had its new ones."""
    made = tracks().update_one(
        {"_id": f"{subject}:{quarter}"},
        {
            "$set": {f"points.{second}": point for second, point in points.items()},
            "$setOnInsert": {"city": city, "subject": subject, "quarter": quarter, "began_at": now},
            "$max": {"at": now},
        },
        upsert=new,
    )
    if made.upserted_id is None:
        return True
    fresh = {"subject": subject, "began_at": {"$gt": now - timedelta(days=1)}}
    if len(list(tracks().find(fresh, {"_id": 1}).limit(QUARTERS_A_DAY + 1))) <= QUARTERS_A_DAY:
        return True
    tracks().delete_one({"_id": made.upserted_id})
    return False


def copy(subject: str, to: str, *, city: str, since: datetime | None = None) -> None:
    """Give another subject the points of this one, with the times at which they came. Again adds nothing twice.

    `since`: leave out what is known to be there, by quarters of an hour of the phone's time.
    """
    condition: dict[str, Any] = {"subject": subject}
    if since is not None:
        condition["quarter"] = {"$gte": round(since.timestamp() * 1000) // QUARTER_MS}
    for row in tracks().find(condition):
        _keep(city, to, row["quarter"], row["points"], row["at"])


def forget(subject: str) -> None:
    """Take a subject's track away."""
    tracks().delete_many({"subject": subject})


def read(subject: str, *, after: datetime | None = None, limit: int = 500) -> list[dict[str, Any]]:
    """Points in the order of the phone's time, the first `limit` after a time."""
    floor = round(after.timestamp() * 1000) if after else None
    condition: dict[str, Any] = {"subject": subject}
    if floor is not None:
        condition["quarter"] = {"$gte": floor // QUARTER_MS}
    found: list[dict[str, Any]] = []
    for row in tracks().find(condition).sort("quarter", 1):
        for second in sorted(map(int, row["points"])):
            lat, lon, accuracy_m, received_at, *rest = row["points"][str(second)]
            millis = second + sum(rest)
            if floor is None or millis > floor:
                found.append(
                    {
                        "lat": lat,
                        "lon": lon,
                        "accuracy_m": accuracy_m,
                        "captured_at": from_millis(millis),
                        "received_at": received_at,
                    }
                )
        if len(found) >= limit:
            break
    return found[:limit]
