"""While cameras are watched OpenCV keeps to the calling thread; afterwards it is as it was."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from pahara.core import Detections, Frame
from pahara.pipeline.analyst import Analyst
from pahara.pipeline.one_thread import one_thread
from pahara.pipeline.watch import watch
from pahara.tracking import ByteTrack


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    yield
    cv2.setNumThreads(before)


def test_opencv_works_on_one_thread_within_and_on_its_own_number_after() -> None:
    with one_thread():
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == 2


def test_of_two_watches_the_one_that_ends_last_gives_the_threads_back() -> None:
    first, second = one_thread(), one_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert cv2.getNumThreads() == 1
    second.__exit__(None, None, None)
    assert cv2.getNumThreads() == 2


def test_a_failure_within_gives_the_threads_back_too() -> None:
    with pytest.raises(ZeroDivisionError), one_thread():
        raise ZeroDivisionError
    assert cv2.getNumThreads() == 2


def test_a_watch_that_is_left_early_gives_the_threads_back() -> None:
    seen: list[int] = []

    def detect(images: object, /) -> list[Detections]:
        seen.append(cv2.getNumThreads())
        return [Detections.of(np.zeros((0, 4)), np.zeros(0), np.zeros(0), ("person",))]

    frames = [Frame.of("yard", k / 10, np.zeros((60, 80, 3), np.uint8)) for k in range(5)]
    looks = watch(frames, detect, Analyst("yard", (80, 60), {}, {}, tracker=ByteTrack()))
    next(looks)
    looks.close()  # type: ignore[attr-defined]  # a generator
    assert seen == [1]
    assert cv2.getNumThreads() == 2
