"""What is measured in a cheaper way is still exactly what it was."""

from __future__ import annotations

import numpy as np
import pytest

from workers.vision.crowd import CrowdDetector, Glimpse, Stir, dispersal, optical_flow
from workers.vision.cv import Image, cv2
from workers.vision.motion import usual_view
from workers.vision.quality import BLOCK, FLAT_DEVIATION, measure
from workers.vision.stirs import OPEN, Stirs


def scenes() -> list[Image]:
    """Noise over a slope, half of it flat, in sizes that blocks do not divide; one without a pixel of texture."""
    rng = np.random.default_rng(4)
    made = []
    for height, width in ((180, 320), (93, 141), (8, 8), (5, 300), (1, 1)):
        grey = np.linspace(0, 255, width)[None, :] + rng.normal(0, 20, (height, width)) * (np.arange(width) < width / 2)
        made.append(grey.clip(0, 255).astype(np.uint8))
    return [*made, np.full((90, 160), 77, np.uint8)]


@pytest.mark.parametrize("grey", scenes(), ids=lambda grey: f"{grey.shape[1]}x{grey.shape[0]}")
def test_light_is_what_numpy_measures(grey: Image) -> None:
    later = cv2.add(grey, 3)
    measured = measure(later, grey)
    rows, columns = later.shape[0] // BLOCK, later.shape[1] // BLOCK
    blocks = later[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    flat = (blocks.std(axis=(1, 3)) < FLAT_DEVIATION).mean() if rows and columns else 1.0
    assert measured.luma == pytest.approx(later.mean())
    assert measured.bright == pytest.approx(np.percentile(later, 99))
    assert measured.blur == pytest.approx(cv2.Laplacian(later, cv2.CV_64F).var(), abs=1e-6)
    assert measured.flat == flat
    assert measured.change == pytest.approx(cv2.absdiff(later, grey).mean())
    assert measure(grey, None).change is None
    assert measure(grey, np.zeros((7, 7), np.uint8)).change is None


@pytest.mark.parametrize("count", [1, 2, 3, 7, 19, 20, 39])
def test_the_usual_view_is_the_median(count: int) -> None:
    pictures = [np.random.default_rng(seed).integers(0, 256, (6, 9)).astype(np.uint8) for seed in range(count)]
    assert (usual_view(pictures) == np.median(np.stack(pictures), axis=0).astype(np.uint8)).all()


def burst(t: float) -> Image:
    """Twelve blobs around the middle that shiver, and from the 30th second on fly outwards."""
    image = np.full((135, 240), 90, np.uint8)
    spread = 1.0 + 0.02 * np.sin(9 * t) + max(0.0, t - 30.0) * 0.9
    for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        middle = (int(120 + 25 * spread * np.cos(angle)), int(67 + 25 * spread * np.sin(angle)))
        cv2.circle(image, middle, 6, int(150 + 8 * angle), -1)
    return image


@pytest.mark.parametrize("left", [1, 5])
def test_movement_that_is_measured_only_where_it_matters_tells_the_same_dispersal(left: int) -> None:
    some, eager = Stirs(), []
    detector = CrowdDetector()
    detector.load({})
    for index in range(OPEN * 2):
        detector.t = index / 6
        detector.people = [(0.3 + 0.08 * n, 0.4, 0.05, 0.2) for n in range(5 if detector.t < 31.5 else left)]
        detector.detect(burst(detector.t))
        assert detector.glimpse is not None
        some.see(detector.glimpse)
        eager.append(detector.glimpse.stir(optical_flow()))
    told = some.all()
    assert dispersal(told) == dispersal(eager)
    assert (dispersal(told) is None) is (left == 5)
    assert [(s.t, s.people, s.density) for s in told] == [(s.t, s.people, s.density) for s in eager]
    measured = [stir for stir in told if stir.flow]
    assert all(stir == whole for stir, whole in zip(told, eager, strict=True) if stir.flow)
    assert len(measured) < OPEN / 2


def test_a_glimpse_without_one_before_it_stands_still() -> None:
    alone = Glimpse(2.0, ((0.1, 0.1, 0.1, 0.1),), 0.0, np.zeros((30, 30), np.uint8), None)
    assert alone.stir(optical_flow()) == alone.still() == Stir(2.0, 1, 0.0, 0.0, 0.0)
