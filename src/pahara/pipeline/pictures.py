"""Pictures as JPEG bytes, for evidence and reports."""

from __future__ import annotations

import cv2

from pahara.core import Image

QUALITY = 85


def jpeg(image: Image, quality: int = QUALITY) -> bytes:
    """(h, w, 3) BGR uint8 -> the bytes of a JPEG file."""
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of shape {image.shape} cannot be encoded as JPEG")
    return encoded.tobytes()
