"""Whatever bytes a phone or a gateway sends as a picture: a clean copy, or none, and never an error."""

import io
import random

import pytest
from PIL import Image, ImageOps

from runtime.evidence import redrawn

WIDE = Image.linear_gradient("L").resize((64, 32)).convert("RGB")


def picture(form: str, turn: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = turn, "a street"
    exif[0x8825] = {1: "N", 2: (31.0, 30.0, 1.0)}
    out = io.BytesIO()
    WIDE.save(out, form, exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("turn", range(10))
def test_a_picture_is_turned_as_it_is_looked_at(turn: int) -> None:
    data = picture("PNG", turn)
    clean = redrawn(data)
    assert clean
    with Image.open(io.BytesIO(data)) as image, Image.open(io.BytesIO(clean[0])) as shown:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        assert (shown.size, shown.tobytes()) == (upright.size, upright.tobytes())
        assert not shown.getexif()


def test_a_picture_whose_hidden_words_are_broken_is_still_a_picture() -> None:
    chance, kept = random.Random(5), 0
    whole = picture("JPEG", 6)
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(3):
            data[chance.randrange(20, 200)] = chance.choice([0, 1, 127, 255, chance.randrange(256)])
        clean = redrawn(bytes(data))
        if clean is not None:
            kept += 1
            Image.open(io.BytesIO(clean[0])).verify()
    assert kept > 2000


def test_more_pixels_than_asked_for_are_not_decoded() -> None:
    assert redrawn(picture("PNG", 1), most_pixels=64 * 32)
    assert redrawn(picture("PNG", 1), most_pixels=64 * 32 - 1) is None
