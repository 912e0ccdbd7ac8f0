"""Tasks of `bounded.py` on recorded files: how long one is, and the redacted copy of several."""

from __future__ import annotations

from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import Any

from workers.vision.admit import Unseen
from workers.vision.blur import CONFIG, blur
from workers.vision.config import VisionConfig
from workers.vision.cv import cv2
from workers.vision.frames import Piece, length_of
from workers.vision.observation import Status

OUT = "redacted.mp4"


def copy(request: dict[str, Any]) -> dict[str, Any]:
    """`{folder, pieces: [{file, offset}], seconds, masks, stills, budget_s, max_bytes}` in. Out: `{status: "ok", file,
    frames, seconds, regions, stills: [{file, t, width, height, blurred, sha256}], detectors, broken, cut}`, or
    `{status: corrupt|timeout|unsupported|no_room, reason}`. Never raises for what the footage is.
    """
    folder = Path(request["folder"])
    budget = float(request["budget_s"])
    try:
        config = VisionConfig.from_dict(
            {
                **CONFIG,
                "masks": request.get("masks") or [],
                "max_bytes": int(request["max_bytes"]),
                "budget_s": budget / 2,
                "wall_s": budget,
            }
        )
        pieces = [Piece(folder / each["file"], float(each["offset"])) for each in request["pieces"]]
        done = blur(
            pieces,
            float(request["seconds"]),
            folder / OUT,
            config,
            stills=int(request.get("stills", 0)),
            budget_s=budget,
        )
    except Unseen as unseen:
        return {"status": str(unseen.status), "reason": unseen.reason}
    except (cv2.error, ValueError):
        return {"status": str(Status.CORRUPT), "reason": "not_decodable"}
    except OSError as error:
        if error.errno not in (ENOSPC, EDQUOT):
            raise
        return {"status": "no_room", "reason": "no_room"}
    except MemoryError:
        return {"status": str(Status.UNSUPPORTED), "reason": "too_much_memory"}
    return {
        "status": str(Status.OK),
        "file": done.path.name,
        "first": round(done.first, 3),
        "frames": done.frames,
        "seconds": round(done.seconds, 3),
        "regions": done.regions,
        "stills": done.stills,
        "detectors": done.detectors,
        "broken": done.broken,
        "cut": done.cut,
    }


def length(request: dict[str, Any]) -> dict[str, Any]:
    """`{path}` in, `{seconds}` out: 0 for what is no footage."""
    return {"seconds": round(length_of(Path(request["path"])), 3)}
