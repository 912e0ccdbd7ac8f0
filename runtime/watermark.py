"""Who looks at it, and when, burnt into what they are shown: a line under the picture, and faintly all over it, so that a
photograph of a screen or a cut-out still says from whom it came. The viewer's id, never a name.
"""

import io
from datetime import UTC, datetime
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont

QUALITY: Final = 85
LEAST_HEIGHT: Final = 18
"""Of the line under the picture, in pixels; 1⁄24 of the picture's height where that is more."""
LEAST_WIDTH: Final = 480
"""A picture that is narrower is shown larger."""
_VEIL: Final = 64
"""How strongly the marks over the picture cover what is under them, of 255: read on any ground, hiding nothing."""
_TURN: Final = 24


def line(viewer: str, at: datetime, subject: str) -> str:
    """What is burnt in: `per_… 2026-11-23T14:28:26Z evd_…`."""
    return f"{viewer} {at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} {subject}"


def band_height(height: int) -> int:
    """How high the line under a picture of this height is; even, as video wants it."""
    return max(LEAST_HEIGHT, height // 24) // 2 * 2


def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def band(width: int, height: int, text: str) -> Image.Image:
    """The line under a picture, made to fit its width."""
    size = max(7, int(height * 0.72))
    found = Image.new("RGB", (width, height), (0, 0, 0))
    draw = ImageDraw.Draw(found)
    while size > 6 and draw.textlength(text, font=_font(size)) > width - 8:
        size -= 1
    draw.text((4, height / 2), text, fill=(255, 255, 255), font=_font(size), anchor="lm")
    return found


def veil(width: int, height: int, text: str) -> Image.Image:
    """RGBA of the picture's size: the text again and again, slanted, white with a dark edge."""
    size = max(10, min(width, height) // 28)
    font = _font(size)
    tile = Image.new("RGBA", (int(font.getlength(text)) + 4 * size, 5 * size), (0, 0, 0, 0))
    draw = ImageDraw.Draw(tile)
    draw.text((size, size), text, fill=(255, 255, 255, _VEIL), font=font, stroke_width=1, stroke_fill=(0, 0, 0, _VEIL))
    side = int((width**2 + height**2) ** 0.5) + 2 * max(tile.size)
    sheet = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    for row, top in enumerate(range(0, side, tile.height)):
        for left in range(-(row % 2) * tile.width // 2, side, tile.width):
            sheet.paste(tile, (left, top))
    turned = sheet.rotate(_TURN)
    left, top = (turned.width - width) // 2, (turned.height - height) // 2
    return turned.crop((left, top, left + width, top + height))


def still(jpeg: bytes, viewer: str, at: datetime, subject: str) -> bytes:
    """A JPEG with the marks in its pixels. Raises OSError or ValueError for what is no picture."""
    text = line(viewer, at, subject)
    with Image.open(io.BytesIO(jpeg)) as opened:
        picture = opened.convert("RGB")
    if picture.width < LEAST_WIDTH:  # a crop: the line would not fit, and the marks would hide what is asked about
        taller = max(1, round(picture.height * LEAST_WIDTH / picture.width))
        picture = picture.resize((LEAST_WIDTH, min(taller, 4 * LEAST_WIDTH)), Image.Resampling.BICUBIC)
    under = band_height(picture.height)
    shown = Image.new("RGB", (picture.width, picture.height + under))
    shown.paste(picture, (0, 0))
    marks = veil(picture.width, picture.height, text)
    shown.paste(marks, (0, 0), marks)
    shown.paste(band(picture.width, under, text), (0, picture.height))
    out = io.BytesIO()
    shown.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
