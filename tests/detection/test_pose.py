"""Joints come back where they are in the picture, to the pixel: staged ONNX graphs that look for a blue spot, and the real MoveNet."""

from __future__ import annotations

import builtins
import csv
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from pahara.core import Frame, ModelError, Observation
from pahara.core.joints import BONES, COCO_17
from pahara.detection import load_detector
from pahara.detection.crops import Square
from pahara.detection.pose import load_pose
from pahara.detection.posing import Posing

BLUE = (255, 0, 0)


def spotter(path: Path, answers: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]], *, wide: int, tall: int, kind=TensorProto.FLOAT,
            last: bool = False, channel: int = 0, full: float = 255.0, metadata: dict[str, str] | None = None) -> Path:  # fmt: skip
    """A graph that finds the middle x, y (input pixels) of what is bright in one channel, and answers a + b·x + c·y for each output (a, b, c)."""
    axis = 3 if last else 1
    grid_x = np.broadcast_to((np.arange(wide, dtype=np.float32) + 0.5)[None, :], (tall, wide))
    grid_y = np.broadcast_to((np.arange(tall, dtype=np.float32) + 0.5)[:, None], (tall, wide))
    constants = {
        "channel": np.array(channel, np.int64), "least": np.float32(0.7 * full), "x_of": grid_x.copy(), "y_of": grid_y.copy(),
        "axes": np.array([1, 2], np.int64), "tiny": np.float32(1e-6),
    }  # fmt: skip
    nodes = [
        helper.make_node("Cast", ["picture"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["floats", "channel"], ["plane"], axis=axis),
        helper.make_node("Sub", ["plane", "least"], ["over"]),
        helper.make_node("Relu", ["over"], ["bright"]),
        helper.make_node("ReduceSum", ["bright", "axes"], ["mass"], keepdims=0),
        helper.make_node("Add", ["mass", "tiny"], ["safe"]),
    ]
    for name in ("x", "y"):
        nodes += [
            helper.make_node("Mul", ["bright", f"{name}_of"], [f"{name}_mass"]),
            helper.make_node("ReduceSum", [f"{name}_mass", "axes"], [f"{name}_sum"], keepdims=0),
            helper.make_node("Div", [f"{name}_sum", "safe"], [name]),
        ]
    outputs = []
    for name, (a, b, c) in answers.items():
        constants |= {f"{name}_a": a.astype(np.float32), f"{name}_b": b.astype(np.float32), f"{name}_c": c.astype(np.float32)}
        nodes += [
            helper.make_node("Mul", [f"{name}_b", "x"], [f"{name}_bx"]),
            helper.make_node("Mul", [f"{name}_c", "y"], [f"{name}_cy"]),
            helper.make_node("Add", [f"{name}_bx", f"{name}_cy"], [f"{name}_moved"]),
            helper.make_node("Add", [f"{name}_moved", f"{name}_a"], [name]),
        ]
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(a.shape)))
    shape = [1, tall, wide, 3] if last else [1, 3, tall, wide]
    graph = helper.make_graph(
        nodes, "spotter", [helper.make_tensor_value_info("picture", kind, shape)], outputs,
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    for key, value in (metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def movenet(path: Path, *, size: int = 96, last: bool = True, kind: int = TensorProto.INT32) -> Path:
    """All joints in the spot, each a tenth of a pixel further right; sure of it."""
    a, b, c = (np.zeros((1, 1, 17, 3)) for _ in range(3))
    a[..., 1], a[..., 2] = np.arange(17) * 0.1 / size, 0.8
    b[..., 1] = c[..., 0] = 1 / size
    return spotter(path, {"out": (a, b, c)}, wide=size, tall=size, kind=kind, last=last, channel=2)  # RGB: blue is the last


def rtmo(path: Path, *, wide: int = 160, tall: int = 96, swapped: bool = False) -> Path:
    """The one in the spot, found twice; somebody else at (20, 20), and a ghost of whom nobody is sure."""
    dets, joints = [np.zeros((1, 4, 5)) for _ in range(3)], [np.zeros((1, 4, 17, 3)) for _ in range(3)]
    for row, (score, shift) in enumerate([(0.6, 1.0), (0.9, 0.0)]):
        dets[0][0, row] = [-10 + shift, -20, 10 + shift, 20, score]
        dets[1][0, row, [0, 2]] = dets[2][0, row, [1, 3]] = 1
        joints[1][0, row, :, 0] = joints[2][0, row, :, 1] = 1
        joints[0][0, row, :, 2] = score
    dets[0][0, 2] = [10, 10, 30, 30, 0.5]
    joints[0][0, 2] = [20, 20, 1.2]  # some exports say a little more than sure
    dets[0][0, 3] = [40, 40, 60, 60, 0.05]
    answers = {"dets": tuple(dets), "keypoints": tuple(joints)}
    return spotter(path, dict(reversed(answers.items())) if swapped else answers, wide=wide, tall=tall)


def yolo(path: Path, *, wide: int = 160, tall: int = 96, each: int = 3, across: bool = True, finished: bool = False) -> Path:
    """Two cells see the one in the spot; in a third a bicycle, whose class is not asked for."""
    if finished:
        width, rows = 6 + 17 * each, 50
        a, b, c = (np.zeros((1, rows, width)) for _ in range(3))
        a[0, 7, :6] = [-10, -20, 10, 20, 0.8, 1]
        b[0, 7, [0, 2]] = c[0, 7, [1, 3]] = 1
        b[0, 7, 6::each] = c[0, 7, 7::each] = 1
        a[0, 9, :6] = [0, 0, 30, 30, 0.9, 0]
        if each == 3:
            a[0, 7, 8::3] = 0.7
        names = "{0: 'bicycle', 1: 'person'}"
    else:
        cells = sum((-(-wide // s)) * (-(-tall // s)) for s in (8, 16, 32))
        width = 4 + 2 + 17 * each
        a, b, c = (np.zeros((1, width, cells)) for _ in range(3))
        for cell, score in ((31, 0.5), (32, 0.8)):
            a[0, 2:4, cell], a[0, 4, cell] = (20, 40), score
            b[0, 0, cell] = c[0, 1, cell] = 1
            b[0, 6::each, cell] = c[0, 7::each, cell] = 1
            if each == 3:
                a[0, 8::3, cell] = 0.7
        a[0, :6, 5] = [50, 50, 20, 20, 0.0, 0.9]
        if not across:
            a, b, c = (part.transpose(0, 2, 1) for part in (a, b, c))
        names = "{0: 'person', 1: 'bicycle'}"
    told = {"task": "pose", "names": names, "kpt_shape": f"[17, {each}]"}
    return spotter(path, {"output0": (a, b, c)}, wide=wide, tall=tall, channel=2, full=1.0, metadata=told)


def picture(spot: tuple[float, float], size: tuple[int, int] = (400, 300), radius: int = 6) -> np.ndarray:
    """(h, w, 3): grey, with a blue disc at `spot` (pixels from the top left edge)."""
    image = np.full((size[1], size[0], 3), 60, np.uint8)
    x, y = spot
    cv2.circle(image, (round((x - 0.5) * 16), round((y - 0.5) * 16)), radius * 16, BLUE, cv2.FILLED, cv2.LINE_AA, shift=4)
    return image


def box_around(spot: tuple[float, float], half: tuple[float, float] = (25, 50)) -> np.ndarray:
    return np.array([[spot[0] - half[0], spot[1] - half[1], spot[0] + half[0], spot[1] + half[1]]])


SPOTS = [(200.0, 150.0), (61.0, 77.0), (30.0, 250.0), (385.0, 40.0), (390.0, 290.0)]  # some crops reach beyond the picture


@pytest.mark.parametrize(("last", "kind"), [(True, TensorProto.INT32), (True, TensorProto.UINT8), (False, TensorProto.FLOAT)])
def test_an_onnx_movenet_finds_each_joint_where_it_is(tmp_path, last, kind):
    model = load_pose(movenet(tmp_path / "m.onnx", last=last, kind=kind))
    assert (model.sees, model.layout.name, model.size) == ("one", "movenet", (96, 96))
    for spot in SPOTS:
        (joints,) = model(picture(spot), box_around(spot))
        assert joints[0, :2] == pytest.approx(spot, abs=0.25)
        assert joints[:, 2] == pytest.approx(0.8)
        assert joints[10, 0] - joints[0, 0] == pytest.approx(125 / 96, abs=1e-3)  # ten tenths of a pixel of the input


def test_who_is_asked_for_is_who_is_in_the_box(tmp_path):
    model = load_pose(movenet(tmp_path / "m.onnx"))
    left, right = (80.0, 150.0), (320.0, 150.0)
    image = np.maximum(picture(left), picture(right))
    joints = model(image, np.concatenate([box_around(right), box_around(left)]))
    assert joints[:, 0, :2] == pytest.approx(np.array([right, left]), abs=0.25)
    assert model(image, np.zeros((0, 4))).shape == (0, 17, 3)


@given(
    st.tuples(st.floats(-300, 700), st.floats(-300, 700), st.floats(1, 500), st.floats(1, 500)),
    st.floats(1.0, 2.0),
    st.lists(st.tuples(st.floats(-500, 900), st.floats(-500, 900)), min_size=1, max_size=5),
    st.sampled_from([96, 192, 256]),
)
@settings(max_examples=150, deadline=None)
def test_the_way_into_a_crop_and_back_is_exact(corner, margin, points, size):
    x, y, wide, tall = corner
    box = np.array([x, y, x + wide, y + tall])
    square = Square.around(box, margin)
    there = square.to_input(np.array(points), size)
    assert square.to_picture(there, size) == pytest.approx(np.array(points), abs=1e-6)
    corners = square.to_input(box.reshape(2, 2), size)
    assert corners.min() >= -size / square.side - 1e-6  # the box lies in its crop, to a pixel
    assert corners.max() <= size + size / square.side + 1e-6
    assert square.cut(np.full((50, 80, 3), 255, np.uint8), size).shape == (size, size, 3)


@pytest.mark.parametrize("swapped", [False, True])
def test_rtmo_sees_everybody_and_each_track_gets_its_own(tmp_path, swapped):
    model = load_pose(rtmo(tmp_path / "r.onnx", swapped=swapped))
    assert (model.sees, model.layout.name) == ("all", "rtmo")
    spot = (300.0, 190.0)
    image = picture(spot, radius=15)
    found = model.everybody(image)
    assert found.scores == pytest.approx([0.9, 0.5])  # the twin is gone, the ghost too
    assert found.joints[0, :, :2] == pytest.approx(np.broadcast_to(spot, (17, 2)), abs=0.4)
    scale = 96 / 300  # letterboxed: the height fits exactly
    assert found.boxes[0] == pytest.approx([300 - 10 / scale, 190 - 20 / scale, 300 + 10 / scale, 190 + 20 / scale], abs=0.5)
    other = np.array([[10 / scale, 10 / scale, 30 / scale, 30 / scale]])
    joints = model(image, np.concatenate([other, found.boxes[:1], [[300, 10, 340, 60]]]))
    assert joints[0, 0] == pytest.approx([20 / scale, 20 / scale, 1.0], abs=0.3)
    assert joints[1, 5] == pytest.approx([*spot, 0.9], abs=0.4)
    assert not joints[2].any()  # nobody was found there


@pytest.mark.parametrize("size", [(400, 300), (90, 300), (160, 96), (641, 177)])
def test_the_letterbox_leads_back_exactly_for_pictures_of_every_shape(tmp_path, size):
    spot = (size[0] * 0.6, size[1] * 0.4)
    for path in (rtmo(tmp_path / "r.onnx"), yolo(tmp_path / "y.onnx"), yolo(tmp_path / "e.onnx", finished=True)):
        found = load_pose(path).everybody(picture(spot, size, radius=max(4, size[0] // 40)))
        assert found.joints[0, :, :2] == pytest.approx(np.broadcast_to(spot, (17, 2)), abs=max(size) / 160 * 0.25)


@pytest.mark.parametrize(
    ("more", "name", "sure"),
    [
        ({}, "yolo-pose", 0.7),
        ({"across": False}, "yolo-pose", 0.7),
        ({"each": 2}, "yolo-pose", 0.8),
        ({"finished": True}, "yolo-pose-end-to-end", 0.7),
        ({"finished": True, "each": 2}, "yolo-pose-end-to-end", 0.8),
    ],
)
def test_a_yolo_pose_export_is_recognised_and_read(tmp_path, more, name, sure):
    model = load_pose(yolo(tmp_path / "y.onnx", **more))
    assert (model.sees, model.layout.name) == ("all", name)
    spot = (222.0, 111.0)
    found = model.everybody(picture(spot, radius=15))
    assert found.scores == pytest.approx([0.8])  # people only, each once
    assert found.joints[0] == pytest.approx(np.broadcast_to([*spot, sure], (17, 3)), abs=0.4)


def test_other_joints_than_those_of_a_body_are_refused(tmp_path):
    a = np.zeros((1, 5 + 21 * 3, 100))
    path = spotter(tmp_path / "hand.onnx", {"out": (a, a, a)}, wide=64, tall=64, metadata={"kpt_shape": "[21, 3]", "task": "pose"})
    with pytest.raises(ModelError, match=r"hand\.onnx: this pose model finds 21 joints .* COCO's 17 of a body"):
        load_pose(path)


def test_what_is_no_pose_model_is_told_with_what_it_is(tmp_path):
    a = np.zeros((1, 10))
    with pytest.raises(ModelError, match=r"no pose model that Pahara can read: inputs: picture .* Supported: MoveNet"):
        load_pose(spotter(tmp_path / "x.onnx", {"out": (a, a, a)}, wide=64, tall=64))
    (tmp_path / "broken.tflite").write_bytes(b"no flatbuffer")
    with pytest.raises(ModelError, match=r"broken\.tflite is no TFLite model"):
        load_pose(tmp_path / "broken.tflite")
    with pytest.raises(ModelError, match="no model named 'movnet' .did you mean 'movenet'"):
        load_pose("movnet")
    with pytest.raises(ModelError, match="640x640 was asked, but the model takes 160x96 only"):
        load_pose(rtmo(tmp_path / "r.onnx"), input_size=640)


def test_without_litert_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    (tmp_path / "m.tflite").write_bytes(b"x")
    real = builtins.__import__

    def no_litert(name, *args, **more):
        if name.startswith("ai_edge_litert"):
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", no_litert)
    with pytest.raises(ModelError, match=r"m\.tflite needs LiteRT.*pip install 'pahara\[pose\]'"):
        load_pose(tmp_path / "m.tflite")


# -- whom the step looks at --------------------------------------------------------------------------------------------


class Recorder:
    """A pose model that notes who it was asked for."""

    def __init__(self, sees="one"):
        self.sees, self.asked = sees, []

    def __call__(self, image, boxes):
        self.asked.append(boxes.copy())
        return np.ones((len(boxes), 17, 3), np.float32)


def crowd(time: float, n: int, *, seen: bool = True, label: str = "person", tall: float = 100.0) -> Observation:
    boxes = np.array([[60 * i, 10, 60 * i + 40, 10 + tall] for i in range(n)], np.float32).reshape(n, 4)
    return Observation(time, np.arange(1, n + 1), boxes, (label,) * n, np.full(n, seen), np.full(n, 0.9, np.float32))


def frame(time: float, touched: list | None = None) -> Frame:
    def image():
        if touched is not None:
            touched.append(time)
        return np.zeros((300, 400, 3), np.uint8)

    return Frame("gate", time, (400, 300), image)


def test_joints_stand_in_the_rows_of_those_who_were_looked_at():
    pose = Recorder()
    step = Posing(pose, per_second=10)
    step(frame(0.0), crowd(0.0, 3), {})  # all three are new
    joints = step(frame(0.3), crowd(0.3, 3), {2: 0.9})
    assert joints[:, 0, 2].tolist() == [0, 1, 0]
    assert pose.asked[-1].tolist() == crowd(0.0, 3).boxes[1:2].tolist()
    assert (step.looks, step.looked_at, step.sightings) == (4, 4, 6)


@pytest.mark.parametrize("nobody", [crowd(0.0, 0), crowd(0.0, 3, seen=False), crowd(0.0, 3, label="car"), crowd(0.0, 3, tall=20.0)])
def test_where_nobody_can_be_looked_at_the_picture_is_not_even_decoded(nobody):
    touched: list[float] = []
    joints = Posing(Recorder())(frame(0.0, touched), nobody, {})
    assert joints.shape == (len(nobody), 17, 3)
    assert not joints.any()
    assert not touched


def test_a_look_at_the_whole_picture_is_one_look_whoever_is_in_it():
    pose = Recorder("all")
    step = Posing(pose, per_second=2)
    given_joints = [step(frame(n / 10), crowd(n / 10, 7), {})[:, 0, 2].sum() for n in range(100)]
    assert set(given_joints) == {0, 7}
    assert 18 <= step.looks <= 21
    assert len(pose.asked) == step.looks


# -- the real MoveNet --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lightning(asset):
    pytest.importorskip("ai_edge_litert", reason="the extra pahara[pose] is not installed")
    return load_pose(asset("models/movenet-lightning-int8.tflite"))


def pets_people(asset, frames):
    rows = np.loadtxt(asset("footage/pets-s2l1/gt.txt"), delimiter=",")
    capture = cv2.VideoCapture(str(asset("footage/pets-s2l1/video.avi")))
    for number in range(max(frames) + 1):
        _, image = capture.read()
        if number in frames:
            boxes = rows[rows[:, 0] == number + 1, 2:6]
            yield image, np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1) / 1.6


def test_movenet_finds_the_bodies_of_people_who_walk(asset, lightning):
    """PETS, people of 40 to 90 pixels: the head is above the hips, the hips above the ankles, and all within the box or nearly."""
    joints, boxes = [], []
    for image, people in pets_people(asset, {0, 100, 200, 300, 400, 500, 600, 700}):
        joints.append(lightning(image, people))
        boxes.append(people)
    body, box = np.concatenate(joints), np.concatenate(boxes)
    assert len(body) > 40
    sure = body[..., 2] >= 0.3
    assert sure.mean() > 0.7
    whole = sure[:, 5:].mean(axis=1) > 0.8
    assert whole.mean() > 0.5
    shoulders, hips, ankles = (body[whole][:, at, 1].mean(axis=1) for at in ([5, 6], [11, 12], [15, 16]))
    assert (shoulders < hips).mean() > 0.97
    assert (hips < ankles).mean() > 0.97
    tall = box[whole, 3] - box[whole, 1]
    assert np.median(np.abs(ankles - box[whole, 3]) / tall) < 0.15
    beyond = np.maximum(box[whole, None, :2] - body[whole, :, :2], body[whole, :, :2] - box[whole, None, 2:]).max(axis=2) / tall[:, None]
    assert (beyond[sure[whole]] < 0.15).mean() > 0.9


def test_movenet_tells_a_body_that_lies_from_one_that_stands(asset, lightning):
    """falls/, where the detector still finds the fallen: it misses most of them, and then there is nothing to look at."""
    detector = load_detector(asset("models/yolox-nano-416.onnx"), confidence=0.15, classes=["person"])
    upright, lying = [], []
    with asset("falls/clips.csv").open(encoding="utf-8") as file:
        falls = {
            row["clip"]: (int(row["fall_first_frame"]), int(row["fall_last_frame"]))
            for row in csv.DictReader(file)
            if row["fall_first_frame"]
        }
    for clip in ("01.mp4", "03.mp4", "07.mp4", "13.mp4", "19.mp4", "21.mp4", "33.mp4", "41.mp4"):
        first, last = falls[clip]
        capture = cv2.VideoCapture(str(asset(f"falls/{clip}")))
        for number in range(last + 13):
            ok, image = capture.read()
            if not ok or number not in (first - 5, last, last + 12):
                continue
            (seen,) = detector([image])
            box = seen.boxes[seen.scores.argmax()]
            wide = (box[2] - box[0]) / (box[3] - box[1])
            if (number < first) != (wide < 1.2):
                continue
            (body,) = lightning(image, box[None])
            torso = body[[5, 6], :2].mean(axis=0) - body[[11, 12], :2].mean(axis=0)
            (upright if number < first else lying).append(np.degrees(np.arctan2(abs(torso[0]), -torso[1])))
    assert len(upright) >= 7
    assert len(lying) >= 7
    assert np.median(upright) < 20
    assert min(lying) > 45
    assert np.median(lying) > 75


def test_the_names_and_the_bones_belong_together():
    assert len(COCO_17) == 17
    assert {joint for bone in BONES for joint in bone} == {0, *range(5, 17)}  # the face stays out of the picture
