"""One picture of one camera, with its time; colours are converted only when someone looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (h, w, 3) BGR, as OpenCV and YOLOX have it
Grey = NDArray[np.uint8]  # (h, w) luma
Planes = Sequence[NDArray[np.uint8]]  # three of (h, w): blue, green, red


class Frame:
    """What a source yields.

    `time` is media time: float seconds, strictly increasing per camera. `size` is (width, height) in
    pixels after rotation. `image` (h, w, 3) BGR uint8 and `luma` (h, w) uint8 are made on first use
    and kept: a gate that needs only luma never pays for the colours, and neither does a model that
    takes the picture smaller (`shrunk`).
    """

    def __init__(
        self,
        camera: str,
        time: float,
        size: tuple[int, int],
        image: Callable[[], Image],
        luma: Callable[[], Grey] | None = None,
        shrunk: Callable[[tuple[int, int]], Planes | None] | None = None,
    ) -> None:
        self.camera, self.time, self.size = camera, time, size
        self._make_image, self._make_luma, self._shrink = image, luma, shrunk

    @classmethod
    def of(cls, camera: str, time: float, image: Image) -> Frame:
        """A frame around a picture that exists already."""
        height, width = image.shape[:2]
        return cls(camera, time, (width, height), lambda: image)

    @cached_property
    def image(self) -> Image:
        """(h, w, 3) BGR uint8."""
        return self._make_image()

    @cached_property
    def luma(self) -> Grey:
        """(h, w) uint8, ITU-R BT.601 luma (the decoder's Y plane where there is one)."""
        if self._make_luma is not None:
            return self._make_luma()
        weights = np.array([0.114, 0.587, 0.299], np.float32)  # blue, green, red
        return (self.image @ weights).astype(np.uint8)

    def shrunk(self, size: tuple[int, int]) -> Planes | None:
        """Blue, green and red, (h, w) uint8 each, of this (width, height): made without the colours of the whole picture.

        None where the source has no cheaper way than to resize `image`.
        """
        return None if self._shrink is None else self._shrink(size)

    def __reduce__(self) -> tuple[Callable[..., Frame], tuple[str, float, tuple[int, int], Image, Grey]]:
        """To another process it goes with its pixels: the decoder's own buffers stay here."""
        return _with_pixels, (self.camera, self.time, self.size, self.image, self.luma)

    def __repr__(self) -> str:
        return f"Frame({self.camera!r}, time={self.time:.3f}, size={self.size})"


def _with_pixels(camera: str, time: float, size: tuple[int, int], image: Image, luma: Grey) -> Frame:
    return Frame(camera, time, size, lambda: image, lambda: luma)
