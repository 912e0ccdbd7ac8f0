"""A few seconds of a camera, for its health alone: nothing is kept, nobody is looked for.

python -m workers.vision.sample     # a line of JSON in ({source, config}), a line out (as ``record`` reports), again
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Mapping
from typing import Any

from workers.vision.admit import Unseen
from workers.vision.config import VisionConfig, Window
from workers.vision.cv import cv2
from workers.vision.record import MEMORY_MB, SAMPLE_S, Health, follow_parent
from workers.vision.source import opened

SECONDS = 4.5  # frozen needs three seconds without a change
BUDGET_S = 10.0


def sample(source: Mapping[str, Any], config: VisionConfig) -> dict[str, Any]:
    """Sample it once. Never raises for what the source is or sends: `{lost: reason}`."""
    health, next_t, last_t, began = Health(), 0.0, 0.0, time.monotonic()
    try:
        with opened(source, Window(seconds=SECONDS), config) as footage:
            live = footage.live
            while time.monotonic() - began < BUDGET_S:
                t = footage.grab()
                if t is None or t > SECONDS:
                    break
                health.pictures, last_t = health.pictures + 1, t
                if t >= next_t:
                    next_t = t + SAMPLE_S
                    health.see(footage.retrieve())
    except Unseen as unseen:
        if not health.pictures:
            return {"lost": unseen.reason}
    except (cv2.error, MemoryError, OSError, ValueError):
        return {"lost": "not_decodable"}
    if not health.measured:
        return {"lost": "no_pictures"}
    pictures = health.pictures
    found = health.report() | {"fps": round(pictures / max(last_t, 1e-3), 2) if pictures > 1 else 0.0, "live": live}
    return found


def main() -> int:
    """Answer until the parent is gone."""
    follow_parent()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MB << 20, MEMORY_MB << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        config = VisionConfig.from_dict({"open_timeout_s": 4.0, "read_timeout_s": 4.0, **asked["config"]})
        answers.write(json.dumps(sample(asked["source"], config)) + "\n")
        answers.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
