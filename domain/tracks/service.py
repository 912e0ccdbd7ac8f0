"""Keeping positions in batches, in any order, some of them twice."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from pymongo.collection import Collection

from domain.clock import from_millis
from domain.tracks.documents import TrackDoc

QUARTER_MS: Final = 15 * 60 * 1000

Point = Mapping[str, Any]


def tracks() -> Collection[dict[str, Any]]:
    """The raw collection."""
    found: Collection[dict[str, Any]] = TrackDoc._get_collection()
    return found


def add(city: str, subject: str, points: Iterable[Point], *, now: datetime) -> None:
    """Keep points {lat, lon, accuracy_m?, captured_at?}. The phone's own time is what makes two of them one.

    One without a time counts as captured now, a millisecond after the one before it in the batch.
    """
    quarters: dict[int, dict[str, list[Any]]] = defaultdict(dict)
    for index, point in enumerate(points):
        captured_at = point.get("captured_at")
        millis = round((captured_at or now).timestamp() * 1000) + (0 if captured_at else index)
        quarters[millis // QUARTER_MS][str(millis)] = [point["lat"], point["lon"], point.get("accuracy_m"), now]
    for quarter, found in quarters.items():
        tracks().update_one(
            {"_id": f"{subject}:{quarter}"},
            {
                "$set": {f"points.{millis}": point for millis, point in found.items()},
                "$setOnInsert": {"city": city, "subject": subject, "quarter": quarter},
            },
            upsert=True,
        )


def copy(subject: str, to: str, *, city: str, since: datetime | None = None) -> None:
    """Give another subject the points of this one, with the times at which they came. Again adds nothing twice.

    `since`: leave out what is known to be there, by quarters of an hour of the phone's time.
    """
    condition: dict[str, Any] = {"subject": subject}
    if since is not None:
        condition["quarter"] = {"$gte": round(since.timestamp() * 1000) // QUARTER_MS}
    for row in tracks().find(condition):
        tracks().update_one(
            {"_id": f"{to}:{row['quarter']}"},
            {
                "$set": {f"points.{millis}": point for millis, point in row["points"].items()},
                "$setOnInsert": {"city": city, "subject": to, "quarter": row["quarter"]},
            },
            upsert=True,
        )


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
        for millis in sorted(map(int, row["points"])):
            if floor is None or millis > floor:
                lat, lon, accuracy_m, received_at = row["points"][str(millis)]
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
