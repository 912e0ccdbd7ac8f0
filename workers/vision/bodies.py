"""Bodies and how they are held, as a detector: who stands, lies, or holds up both hands.

In a look the pictures come in order and bodies are followed by their own joints (``follow``); a single picture is found
and read by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workers.vision.cv import Image
from workers.vision.detector import Region
from workers.vision.follow import Followed, Follower
from workers.vision.graphs import Body, BodyFinder, JointReader, to_rgb
from workers.vision.observation import Box, Detection
from workers.vision.pose import VERSION, Posture

MOST = 6  # bodies followed at once, unless said otherwise
LEAST_PX = 32


class PoseDetector:
    """A ``Detector`` of bodies by their posture.

    ``begin`` comes before a look's pictures; then set before each ``detect``: ``t``, ``found`` (what the pose detector
    found in this picture, None when it was not asked) and ``suspects``; read after it: ``bodies``. Without ``begin`` each
    picture stands for itself.
    """

    name = "pose"
    version = VERSION
    labels: Sequence[str] = ("upright", "bent", "lying", "hands_up")

    def __init__(self) -> None:
        self.t = 0.0
        self.found: Sequence[Body] | None = None
        self.suspects: Sequence[Box] = ()
        self.bodies: list[Followed] = []
        self._finder: BodyFinder | None = None
        self._reader: JointReader | None = None
        self._follower: Follower | None = None

    def load(self, config: Mapping[str, Any]) -> None:
        self._finder, self._reader = BodyFinder(), JointReader()

    def begin(self, most: int = MOST) -> None:
        """Forget the look before."""
        finder, reader = self._models()
        self._follower, self.bodies = Follower(reader, finder, most), []

    def _models(self) -> tuple[BodyFinder, JointReader]:
        if self._finder is None or self._reader is None:
            raise ValueError("load comes first")
        return self._finder, self._reader

    def detect(self, frame: Image, roi: Region | None = None) -> list[Detection]:
        finder, reader = self._models()
        height, width = frame.shape[:2]
        x, y, w, h = roi or (0, 0, width, height)
        if min(w, h) < LEAST_PX:
            self.bodies = []
            return []
        rgb = to_rgb(frame[y : y + h, x : x + w])
        if self._follower is not None and roi is None:
            self.bodies = self._follower.see(rgb, self.t, self.found, self.suspects)
        else:
            alone = Follower(reader, finder, MOST)
            whole = ((0.0, 0.0, 1.0, 1.0),)
            self.bodies = alone.see(rgb, 0.0, finder.find(rgb), whole)
        found: list[Detection] = []
        for body in self.bodies:
            bx, by, bw, bh = body.box
            place = ((x + bx * w) / width, (y + by * h) / height, bw * w / width, bh * h / height)
            if body.attitude.posture is not Posture.UNCLEAR:
                found.append(Detection(str(body.attitude.posture), body.attitude.confidence, place))
            if body.attitude.hands_up:
                found.append(Detection("hands_up", body.attitude.confidence, place))
        return found

    def close(self) -> None:
        for graph in (self._finder, self._reader):
            if graph is not None:
                graph.close()
        self._finder = self._reader = self._follower = None
