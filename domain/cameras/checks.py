"""What a human says of what analytics found: asked once for each kind of finding, kept on the observation, and shown on
the incidents that asked its camera. Lying and hands up are always asked about; nobody is sent by a camera alone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from domain import geo
from domain.cameras import rules
from domain.cameras.queries import Observation, looks, observation, observations
from domain.errors import NotFound
from domain.incidents import service as incidents
from domain.incidents.draft import Draft
from domain.reviews import service as reviews
from domain.reviews.service import Review
from domain.reviews.states import RULE, ReviewKind, ReviewStatus, Said

GROUPS: Final[Mapping[str, str]] = {"fall": "lying"}
"""Findings that are one question with another: who fell lies on the ground."""
DETECTORS: Final[Mapping[str, str]] = {
    "lying": "pose", "hands_up": "pose", "plate": "plates", "dispersal": "crowd",
}  # fmt: skip
"""Which detector is measured by the answer; of another finding the one that is named like it, or the only one."""
MOST_BOXES: Final = 6

_SAID: Final[Mapping[ReviewStatus, Said]] = {
    ReviewStatus.APPROVED: Said.YES,
    ReviewStatus.REFUSED: Said.NO,
    ReviewStatus.CANNOT_TELL: Said.CANNOT_TELL,
}


def group_of(finding: str) -> str:
    """What is asked about for a finding."""
    return GROUPS.get(finding, finding)


def ask_about(observation_id: str, *, look: str = "", now: datetime) -> list[str]:
    """Ask a human about what was found, one question for each kind. The same again is the same questions: their ids."""
    found = observation(observation_id)
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for finding in found.get("findings") or []:
        groups.setdefault(group_of(finding["kind"]), []).append(finding)
    asked = []
    for group, of_group in groups.items():
        review, _ = reviews.ask(
            ReviewKind.CLIP_CHECK,
            city=found["city"],
            subject=observation_id,
            asked_by=RULE,
            reason=group,
            key=f"{observation_id}:{group}",
            about=_about(found, group, of_group, look),
            now=now,
        )
        asked.append(str(review["_id"]))
    return asked


def _about(found: Observation, group: str, of_group: Sequence[Mapping[str, Any]], look: str) -> dict[str, Any]:
    kinds = {finding["kind"] for finding in of_group}
    seen = found.get("seen") or {}
    marks = [each for each in (seen.get("summary") or {}).get("findings") or [] if each["kind"] in kinds]
    boxes = [
        {"kind": each["kind"], "bbox": list(each["bbox"]), "at_s": each["t"]} for each in marks if each.get("bbox")
    ]
    return {
        "observation": found["_id"],
        "camera": found["camera"],
        "look": look,
        "finding": group,
        "confidence": max(finding["confidence"] for finding in of_group),
        "detector": _detector(seen.get("detectors") or [], group),
        "stills": len(found.get("stills") or []),
        "boxes": boxes[:MOST_BOXES],
    }


def _detector(detectors: Sequence[Mapping[str, Any]], group: str) -> str:
    """`name version` of the detector that found it."""
    wanted = DETECTORS.get(group, group)
    named = [each for each in detectors if each.get("name") == wanted] or list(detectors[:1])
    return " ".join(str(named[0].get(part) or "") for part in ("name", "version")).strip() if named else ""


def take_answer(review: Review, *, now: datetime) -> Observation | None:
    """Keep a human's answer on the observation and show it on its incidents; None where there is none to keep.

    The first answer stays. A question that nobody answered leaves everything as it was.
    """
    said = _SAID.get(ReviewStatus(review["status"]))
    if said is None:
        return None
    about = review["about"]
    by = review["answers"][-1]["by"]
    return note(about["observation"], about["finding"], said, by=by, look=about.get("look") or "", now=now)


def note(
    observation_id: str, group: str, said: Said, *, by: str, look: str = "", confidence: float = 0.0, now: datetime
) -> Observation | None:
    """Write what a human says of a group of findings. With `confidence` it is a finding that only a human makes known."""
    entry = {"said": str(said), "by": by, "at": now}
    update: dict[str, Any] = {"$set": {f"checked.{group}": entry}}
    if confidence:
        added = {"kind": group, "confidence": confidence, "at_s": 0.0}
        update["$push"] = {"findings": {"$each": [added]}}
    observations().update_one({"_id": observation_id, f"checked.{group}": {"$exists": False}}, update)
    found = observations().find_one({"_id": observation_id}, {"pending_events": 0, "outbox_lease": 0})
    if found is None:
        return None  # its time to be kept was over
    for incident_id in _askers(found, look):
        _show(incident_id, found, group, now)
    return found


def _askers(found: Observation, look: str) -> list[str]:
    """The incidents that may show it: those of the look, else those near in time and place."""
    if look:
        row = looks().find_one({"_id": look}, {"incidents": 1})
        return list((row or {}).get("incidents") or [])
    span = {"$gte": found["at"] - rules.GATEWAY_WITHIN, "$lte": found["at"] + rules.GATEWAY_WITHIN}
    here = found["position"]
    cells = geo.disk(here["lat"], here["lon"], 2 * rules.SEARCH_M).cells
    rows = incidents.incidents().find(
        {"city": found["city"], "cells.r7": {"$in": cells}, "raised_at": span}, {"_id": 1}
    )
    return [row["_id"] for row in rows]


def _show(incident_id: str, found: Observation, group: str, now: datetime) -> None:
    checked = found["checked"][group]

    def rule(draft: Draft) -> None:
        held = (draft.doc.get("cameras") or {}).get(found["camera"])
        if not held or held.get("observation") != found["_id"] or group in (held.get("checked") or {}):
            return
        draft.set(f"cameras.{found['camera']}.checked.{group}", checked["said"])
        draft.set(f"cameras.{found['camera']}.findings", found["findings"])
        draft.entry("camera_checked", by=checked["by"], camera=found["camera"], finding=group, said=checked["said"])

    try:
        incidents.change(incident_id, rule, now=now)
    except NotFound:
        return  # nobody is left to be told
