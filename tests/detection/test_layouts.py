"""Each family of models is recognised from its file and read correctly: real ONNX graphs whose answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pahara.core import ModelError
from pahara.detection import load_detector

SIZE = 96  # the input of the staged models
CELLS = 12 * 12 + 6 * 6 + 3 * 3
PERSON, CAR = (8.0, 16.0, 24.0, 56.0), (30.0, 34.0, 62.0, 50.0)  # where they stand, input pixels
PICTURE = np.zeros((SIZE * 2, SIZE * 2, 3), np.uint8)  # twice the input: boxes come back twice as large


def build(path: Path, outputs: dict[str, np.ndarray], *, batch: int | str = 1, metadata: dict[str, str] | None = None, sized: bool = False,
          input_type: int = TensorProto.FLOAT, open_size: bool = False, ranks_without_batch: bool = False) -> Path:  # fmt: skip
    """A graph that answers `outputs` to every picture of a batch, whatever it shows."""
    side: int | str = "side" if open_size else SIZE
    inputs = [helper.make_tensor_value_info("images", input_type, [batch, 3, side, side])]
    nodes = [
        helper.make_node("Shape", ["images"], ["shape"], start=0, end=1),
    ]
    constants = []
    values = []
    if sized:
        inputs.append(helper.make_tensor_value_info("orig_target_sizes", TensorProto.INT64, [batch, 2]))
    for name, answer in outputs.items():
        kind = helper.np_dtype_to_tensor_dtype(answer.dtype)
        constants.append(numpy_helper.from_array(answer, f"{name}_one"))
        if ranks_without_batch:
            nodes.append(helper.make_node("Identity", [f"{name}_one"], [name]))
            values.append(helper.make_tensor_value_info(name, kind, list(answer.shape)))
            continue
        constants.append(numpy_helper.from_array(np.array(answer.shape[1:], np.int64), f"{name}_rest"))
        nodes.append(helper.make_node("Concat", ["shape", f"{name}_rest"], [f"{name}_shape"], axis=0))
        last = f"{name}_plain" if sized and name == "boxes" else name
        nodes.append(helper.make_node("Expand", [f"{name}_one", f"{name}_shape"], [last]))
        if last != name:  # fractions of (width, height) in, pixels out, like the decoding that D-FINE carries
            constants.append(numpy_helper.from_array(np.array([1], np.int64), "middle"))
            nodes += [
                helper.make_node("Cast", ["orig_target_sizes"], ["sizes"], to=TensorProto.FLOAT),
                helper.make_node("Concat", ["sizes", "sizes"], ["four"], axis=1),
                helper.make_node("Unsqueeze", ["four", "middle"], ["scale"]),
                helper.make_node("Mul", [last, "scale"], [name]),
            ]
        values.append(helper.make_tensor_value_info(name, kind, [batch, *answer.shape[1:]]))
    graph = helper.make_graph(nodes, "staged", inputs, values, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    for key, value in (metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def grid(strides=(8, 16, 32), offset=0.0):
    """(cells, 3): x, y of each cell in input pixels and its stride."""
    return np.array(
        [((x + offset) * s, (y + offset) * s, s) for s in strides for y in range(-(-SIZE // s)) for x in range(-(-SIZE // s))], np.float32
    )


def cxcywh(box):
    x1, y1, x2, y2 = box
    return np.array([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], np.float32)


def yolox(raw: bool, classes: int = 80) -> np.ndarray:
    cells = grid()
    answer = np.zeros((1, len(cells), 5 + classes), np.float32)
    answer[0, :, :2] = 0.5 if raw else cells[:, :2] + cells[:, 2:] / 2
    answer[0, :, 2:4] = 0.0 if raw else cells[:, 2:]
    for at, box, label, objectness, share in (
        (10, PERSON, 0, 0.9, 0.9),
        (11, PERSON, 0, 0.8, 0.9),
        (70, CAR, 2, 0.8, 0.5),
        (12, CAR, 3, 0.02, 0.9),
    ):
        if label >= classes:
            continue
        told = cxcywh(box)
        if raw:
            told = np.concatenate([(told[:2] - cells[at, :2]) / cells[at, 2], np.log(told[2:] / cells[at, 2])])
        answer[0, at, :4], answer[0, at, 4], answer[0, at, 5 + label] = told, objectness, share
    return answer


def yolov8(classes: int = 80, extra: int = 0, cells: int = CELLS) -> np.ndarray:
    answer = np.zeros((1, 4 + classes + extra, cells), np.float32)
    answer[0, :4] = np.array([[32, 32, 8, 8]]).T
    for at, box, label, score in ((10, PERSON, 0, 0.81), (11, PERSON, 0, 0.72), (70, CAR, 2, 0.4), (12, CAR, 1, 0.01)):
        if label < classes:
            answer[0, :4, at], answer[0, 4 + label, at] = cxcywh(box), score
    answer[0, 4 + classes :] = 30.0  # key points or mask numbers, no scores
    return answer


def nanodet_parts(strides, offset, classes=80):
    cells = grid(strides, offset)
    scores = np.full((len(cells), classes), 0.001, np.float32)
    sides = np.tile(np.linspace(3, -3, 8, dtype=np.float32), (len(cells), 4))
    for turn, box, label, score in ((0, PERSON, 0, 0.81), (1, PERSON, 0, 0.72), (-1, CAR, 2, 0.4)):
        x1, y1, x2, y2 = box
        inside = (cells[:, 0] >= x1) & (cells[:, 0] <= x2) & (cells[:, 1] >= y1) & (cells[:, 1] <= y2)
        at = np.flatnonzero(inside)[turn]
        x, y, stride = cells[at]
        scores[at, label] = score
        for side, distance in enumerate(((x - x1) / stride, (y - y1) / stride, (x2 - x) / stride, (y2 - y) / stride)):
            bins = np.full(8, -20.0, np.float32)  # a distance between two bins is a weighted pair of them
            low = int(np.clip(np.floor(distance), 0, 6))
            share = distance - low
            bins[low], bins[low + 1] = np.log(np.clip([1 - share, share], 1e-9, 1))
            sides[at, side * 8 : side * 8 + 8] = bins
    return cells, scores, sides


def logit(p):
    return np.log(p / (1 - p))


def queries(columns: int, softmax: bool = False, shift: int = 0) -> tuple[np.ndarray, np.ndarray]:
    numbers = np.full((1, 300, columns), 0.0 if softmax else -6.0, np.float32)
    boxes = np.tile(np.array([0.5, 0.5, 0.1, 0.1], np.float32), (1, 300, 1))
    if softmax:
        numbers[..., -1] = 9.0
    for at, box, label, score in ((10, PERSON, 0, 0.81), (70, CAR, 2, 0.4)):
        boxes[0, at] = cxcywh(box) / SIZE
        if softmax:  # e^n / (e^n + columns − 1) = score
            numbers[0, at] = 0.0
            numbers[0, at, label + shift] = np.log(score * (columns - 1) / (1 - score))
        else:
            numbers[0, at, label + shift] = logit(score)
    return numbers, boxes


def finished() -> dict[str, np.ndarray]:
    labels, boxes, scores = np.zeros((1, 300), np.int64), np.zeros((1, 300, 4), np.float32), np.zeros((1, 300), np.float32)
    for at, (box, label, score) in enumerate(((PERSON, 0, 0.81), (CAR, 2, 0.4), (CAR, 1, 0.02))):
        labels[0, at], boxes[0, at], scores[0, at] = label, np.array(box) / SIZE, score
    return {"labels": labels, "boxes": boxes, "scores": scores}


def end_to_end() -> np.ndarray:
    answer = np.zeros((1, 300, 6), np.float32)
    answer[0, 0], answer[0, 1], answer[0, 2] = (*PERSON, 0.81, 0), (*CAR, 0.4, 2), (*CAR, 0.02, 1)
    return answer


def nanodet_joint(strides, offset):
    _, scores, sides = nanodet_parts(strides, offset)
    return np.concatenate([scores, sides], axis=1)[None]


def nanodet_six(swapped: bool = False) -> dict[str, np.ndarray]:
    _, scores, sides = nanodet_parts((8, 16, 32), 0.5)
    cuts = [0, 144, 180, 189]
    parts = [scores[a:b] for a, b in zip(cuts, cuts[1:], strict=False)] + [sides[a:b] for a, b in zip(cuts, cuts[1:], strict=False)]
    order = ["cls_score0", "bbox_pred0", "cls_score1", "bbox_pred1", "cls_score2", "bbox_pred2"]  # the names of a known export, which lie
    return dict(zip(order, reversed(parts) if swapped else parts, strict=True))


NAMES_80 = {"names": str({i: ("person" if i == 0 else "car" if i == 2 else f"thing {i}") for i in range(80)})}
RTDETR = {"description": "Ultralytics RTDETR-l model", **NAMES_80}


def rtdetr_ultralytics() -> np.ndarray:
    numbers, boxes = queries(80)
    return np.concatenate([boxes, 1 / (1 + np.exp(-numbers))], axis=2).astype(np.float32)


def detr(columns, softmax=False, shift=0, logits="logits", boxes="pred_boxes", reverse=False):
    numbers, places = queries(columns, softmax, shift)
    told = [(logits, numbers), (boxes, places)]
    return dict(reversed(told) if reverse else told)


STAGED = {
    "YOLOX before grid decode": ({"output": yolox(raw=True)}, {}, "yolox"),
    "YOLOX after grid decode": ({"output": yolox(raw=False)}, {}, "yolox"),
    "NanoDet in one output": ({"output": nanodet_joint((8, 16, 32), 0.5)}, {}, "nanodet"),
    "NanoDet-Plus": ({"output": nanodet_joint((8, 16, 32, 64), 0.0)}, {}, "nanodet"),
    "NanoDet in six outputs": (nanodet_six(), {"ranks_without_batch": True}, "nanodet"),
    "NanoDet in six outputs, other order": (nanodet_six(swapped=True), {"ranks_without_batch": True}, "nanodet"),
    "YOLOv8 raw": ({"output0": yolov8()}, {"metadata": NAMES_80}, "yolov8"),
    "YOLOv8 raw without metadata": ({"output0": yolov8()}, {}, "yolov8"),
    "YOLOv8 transposed": ({"output0": np.ascontiguousarray(yolov8().transpose(0, 2, 1))}, {"metadata": NAMES_80}, "yolov8"),
    "YOLOv8 segmentation": (
        {"output0": yolov8(extra=32), "output1": np.zeros((1, 32, 16, 16), np.float32)}, {"metadata": {"task": "segment", **NAMES_80}}, "yolov8",
    ),
    "YOLO end-to-end": ({"output0": end_to_end()}, {"metadata": NAMES_80}, "yolo-end-to-end"),
    "YOLO end-to-end without metadata": ({"output0": end_to_end()}, {}, "yolo-end-to-end"),
    "RT-DETR, D-FINE with sigmoid": (detr(80), {}, "detr"),
    "pred_logits and pred_boxes": (detr(80, logits="pred_logits"), {}, "detr"),
    "RF-DETR: dets and labels by COCO id": (detr(91, shift=1, logits="labels", boxes="dets", reverse=True), {}, "detr"),
    "DETR with softmax and background": (detr(92, softmax=True, shift=1), {}, "detr"),
    "unnamed queries, told by shape": (detr(80, logits="out_a", boxes="out_b"), {}, "detr"),
    "D-FINE with its decoding inside": (finished(), {"sized": True}, "detr-end-to-end"),
    "RT-DETR by Ultralytics": ({"output0": rtdetr_ultralytics()}, {"metadata": RTDETR}, "detr"),
}  # fmt: skip


@pytest.mark.parametrize("kind", STAGED)
@pytest.mark.parametrize("batch", [1, "batch"])
def test_a_model_of_each_family_sees_the_person_and_the_car(kind, batch, tmp_path):
    outputs, options, layout = STAGED[kind]
    if batch != 1 and options.get("ranks_without_batch"):
        pytest.skip("this export has no batch dimension")
    detector = load_detector(build(tmp_path / "m.onnx", outputs, batch=batch, **options))
    assert detector.layout.name == layout
    for seen in detector([PICTURE, PICTURE, PICTURE]):
        names = [seen.names[label] for label in seen.labels]
        assert names == ["person", "car"]
        assert seen.scores.tolist() == pytest.approx([0.81, 0.4], abs=1e-4)
        assert seen.boxes == pytest.approx(np.array([PERSON, CAR]) * 2, abs=2e-3)


@pytest.mark.parametrize("kind", STAGED)
def test_a_class_that_was_not_asked_for_is_not_reported(kind, tmp_path):
    outputs, options, _ = STAGED[kind]
    (seen,) = load_detector(build(tmp_path / "m.onnx", outputs, **options), classes=["car"])([PICTURE])
    assert [seen.names[label] for label in seen.labels] == ["car"]
    assert seen.boxes == pytest.approx(np.array([CAR]) * 2, abs=2e-3)


@pytest.mark.parametrize("kind", STAGED)
def test_each_class_has_its_own_threshold(kind, tmp_path):
    outputs, options, _ = STAGED[kind]
    path = build(tmp_path / "m.onnx", outputs, **options)
    (strict,) = load_detector(path, class_confidence={"car": 0.5})([PICTURE])
    assert [strict.names[label] for label in strict.labels] == ["person"]
    (other,) = load_detector(path, confidence=0.9, class_confidence={"car": 0.3})([PICTURE])
    assert [other.names[label] for label in other.labels] == ["car"]


def test_suppression_is_left_out_where_the_model_does_it(tmp_path):
    twice = end_to_end()
    twice[0, 3] = (*PERSON, 0.7, 0)
    (seen,) = load_detector(build(tmp_path / "m.onnx", {"output0": twice}))([PICTURE])
    assert len(seen) == 3


def test_two_classes_in_one_place_do_not_suppress_each_other(tmp_path):
    both = yolov8()
    both[0, :4, 30], both[0, 4 + 1, 30] = cxcywh(PERSON), 0.6
    (seen,) = load_detector(build(tmp_path / "m.onnx", {"output0": both}))([PICTURE])
    assert [seen.names[label] for label in seen.labels] == ["person", "bicycle", "car"]


def test_a_model_with_one_class_gets_a_number_for_a_name(tmp_path):
    detector = load_detector(build(tmp_path / "m.onnx", {"output": yolox(raw=True, classes=1)}))
    assert detector.names == ("class 0",)
    assert load_detector(build(tmp_path / "n.onnx", {"output": yolox(raw=True, classes=1)}), names=["head"]).names == ("head",)


def test_a_trained_rf_detr_keeps_its_background_column_to_itself(tmp_path):
    path = build(tmp_path / "m.onnx", detr(4, logits="labels", boxes="dets"))
    detector = load_detector(path, names=["person", "bag", "car"])
    assert detector.names == ("person", "bag", "car")
    (seen,) = detector([PICTURE])
    assert [seen.names[label] for label in seen.labels] == ["person", "car"]


def test_four_columns_of_logits_are_not_taken_for_boxes(tmp_path):
    numbers, boxes = queries(4)
    with pytest.raises(ModelError, match="layout is unknown"):
        load_detector(build(tmp_path / "m.onnx", {"a": numbers, "b": boxes}))


def test_the_activation_may_be_told(tmp_path):
    path = build(tmp_path / "m.onnx", detr(80))
    (soft,) = load_detector(path, activation="softmax", names=[f"thing {i}" for i in range(79)])([PICTURE])
    assert len(soft) == 0 or soft.scores.max() > 0.9  # the columns compete now: another reading of the same numbers
    with pytest.raises(ModelError, match="no activation named 'relu'"):
        load_detector(path, activation="relu")


def test_how_pictures_are_prepared_follows_the_family_and_may_be_overridden(tmp_path):
    yolo = build(tmp_path / "y.onnx", {"output0": yolov8()})
    assert load_detector(yolo).layout.preparation.rgb
    changed = load_detector(yolo, preparation={"rgb": False, "scale": 1.0}).layout.preparation
    assert (changed.rgb, changed.scale, changed.place) == (False, 1.0, "centre")
    with pytest.raises(ModelError, match="no preparation option 'rbg' .did you mean 'rgb'"):
        load_detector(yolo, preparation={"rbg": True})
    assert load_detector(build(tmp_path / "d.onnx", detr(91, logits="labels", boxes="dets"))).layout.preparation.mean[0] == 0.485
    assert load_detector(build(tmp_path / "e.onnx", detr(80))).layout.preparation.mean[0] == 0.0


def test_an_unknown_layout_is_told_with_inputs_outputs_and_what_is_supported(tmp_path):
    path = build(tmp_path / "m.onnx", {"embedding": np.zeros((1, 512), np.float32)})
    with pytest.raises(ModelError) as told:
        load_detector(path)
    for part in (str(path), "images (1, 3, 96, 96)", "embedding (1, 512)", "YOLOX", "NanoDet", "YOLOv8", "DETR"):
        assert part in str(told.value)
    assert "\n" not in str(told.value)


def test_a_model_with_a_strange_second_input_is_refused(tmp_path):
    path = build(tmp_path / "m.onnx", finished(), sized=True)
    model = onnx.load(path)
    model.graph.input.append(helper.make_tensor_value_info("prompt", TensorProto.INT64, [1, 77]))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="prompt"):
        load_detector(path)


def test_where_the_size_is_open_it_may_be_given_or_stand_in_the_metadata(tmp_path):
    path = build(tmp_path / "m.onnx", {"output": yolox(raw=True)}, open_size=True)
    assert load_detector(path, input_size=96).size == (96, 96)
    told = build(tmp_path / "n.onnx", {"output0": yolov8()}, open_size=True, metadata={"imgsz": "[96, 96]", **NAMES_80})
    assert load_detector(told).size == (96, 96)
    fixed = build(tmp_path / "o.onnx", {"output": yolox(raw=True)})
    with pytest.raises(ModelError, match="takes 96x96 only"):
        load_detector(fixed, input_size=128)


def test_a_model_in_half_precision_is_fed_in_half_precision(tmp_path):
    path = build(tmp_path / "m.onnx", {"output": yolox(raw=True)}, input_type=TensorProto.FLOAT16)
    (seen,) = load_detector(path)([PICTURE])
    assert [seen.names[label] for label in seen.labels] == ["person", "car"]


@pytest.mark.parametrize(
    ("metadata", "first"),
    [
        ({"names": "{0: 'কাক', 1: 'bus'}"}, "কাক"),
        ({"names": '["crow", "bus"]'}, "crow"),
        ({"names": '{"0": "crow", "1": "bus"}'}, "crow"),
        ({"class_names": "crow,bus"}, "crow"),
        ({"labels": "crow\nbus\n"}, "crow"),
        ({"names": "{'a': 1}"}, "class 0"),
        ({}, "class 0"),
    ],
)
def test_class_names_are_read_from_the_metadata(metadata, first, tmp_path):
    detector = load_detector(build(tmp_path / "m.onnx", {"output0": yolov8(classes=2)}, metadata=metadata))
    assert detector.names[0] == first
    assert len(detector.names) == 2


def test_a_name_that_the_model_lacks_is_answered_with_the_nearest(tmp_path):
    path = build(tmp_path / "m.onnx", {"output0": yolov8()})
    with pytest.raises(ModelError, match="no class 'persn' .did you mean 'person'"):
        load_detector(path, classes=["persn"])
    with pytest.raises(ModelError, match="must lie in 0..1"):
        load_detector(path, confidence=30)


def test_a_text_file_named_onnx_gets_one_clear_line(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_text("hello")
    with pytest.raises(ModelError, match="no ONNX model") as told:
        load_detector(path)
    assert "\n" not in str(told.value)


def test_a_detector_tells_what_it_is(tmp_path):
    told = load_detector(build(tmp_path / "m.onnx", {"output0": yolov8()}, batch="n", metadata=NAMES_80), classes=["person"]).describe()
    assert told["layout"] == "yolov8"
    assert told["input"] == "96x96 RGB letterbox"
    assert told["batch"] == "any"
    assert told["classes"] == ["person"]
    assert told["metadata"] == NAMES_80


@pytest.mark.parametrize("kind", STAGED)
def test_openvino_reads_the_same_models_the_same_way(kind, tmp_path):
    pytest.importorskip("openvino", reason="the extra `openvino` is not installed")
    outputs, options, layout = STAGED[kind]
    path = build(tmp_path / "m.onnx", outputs, **options)
    detector = load_detector(path, engine="openvino")
    assert detector.layout.name == layout
    assert detector.names == load_detector(path).names
    (seen,) = detector([PICTURE])
    assert [seen.names[label] for label in seen.labels] == ["person", "car"]
    assert seen.boxes == pytest.approx(np.array([PERSON, CAR]) * 2, abs=0.6)  # bfloat16 has 8 bits of a number
