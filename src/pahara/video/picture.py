"""A BGR picture <-> JPEG bytes."""

from __future__ import annotations

import cv2
import numpy as np

from pahara.core import Image


def jpeg(image: Image, quality: int = 88) -> bytes:
    """(h, w, 3) BGR -> a JPEG file's bytes; `quality` 0..100."""
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"no JPEG can be made of a picture of shape {image.shape}")
    return bytes(encoded)


def read_picture(encoded: bytes) -> Image | None:
    """Any picture file's bytes -> (h, w, 3) BGR; None when it is damaged or no picture."""
    try:
        image: Image | None = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR) if encoded else None
    except cv2.error:
        return None
    return image
