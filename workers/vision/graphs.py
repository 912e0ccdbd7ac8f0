"""The adapter to mediapipe: three graphs that run one model each, on one thread, and answer plain values.

``PoseDetectionCpu`` and ``PoseLandmarkByRoiCpu`` are parts of the documented Pose solution but not documented themselves:
everything that leans on them is in this file, and ``tests/workers/vision/test_adapters.py`` notices when they change. The
Pose solution itself follows one person only; these two find everybody and then read each one's joints.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workers.vision.cv import Image, cv2

os.environ.setdefault("GLOG_minloglevel", "3")  # mediapipe's own logging, read at import
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from google.protobuf import text_format
from mediapipe.calculators.tensor import inference_calculator_pb2 as _inference  # noqa: F401  (registers the type)
from mediapipe.framework import calculator_pb2
from mediapipe.framework.formats import rect_pb2
from mediapipe.modules.face_detection import face_detection_pb2
from mediapipe.python import solution_base

Points = npt.NDArray[np.float64]

_FIND = """
input_stream: "IMAGE:image" output_stream: "DETECTIONS:found" num_threads: 1
node { calculator: "PoseDetectionCpu" input_stream: "IMAGE:image" output_stream: "DETECTIONS:found" }
"""
_READ = """
input_stream: "IMAGE:image" input_stream: "ROI:roi"
output_stream: "LANDMARKS:landmarks" output_stream: "AUXILIARY_LANDMARKS:auxiliary" num_threads: 1
node { calculator: "PoseLandmarkByRoiCpu" input_stream: "IMAGE:image" input_stream: "ROI:roi"
       output_stream: "LANDMARKS:landmarks" output_stream: "AUXILIARY_LANDMARKS:auxiliary" }
"""
_FACES = """
input_stream: "IMAGE:image" output_stream: "DETECTIONS:found" num_threads: 1
node { calculator: "FaceDetectionFullRangeCpu" input_stream: "IMAGE:image" output_stream: "DETECTIONS:found"
       node_options: { [type.googleapis.com/mediapipe.FaceDetectionOptions] { min_score_thresh: %s } } }
"""
LEAST_PX = 16  # a graph that is given less fails, and with it every picture that follows
ROI_SCALE = 1.25  # as PoseDetectionToRoi and PoseLandmarksToRoi have it


@dataclass(frozen=True)
class Circle:
    """Where a body is, in pixels: its hips, and a point on the circle around all of it, which lies above the head."""

    hips: tuple[float, float]
    rim: tuple[float, float]

    @property
    def radius(self) -> float:
        return math.hypot(self.rim[0] - self.hips[0], self.rim[1] - self.hips[1])


@dataclass(frozen=True)
class Body:
    """A person found by the pose detector. ``face`` is x, y, w, h in pixels: it boxes the head, not the person."""

    score: float
    face: tuple[float, float, float, float]
    circle: Circle


@dataclass(frozen=True)
class Joints:
    """33 joints of one person, in BlazePose's order: ``points`` 33x2 in pixels, ``visible`` 33 in 0–1.

    ``circle`` is where to look for them in the next picture.
    """

    points: Points
    visible: Points
    circle: Circle


def _graph(text: str, outputs: list[str], hints: dict[str, Any]) -> Any:
    config = text_format.Parse(text, calculator_pb2.CalculatorGraphConfig())
    return solution_base.SolutionBase(graph_config=config, outputs=outputs, stream_type_hints=hints)


_IMAGE = solution_base.PacketDataType.IMAGE_FRAME
_PROTO = solution_base.PacketDataType.PROTO
_PROTOS = solution_base.PacketDataType.PROTO_LIST


class BodyFinder:
    """Everybody in a picture (about 224 px of sight: people below a fifth of the picture's height are not found)."""

    def __init__(self) -> None:
        self._graph = _graph(_FIND, ["found"], {"image": _IMAGE, "found": _PROTOS})

    def find(self, rgb: Image) -> list[Body]:
        height, width = rgb.shape[:2]
        if min(height, width) < LEAST_PX:
            return []
        bodies: list[Body] = []
        for one in self._graph.process({"image": rgb}).found or []:
            place, points = one.location_data.relative_bounding_box, one.location_data.relative_keypoints
            circle = Circle((points[0].x * width, points[0].y * height), (points[1].x * width, points[1].y * height))
            face = (place.xmin * width, place.ymin * height, place.width * width, place.height * height)
            bodies.append(Body(float(one.score[0]), face, circle))
        return bodies

    def close(self) -> None:
        self._graph.close()


class JointReader:
    """The joints of one person whose place is roughly known."""

    def __init__(self) -> None:
        hints = {"image": _IMAGE, "roi": _PROTO, "landmarks": _PROTO, "auxiliary": _PROTO}
        self._graph = _graph(_READ, ["landmarks", "auxiliary"], hints)

    def read(self, rgb: Image, circle: Circle) -> Joints | None:
        """None when the model sees nobody there."""
        height, width = rgb.shape[:2]
        size = 2 * circle.radius * ROI_SCALE
        if min(height, width) < LEAST_PX or not 8 <= size <= 8 * max(width, height):
            return None
        # The circle's rim lies above the head of a standing person: its angle is the body's.
        turn = math.pi / 2 - math.atan2(circle.hips[1] - circle.rim[1], circle.rim[0] - circle.hips[0])
        turn -= 2 * math.pi * math.floor((turn + math.pi) / (2 * math.pi))
        roi = rect_pb2.NormalizedRect(
            x_center=circle.hips[0] / width,
            y_center=circle.hips[1] / height,
            width=size / width,
            height=size / height,
            rotation=turn,
        )
        answer = self._graph.process({"image": rgb, "roi": roi})
        if answer.landmarks is None or answer.auxiliary is None:
            return None
        marks = answer.landmarks.landmark
        points = np.array([(mark.x * width, mark.y * height) for mark in marks])
        visible = np.array([mark.visibility for mark in marks])
        hips, rim = (((mark.x * width), (mark.y * height)) for mark in list(answer.auxiliary.landmark)[:2])
        return Joints(points, visible, Circle(hips, rim))

    def close(self) -> None:
        self._graph.close()


class FaceFinder:
    """Faces in one picture, full-range model (192 px of sight): x, y, w, h in pixels and a score."""

    def __init__(self, least_score: float) -> None:
        assert face_detection_pb2 is not None  # its import registers the options' type
        self._graph = _graph(_FACES % least_score, ["found"], {"image": _IMAGE, "found": _PROTOS})

    def find(self, rgb: Image) -> list[tuple[float, tuple[float, float, float, float]]]:
        height, width = rgb.shape[:2]
        if min(height, width) < LEAST_PX:
            return []
        faces = []
        for one in self._graph.process({"image": rgb}).found or []:
            place = one.location_data.relative_bounding_box
            box = (place.xmin * width, place.ymin * height, place.width * width, place.height * height)
            faces.append((float(one.score[0]), box))
        return faces

    def close(self) -> None:
        self._graph.close()


def to_rgb(bgr: Image) -> Image:
    """mediapipe reads RGB, in one piece of memory."""
    rgb: Image = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    return rgb
