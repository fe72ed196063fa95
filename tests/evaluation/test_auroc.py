"""Frame-level AUROC: ties, missing kinds, pooling, and no padding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pahara.evaluation import auroc, frame_auroc


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auroc_is_the_share_of_pairs_in_right_order(rows):
    scores, positive = [float(s) for s, _ in rows], [p for _, p in rows]
    pairs = [
        (a > b) + 0.5 * (a == b)
        for a, wanted in zip(scores, positive, strict=True)
        if wanted
        for b, other in zip(scores, positive, strict=True)
        if not other
    ]
    if pairs:
        assert auroc(scores, positive) == pytest.approx(np.mean(pairs))
    else:
        assert np.isnan(auroc(scores, positive))


def test_a_constant_score_tells_nothing():
    assert auroc([3.0] * 6, [True, False] * 3) == 0.5


def test_a_clip_without_normal_frames_counts_in_micro_only():
    clips = [([0.1, 0.9, 0.2], [False, True, False]), ([0.95, 0.05], [True, True])]
    result = frame_auroc(clips)
    assert (result.clips, result.judged, result.macro) == (2, 1, 1.0)
    assert result.micro == pytest.approx(auroc([0.1, 0.9, 0.2, 0.95, 0.05], [False, True, False, True, True]))
    assert result.micro < 1


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="not a number"):
        auroc([0.1, float("nan")], [True, False])


def test_scores_and_labels_must_be_equally_many():
    with pytest.raises(ValueError, match="as many"):
        auroc([0.1, 0.2], [True])
