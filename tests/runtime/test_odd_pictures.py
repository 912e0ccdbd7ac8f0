"""Pictures of every kind that phones make or strangers send, whole and broken: a clean copy and a hash, or none."""

import io
import random
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from runtime.evidence import redrawn
from runtime.pictures import dhash

GREY = Image.linear_gradient("L").resize((64, 48))
RGB = GREY.convert("RGB")
NONE = ""


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says to be so large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")


SHOWN = {
    "jpeg": saved(RGB, "JPEG"),
    "jpeg, progressive": saved(RGB, "JPEG", progressive=True),
    "jpeg, cmyk": saved(RGB.convert("CMYK"), "JPEG"),
    "jpeg, 1x1": saved(RGB.resize((1, 1)), "JPEG"),
    "png, 16 bits": saved(GREY.convert("I;16"), "PNG"),
    "png, palette": saved(RGB.convert("P"), "PNG"),
    "png, animated": saved(RGB, "PNG", save_all=True, append_images=[RGB.rotate(9)]),
    "gif": saved(RGB, "GIF"),
    "bmp": saved(RGB, "BMP"),
    "webp": saved(RGB, "WEBP"),
    "webp, animated": saved(RGB, "WEBP", save_all=True, append_images=[RGB.rotate(9)]),
}
REFUSED = {
    "nothing": b"",
    "zeros": b"\0" * 4096,
    "no picture": b"%PDF-1.7 with the name of a photo",
    "tiff": saved(RGB, "TIFF"),
    "ppm": saved(RGB, "PPM"),
    "half": saved(RGB, "PNG")[:60],
    "16-k by 16-k": claiming(16_384, 16_384),
    "a bomb": claiming(2**31 - 1, 2**31 - 1),
}


@pytest.mark.parametrize("name", SHOWN)
def test_what_a_phone_makes_has_a_clean_copy_and_a_hash(name: str) -> None:
    clean = redrawn(SHOWN[name])
    assert clean
    with Image.open(io.BytesIO(clean[0])) as image:
        image.load()
        assert getattr(image, "n_frames", 1) == 1
    assert len(dhash(SHOWN[name])) == 16


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_for_us_has_neither(name: str) -> None:
    assert redrawn(REFUSED[name]) is None
    assert dhash(REFUSED[name]) == NONE


@pytest.mark.parametrize("what", [dhash, redrawn])
def test_broken_bytes_are_never_an_error(what: Callable[[bytes], object]) -> None:
    chance = random.Random(7)
    for whole in SHOWN.values():
        for _ in range(250):
            data = bytearray(whole[: chance.randrange(1, len(whole))] if chance.random() < 0.2 else whole)
            for _ in range(chance.randrange(1, 8)):
                data[chance.randrange(min(len(data), 200))] = chance.choice(
                    (0, 1, 127, 128, 255, chance.randrange(256))
                )
            what(bytes(data))


def test_a_webp_that_would_be_too_wide_to_write_is_none() -> None:
    chance, whole = random.Random(3), saved(RGB, "WEBP", save_all=True, append_images=[RGB.rotate(20)])
    for _ in range(600):  # some of these say to be wider than any WebP
        data = bytearray(whole)
        for _ in range(4):
            data[chance.randrange(12, 80)] = chance.choice((0, 63, 127, 255))
        redrawn(bytes(data))
