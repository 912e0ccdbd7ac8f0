"""Who is counted: a face beside a body, joints in furniture, and somebody who leaves. Pure, without pictures."""

from __future__ import annotations

from workers.vision.observation import Box
from workers.vision.people import PersonDetector
from workers.vision.tracks import Track, gone

BODY: Box = (0.42, 0.46, 0.34, 0.54)  # as the detector guesses the body of somebody seated: far too wide
HEAD: Box = (0.56, 0.45, 0.20, 0.36)
OWN: Box = (0.64, 0.58, 0.04, 0.08)
BESIDE: Box = (0.48, 0.48, 0.03, 0.05)


def alone(faces: list[Box], *, fresh: bool = True, moving: tuple[Box, ...] = ()) -> int:
    detector = PersonDetector()
    detector.faces, detector.fresh, detector.moving = faces, fresh, moving
    return len(detector._faces_alone([(0.96, BODY)], [HEAD]))


def test_a_body_has_one_face_and_a_second_one_is_somebody_else() -> None:
    assert alone([OWN]) == 0
    assert alone([OWN, BESIDE]) == 1
    assert alone([(0.05, 0.1, 0.04, 0.08)]) == 1  # without any body


def test_a_face_found_a_while_ago_where_something_moves_is_the_same_bodys() -> None:
    assert alone([BESIDE], fresh=False) == 1
    assert alone([BESIDE], fresh=False, moving=((0.45, 0.4, 0.1, 0.3),)) == 0


def test_the_last_of_somebody_at_the_edge_is_nobody_there() -> None:
    track = Track(
        1, (0.5, 0.3, 0.2, 0.6), 1.0, 0.9, [(0.0, (0.4, 0.3, 0.2, 0.6), 0.9), (0.5, (0.5, 0.3, 0.2, 0.6), 0.9)]
    )
    assert gone(track, (0.93, 0.64, 0.07, 0.36))
    assert not gone(track, (0.85, 0.3, 0.15, 0.6))  # most of him is still there
    assert not gone(track, (0.5, 0.64, 0.07, 0.2))  # in the middle nobody leaves
    assert not gone(Track(2, (0, 0, 1, 1), 0.0, 0.9), (0.93, 0.64, 0.07, 0.36))
