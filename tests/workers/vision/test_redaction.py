"""No kept picture shows a face."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from sandbox.footage import draw, heads
from workers.vision.boxes import within
from workers.vision.decode import Sample
from workers.vision.redact import head_of, redacted
from workers.vision.stills import hidden

Look = Callable[..., dict[str, Any]]
GREY = np.zeros((9, 16), np.uint8)
COLOUR = np.zeros((9, 16, 3), np.uint8)


def sample(t: float, **seen: Any) -> Sample:
    return Sample(t, COLOUR, GREY, COLOUR, **seen)


def visible(image: Any, head: tuple[float, float, float]) -> bool:
    """Whether anything finer than a few cells is left at a head's middle: eyes, brows, the edge of the hair."""
    x, y, radius = head
    part = image[max(0, int(y - radius)) : int(y + radius), max(0, int(x - radius)) : int(x + radius)]
    fine = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return bool(np.abs(fine - cv2.GaussianBlur(fine, (0, 0), radius / 3)).mean() > 5)


@pytest.mark.parametrize("scene", ["walk", "fall", "hands_up", "crowd"])
def test_no_head_is_left_in_the_stills(look: Look, clip: Callable[..., Path], scene: str) -> None:
    size, seconds = (960, 540), 6.0
    answer = look(kind="file", path=str(clip(scene, seconds, size)))
    drawn = list(draw(scene, seconds, size, 8, 0))
    shown = 0
    for still, details in zip(answer["stills"], answer["still_details"], strict=True):
        image = cv2.imdecode(np.frombuffer(still, np.uint8), cv2.IMREAD_COLOR)
        for head in heads(scene, details["t"], seconds, size):
            shown += visible(drawn[round(details["t"] * 8)], head)
            assert not visible(image, head), f"a head at {head} in the picture of {details['t']} s"
    assert shown >= len(answer["stills"]) > 0  # they were there to be hidden


def test_what_is_blurred_is_averaged_away() -> None:
    noise = np.random.default_rng(3).integers(0, 255, (120, 120, 3), dtype=np.uint8)
    out = redacted(noise, [(0.25, 0.25, 0.5, 0.5)])
    inside, outside = out[32:88, 32:88].astype(float), out[:25]
    assert inside.std() < noise.std() / 4
    assert (outside == noise[:25]).all()
    assert (noise == np.random.default_rng(3).integers(0, 255, (120, 120, 3), dtype=np.uint8)).all()  # a copy


def test_a_box_over_the_edge_is_blurred_as_far_as_it_goes() -> None:
    noise = np.random.default_rng(3).integers(0, 255, (60, 60, 3), dtype=np.uint8)
    assert redacted(noise, [(-0.2, -0.2, 0.5, 0.5), (0.9, 0.9, 0.5, 0.5), (0.5, 0.5, 0.0, 0.0)]).shape == noise.shape


def test_a_head_missed_here_is_taken_from_the_nearest_picture_that_has_it() -> None:
    samples = [sample(0.0, heads=[(1, (0.1, 0.1, 0.1, 0.1))]), sample(0.2), sample(0.4), sample(0.6)]
    (box,) = hidden(samples, 3)
    assert within((0.1, 0.1, 0.1, 0.1), box) == pytest.approx(1.0)
    assert box[2] > 0.2  # half a second ago: he may have walked on
    assert hidden([*samples[:1], *[sample(t) for t in range(1, 9)]], 7) == []  # too long ago to say anything


def test_a_head_missed_in_between_is_blurred_over_the_way() -> None:
    samples = [
        sample(0.0, heads=[(1, (0.1, 0.1, 0.1, 0.1))]),
        sample(0.2),
        sample(0.4, heads=[(1, (0.4, 0.1, 0.1, 0.1))]),
    ]
    assert any(within((0.1, 0.1, 0.4, 0.1), box) == pytest.approx(1.0) for box in hidden(samples, 1))


def test_heads_far_from_now_are_not_blurred_for_somebody_who_is_known_now() -> None:
    samples = [
        sample(0.0, heads=[(1, (0.1, 0.1, 0.1, 0.1))]),
        sample(0.2),
        sample(0.4, heads=[(1, (0.5, 0.1, 0.1, 0.1))]),
    ]
    assert hidden(samples, 2) == [(0.5, 0.1, 0.1, 0.1)]


def test_of_a_standing_body_the_top_is_hidden_of_a_lying_one_all() -> None:
    standing, lying = (0.4, 0.2, 0.1, 0.5), (0.2, 0.7, 0.5, 0.1)
    assert head_of(standing)[3] < 0.2
    assert head_of(standing)[1] <= 0.2
    assert within(lying, head_of(lying)) == pytest.approx(1.0)
