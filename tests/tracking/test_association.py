"""Pairs of tracks and detections: as much similarity as possible, none below the floor."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pahara.core.boxes import iou_matrix
from pahara.tracking.association import assign, overlaps


@given(arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.floats(0, 1)), st.floats(0, 0.9))
def test_no_other_pairing_is_worth_more(similarity, floor):
    rows, columns = assign(similarity, floor)
    assert len(set(rows.tolist())) == len(set(columns.tolist())) == len(rows)
    assert (similarity[rows, columns] > floor).all()
    n, m = similarity.shape
    wide = similarity if n <= m else similarity.T
    best = max(sum(max(wide[i, j] - floor, 0) for i, j in enumerate(order)) for order in permutations(range(wide.shape[1]), len(wide)))
    assert (similarity[rows, columns] - floor).sum() == pytest.approx(best)


def test_nothing_to_pair_gives_no_pairs():
    for shape in ((0, 3), (3, 0), (0, 0)):
        rows, columns = assign(np.zeros(shape), 0.2)
        assert len(rows) == len(columns) == 0


def test_a_weak_pair_is_not_bought_with_a_strong_one():
    # Two pairs of 0.5 sum to more than one of 0.9, but lie less above the floor.
    rows, columns = assign(np.array([[0.9, 0.5], [0.5, 0.0]]), 0.4)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 0)]


def boxes(rng: np.random.Generator, n: int) -> np.ndarray:
    corner = rng.uniform(0, 100, (n, 2))
    return np.concatenate([corner, corner + rng.uniform(1, 60, (n, 2))], axis=1)


@given(st.integers(0, 10**6))
def test_overlap_is_iou_and_growing_is_done_on_both_boxes(seed):
    rng = np.random.default_rng(seed)
    a, b, grow = boxes(rng, 4), boxes(rng, 6), rng.uniform(0, 20, (4, 2))
    plain, grown = overlaps(a, b, grow)
    assert np.allclose(plain, iou_matrix(a, b))
    for row in range(4):
        wider = np.concatenate([-grow[row], grow[row]])
        assert np.allclose(grown[row], iou_matrix((a[row] + wider)[None], b + wider)[0])
