"""Pictures change, boxes stay exact: a coloured rectangle's box is where the rectangle is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pahara.training.data.augment import Augment, flipped, mixed, mosaic, placed
from pahara.training.data.degrade import blurred, jpeg_noise, night, video_noise
from pahara.training.data.sample import letterboxed, sample_of

GEOMETRY = Augment(hue=0, saturation=0, value=0, blur=0, jpeg=0, video=0, night=0, visible=0.25)
COLOUR = (40, 60, 250)  # BGR: nothing else is red


def painted(size, box):
    """A grey picture with one red rectangle, whose edges may lie between pixels."""
    wide, tall = size
    x1, y1, x2, y2 = box
    across = np.clip(np.minimum(np.arange(wide) + 1, x2) - np.maximum(np.arange(wide), x1), 0, 1)
    down = np.clip(np.minimum(np.arange(tall) + 1, y2) - np.maximum(np.arange(tall), y1), 0, 1)
    share = (down[:, None] * across[None])[..., None]
    image = (114 + share * (np.array(COLOUR) - 114)).round().astype(np.uint8)
    return sample_of(image, [box], [3])


def measured(image):
    """Where the red is, to parts of a pixel: the width of its middle line, and its centre of mass."""
    red = np.clip((image[..., 2].astype(float) - image[..., 1] - 10) / 180, 0, None)
    if red.max() < 0.5:
        return None
    columns, rows = np.flatnonzero(red.max(axis=0) > 0.45), np.flatnonzero(red.max(axis=1) > 0.45)
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)


boxes = st.tuples(st.integers(4, 120), st.integers(4, 80), st.integers(16, 60), st.integers(16, 50)).map(
    lambda b: (b[0], b[1], min(b[0] + b[2], 196), min(b[1] + b[3], 146))
)


@settings(max_examples=60, deadline=None)
@given(box=boxes, seed=st.integers(0, 10_000), size=st.sampled_from([(128, 128), (160, 96), (96, 160), (200, 150)]))
def test_the_box_is_where_the_rectangle_is(box, seed, size):
    sample = painted((200, 150), box)
    rng = np.random.default_rng(seed)
    made = Augment(**{**GEOMETRY.__dict__, "mosaic": 0.0})(sample, size, rng, lambda rng: sample)
    assert made.image.shape == (size[1], size[0], 3)
    if len(made.boxes):
        np.testing.assert_allclose(made.boxes[0], measured(made.image), atol=1.0)
        assert made.labels.tolist() == [3]
    else:
        rest = measured(made.image)
        scale = 0.5 * min(size[0] / 200, size[1] / 150)
        least = min(box[2] - box[0], box[3] - box[1]) * scale
        assert rest is None or least * 0.25 < 8 or np.prod(rest[2:] - rest[:2]) <= 0.4 * (box[2] - box[0]) * (box[3] - box[1])


@settings(max_examples=40, deadline=None)
@given(box=boxes, seed=st.integers(0, 10_000), which=st.integers(0, 3))
def test_in_a_mosaic_too(box, seed, which):
    red, plain = painted((200, 150), box), sample_of(np.full((90, 120, 3), 90, np.uint8))
    four = [plain] * 4
    four[which] = red
    made = mosaic(four, (160, 128), np.random.default_rng(seed), scale=(0.6, 1.4))
    assert made.image.shape == (128, 160, 3)
    if len(made.boxes):
        np.testing.assert_allclose(made.boxes[0], measured(made.image), atol=1.0)


@given(box=boxes)
def test_flipping_twice_is_nothing(box):
    sample = painted((200, 150), box)
    once = flipped(sample)
    np.testing.assert_allclose(once.boxes[0], measured(once.image), atol=1e-5)
    np.testing.assert_array_equal(flipped(once).image, sample.image)
    np.testing.assert_array_equal(flipped(once).boxes, sample.boxes)


@given(box=boxes, size=st.sampled_from([(416, 416), (100, 80), (64, 128)]))
@settings(deadline=None)
def test_letterboxing_keeps_the_box(box, size):
    made = letterboxed(painted((200, 150), box), size)
    np.testing.assert_allclose(made.boxes[0], measured(made.image), atol=1.0)


def test_a_box_cut_to_less_than_its_visible_share_is_dropped():
    sample = painted((200, 150), (0, 50, 40, 90))
    for shift, stays in ((-0.05, True), (-0.12, True), (-0.17, False)):  # 10, 24 and 34 of 40 pixels leave the frame
        made = placed(sample, (200, 150), 1.0, (shift, 0.0), visible=0.25)
        assert bool(len(made.boxes)) == stays
        if stays:
            np.testing.assert_allclose(made.boxes[0], [0, 50, 40 + 200 * shift, 90], atol=1e-3)


def test_boxes_never_leave_the_frame_and_are_never_thin():
    rng = np.random.default_rng(0)
    samples = [
        sample_of(
            rng.integers(0, 255, (120, 160, 3), dtype=np.uint8),
            (lambda a: np.concatenate([a, a + 25], 1))(rng.uniform(0, 90, (8, 2))),
            range(8),
        )
        for _ in range(4)
    ]
    augment = Augment(mosaic=0.5, mixup=0.5)
    for seed in range(40):
        rng = np.random.default_rng(seed)
        made = augment(samples[seed % 4], (96, 96), rng, lambda rng: samples[int(rng.integers(4))])
        assert made.image.dtype == np.uint8
        assert made.boxes.dtype == np.float32
        assert (made.boxes >= 0).all()
        assert (made.boxes <= 96).all()
        assert len(made.boxes) == len(made.labels)
        assert len(made.boxes) == 0 or (made.boxes[:, 2:] - made.boxes[:, :2]).min() >= augment.smallest


def test_mixup_shows_both_and_has_the_boxes_of_both():
    a, b = painted((100, 80), (10, 10, 40, 40)), painted((100, 80), (60, 30, 90, 70))
    made = mixed(a, b)
    assert len(made.boxes) == 2
    assert made.image[20, 20, 2] == pytest.approx((250 + 114) / 2, abs=1)
    assert made.image[50, 75, 2] == pytest.approx((250 + 114) / 2, abs=1)


def test_nothing_means_nothing():
    sample = painted((100, 80), (10, 10, 40, 40))
    made = Augment.none()(sample, (100, 80), np.random.default_rng(0), lambda rng: sample)
    np.testing.assert_array_equal(made.image, sample.image)
    np.testing.assert_array_equal(made.boxes, sample.boxes)


@pytest.mark.parametrize("worsen", [blurred, lambda image, rng: jpeg_noise(image, 20), lambda image, rng: video_noise(image, 36, rng)])
def test_bad_pictures_show_the_same_thing_in_the_same_place(worsen):
    image = painted((121, 95), (30, 20, 80, 70)).image
    worse = worsen(image, np.random.default_rng(3))
    assert worse.shape == image.shape
    assert not np.array_equal(worse, image)
    np.testing.assert_allclose(measured(worse), [30, 20, 80, 70], atol=5)
    assert 15 < cv2.PSNR(image, worse) < 60


def test_a_night_is_dark_and_noisy():
    image = np.full((60, 80, 3), (90, 120, 150), np.uint8)
    for seed in range(5):
        dark = night(image, np.random.default_rng(seed))
        assert dark.shape == image.shape
        assert dark.mean() < 0.7 * image.mean()
        assert dark.astype(float).std() > 1
