"""Where a picture is strange, as colours over it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Image

FAINT = 0.5  # of what is usual at most: below that the picture itself shows
HOT = 2.0  # times what is usual at most: the warmest colour
STRONGEST = 0.72  # how much of the picture the warmest colour hides


def heated(image: Image, heat: NDArray[np.floating]) -> Image:
    """(h, w, 3) BGR and (r, c) heat, 1 at the most that is usual -> the picture with what is strange in warm colours.

    The heat may have any resolution: it covers the whole picture. An outline marks where it is above 1.
    """
    if not heat.size:
        return image
    tall, wide = image.shape[:2]
    smooth = cv2.resize(np.asarray(heat, np.float32), (wide, tall), interpolation=cv2.INTER_CUBIC)
    warm = np.clip((smooth - FAINT) / (HOT - FAINT), 0, 1)
    colours = cv2.applyColorMap((warm * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    share = (STRONGEST * np.sqrt(warm))[..., None]
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)  # so that only the heat has colour
    mixed = (grey * (1 - share) + colours * share).astype(np.uint8)
    edges, _ = cv2.findContours((smooth > 1).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    made: Image = cv2.drawContours(mixed, edges, -1, (255, 255, 255), max(1, round(wide / 640)), cv2.LINE_AA)
    return made
