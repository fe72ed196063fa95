"""The two real models of the assets find people, and are read exactly as a plain reading of their papers reads them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pahara.core.boxes import iou_matrix
from pahara.detection import load_detector

STEP = 16  # every sixteenth frame of PETS


def average_precision(seen, truth, iou: float = 0.5) -> float:
    """Area under the precision envelope (every point), one class. seen: [(boxes, scores)], truth: [boxes] per picture."""
    hits, scores = [], []
    for (boxes, sure), real in zip(seen, truth, strict=True):
        taken = np.zeros(len(real), bool)
        overlaps = iou_matrix(np.asarray(boxes, float), np.asarray(real, float))
        for row in np.argsort(-np.asarray(sure), kind="stable"):
            free = np.where(taken, -1, overlaps[row]) if len(real) else np.array([-1.0])
            best = int(free.argmax())
            hits.append(bool(free[best] >= iou))
            scores.append(float(sure[row]))
            if hits[-1]:
                taken[best] = True
    order = np.argsort(-np.array(scores), kind="stable")
    right = np.array(hits)[order].cumsum()
    recall, precision = right / sum(map(len, truth)), right / np.arange(1, len(order) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0) * envelope).sum())


@pytest.fixture(scope="module")
def pets(asset):
    """[(picture, people (n, 4))] of some frames."""
    rows = np.loadtxt(asset("footage/pets-s2l1/gt.txt"), delimiter=",")
    capture = cv2.VideoCapture(str(asset("footage/pets-s2l1/video.avi")))
    found = []
    for k in range(795):
        ok, image = capture.read()
        assert ok
        if k % STEP == 0:
            boxes = rows[rows[:, 0] == k + 1, 2:6]
            found.append((image, np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1) / 1.6))
    return found


@pytest.fixture(scope="module")
def coco(asset):
    """[(picture, people (n, 4))] of COCO's 128."""
    found = []
    for path in sorted(asset("coco128/images").glob("*.jpg")):
        image = cv2.imread(str(path))
        tall, wide = image.shape[:2]
        labels = asset("coco128/labels") / f"{path.stem}.txt"
        rows = np.loadtxt(labels, ndmin=2) if labels.exists() and labels.stat().st_size else np.zeros((0, 5))
        people = rows[rows[:, 0] == 0, 1:] * [wide, tall, wide, tall]
        found.append((image, np.concatenate([people[:, :2] - people[:, 2:] / 2, people[:, :2] + people[:, 2:] / 2], axis=1)))
    assert len(found) >= 126
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("model", "on_pets", "on_coco"), [("yolox-nano-416", 0.88, 0.61), ("nanodet-m-320", 0.86, 0.56)])
def test_people_are_found_as_well_as_these_models_can(model, on_pets, on_coco, asset, pets, coco):
    detector = load_detector(asset(f"models/{model}.onnx"), classes=["person"], confidence=0.01)
    for pictures, floor in ((pets, on_pets), (coco, on_coco)):
        seen = [detector([image])[0] for image, _ in pictures]
        measured = average_precision([(one.boxes, one.scores) for one in seen], [real for _, real in pictures])
        assert measured >= floor, f"person AP50 {measured:.3f}"


def plain_letterbox(image, side, centred, pad):
    """One float picture in the input, the ratio, and left and top."""
    tall, wide = image.shape[:2]
    ratio = min(side / wide, side / tall)
    inner = (round(wide * ratio), round(tall * ratio))
    left, top = ((side - inner[0]) // 2, (side - inner[1]) // 2) if centred else (0, 0)
    canvas = np.full((side, side, 3), pad, np.float32)
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(image, inner)
    return canvas, inner[0] / wide, inner[1] / tall, left, top


def plain_nms(rows, limit=0.5):
    """rows of (x1, y1, x2, y2, score, label): the book's loop."""
    rows = sorted(rows, key=lambda row: -row[4])
    kept = []
    for row in rows:
        if all(row[5] != k[5] or iou_matrix(np.array([row[:4]]), np.array([k[:4]]))[0, 0] <= limit for k in kept):
            kept.append(row)
    return kept


def plain_yolox(session, image):
    canvas, sx, sy, left, top = plain_letterbox(image, 416, False, 114)
    (answer,) = session.run(None, {"images": canvas.transpose(2, 0, 1)[None]})
    rows, at = [], 0
    for stride in (8, 16, 32):
        for y in range(416 // stride):
            for x in range(416 // stride):
                cell = answer[0, at]
                at += 1
                score = cell[4] * cell[5:].max()
                if score >= 0.1:
                    cx, cy = (cell[0] + x) * stride, (cell[1] + y) * stride
                    w, h = np.exp(cell[2]) * stride, np.exp(cell[3]) * stride
                    box = ((cx - w / 2 - left) / sx, (cy - h / 2 - top) / sy, (cx + w / 2 - left) / sx, (cy + h / 2 - top) / sy)
                    rows.append((*box, score, int(cell[5:].argmax())))
    return plain_nms(rows)


def plain_nanodet(session, image):
    canvas, sx, sy, left, top = plain_letterbox(image, 320, True, 0)
    canvas = (canvas - [103.53, 116.28, 123.675]) / [57.375, 57.12, 58.395]
    outputs = session.run(None, {"image": canvas.transpose(2, 0, 1)[None].astype(np.float32)})
    rows = []
    for stride in (8, 16, 32):
        wide = 320 // stride
        scores = next(one for one in outputs if one.shape == (wide * wide, 80))
        sides = next(one for one in outputs if one.shape == (wide * wide, 32))
        for at in np.flatnonzero(scores.max(axis=1) >= 0.1):
            x, y = (at % wide + 0.5) * stride, (at // wide + 0.5) * stride
            weights = np.exp(sides[at].reshape(4, 8).astype(float))
            distance = (weights / weights.sum(axis=1, keepdims=True) * np.arange(8)).sum(axis=1) * stride
            box = np.array([x - distance[0] - left, y - distance[1] - top, x + distance[2] - left, y + distance[3] - top]) / [
                sx,
                sy,
                sx,
                sy,
            ]
            rows.append((*box, scores[at].max(), int(scores[at].argmax())))
    return plain_nms(rows)


@pytest.mark.parametrize(("model", "plain"), [("yolox-nano-416", plain_yolox), ("nanodet-m-320", plain_nanodet)])
def test_our_reading_and_a_plain_reading_agree(model, plain, asset, pets, coco):
    import onnxruntime

    path = asset(f"models/{model}.onnx")
    detector = load_detector(path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    compared = 0
    for image, _ in [*pets[::12], *coco[:10]]:
        (ours,) = detector([image])
        theirs = plain(session, image)
        tall, wide = image.shape[:2]
        assert len(ours) == len(theirs)
        for box, score, label, row in zip(ours.boxes, ours.scores, ours.labels, theirs, strict=True):
            assert label == row[5]
            assert score == pytest.approx(row[4], abs=1e-4)
            assert box == pytest.approx(np.clip(row[:4], 0, [wide, tall, wide, tall]), abs=0.02)
            compared += 1
    assert compared > 45


def test_pictures_of_different_sizes_in_one_call_are_read_as_if_alone(asset, pets, coco):
    detector = load_detector(asset("models/yolox-nano-416.onnx"))
    pictures = [pets[0][0], coco[0][0], coco[1][0], pets[5][0]]
    together = detector(pictures)
    for picture, one in zip(pictures, together, strict=True):
        (alone,) = detector([picture])
        assert np.array_equal(one.boxes, alone.boxes)
        assert np.array_equal(one.scores, alone.scores)
    assert detector([]) == []


@pytest.mark.slow
def test_openvino_finds_the_same_people(asset, pets):
    pytest.importorskip("openvino", reason="the extra `openvino` is not installed")
    path = asset("models/yolox-nano-416.onnx")
    one = load_detector(path, classes=["person"], confidence=0.3)
    two = load_detector(path, classes=["person"], confidence=0.3, engine="openvino")
    same = total = 0
    for image, _ in pets[::3]:
        (a,), (b,) = one([image]), two([image])
        overlaps = iou_matrix(a.boxes, b.boxes)
        same += int((overlaps.max(axis=1, initial=0) > 0.8).sum()) + int((overlaps.max(axis=0, initial=0) > 0.8).sum())
        total += len(a) + len(b)
    assert same / total >= 0.97
