"""Falls of real people through the product's own detector and tracker; and a real street without falls or runners."""

from __future__ import annotations

from functools import cache

import cv2
import pytest

from pahara.behaviours import Falling, Running
from pahara.detection import load_detector
from pahara.testing.actors import began, events_of
from pahara.tracking import ByteTrack, SceneMemory, on_grid

pytestmark = pytest.mark.slow


@cache
def seen(model, clip, step, most):
    """Scenes of a clip at every `step`-th frame."""
    detect = load_detector(model, classes=["person"])
    video, tracker = cv2.VideoCapture(str(clip)), ByteTrack()
    fps, memory, found = video.get(cv2.CAP_PROP_FPS), None, []
    for k in range(most * step):
        if not video.grab():
            break
        if k % step == 0:
            _, image = video.retrieve()
            memory = memory or SceneMemory("real", image.shape[1::-1], seconds=70)
            found.append(memory.step(on_grid(tracker.update(detect([image])[0], k / fps))))
    assert any(scene.tracks for scene in found), "nobody was seen: the test would prove nothing"
    return found


@pytest.mark.parametrize(("clip", "fell"), [("01", 3.2), ("33", 4.6), ("35", 4.2)])
def test_a_real_fall_is_told_within_seconds(asset, clip, fell):
    scenes = seen(asset("models/yolox-nano-416.onnx"), asset(f"falls/{clip}.mp4"), 2, 1000)
    (event,) = began(events_of(Falling(), scenes))
    assert fell - 2 <= event.time <= fell + 4


def test_a_street_where_people_walk_has_neither_falls_nor_runners(asset):
    scenes = seen(asset("models/yolox-nano-416.onnx"), asset("footage/pets-s2l1/video.avi"), 1, 250)
    for behaviour in (Falling(), Running()):
        assert events_of(behaviour, scenes) == []
