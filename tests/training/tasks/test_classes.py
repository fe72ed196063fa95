"""Figures of classifiers against numbers that can be checked by hand, and against scikit-learn's own."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pahara.core import DataError
from pahara.training.tasks.classes import calibration, classified, quick_figures
from pahara.training.tasks.classify import class_weights, need_classes, same_classes

NAMES = ("cat", "dog", "cow")


def some(n=200, seed=0):
    """Probabilities that know a little, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    scores = rng.normal(0, 1, (n, 3)) + 1.2 * np.eye(3)[truth]
    grown = np.exp(scores)
    return grown / grown.sum(1, keepdims=True), truth


def test_every_figure_agrees_with_scikit_learn_and_with_counting():
    p, truth = some()
    told = classified(p, truth, NAMES)
    assert told.accuracy == pytest.approx((p.argmax(1) == truth).mean())
    assert told.confusion.sum() == len(truth)
    assert np.trace(told.confusion) == (p.argmax(1) == truth).sum()
    for k, one in enumerate(told.classes):
        assert one.auroc == pytest.approx(roc_auc_score(truth == k, p[:, k]))
        assert one.count == (truth == k).sum()
        assert len(one.pr.limits) == len(one.pr.x) - 1


def test_a_class_that_nobody_has_seen_gives_no_figure_and_no_crash():
    told = classified(np.array([[0.9, 0.05, 0.05], [0.2, 0.7, 0.1]]), [0, 1], NAMES)
    assert np.isnan(told.classes[2].auroc)
    assert told.macro_f1 == 1.0, "the mean is over the classes that there are"


def test_perfectly_calibrated_answers_have_no_error_and_bragging_has():
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1, 40_000)
    honest = calibration(sure, rng.random(40_000) < sure)
    assert honest.ece < 0.01
    assert calibration(np.ones(100), [True] * 60 + [False] * 40).ece == pytest.approx(0.4)
    assert honest.counts.sum() == 40_000


def test_macro_f1_sees_the_rare_class_that_accuracy_overlooks():
    always_first = np.tile([0.9, 0.1], (100, 1))
    figures = quick_figures(always_first, [0] * 95 + [1] * 5)
    assert figures["accuracy"] == 0.95
    assert figures["macro_f1"] < 0.5


def test_rare_classes_weigh_more_only_where_they_are_rare():
    assert class_weights([0] * 10 + [1] * 9, 2, None) == ()
    weights = class_weights([0] * 90 + [1] * 10, 2, None)
    assert weights[1] == pytest.approx(9 * weights[0])
    assert class_weights([0] * 90 + [1] * 10, 2, balance=False) == ()


def test_what_cannot_be_told_apart_is_said_in_one_line():
    with pytest.raises(DataError, match="one class only"):
        need_classes(("cat",), [0, 0], [0], "pets")
    with pytest.raises(DataError, match="nothing of the class 'dog'"):
        need_classes(("cat", "dog"), [0, 0], [0], "pets")
    with pytest.raises(DataError, match="'cow', which the weights was not taught"):
        same_classes(("cat", "dog"), ("cat", "cow"), "the weights", "farm")
