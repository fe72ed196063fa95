"""Real people on real footage, default settings: the figures that the project promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pahara.detection import load_detector
from pahara.evaluation import Annotations, evaluate_tracking, read_mot
from pahara.tracking import ByteTrack
from pahara.video import open_source


def followed(video: Path, model: Path, every: int = 1) -> Annotations:
    """What the tracker saw in every `every`-th frame; frame numbers from 1."""
    detector, tracker = load_detector(model, classes=("person",)), ByteTrack()
    frames, ids, boxes = [], [], []
    with open_source(video, ring_seconds=0) as source:
        for number, frame in enumerate(source):
            if number % every:
                continue
            seen = tracker.update(detector([frame.image])[0], frame.time)
            frames += [number + 1] * int(seen.seen.sum())
            ids += seen.ids[seen.seen].tolist()
            boxes += seen.boxes[seen.seen].tolist()
    return Annotations.of(frames, boxes, ids=ids)


@pytest.mark.slow
def test_people_on_pets_are_followed_as_well_as_promised(asset):
    truth = read_mot(asset("footage/pets-s2l1/gt.txt"), scale=1 / 1.6)
    found = followed(asset("footage/pets-s2l1/video.avi"), asset("models/yolox-nano-416.onnx"))
    report = evaluate_tracking(truth, found)
    assert report.clear.mota >= 0.72
    assert report.identity.idf1 >= 0.72
    assert report.hota.hota >= 0.52
    assert report.clear.id_switches <= 20


@pytest.mark.slow
def test_people_who_cross_one_at_a_time_get_one_id_each_at_two_frames_a_second(asset):
    found = followed(asset("footage/one-by-one.mp4"), asset("models/yolox-nano-416.onnx"), every=5)
    assert len(np.unique(found.ids)) == 6
    for frame in np.unique(found.frames):
        assert np.count_nonzero(found.frames == frame) == 1
