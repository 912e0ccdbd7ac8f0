"""The one door to OpenCV: limits that must stand before it is imported, and one thread.

Without ``OPENCV_IO_MAX_IMAGE_PIXELS`` a 109 KB PNG of 30,000² pixels takes 5 GB before anybody is asked. These are
settings of OpenCV's own, which it reads only from the environment; they are no settings of ours.
"""

from __future__ import annotations

import os
from typing import Any

MAX_PIXELS = 4096 * 4096
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))
os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2 as _cv2  # noqa: E402  (the limits above must come first)
import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402

cv2: Any = _cv2
cv2.setNumThreads(1)

Image = npt.NDArray[np.uint8]  # HxWx3 BGR, or HxW grey


def narrowed(image: Image, width: int) -> Image:
    """The image at most ``width`` pixels wide, its proportions kept."""
    height, given = image.shape[:2]
    if given <= width:
        return image
    smaller: Image = cv2.resize(image, (width, max(1, round(height * width / given))), interpolation=cv2.INTER_AREA)
    return smaller
