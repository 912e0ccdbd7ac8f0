"""How footage requests, evidence and views are shown."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from domain.evidence import custody
from domain.evidence.states import Copy, Kind


def request_view(doc: Mapping[str, Any]) -> dict[str, Any]:
    """A footage request; cameras that have the place in view first, then by distance."""
    said = [{"camera": camera, **each} for camera, each in doc["cameras"].items()]
    return {
        "id": doc["_id"],
        "since": doc["start"],
        "until": doc["start"] + timedelta(seconds=doc["seconds"]),
        **{name: doc[name] for name in ("incident", "by", "reason", "position", "radius_m", "state", "at", "version")},
        "cameras": sorted(said, key=lambda each: (not each["covering"], each["distance_m"], each["camera"])),
    }


def evidence_view(doc: Mapping[str, Any], *, held: bool) -> dict[str, Any]:
    """A piece of evidence: what it is and how it can be checked, and no picture of it."""
    shown: dict[str, Any] = {
        "id": doc["_id"],
        "kind": doc.get("kind") or str(Kind.UPLOAD),
        "held": held,
        **{
            name: doc.get(name)
            for name in (
                *("incident", "city", "state", "reason", "by", "request", "camera", "seconds", "source", "clock"),
                *("sha256", "size", "type", "at"),
            )
        },
        "since": doc.get("start"),
        "also": doc.get("also") or None,
        "kept": bool(doc.get("kept")) or None,
    }
    if parts := doc.get("parts"):
        files = [{name: part[name] for name in ("name", "start", "seconds", "size", "sha256")} for part in parts]
        manifest = custody.manifest({each["name"]: each["sha256"] for each in files})
        shown["original"] = {"files": files, "manifest": manifest}
    if copy := doc.get("copy"):
        shown["copy"] = copy
    return shown


def view_view(view: Mapping[str, Any], doc: Mapping[str, Any]) -> dict[str, Any]:
    """The sight of a copy: where its clip and stills are. Stills are of the redacted copy alone."""
    here = f"/v1/evidence/{view['evidence']}/views/{view['_id']}"
    stills = len((doc.get("copy") or {}).get("stills") or []) if view["copy"] == Copy.REDACTED else 0
    return {
        "id": view["_id"],
        **{name: view.get(name) for name in ("evidence", "copy", "reason", "review", "until")},
        "clip": f"{here}/clip",
        "stills": [f"{here}/stills/{number}" for number in range(stills)],
    }
