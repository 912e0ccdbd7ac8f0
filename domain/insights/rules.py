"""What is measured of an incident, and how a list of times becomes a figure. Pure.

answer: from the SOS to the first unit that was asked (NENA's and NFPA 1225's "answer": somebody deals with it).
dispatch: from the SOS to the first acceptance. arrival: from the SOS to the first unit of a service on scene.
All by the server's clock, from the moment that it was received: what came late was not ours to be quick with.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

BUCKETS: Final = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800)
"""Upper edges in seconds; beyond the last one is `inf`."""
LEFT_OUT: Final = frozenset({"practice"})


def times_of(doc: Mapping[str, Any]) -> dict[str, float]:
    """The measured seconds of one incident: `answer`, `dispatch`, `arrival.police` …; absent where not reached."""
    began: datetime = doc["received_at"]
    milestones = doc.get("milestones") or {}
    reached = {"answer": milestones.get("offered_at"), "dispatch": milestones.get("acknowledged_at")}
    for each in (doc.get("assignments") or {}).values():
        name, at = f"arrival.{each['service']}", each.get("on_scene_at")
        if at is not None and (reached.get(name) is None or at < reached[name]):
            reached[name] = at
    return {name: max(0.0, (at - began).total_seconds()) for name, at in reached.items() if at is not None}


def bucket(seconds: float) -> str:
    """The name of the bucket that a time falls into."""
    return next((str(edge) for edge in BUCKETS if seconds <= edge), "inf")


def percentile(values: Sequence[float], share: float) -> float | None:
    """Nearest-rank percentile; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def summary(values: Sequence[float], target_s: float | None) -> dict[str, Any]:
    """{n, p50_s, p90_s, target_s, within}: `within` is the share that met the target; the aim is 0.9 of them."""
    within = sum(value <= target_s for value in values) / len(values) if values and target_s is not None else None
    p50, p90 = percentile(values, 0.5), percentile(values, 0.9)
    return {
        "n": len(values),
        "p50_s": None if p50 is None else round(p50, 1),
        "p90_s": None if p90 is None else round(p90, 1),
        "target_s": target_s,
        "within": None if within is None else round(within, 3),
    }
