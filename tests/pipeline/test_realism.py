"""Staged people are called easier, harder or alike by what the detector says of both, at the same size."""

from __future__ import annotations

import numpy as np

from pahara.core import Observation
from pahara.pipeline.realism import Followed, Sizes, realism_gap


def people(n: int, mean: float, height: float, seed: int, beats: int = 30, found: float = 1.0) -> Sizes:
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(n), beats)
    own = np.repeat(rng.normal(0, 0.05, n), beats)
    confidence = np.clip(mean + own + rng.normal(0, 0.08, n * beats), 0.1, 1.0) * (rng.random(n * beats) < found)
    return Sizes(who, height * rng.uniform(0.95, 1.05, n * beats), confidence)


def test_the_same_people_are_close() -> None:
    gap = realism_gap(people(40, 0.7, 80, 1), people(40, 0.7, 80, 2))
    assert gap.verdict == "close"
    assert abs(gap.confidence) < 0.04
    assert gap.low < gap.confidence < gap.high


def test_surer_of_staged_people_is_easier_and_less_sure_harder() -> None:
    assert realism_gap(people(30, 0.6, 80, 1), people(30, 0.8, 80, 2)).verdict == "easier"
    assert realism_gap(people(30, 0.8, 80, 1), people(30, 0.8, 80, 2, found=0.7)).verdict == "harder"


def test_other_sizes_are_not_compared() -> None:
    """Small people are hard to find whoever drew them: only the same size tells."""
    real = Sizes.join([people(30, 0.8, 160, 1), people(30, 0.4, 40, 2)])
    staged = people(30, 0.4, 40, 3)
    gap = realism_gap(real, staged)
    assert abs(gap.confidence) < 0.05
    assert gap.heights[1] < 100
    assert realism_gap(people(30, 0.8, 160, 1), staged).verdict == "unknown"


def test_two_people_are_too_few_to_say() -> None:
    assert realism_gap(people(2, 0.5, 80, 5), people(2, 0.75, 80, 11)).verdict in ("unknown", "easier")
    wide = realism_gap(people(3, 0.6, 80, 1, beats=40), Sizes(np.repeat([0, 1], 40), np.full(80, 80.0), np.repeat([0.2, 0.95], 40)))
    assert wide.verdict == "unknown"
    assert realism_gap(Sizes.join([]), people(3, 0.5, 80, 1)).verdict == "unknown"


def test_what_a_tracker_followed_counts_from_first_to_last_sighting() -> None:
    followed = Followed()
    for k in range(40):
        seen = 5 <= k < 35 and k % 3 != 0
        box = np.array([[100.0, 50.0, 140.0, 150.0]], np.float32)
        followed.add(Observation(k / 10, np.array([7]), box, ("person",), np.array([seen]), np.array([0.6 if seen else 0.0], np.float32)))
    sizes = followed.sizes((320, 240))
    assert set(sizes.who.tolist()) == {7}
    assert len(sizes) == 30
    assert 0.6 < (sizes.confidence > 0).mean() < 0.7
    assert len(followed.sizes((141, 240))) == 0  # cut by the border
    assert len(followed.sizes((320, 240), only=[8])) == 0
