"""A picture shrunk plane by plane is the picture that is converted first and shrunk then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pahara.video.open import open_source
from pahara.video.pixels import UPRIGHT, Orientation, to_image, to_small_planes


def picture(wide: int, tall: int, kind: str = "yuv420p", colorspace: int = 1, full: bool = False) -> av.VideoFrame:
    """Smooth colours, as a camera's."""
    y, x = np.mgrid[:tall, :wide]
    image = np.stack([x * 255 / wide, y * 255 / tall, 128 + 100 * np.sin((x + y) / 40)], axis=2).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format=kind, dst_color_range=2 if full else 1)
    frame.colorspace, frame.color_range = colorspace, 2 if full else 1
    return frame


def shrunk_later(frame: av.VideoFrame, size: tuple[int, int], orientation: Orientation = UPRIGHT) -> np.ndarray:
    return cv2.resize(to_image(frame, orientation), size, interpolation=cv2.INTER_LINEAR).astype(int)


@pytest.mark.parametrize("colorspace", [1, 5])  # BT.709, BT.601
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("size", [(160, 120), (161, 121), (99, 50)])
def test_strong_colours_are_the_same_within_three_grey_levels(colorspace: int, full: bool, size: tuple[int, int]) -> None:
    frame = picture(320, 240, colorspace=colorspace, full=full)
    planes = to_small_planes(frame, size)
    assert planes is not None
    off = np.abs(np.stack(planes, axis=2).astype(int) - shrunk_later(frame, size))
    inside = off[4:-4, 4:-4]
    assert inside.mean() < 3
    assert np.percentile(inside, 99) <= 14


@pytest.mark.parametrize("turn", [Orientation(True, False, True), Orientation(False, True, True), Orientation(True, True, False)])
def test_a_turned_camera_gives_turned_planes(turn: Orientation) -> None:
    frame = picture(320, 240)
    size = turn.size(160, 120)
    planes = to_small_planes(frame, size, turn)
    assert planes is not None
    assert planes[0].shape == size[::-1]
    assert np.abs(np.stack(planes, axis=2).astype(int) - shrunk_later(frame, size, turn))[4:-4, 4:-4].mean() < 1.5


@given(wide=st.integers(2, 64), tall=st.integers(2, 48))
def test_every_smaller_size_has_three_planes_of_it(wide: int, tall: int) -> None:
    planes = to_small_planes(picture(64, 48), (wide, tall))
    if (wide, tall) == (64, 48):
        assert planes is None
    else:
        assert planes is not None
        assert [plane.shape for plane in planes] == [(tall, wide)] * 3


def test_what_was_handed_out_is_not_written_to_again() -> None:
    first = to_small_planes(picture(64, 48), (32, 24))
    assert first is not None
    before = [plane.copy() for plane in first]
    dark = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="bgr24").reformat(format="yuv420p")
    to_small_planes(dark, (32, 24))
    assert all(np.array_equal(a, b) for a, b in zip(first, before, strict=True))


def test_other_formats_and_larger_sizes_take_the_long_way() -> None:
    assert to_small_planes(picture(64, 48, "rgb24"), (32, 24)) is None
    assert to_small_planes(picture(64, 48, "yuv444p"), (32, 24)) is None
    assert to_small_planes(picture(64, 48), (65, 48)) is None


@pytest.mark.slow
def test_on_real_footage_the_detector_sees_the_same_people(asset: Callable[[str], Path]) -> None:
    from pahara.core.boxes import iou_matrix
    from pahara.detection import load_detector

    detector = load_detector(asset("models/yolox-nano-416.onnx"), threads=1, classes=("person",), half_colours=True)
    pairs = missing = 0
    with open_source(asset("footage/pets-s2l1/video.avi"), ring_seconds=0) as source:
        for number, frame in enumerate(source):
            if number % 20:
                continue
            if number > 400:
                break
            (quick,) = detector.look([frame])
            assert "image" not in vars(frame)  # nobody made the colours of the whole picture
            (slow,) = detector([frame.image])
            sure = slow[slow.scores >= 0.6]
            best = iou_matrix(sure.boxes, quick.boxes).max(axis=1, initial=0.0)
            pairs += len(sure)
            missing += int((best < 0.8).sum())
            small, size = frame.shrunk((416, 312)), (416, 312)
            assert small is not None
            off = np.abs(np.stack(small, axis=2).astype(int) - cv2.resize(frame.image, size, interpolation=cv2.INTER_LINEAR))
            assert off.mean() < 2
    assert pairs > 60
    assert missing <= 0.02 * pairs
