"""The checks of detectors and trackers pass on ours and catch planted mutants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pahara.core import Detections
from pahara.testing import check_detector, check_tracker
from pahara.tracking import ByteTrack

# ---------------------------------------------------------------- detectors


class Bright:
    """Finds the brightest block of a picture: a real detector, if a simple one."""

    names = ("light",)

    def __call__(self, images):
        return [self.one(image) for image in images]

    def one(self, image):
        tall, wide = image.shape[:2]
        grey = image.mean(axis=2)
        y, x = np.unravel_index(int(grey.argmax()), grey.shape)
        return Detections.of([[max(x - 5, 0), max(y - 5, 0), min(x + 5, wide), min(y + 5, tall)]], [grey.max() / 255], [0], self.names)


def pictures():
    images = [np.zeros((100, 160, 3), np.uint8), np.zeros((60, 80, 3), np.uint8)]
    images[0][40:60, 70:90] = 255
    images[1][10:20, 10:20] = 200
    return images


class OneTooFew(Bright):
    def __call__(self, images):
        return super().__call__(images)[:-1] if len(images) > 1 else super().__call__(images)


class OutsideThePicture(Bright):
    def one(self, image):
        found = super().one(image)
        return Detections.of(found.boxes + np.float32(200), found.scores, found.labels, self.names)


class Percent(Bright):
    def one(self, image):
        found = super().one(image)
        return Detections.of(found.boxes, found.scores * 100, found.labels, self.names)


class WidthAndHeight(Bright):
    def one(self, image):
        found = super().one(image)
        boxes = found.boxes.copy()
        boxes[:, 2:] = boxes[:, 2:] - boxes[:, :2] - 3
        return Detections.of(boxes + np.array([30, 30, 0, 0]), found.scores, found.labels, self.names)


class DrawsIntoThePicture(Bright):
    def one(self, image):
        found = super().one(image)
        image[0, 0] = 1 + image[0, 0] // 2
        return found


class MixesUpTheBatch(Bright):
    def __call__(self, images):
        return super().__call__(images[::-1]) if len(images) > 1 else super().__call__(images)


class Moody(Bright):
    calls = 0

    def one(self, image):
        self.calls += 1
        found = super().one(image)
        return found if self.calls % 3 else Detections.none(self.names)


class FailsOnNothing(Bright):
    def __call__(self, images):
        return list(np.stack([self.one(image).boxes for image in images])) and super().__call__(images)


class FailsOnSmallPictures(Bright):
    def one(self, image):
        if image.shape[1] < 20:
            raise ValueError("too small")
        return super().one(image)


class Nameless(Bright):
    names = ("",)


class Blind(Bright):
    def one(self, image):
        return Detections.none(self.names)


class NotAList(Bright):
    def __call__(self, images):
        return tuple(super().__call__(images)) if images else []


def test_a_plain_detector_passes():
    check_detector(Bright(), pictures())
    check_detector(Bright())


@pytest.mark.parametrize(
    ("mutant", "promise"),
    [
        (OneTooFew, "one Detections per picture"),
        (OutsideThePicture, "boxes are pixels of the picture itself"),
        (Percent, "scores lie in"),
        (WidthAndHeight, "x1 y1 x2 y2"),
        (DrawsIntoThePicture, "changes nothing of the pictures"),
        (MixesUpTheBatch, "boxes are pixels of the picture itself|alone and in company"),
        (Moody, "same detections"),
        (FailsOnSmallPictures, "a picture is no error"),
        (Nameless, "every class has a name"),
        (Blind, "the check proves little"),
        (NotAList, "a detector gives a list"),
    ],
    ids=lambda m: getattr(m, "__name__", ""),
)
def test_every_detector_mutant_is_caught(mutant, promise):
    with pytest.raises(AssertionError, match=promise):
        check_detector(mutant(), pictures())


def test_a_detector_that_fails_on_no_pictures_is_caught():
    with pytest.raises((AssertionError, ValueError)):
        check_detector(FailsOnNothing(), pictures())


@pytest.mark.slow
def test_the_products_own_detector_passes(asset):
    import cv2

    from pahara.detection import load_detector

    video = cv2.VideoCapture(str(asset("footage/pets-s2l1/video.avi")))
    _, image = video.read()
    check_detector(load_detector(asset("models/yolox-nano-416.onnx")), [image, cv2.resize(image, (768, 576))])


# ---------------------------------------------------------------- trackers


def test_bytetrack_keeps_every_promise():
    check_tracker(ByteTrack)


class Wrapped:
    """ByteTrack with something done to its answers."""

    def __init__(self):
        self.inner = ByteTrack()

    def update(self, detections, time):
        return self.inner.update(detections, time)


class SharedIds(Wrapped):
    given = {}  # noqa: RUF012 - the very mistake: one counter for every instance

    def update(self, detections, time):
        seen = super().update(detections, time)
        ids = [self.given.setdefault((id(self), i), len(self.given) + 1) for i in seen.ids.tolist()]
        return replace(seen, ids=np.array(ids, np.int64))


class NewIdEveryFrame(Wrapped):
    n = 0

    def update(self, detections, time):
        seen = super().update(detections, time)
        self.n += 1
        return replace(seen, ids=seen.ids + 100 * self.n)


class SameIdForAll(Wrapped):
    def update(self, detections, time):
        seen = super().update(detections, time)
        return replace(seen, ids=np.ones_like(seen.ids))


class OwnClock(Wrapped):
    n = 0

    def update(self, detections, time):
        self.n += 1
        return replace(super().update(detections, time), time=self.n / 25)


class NeverForgets(Wrapped):
    last = None

    def update(self, detections, time):
        seen = super().update(detections, time)
        if len(seen):
            self.last = seen
        return seen if len(seen) or self.last is None else replace(self.last, time=time, seen=np.zeros_like(self.last.seen))


class FailsOnNobody(Wrapped):
    def update(self, detections, time):
        detections.boxes.max()
        return super().update(detections, time)


class LosesRows(Wrapped):
    def update(self, detections, time):
        seen = super().update(detections, time)
        return replace(seen, labels=seen.labels[:-1])


class OneGapAndGone(Wrapped):
    def update(self, detections, time):
        if not len(detections):
            first = 1000 * int(time * 10)
            self.inner = ByteTrack()
            self.offset = first
        seen = super().update(detections, time)
        return replace(seen, ids=seen.ids + getattr(self, "offset", 0))


@pytest.mark.parametrize(
    ("mutant", "promise"),
    [
        (SharedIds, "do not know of each other"),
        (NewIdEveryFrame, "two people who stay in view are two tracks"),
        (SameIdForAll, "ids are unique"),
        (OwnClock, "has the time of its frame"),
        (NeverForgets, "no longer alive"),
        (FailsOnNobody, "detections are no error"),
        (LosesRows, "row i of every array"),
        (OneGapAndGone, "does not end a track"),
    ],
    ids=lambda m: getattr(m, "__name__", ""),
)
def test_every_tracker_mutant_is_caught(mutant, promise):
    with pytest.raises(AssertionError, match=promise):
        check_tracker(mutant)
