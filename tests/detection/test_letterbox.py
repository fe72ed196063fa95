"""A picture goes into the model and its boxes come back to where they were, to the pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pahara.detection.letterbox import IMAGENET_MEAN, IMAGENET_STD, Fit, InputBuffer, Preparation

SIDES = st.integers(1, 8192)
INPUTS = st.integers(16, 1280)
PREPARATIONS = st.builds(Preparation, fit=st.sampled_from(["letterbox", "stretch"]), place=st.sampled_from(["top-left", "centre"]))


@given(SIDES, SIDES, INPUTS, INPUTS, PREPARATIONS, st.lists(st.tuples(*[st.floats(0, 1)] * 4), min_size=1, max_size=5))
def test_boxes_come_back_to_within_a_thousandth_of_a_pixel(wide, tall, input_wide, input_tall, preparation, corners):
    fit = Fit.of((wide, tall), (input_wide, input_tall), preparation)
    boxes = np.array([(min(a, c) * wide, min(b, d) * tall, max(a, c) * wide, max(b, d) * tall) for a, b, c, d in corners])
    back = fit.to_picture(fit.to_input(boxes).astype(np.float32))
    # One float32 step in the input, seen in the picture, is the most that a huge picture in a tiny input can lose.
    step = np.spacing(np.float32(max(input_wide, input_tall))) / min(fit.scale)
    assert np.abs(back - boxes).max() <= max(1e-3, 2 * step)


@given(st.integers(64, 4096), st.integers(64, 2304), st.sampled_from([320, 416, 640]), PREPARATIONS)
def test_boxes_of_everyday_cameras_lose_less_than_a_thousandth(wide, tall, side, preparation):
    fit = Fit.of((wide, tall), (side, side), preparation)
    boxes = np.array([(0, 0, wide, tall), (wide / 3, tall / 7, wide / 2, tall / 1.5)])
    assert np.abs(fit.to_picture(fit.to_input(boxes).astype(np.float32)) - boxes).max() <= 1e-3


@given(SIDES, SIDES, INPUTS, INPUTS, PREPARATIONS)
def test_the_picture_lies_inside_the_input_and_touches_two_of_its_sides(wide, tall, input_wide, input_tall, preparation):
    fit = Fit.of((wide, tall), (input_wide, input_tall), preparation)
    left, top = fit.offset
    assert left >= 0
    assert top >= 0
    assert left + fit.inner[0] <= input_wide
    assert top + fit.inner[1] <= input_tall
    assert fit.inner[0] == input_wide or fit.inner[1] == input_tall


def test_boxes_in_the_padding_are_cut_to_the_picture():
    fit = Fit.of((100, 50), (200, 200), Preparation())
    assert fit.to_picture(np.array([[0, 50, 200, 200.0]])).tolist() == [[0, 25, 100, 50]]


def picture(tall: int, wide: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (tall, wide, 3), dtype=np.uint8)


def plainly(image: np.ndarray, size: tuple[int, int], p: Preparation) -> np.ndarray:
    """The same by the book: resize, pad, reorder, scale, normalise."""
    fit = Fit.of((image.shape[1], image.shape[0]), size, p)
    canvas = np.full((size[1], size[0], 3), p.pad, np.float64)
    left, top = fit.offset
    canvas[top : top + fit.inner[1], left : left + fit.inner[0]] = cv2.resize(image, fit.inner, interpolation=cv2.INTER_LINEAR)
    if p.rgb:
        canvas = canvas[..., ::-1]
    return ((canvas * p.scale - np.array(p.mean)) / np.array(p.std)).transpose(2, 0, 1)


@pytest.mark.parametrize(
    "preparation",
    [
        Preparation(),
        Preparation(place="centre", rgb=True, scale=1 / 255),
        Preparation(fit="stretch", rgb=True, scale=1 / 255, mean=IMAGENET_MEAN, std=IMAGENET_STD),
        Preparation(place="centre", pad=0.0, mean=(103.53, 116.28, 123.675), std=(57.375, 57.12, 58.395)),
    ],
)
@pytest.mark.parametrize("shape", [(360, 480), (480, 360), (96, 128), (128, 128), (33, 257)])
def test_the_input_is_what_the_book_says(preparation, shape):
    buffer = InputBuffer(1, (128, 96), preparation)
    image = picture(*shape)
    buffer.put(0, image)
    assert np.abs(buffer.array[0] - plainly(image, (128, 96), preparation)).max() < 1e-4


def test_a_reused_row_keeps_nothing_of_the_picture_before():
    buffer = InputBuffer(2, (64, 64), Preparation(place="centre"))
    for shape in [(48, 64), (64, 48), (10, 64), (64, 64), (48, 64)]:
        image = picture(*shape)
        for row in (0, 1):
            buffer.put(row, image)
            assert np.abs(buffer.array[row] - plainly(image, (64, 64), buffer.preparation)).max() < 1e-4


def test_a_cropped_view_of_a_picture_is_read_correctly():
    buffer = InputBuffer(1, (64, 64), Preparation())
    crop = picture(200, 200)[20:84, 30:94]
    buffer.put(0, crop)
    assert np.array_equal(buffer.array[0], crop.transpose(2, 0, 1))
