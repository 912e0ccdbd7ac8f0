"""A task of `bounded.py`: one photograph with every face, head and number plate in it made unrecognisable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from workers.vision.admit import Unseen, admit_image
from workers.vision.cv import Image, cv2, narrowed
from workers.vision.models import loaded
from workers.vision.observation import Box, Status
from workers.vision.plates_hidden import in_photograph
from workers.vision.redact import around_face, head_of, redacted
from workers.vision.stills import QUALITY

WIDEST = 1280
MOST_SIDE = 12_000


SCALES = (1.0, 1.6)
"""A photograph has no picture before and after it in which a face that was missed is found: so it is looked at larger as
well, where small ones are found, and in a mirror."""


def _looked(image: Image) -> Iterator[list[Box]]:
    for scale in SCALES:
        larger = cv2.resize(image, None, fx=scale, fy=scale) if scale != 1 else image
        yield _faces_and_heads(larger)
        yield [(1 - x - w, y, w, h) for x, y, w, h in _faces_and_heads(cv2.flip(larger, 1))]


def _faces_and_heads(image: Image) -> list[Box]:
    models = loaded()
    faces = [each.bbox for each in models.faces.detect(image)]
    models.people.moving, models.people.faces, models.people.fresh = (), faces, True
    heads = [head_of(each.bbox) for each in models.people.detect(image)]
    return [*map(around_face, faces), *heads]


def photo(request: dict[str, Any]) -> dict[str, Any]:
    """`{folder}` in, where `in` is a picture; out: `{status: "ok", blurred, width, height}` and `out.jpg` beside it, or
    `{status, reason}`. Nothing of a photograph that cannot be looked at is written.
    """
    folder = Path(request["folder"])
    try:
        data = (folder / "in").read_bytes()
        admit_image(data, MOST_SIDE)
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise Unseen(Status.CORRUPT, "not_decodable")
        image = narrowed(image, WIDEST)
        boxes = [box for each in _looked(image) for box in each]
        boxes += in_photograph(image, loaded().plates(""))
        good, jpeg = cv2.imencode(".jpg", redacted(image, boxes), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    except Unseen as unseen:
        return {"status": str(unseen.status), "reason": unseen.reason}
    except (cv2.error, ValueError):
        return {"status": str(Status.CORRUPT), "reason": "not_decodable"}
    if not good:
        return {"status": str(Status.CORRUPT), "reason": "not_encodable"}
    (folder / "out.jpg").write_bytes(jpeg.tobytes())
    return {"status": str(Status.OK), "blurred": len(boxes), "width": image.shape[1], "height": image.shape[0]}
