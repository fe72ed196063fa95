"""A picture of any size becomes a model's input, and the model's boxes come back to the picture, exact to the pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Frame, Image
from pahara.core.boxes import Floats
from pahara.core.frame import Planes

Three: TypeAlias = tuple[float, float, float]

IMAGENET_MEAN: Three = (0.485, 0.456, 0.406)  # red, green, blue, of pixels in 0..1
IMAGENET_STD: Three = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preparation:
    """How a model wants its pictures: the input value is (pixel · scale − mean) / std, channel by channel."""

    fit: Literal["letterbox", "stretch"] = "letterbox"  # keep the shape and pad, or fill the input
    place: Literal["top-left", "centre"] = "top-left"  # where a letterboxed picture sits
    pad: float = 114.0  # pixel value, 0..255, around a letterboxed picture
    rgb: bool = False  # the order of the channels; BGR otherwise
    scale: float = 1.0  # 1 for pixels in 0..255, 1/255 for 0..1
    mean: Three = (0.0, 0.0, 0.0)  # in the model's channel order, after `scale`
    std: Three = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Fit:
    """Where one picture sits in the input: input = picture · scale + offset, in pixels from the top left edge."""

    picture: tuple[int, int]  # width, height
    inner: tuple[int, int]  # width, height of the resized picture inside the input
    offset: tuple[int, int]  # left, top

    @classmethod
    def of(cls, picture: tuple[int, int], size: tuple[int, int], preparation: Preparation) -> Fit:
        """`picture` and `size` (the input) are (width, height) pixels."""
        wide, tall = picture
        if preparation.fit == "stretch":
            return cls(picture, size, (0, 0))
        ratio = min(size[0] / wide, size[1] / tall)
        inner = (min(max(round(wide * ratio), 1), size[0]), min(max(round(tall * ratio), 1), size[1]))
        if preparation.place == "top-left":
            return cls(picture, inner, (0, 0))
        return cls(picture, inner, ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))

    @property
    def scale(self) -> tuple[float, float]:
        """Input pixels per picture pixel, along x and y: not quite equal, because the inner size is whole pixels."""
        return self.inner[0] / self.picture[0], self.inner[1] / self.picture[1]

    def to_input(self, boxes: Floats) -> Floats:
        """(n, 4) boxes in picture pixels -> (n, 4) in input pixels."""
        result: Floats = boxes * np.array(self.scale * 2) + np.array(self.offset * 2)
        return result

    def to_picture(self, boxes: Floats) -> NDArray[np.float32]:
        """(n, 4) boxes in input pixels -> (n, 4) in picture pixels, cut to the picture."""
        offset, scale, limit = self._back
        back = (boxes - offset) / scale
        back.clip(0, limit, out=back)
        return back.astype(np.float32, copy=False)

    @cached_property
    def _back(self) -> tuple[NDArray[np.float32], ...]:
        """Offset, scale and the picture's far corner, for x1 y1 x2 y2."""
        offset, scale, limit = np.array((self.offset * 2, self.scale * 2, self.picture * 2), np.float32)
        return offset, scale, limit


class InputBuffer:
    """Writes pictures into one reused (batch, 3, height, width) float32 array.

    The padding is painted once and again only when a picture of another shape arrives in the same row.
    """

    def __init__(self, batch: int, size: tuple[int, int], preparation: Preparation) -> None:
        """`size` is the model's input (width, height) in pixels."""
        self.size, self.preparation = size, preparation
        self.array = np.zeros((batch, 3, size[1], size[0]), np.float32)
        self._fits: list[Fit | None] = [None] * batch
        p = preparation
        self._gain = [p.scale / std for std in p.std]  # value = pixel · gain + shift
        self._shift = [-mean / std for mean, std in zip(p.mean, p.std, strict=True)]
        self._channels = (2, 1, 0) if p.rgb else (0, 1, 2)  # of the BGR picture, in the model's order
        self._resized = np.empty((0, 0, 3), np.uint8)
        self._planes = [np.empty((0, 0), np.uint8)] * 3

    def put(self, row: int, picture: Image | Frame) -> Fit:
        """One BGR picture (h, w, 3) uint8, or a frame, into row `row`; -> where it sits.

        A frame may give its picture at the size that is needed, and then never makes the colours of the whole one.
        """
        wide, tall = picture.size if isinstance(picture, Frame) else picture.shape[1::-1]
        fit = self._fits[row]
        if fit is None or fit.picture != (wide, tall):
            fit = Fit.of((wide, tall), self.size, self.preparation)
            if fit.inner != self.size:
                for channel in range(3):
                    self.array[row, channel] = self.preparation.pad * self._gain[channel] + self._shift[channel]
            self._fits[row] = fit
        planes = self._planes_of(picture, fit)
        left, top = fit.offset
        for channel, source in enumerate(self._channels):
            inside = self.array[row, channel, top : top + fit.inner[1], left : left + fit.inner[0]]
            gain, shift = self._gain[channel], self._shift[channel]
            # numpy turns a contiguous plane into float32 two to five times faster than cv2.multiply or cv2.LUT.
            if gain == 1.0:
                np.copyto(inside, planes[source])
            else:
                np.multiply(planes[source], np.float32(gain), out=inside)
            if shift:
                np.add(inside, np.float32(shift), out=inside)
        return fit

    def _planes_of(self, picture: Image | Frame, fit: Fit) -> Planes:
        """Blue, green and red, as large as they stand in the input."""
        image = picture
        if isinstance(picture, Frame):
            planes = picture.shrunk(fit.inner) if fit.inner != fit.picture else None
            if planes is not None:
                return planes
            image = picture.image
        if fit.inner != fit.picture:
            if self._resized.shape[1::-1] != fit.inner:
                self._resized = np.empty((fit.inner[1], fit.inner[0], 3), np.uint8)
            image = cv2.resize(image, fit.inner, dst=self._resized, interpolation=cv2.INTER_LINEAR)
        if self._planes[0].shape != fit.inner[::-1]:
            self._planes = [np.empty(fit.inner[::-1], np.uint8) for _ in range(3)]
        cv2.split(image, self._planes)
        return self._planes
