"""Pictures -> the input of a picture model: one place for training, measuring and watching alike."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Image, ModelError

from .about import About
from .letterbox import Fit, InputBuffer, Preparation

Pictures = NDArray[np.float32]  # (n, channels, height, width)


def prepare_pictures(images: Sequence[Image], about: About) -> Pictures:
    """BGR pictures of any size -> (n, channels, height, width) as `about` says; one channel is grey.

    ModelError when the model takes no pictures.
    """
    channels, tall, wide = picture_shape(about)
    preparation = about.prepared()
    buffer = InputBuffer(max(len(images), 1), (wide, tall), preparation)
    for row, image in enumerate(images):
        small = shrunk(image, (wide, tall), preparation)
        buffer.put(row, small if channels == 3 else grey(small))
    return buffer.array[: len(images), :channels]


def shrunk(image: Image, size: tuple[int, int], preparation: Preparation) -> Image:
    """A picture that is larger than its place in the input, as small as that by area averages: nothing flickers between pixels."""
    inner = Fit.of((image.shape[1], image.shape[0]), size, preparation).inner
    if inner[0] >= image.shape[1] or inner[1] >= image.shape[0]:
        return image
    small: Image = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
    return small


def grey(image: Image) -> Image:
    """BGR -> the same picture without colours, still in three equal channels."""
    made: Image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return made


def picture_shape(about: About) -> tuple[int, int, int]:
    """(channels, height, width) of the model's input. ModelError when it takes something else."""
    if len(about.input) != 3:
        raise ModelError(f"the model takes inputs of shape {about.input or '?'}, no pictures (channels, height, width)")
    channels, tall, wide = about.input
    if channels not in (1, 3):
        raise ModelError(f"the model takes pictures of {channels} channels; there are grey (1) and colour (3)")
    return channels, tall, wide
