"""The parts that lean on others: mediapipe's undocumented graphs, OpenCV's background, installed detectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sandbox.figure import Painter, Pose, look_of
from workers.vision import cv
from workers.vision.detector import Detector, installed
from workers.vision.faces import FaceDetector
from workers.vision.graphs import BodyFinder, JointReader, to_rgb
from workers.vision.motion import MotionGate
from workers.vision.people import PersonDetector, body_box
from workers.vision.pose import Posture, attitude


def picture(pose: Pose | None, size: tuple[int, int] = (640, 480), at: tuple[float, float] = (320, 440)) -> cv.Image:
    rng = np.random.default_rng(1)
    image = rng.normal(150, 6, (size[1], size[0], 3)).clip(0, 255).astype(np.uint8)
    if pose is not None:
        Painter(look_of(3)).paint(image, at, 320, pose)
    return image


@pytest.mark.parametrize(
    ("pose", "posture"),
    [
        (Pose(yaw=20), Posture.UPRIGHT),
        (Pose(yaw=50, hips=(24, -24), knees=(8, 30)), Posture.UPRIGHT),
        (Pose(yaw=30, roll=86, lift=0.06), Posture.LYING),
        (Pose(yaw=30, roll=-86, lift=0.06), Posture.LYING),
    ],
)
def test_the_pose_graphs_find_a_person_and_read_the_joints(pose: Pose, posture: Posture) -> None:
    finder, reader = BodyFinder(), JointReader()
    rgb = to_rgb(picture(pose))
    (body,) = finder.find(rgb)
    assert body.score > 0.5
    _, _, w, h = body_box(body)
    assert 240 < max(w, h) < 420
    joints = reader.read(rgb, body.circle)
    assert joints is not None
    assert joints.points.shape == (33, 2)
    assert joints.visible.shape == (33,)
    assert attitude(joints.points, joints.visible).posture is posture
    again = reader.read(rgb, joints.circle)  # the circle that the joints give finds the same body in the next picture
    assert again is not None
    assert np.abs(again.points[[11, 12, 23, 24]] - joints.points[[11, 12, 23, 24]]).max() < 25
    finder.close()
    reader.close()


def test_nobody_is_nobody() -> None:
    finder = BodyFinder()
    assert finder.find(to_rgb(picture(None))) == []
    finder.close()


@pytest.mark.parametrize("kind", [PersonDetector, FaceDetector])
def test_our_detectors_keep_the_protocol(kind: type[Detector]) -> None:
    detector = kind()
    assert isinstance(detector, Detector)
    frame = picture(Pose(yaw=10))
    with pytest.raises(ValueError, match="load"):
        detector.detect(frame)
    detector.load({})
    before = frame.copy()
    found = detector.detect(frame)
    assert (frame == before).all()
    assert len(found) >= 1
    for one in found:
        assert one.kind in detector.labels
        assert 0 <= one.score <= 1
        assert all(0 <= value <= 1 for value in one.bbox)
    part = detector.detect(frame, (160, 60, 320, 400))
    assert len(part) >= 1
    assert abs(part[0].bbox[0] - found[0].bbox[0]) < 0.08  # fractions of the whole picture, not of its part
    assert detector.detect(picture(None)) == []
    detector.close()


def test_a_detector_is_added_by_installing_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "city_smoke.py").write_text(
        "from workers.vision.observation import Detection\n"
        "class Smoke:\n"
        "    name, version, labels = 'smoke', '1', ('smoke',)\n"
        "    def load(self, config): self.score = config['score']\n"
        "    def detect(self, frame, roi=None): return [Detection('smoke', self.score, (0, 0, 1, 1))]\n"
        "    def close(self): pass\n"
        "class NotOne:\n"
        "    pass\n"
    )
    info = tmp_path / "city_smoke-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: city-smoke\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[amaan.detectors]\nsmoke = city_smoke:Smoke\nwrong = city_smoke:NotOne\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    smoke = installed("smoke", {"score": 0.8})
    assert smoke.detect(picture(None))[0].score == 0.8
    with pytest.raises(ValueError, match="no detector"):
        installed("wrong", {})
    with pytest.raises(ValueError, match="no installed package"):
        installed("absent", {})


# Motion


def grey(seed: int, block: tuple[int, int] | None = None, level: int = 120) -> cv.Image:
    image = np.random.default_rng(seed).normal(level, 2, (135, 240)).clip(0, 255).astype(np.uint8)
    if block is not None:
        image[block[1] : block[1] + 40, block[0] : block[0] + 16] = 220
    return image


def gate(**given: object) -> MotionGate:
    fresh = MotionGate((240, 135), **given)  # type: ignore[arg-type]
    fresh.prime([grey(seed) for seed in range(10)])
    return fresh


def test_what_walks_through_moves_and_nothing_else() -> None:
    watched = gate()
    assert watched.see(grey(50)).boxes == ()
    motion = watched.see(grey(51, (100, 60)))
    (box,) = motion.boxes
    assert box[0] * 240 == pytest.approx(100, abs=4)
    assert box[1] * 135 == pytest.approx(60, abs=6)
    assert 0.01 < motion.share < 0.05


def test_whoever_is_there_while_the_background_is_learned_is_no_part_of_it() -> None:
    watched = MotionGate((240, 135))
    watched.prime([grey(seed, (20 * seed, 60)) for seed in range(10)])
    assert len(watched.see(grey(50, (0, 60))).boxes) == 1


def test_a_lamp_that_goes_on_is_no_motion() -> None:
    watched = gate()
    motion = watched.see(grey(50, level=200))
    assert motion.whole
    assert (motion.share, motion.boxes) == (0.0, ())
    assert watched.see(grey(51, level=200)).boxes == ()  # learned anew


def test_nothing_moves_behind_a_mask() -> None:
    watched = gate(masks=[((0.3, 0.0), (0.6, 0.0), (0.6, 1.0), (0.3, 1.0))])
    assert watched.see(grey(51, (100, 60))).boxes == ()
    assert len(watched.see(grey(52, (200, 60))).boxes) == 1
