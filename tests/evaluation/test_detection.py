"""Average precision agrees with COCO's own evaluation and with areas counted by hand."""

from __future__ import annotations

import warnings

import faster_coco_eval
import numpy as np
import pytest

from pahara.evaluation import Annotations, evaluate_detection


def random_set(seed: int, *, pictures: int = 12, classes: int = 3, crowds: bool = True) -> tuple[Annotations, Annotations]:
    """True boxes, and a detector that is off, blind or imaginative now and then."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for picture in range(pictures):
        for _ in range(rng.integers(0, 9)):
            corner, side, kind = rng.uniform(0, 300, 2), rng.uniform(10, 120, 2), rng.integers(classes)
            truth.append((picture, *corner, *(corner + side), kind, crowds and rng.random() < 0.15))
            for _ in range(rng.choice([0, 1, 1, 1, 2])):
                moved = np.concatenate([corner, corner + side]) + rng.normal(0, 0.08, 4) * np.tile(side, 2)
                if (moved[2:] > moved[:2]).all():
                    label = kind if rng.random() < 0.9 else rng.integers(classes)
                    found.append((picture, *moved, label, round(rng.beta(4, 2), 2)))
        for _ in range(rng.integers(0, 4)):
            corner, side = rng.uniform(0, 300, 2), rng.uniform(10, 120, 2)
            found.append((picture, *corner, *(corner + side), rng.integers(classes), round(rng.beta(2, 4), 2)))
    names = tuple("abcdef"[:classes])
    return (
        Annotations.of([r[0] for r in truth], [r[1:5] for r in truth], labels=[r[5] for r in truth], ignore=[r[6] for r in truth], names=names),
        Annotations.of([r[0] for r in found], [r[1:5] for r in found], labels=[r[5] for r in found], scores=[r[6] for r in found], names=names),
    )  # fmt: skip


def coco_says(truth: Annotations, found: Annotations) -> np.ndarray:
    """mAP@0.5:0.95, mAP@0.5, mAP@0.75 of the reference implementation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = faster_coco_eval.COCO()
        reference.dataset = {
            "info": {},
            "images": [{"id": int(f) + 1, "width": 500, "height": 500} for f in range(int(max(truth.frames.max(), found.frames.max())) + 1)],
            "categories": [{"id": i + 1, "name": name} for i, name in enumerate(truth.names)],
            "annotations": [
                {
                    "id": row + 1, "image_id": int(truth.frames[row]) + 1, "category_id": int(truth.labels[row]) + 1,
                    "bbox": [*b[:2], b[2] - b[0], b[3] - b[1]], "area": (b[2] - b[0]) * (b[3] - b[1]), "iscrowd": int(truth.ignore[row]),
                }
                for row, b in enumerate(truth.boxes.tolist())
            ],
        }  # fmt: skip
        reference.createIndex()
        results = reference.loadRes(
            [
                {
                    "image_id": int(found.frames[row]) + 1, "category_id": int(found.labels[row]) + 1,
                    "bbox": [*b[:2], b[2] - b[0], b[3] - b[1]], "score": float(found.scores[row]),
                }
                for row, b in enumerate(found.boxes.tolist())
            ]
        )  # fmt: skip
        judge = faster_coco_eval.COCOeval_faster(reference, results, "bbox", print_function=lambda *_: None)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
        return np.asarray(judge.stats[:3])


@pytest.mark.parametrize("crowds", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_map_is_that_of_coco(seed, crowds):
    truth, found = random_set(seed, crowds=crowds)
    ours = evaluate_detection(truth, found)
    assert [ours.map, ours.map50, ours.map75] == pytest.approx(coco_says(truth, found).tolist(), abs=1e-6)


def test_a_perfect_detector_scores_one():
    truth, _ = random_set(1, crowds=False)
    report = evaluate_detection(truth, truth)
    assert report.map == pytest.approx(1)
    assert all(score.best_f1 == pytest.approx(1) for score in report.classes.values())


def test_classes_are_compared_by_name_whatever_their_numbers():
    truth = Annotations.of([0], [[0, 0, 10, 10]], labels=[0], names=("person", "car"))
    found = Annotations.of([0], [[0, 0, 10, 10]], labels=[2], names=("bicycle", "car", "person"))
    assert evaluate_detection(truth, found).classes["person"].ap == pytest.approx(1)


def test_the_second_box_on_one_person_is_a_false_one():
    truth = Annotations.of([0, 1], [[0, 0, 10, 10]] * 2)
    found = Annotations.of([0, 0, 1], [[0, 0, 10, 10], [0, 0, 10, 10.5], [0, 0, 10, 10]], scores=[0.9, 0.8, 0.7])
    assert evaluate_detection(truth, found).map50 == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_a_class_that_is_only_invented_does_not_enter_the_mean_but_is_listed():
    truth = Annotations.of([0], [[0, 0, 10, 10]], names=("person", "car"))
    found = Annotations.of([0, 0], [[0, 0, 10, 10]] * 2, labels=[0, 1], names=("person", "car"))
    report = evaluate_detection(truth, found)
    assert report.map == pytest.approx(1)
    assert report.classes["car"].truths == 0
    assert report.classes["car"].found == 1


def test_the_best_score_limit_leaves_the_false_boxes_out():
    truth = Annotations.of([0, 1], [[0, 0, 10, 10]] * 2)
    found = Annotations.of([0, 1, 1], [[0, 0, 10, 10], [0, 0, 10, 10], [90, 90, 99, 99]], scores=[0.9, 0.6, 0.3])
    score = evaluate_detection(truth, found).classes["person"]
    assert (score.best_f1, score.best_score) == (1.0, 0.6)


def test_without_truth_the_mean_is_not_a_number():
    nothing = Annotations.of([], [])
    assert np.isnan(evaluate_detection(nothing, nothing).map)
