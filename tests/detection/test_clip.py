"""The last seconds of a camera as a model of clips sees them: by the clock, whatever the frame rate."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pahara.core import Frame, ModelError
from pahara.detection.about import written
from pahara.detection.clip import GAP, ClipSignal

STEPS, RATE = 8, 4.0  # two seconds


def model(path, *, classes=("bright", "normal"), window=None, **about):
    """Mean brightness of the window's *second half* minus that of its first -> two classes: it sees that a light goes on."""
    weight = np.zeros((1, STEPS, 1, 1, 1), np.float32)
    weight[:, : STEPS // 2], weight[:, STEPS // 2 :] = -1, 1
    nodes = [
        helper.make_node("Mul", ["clip", "sign"], ["signed"]),
        helper.make_node("ReduceMean", ["signed"], ["mean"], axes=[1, 2, 3, 4], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "one"], ["column"]),
        helper.make_node("MatMul", ["column", "gain"], ["out"]),
    ]
    constants = {"sign": weight, "one": np.array([1]), "gain": np.array([[20.0, -20.0]], np.float32)}
    graph = helper.make_graph(
        nodes,
        "clip",
        [helper.make_tensor_value_info("clip", TensorProto.FLOAT, ["n", STEPS, 3, 8, 16])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    told = {"kind": "action", "classes": list(classes), "input": [STEPS, 3, 8, 16], "activation": "softmax", "thresholds": {"bright": 0.7}}
    told |= {"window": {"seconds": 2.0, "rate": RATE} if window is None else window, "preparation": {"fit": "stretch", "scale": 1 / 255}}
    helper.set_model_props(made, written({**told, **about}))
    onnx.save(made, str(path))
    return path


@pytest.fixture(scope="module")
def lamp(tmp_path_factory):
    return model(tmp_path_factory.mktemp("clip") / "lamp.onnx")


def frames(fps, seconds, light, begin=0.0):
    """Grey pictures as bright as `light(time)`, 0..255."""
    for k in range(round(fps * seconds)):
        time = begin + k / fps
        yield Frame.of("yard", time, np.full((36, 64, 3), light(time), np.uint8))


def certain(signal, seen, name="clip.bright"):
    return np.array([(frame.time, signal(frame)[name]) for frame in seen])


@pytest.mark.parametrize("fps", [2, 4, 10, 25, 29.97])
def test_the_same_seconds_give_the_same_certainty_at_every_frame_rate(lamp, fps):
    told = certain(ClipSignal(lamp, every=0.5), frames(fps, 12, lambda time: 220 if time >= 6 else 20))
    assert told[told[:, 0] < 1.7, 1].max() == 0, "until the window is full nothing is certain"
    assert told[(told[:, 0] > 2.3) & (told[:, 0] < 5.9), 1] == pytest.approx(0.5, abs=1e-3)
    assert told[:, 1].max() > 0.99
    highest = told[told[:, 1].argmax(), 0]
    assert 6.4 <= highest <= 8.1, "when the light has been on for about a second"
    assert told[told[:, 0] > 9, 1] == pytest.approx(0.5, abs=1e-3)


def test_its_limits_travel_with_the_scene_and_the_normal_class_has_none(lamp):
    signal = ClipSignal(lamp)
    assert signal.gives == ("clip.bright", "clip.normal", "clip.limit.bright")
    (frame,) = frames(1, 1, lambda _: 0)
    assert dict(signal(frame)) == {"clip.bright": 0.0, "clip.normal": 0.0, "clip.limit.bright": 0.7}


def test_between_two_looks_the_last_answer_stands(lamp):
    told = certain(ClipSignal(lamp, every=1.0), frames(10, 10, lambda time: 25 * time))
    assert 8 <= len(np.unique(told[:, 1])) <= 10


def test_after_a_gap_the_window_begins_anew(lamp):
    signal = ClipSignal(lamp)
    assert certain(signal, frames(10, 5, lambda _: 20))[-1, 1] == pytest.approx(0.5, abs=1e-3)
    after = certain(signal, frames(10, 4, lambda _: 220, begin=5 + GAP + 1))
    assert after[after[:, 0] < after[0, 0] + 1.7, 1].max() == 0
    assert after[-1, 1] == pytest.approx(0.5, abs=1e-3), "the dark before the gap does not count as a light that went on"


def test_what_is_no_model_of_clips_is_refused(tmp_path):
    with pytest.raises(ModelError, match="there is no model file"):
        ClipSignal(tmp_path / "gone.onnx")
    with pytest.raises(ModelError, match="more than 0 seconds"):
        ClipSignal(model(tmp_path / "a.onnx"), every=0)
    with pytest.raises(ModelError, match="the kind 'image'"):
        ClipSignal(model(tmp_path / "b.onnx", kind="image"))
    with pytest.raises(ModelError, match="belongs to the behaviour 'action'"):
        ClipSignal(model(tmp_path / "c.onnx", window={"seconds": 2.0, "rate": 4.0, "people": 1}))
    with pytest.raises(ModelError, match="does not fit its own description"):
        ClipSignal(model(tmp_path / "d.onnx", window={"seconds": 2.0}))
    with pytest.raises(ModelError, match="names 3 classes and tells 2 apart"):
        ClipSignal(model(tmp_path / "e.onnx", classes=("a", "b", "c")))
