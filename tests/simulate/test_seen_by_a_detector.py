"""A detector that was trained on photographs finds the staged people."""

from dataclasses import replace

import numpy as np
import pytest

from pahara.core.boxes import iou_matrix
from pahara.simulate import Stage, load_script


@pytest.mark.slow
def test_yolox_nano_finds_most_staged_people(asset):
    from pahara.detection.onnx import load_detector

    detect = load_detector(str(asset("models/yolox-nano-416.onnx")), classes=["person"], confidence=0.25)
    found = wanted = 0
    for name in ("alley", "mosque-courtyard"):
        for k, shot in enumerate(Stage(replace(load_script(name), fps=1))):
            if k % 2 == 0:
                boxes = detect([shot.image])[0].boxes.astype(float)
                people = [o.box for o in shot.truth if o.label == "person" and o.visible > 0.6 and o.box[3] - o.box[1] >= 40]
                if people:
                    overlap = iou_matrix(np.array(people), boxes) if len(boxes) else np.zeros((len(people), 1))
                    found += int((overlap.max(1) >= 0.5).sum())
                    wanted += len(people)
    assert wanted > 30
    assert found / wanted > 0.75
