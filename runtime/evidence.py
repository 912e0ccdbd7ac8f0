"""Bytes of evidence on the media store: parts of uploads beside it, whole files in it, clean copies of images.

What a phone sends is not trusted: its type is read from its bytes, and an image is decoded and written anew, so that
what people are shown carries no place, no camera's number and nothing hidden. A frame too large to decode is not tried.
"""

import io
import posixpath
import uuid
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, Final

import filetype
from PIL import Image

from domain.evidence.ports import Kept
from runtime.media import Media, store_of
from runtime.pictures import READ

MOST_PIXELS: Final = 50_000_000
"""Decoded this is 150 MB; phones' cameras make 12 to 50 megapixels, and a bomb makes more."""
MOST_BYTES: Final = 64 * 1024 * 1024
_HEAD: Final = 8192
_SHOWN_AS: Final = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "PNG",
    "image/bmp": "PNG",
    "image/apng": "PNG",  # an animated one is shown by its first picture
}
_TYPE_OF: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_ORIENTATION: Final = 0x0112
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
UNKNOWN: Final = "application/octet-stream"


class FileEvidence:
    """`domain.evidence.ports.EvidenceStore` on fsspec. Shared by threads."""

    def __init__(self, url: str) -> None:
        self.media = Media(url)
        self._fs, root = store_of(url)
        self._root = posixpath.join(root, "parts")

    def _folder(self, upload: str) -> str:
        if not upload.replace("_", "").isalnum():
            raise FileNotFoundError(upload)
        return posixpath.join(self._root, upload)

    def put_part(self, upload: str, offset: int, data: bytes) -> str:
        """Keep a part under a name that no other has, however often the same part is sent."""
        name = f"{offset:012d}-{uuid.uuid4().hex}"
        folder = self._folder(upload)
        self._fs.makedirs(folder, exist_ok=True)
        with self._fs.open(posixpath.join(folder, name), "wb") as out:
            out.write(data)
        return name

    def read_parts(self, upload: str, names: Iterable[str]) -> Iterator[bytes]:
        """The parts again, one at a time."""
        for name in names:
            with self._fs.open(posixpath.join(self._folder(upload), name), "rb") as file:
                data: bytes = file.read()
            yield data

    def parts_of(self, upload: str) -> list[str]:
        """The names of the parts that lie here."""
        folder = self._folder(upload)
        return (
            [posixpath.basename(each) for each in self._fs.ls(folder, detail=False)] if self._fs.exists(folder) else []
        )

    def drop_parts(self, upload: str) -> None:
        """Take every part away."""
        folder = self._folder(upload)
        if self._fs.exists(folder):
            self._fs.rm(folder, recursive=True)

    def keep(self, parts: Iterable[bytes]) -> Kept:
        """Store the whole."""
        return Kept(*self.media.put_parts(parts))

    def drop(self, sha256: str) -> None:
        """Take one file away again."""
        self.media.delete(sha256)

    def kind(self, kept: Kept) -> str:
        """The type by the first bytes."""
        found = filetype.guess(self.media.head(kept.sha256, _HEAD))
        return str(found.mime) if found else UNKNOWN

    def keep_clean(self, data: bytes) -> tuple[Kept, str] | None:
        """An image decoded and written anew, and nothing else of it; None for what is no image."""
        clean = redrawn(data)
        return None if clean is None else (Kept(self.media.put(clean[0]), len(clean[0])), clean[1])

    def clean_copy(self, kept: Kept, kind: str) -> tuple[Kept, str] | None:
        """An image decoded and written anew, turned as it is looked at; None where it cannot or should not be decoded."""
        form = _SHOWN_AS.get(kind)
        if form is None or kept.size > MOST_BYTES:
            return None
        clean = _redrawn(self.media.get(kept.sha256), form)
        return None if clean is None else (Kept(self.media.put(clean), len(clean)), _TYPE_OF[form])


def redrawn(data: bytes, *, most_pixels: int = MOST_PIXELS) -> tuple[bytes, str] | None:
    """An image decoded and written anew, and its type; None for what is no image, or a larger one. Nothing is stored."""
    found = filetype.guess(data[:_HEAD])
    form = _SHOWN_AS.get(str(found.mime)) if found else None
    clean = _redrawn(data, form, most_pixels) if form else None
    return None if form is None or clean is None else (clean, _TYPE_OF[form])


def _redrawn(data: bytes, form: str, most_pixels: int = MOST_PIXELS) -> bytes | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own words on large images: the limit here is ours
            with Image.open(io.BytesIO(data), formats=READ) as image:
                if image.width * image.height > most_pixels:
                    return None
                pixels = _turned(image.convert("RGBA" if form != "JPEG" and _has_alpha(image) else "RGB"), _turn(image))
        bare = Image.new(pixels.mode, pixels.size)  # nothing but pixels is taken over
        bare.paste(pixels)
        out = io.BytesIO()
        bare.save(out, form, quality=88)
    except Exception:  # broken bytes lead Pillow's readers to errors of any kind, and no WebP is wider than 16,383
        return None
    return out.getvalue()


def _turn(image: Image.Image) -> Any:
    """How the camera was held (EXIF 2.3, 4.6.4: Orientation); None where that cannot be read, which costs no picture."""
    try:
        return image.getexif().get(_ORIENTATION)
    except Exception:  # as above
        return None


def _turned(image: Image.Image, turn: Any) -> Image.Image:
    """The picture as it is looked at. Pillow's own `exif_transpose` writes all of the EXIF anew, and fails over odd ones."""
    known = isinstance(turn, int) and turn in _TURNS
    return image.transpose(_TURNS[turn]) if known else image


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
