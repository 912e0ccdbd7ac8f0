"""Pictures that look alike have hashes that are near; others do not."""

import io
import random

from PIL import Image, ImageDraw

from domain.reports.likeness import PICTURES_ALIKE
from runtime.pictures import dhash


def scene(seed: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    draw = random.Random(seed)
    image = Image.new("RGB", size, "grey")
    for _ in range(14):
        x, y = draw.random() * size[0], draw.random() * size[1]
        box = (x, y, x + size[0] / 4, y + size[1] / 4)
        ImageDraw.Draw(image).rectangle(box, fill=tuple(draw.randrange(256) for _ in range(3)))
    return image


def saved(image: Image.Image, form: str = "JPEG", **how: int) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **how)
    return out.getvalue()


def apart(one: bytes, other: bytes) -> int:
    return (int(dhash(one), 16) ^ int(dhash(other), 16)).bit_count()


def test_a_picture_that_was_sent_on_is_known_again() -> None:
    for seed in range(8):
        first = saved(scene(seed))
        assert apart(first, saved(scene(seed).resize((320, 240)), quality=40)) <= PICTURES_ALIKE
        assert apart(first, saved(scene(seed), "PNG")) <= PICTURES_ALIKE
        assert apart(first, saved(scene(seed + 100))) > PICTURES_ALIKE
    assert dhash(b"no picture") == ""
