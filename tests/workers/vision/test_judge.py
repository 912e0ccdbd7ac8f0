"""From findings in pictures to the observation: pure rules, told without a picture."""

from __future__ import annotations

import numpy as np
import pytest

from workers.vision import judge, pose
from workers.vision.boxes import inside, iou, strongest, within, zone_of
from workers.vision.judge import Seen, Shape
from workers.vision.observation import Box, Detection, Finding, Health, Status, Summary, Verdict, blind
from workers.vision.pose import Attitude, Posture, attitude, fall, spells
from workers.vision.quality import Quality
from workers.vision.quality import judge as judge_quality
from workers.vision.tracks import Tracker

BOX = (0.4, 0.4, 0.1, 0.3)
STANDING = (0.4, 0.3, 0.15, 0.6)
STEP = 1 / 6
SOMEBODY, NOBODY = Summary(people_max=1), Summary()
LYING = Summary(findings=(Finding("lying", 0.8, 1.0, 2.0, 1, BOX),))


@pytest.mark.parametrize(
    ("status", "judged", "what", "how", "verdict"),
    [
        (Status.OK, 60, NOBODY, Health(), Verdict.CLEAR),
        (Status.OK, 60, SOMEBODY, Health(), Verdict.SEEN),
        (Status.OK, 60, LYING, Health(), Verdict.SEEN),
        (Status.PARTIAL, 60, NOBODY, Health(), Verdict.CANNOT_TELL),
        (Status.PARTIAL, 60, SOMEBODY, Health(), Verdict.SEEN),
        (Status.CORRUPT, 0, NOBODY, Health(), Verdict.CANNOT_TELL),
        (Status.TIMEOUT, 0, NOBODY, Health(), Verdict.CANNOT_TELL),
        (Status.TIMEOUT, 0, NOBODY, Health(down=True), Verdict.DOWN),
        (Status.OK, 60, NOBODY, Health(dark=True), Verdict.CANNOT_TELL),
        (Status.OK, 60, NOBODY, Health(covered=True), Verdict.CANNOT_TELL),
        (Status.OK, 60, NOBODY, Health(blurred=True), Verdict.CANNOT_TELL),
        (Status.OK, 60, NOBODY, Health(shaken=True), Verdict.CANNOT_TELL),
        (Status.OK, 60, SOMEBODY, Health(dark=True), Verdict.SEEN),
        (Status.OK, 60, SOMEBODY, Health(frozen=True), Verdict.CANNOT_TELL),  # nobody knows when that was
        (Status.OK, 0, NOBODY, Health(), Verdict.CANNOT_TELL),
    ],
)
def test_clear_is_said_only_of_a_good_view_of_the_whole_window(
    status: Status, judged: int, what: Summary, how: Health, verdict: Verdict
) -> None:
    assert judge.verdict(status, judged, what, how) is verdict


@pytest.mark.parametrize("status", list(Status))
def test_a_look_that_saw_nothing_is_never_clear(status: Status) -> None:
    assert blind(status, "why").verdict is Verdict.CANNOT_TELL
    assert blind(status, "why", down=True).verdict is Verdict.DOWN


def body(*postures: str, box: Box = BOX) -> list[Seen]:
    """One body, a sample for each letter: u upright, l lying, b bent, ? unclear, h upright with raised hands."""
    named = {"u": Posture.UPRIGHT, "l": Posture.LYING, "b": Posture.BENT, "?": Posture.UNCLEAR, "h": Posture.UPRIGHT}
    letters = "".join(postures)
    return [
        Seen(index * STEP, Attitude(named[letter], letter == "h", 0.9), box) for index, letter in enumerate(letters)
    ]


@pytest.mark.parametrize(
    ("seen", "kinds"),
    [
        ("u" * 30, set()),
        ("u" * 12 + "b" * 12 + "u" * 12, set()),  # ties a shoe
        ("l" * 6, {"lying"}),  # lies for a second, met lying
        ("l" * 4, set()),
        ("u" * 12 + "b" + "l" * 12, {"lying", "fall"}),
        ("u" * 12 + "b" + "ll", {"lying", "fall"}),  # a clip that ends as somebody goes down
        ("u" * 12 + "l" + "u" * 12, set()),  # one bad reading
        ("u" * 6 + "?" * 30 + "l" * 12, {"lying"}),  # upright, but too long ago for a fall
        ("llullll", {"lying"}),
        ("?" * 40, set()),
        ("u" * 6 + "h" * 6, {"hands_up"}),
        ("u" * 6 + "h" + "u" * 6, set()),  # waves
    ],
)
def test_what_a_body_does_in_time(seen: str, kinds: set[str]) -> None:
    assert {finding.kind for finding in judge.findings({1: body(seen)}, STEP)} == kinds


def test_findings_say_when_and_for_how_long() -> None:
    lying = next(f for f in judge.findings({7: body("u" * 12, "l" * 12)}, STEP) if f.kind == "lying")
    assert lying.track == 7
    assert lying.t == pytest.approx(2.0)
    assert lying.seconds == pytest.approx(2.0)
    assert 0.5 < lying.confidence <= 1


def outline(t: float, wide: float, high: float, bottom: float = 0.9) -> Shape:
    return Shape(t, (0.4, bottom - high, wide, high), wide, high)


def test_somebody_who_collapses_towards_the_camera_has_fallen() -> None:
    standing = [outline(i * STEP, 0.2, 0.6) for i in range(12)]
    down = [outline((12 + i) * STEP, 0.4, 0.2) for i in range(6)]
    assert {f.kind for f in judge.collapses({1: body("u" * 12, box=STANDING)}, {1: standing + down}, STEP)} == {
        "lying",
        "fall",
    }
    assert judge.collapses({}, {1: standing + down}, STEP) == []  # never known to have stood: a car, a shadow


@pytest.mark.parametrize(
    "after",
    [
        [outline((12 + i) * STEP, 0.2, 0.45) for i in range(6)],  # sits down
        [outline((12 + i) * STEP, 0.1, 0.25) for i in range(6)],  # half hidden: narrow as before
        [outline((12 + i) * STEP, 0.4, 0.2, bottom=0.5) for i in range(6)],  # only the head over a wall
        [outline(12 * STEP, 0.4, 0.2)],
    ],
)
def test_what_is_no_collapse(after: list[Shape]) -> None:
    standing = [outline(i * STEP, 0.2, 0.6) for i in range(12)]
    assert judge.collapses({1: body("u" * 12, box=STANDING)}, {1: standing + after}, STEP) == []


def test_spells_forgive_one_sample_in_three_and_no_long_gap() -> None:
    held = [(i * STEP, i % 3 != 1, 0.9) for i in range(10)]
    assert len(spells([(t, True, c) for t, _, c in held], 1.0, STEP)) == 1
    assert spells([(0.0, True, 0.9), (10.0, True, 0.9)], 1.0, STEP) == []
    assert spells([], 1.0, STEP) == []


def test_a_fall_needs_uprightness_before() -> None:
    assert fall([(0.0, Posture.LYING, 0.9), (STEP, Posture.LYING, 0.9)], STEP) is None


# Joints


def joints(turn: float = 0.0, raised: bool = False, knees: float = 1.0) -> tuple[pose.Points, pose.Points]:
    """A frontal stick figure of 200 px turned by ``turn`` degrees."""
    points = np.zeros((33, 2))
    points[:11] = (0, -95)
    points[[2, 5]], points[[9, 10]] = [(-3, -97), (3, -97)], [(-3, -90), (3, -90)]
    points[[7, 8]] = [(-8, -95), (8, -95)]
    points[[11, 12]] = [(-20, -75), (20, -75)]
    points[[13, 14]] = [(-28, -100), (28, -100)] if raised else [(-28, -45), (28, -45)]
    points[[15, 16]] = [(-28, -130), (28, -130)] if raised else [(-30, -20), (30, -20)]
    points[[23, 24]] = [(-12, 0), (12, 0)]
    points[[25, 26]] = [(-12, 50), (12, 50)]
    points[[27, 28]] = [(-12, 95), (12, 95)]
    angle = np.radians(turn)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    visible = np.ones(33)
    visible[[25, 26]] = knees
    return points @ rotation.T + 300, visible


@pytest.mark.parametrize(
    ("turn", "posture"),
    [(0, "upright"), (20, "upright"), (-30, "upright"), (42, "bent"), (60, "lying"), (-90, "lying"), (170, "lying")],
)
def test_the_torsos_angle_decides(turn: float, posture: str) -> None:
    said = attitude(*joints(turn))
    assert said.posture == posture
    assert said.angle == pytest.approx(abs(turn))


def test_nobody_lies_whose_legs_are_not_in_view() -> None:
    assert attitude(*joints(80, knees=0.1)).posture is Posture.UNCLEAR


def test_nobody_lies_whose_face_is_held_upright() -> None:
    points, visible = joints(80)
    points[:11] = joints(0)[0][:11]
    assert attitude(points, visible).posture is Posture.UNCLEAR


def test_hands_up_needs_both_hands_and_an_upright_body() -> None:
    assert attitude(*joints(raised=True)).hands_up
    assert not attitude(*joints()).hands_up
    assert not attitude(*joints(turn=90, raised=True)).hands_up
    points, visible = joints(raised=True)
    points[16] = (330, 300)
    assert not attitude(points, visible).hands_up
    visible[15] = 0.2
    assert not attitude(*(joints(raised=True)[0], visible)).hands_up


def test_hidden_shoulders_say_nothing() -> None:
    points, visible = joints(90)
    visible[11] = 0.2
    assert attitude(points, visible).posture is Posture.UNCLEAR


def test_heads_are_boxed_whichever_way_they_lie() -> None:
    for turn in (0, 90, 180):
        points, _ = joints(turn)
        x, y, w, h = pose.head_box(points)
        assert (points[:11] >= (x, y)).all()
        assert (points[:11] <= (x + w, y + h)).all()


# Tracks and boxes


def person(x: float, score: float = 0.9) -> Detection:
    return Detection("person", score, (x, 0.4, 0.1, 0.3))


def test_somebody_who_walks_keeps_his_number() -> None:
    tracker = Tracker()
    numbers = {tracker.update(i * 0.5, [person(0.1 + 0.04 * i)])[0].number for i in range(10)}  # type: ignore[union-attr]
    assert numbers == {1}


def test_two_who_pass_are_two() -> None:
    tracker = Tracker()
    for i in range(8):
        tracker.update(i * 0.5, [person(0.1 + 0.05 * i), person(0.7 - 0.02 * i)])
    assert len(tracker.all) == 2


def test_a_weak_detection_carries_a_track_and_opens_none() -> None:
    tracker = Tracker()
    assert tracker.update(0.0, [person(0.1, 0.4)]) == [None]
    tracker.update(0.5, [person(0.1, 0.6)])
    assert tracker.update(1.0, [person(0.1, 0.4)])[0] is tracker.all[0]
    assert not tracker.all[0].believed
    tracker.update(1.5, [person(0.1, 0.8)])
    assert tracker.all[0].believed


def test_a_track_ends_when_nobody_was_there_for_long() -> None:
    tracker = Tracker()
    tracker.update(0.0, [person(0.1)])
    tracker.update(5.0, [person(0.1)])
    assert len(tracker.all) == 2


def test_boxes() -> None:
    assert iou((0, 0, 2, 2), (1, 0, 2, 2)) == pytest.approx(1 / 3)
    assert iou((0, 0, 1, 1), (2, 2, 1, 1)) == 0
    assert within((0, 0, 1, 1), (0, 0, 0.5, 1)) == pytest.approx(0.5)
    assert strongest([(0.5, (0, 0, 2, 2)), (0.9, (0, 0, 2, 2.2)), (0.4, (5, 5, 1, 1))], 0.3) == [
        (0.9, (0, 0, 2, 2.2)),
        (0.4, (5, 5, 1, 1)),
    ]
    gate = ((0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (0.0, 1.0))
    assert inside((0.2, 0.7), gate)
    assert not inside((0.7, 0.7), gate)
    assert zone_of((0.1, 0.1, 0.1, 0.6), {"gate": gate}) == "gate"
    assert zone_of((0.1, 0.1, 0.1, 0.2), {"gate": gate}) is None


# Light


def qualities(count: int, **given: float | None) -> list[Quality]:
    usual: dict[str, float | None] = {"luma": 110.0, "bright": 230.0, "blur": 300.0, "flat": 0.2, "change": 1.5}
    return [Quality(**{**usual, **given}) for _ in range(count)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        ({}, set()),
        ({"luma": 12.0, "bright": 30.0}, {"dark"}),
        ({"luma": 12.0, "bright": 200.0}, set()),  # a lamp at night: something can be seen
        ({"flat": 0.97, "blur": 2.0}, {"covered"}),
        ({"blur": 4.0}, {"blurred"}),
        ({"change": 0.0}, {"frozen"}),
    ],
)
def test_what_the_light_says(given: dict[str, float | None], flags: set[str]) -> None:
    said = judge_quality(qualities(30, **given), STEP)
    assert {name for name in ("dark", "covered", "frozen", "blurred") if getattr(said, name)} == flags


def test_frozen_needs_time() -> None:
    assert not judge_quality(qualities(6, change=0.0), STEP).frozen
    assert not judge_quality(qualities(1, change=None), STEP).frozen
    assert not judge_quality([], STEP).dark
