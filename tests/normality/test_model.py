"""A model of one camera: what it judges, how it is kept, and that it owes nothing to chance or order."""

import numpy as np
import pytest

from pahara.core import ModelError
from pahara.normality import Normality, Settings, fuse, together
from pahara.testing.actors import run, stand


def test_ordinary_people_are_rarely_rare(crowd):
    judged = crowd.model().judge(crowd.ordinary())
    told = judged.fused[np.isfinite(judged.fused)]
    assert (told <= 0.05).mean() < 0.08
    assert (told <= 0.01).mean() < 0.02


def test_a_runner_is_rare_for_the_speed_and_a_loiterer_for_the_stay(crowd):
    odd = crowd.sampled({7: run((0.03, 0.8), (0.97, 0.8), 1, height=0.32), 8: stand((0.5, 0.8), 0, 50, height=0.32)}, 50, epoch=1.8e9)
    judged = crowd.model().judge(odd)
    fast = np.hypot(*odd.features["motion"][:, :2].T) > 0.3
    assert np.nanmax(judged.fused[fast]) < 0.02
    assert {judged.names[w] for w in judged.winner[fast]} == {"motion"}
    late = odd.times > 1.8e9 + 40
    assert np.nanmax(judged.fused[late]) < 0.05
    assert {judged.names[w] for w in judged.winner[late]} <= {"dwell", "motion"}


def test_each_row_is_judged_on_its_own(crowd):
    samples, rng = crowd.ordinary()[::7], np.random.default_rng(0)
    order = rng.permutation(len(samples))
    whole = crowd.model().judge(samples)
    shuffled = crowd.model().judge(samples[order])
    assert np.array_equal(shuffled.p, whole.p[order], equal_nan=True)
    assert np.array_equal(shuffled.winner, whole.winner[order])
    alone = [crowd.model().judge(samples[i : i + 1]).fused[0] for i in range(0, len(samples), 25)]
    assert np.array_equal(alone, whole.fused[::25], equal_nan=True)


def test_the_order_of_what_it_learned_from_changes_nothing(crowd):
    samples = crowd.ordinary()[::3]
    order = np.random.default_rng(1).permutation(len(samples))
    assert Normality.fit(samples, crowd.EASY).to_bytes() == Normality.fit(samples[order], crowd.EASY).to_bytes()


def test_a_model_comes_back_from_its_file_as_it_was(crowd, tmp_path):
    path = tmp_path / "sub" / "gate.normality"
    crowd.model().save(path)
    again = Normality.load(path)
    assert again.to_bytes() == path.read_bytes()
    a, b = crowd.model().judge(crowd.ordinary()), again.judge(crowd.ordinary())
    assert np.array_equal(a.p, b.p, equal_nan=True)
    assert again.threshold(3.0) == crowd.model().threshold(3.0)
    assert path.stat().st_size < 2_000_000


@pytest.mark.parametrize("harm", ["cut", "flip", "text", "empty", "missing"])
def test_a_damaged_file_is_told_in_one_line(crowd, tmp_path, harm):
    path = tmp_path / "gate.normality"
    data = bytearray(crowd.model().to_bytes())
    if harm == "flip":
        for place in range(100, len(data), 997):
            data[place] ^= 0xFF
    if harm != "missing":
        path.write_bytes({"cut": bytes(data[: len(data) // 2]), "flip": bytes(data), "text": b"hello", "empty": b""}[harm])
    with pytest.raises(ModelError) as told:
        Normality.load(path)
    assert "\n" not in str(told.value)
    assert "gate.normality" in str(told.value)


def test_until_enough_tracks_were_seen_nothing_is_judged(crowd):
    few = Normality.fit(crowd.ordinary(), Settings())  # ninety tracks of two hundred
    assert not few.ready
    assert few.names == ()
    assert np.isnan(few.judge(crowd.ordinary()).fused).all()
    assert {each.name: (each.tracks, each.needed) for each in few.readiness()}["motion"] == (90, 200)


def test_the_smallest_p_counts_as_often_as_was_asked():
    judged = fuse(("a", "b", "c"), np.array([[0.01, 0.5, np.nan], [np.nan] * 3, [0.9, 0.8, 0.7]]))
    assert judged.fused == pytest.approx([0.02, np.nan, 1.0], nan_ok=True)
    assert judged.winner.tolist() == [0, -1, 2]


def test_a_larger_budget_takes_less_evidence(crowd):
    levels = [crowd.model().threshold(budget) for budget in (0.1, 1, 3, 10, 100, 1000)]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] > levels[-1]
    with pytest.raises(ValueError, match="budget"):
        crowd.model().threshold(0)


def test_the_explanation_shows_what_was_measured_and_what_is_usual(crowd):
    odd = crowd.sampled({7: run((0.03, 0.8), (0.97, 0.8), 1, height=0.32)}, 8, epoch=1.8e9)
    rarest = int(np.nanargmin(crowd.model().judge(odd).fused))
    told = crowd.model().explain(odd[rarest : rarest + 1])
    assert told.attribute == "motion"
    assert told.quantity == "speed"
    assert told.observed.observed > 2 > told.observed.high > told.observed.low
    assert 20 < told.one_in <= 10 * crowd.model().people
    assert len({each.track for each in told.exemplars}) == 3
    assert [each.distance for each in told.exemplars] == sorted(each.distance for each in told.exemplars)
    assert {each.track for each in told.exemplars} <= set(crowd.ordinary().tracks.tolist())


def test_three_incidents_in_the_memory_do_not_make_incidents_normal(crowd):
    # One runner after the other was learned as normal: each is a dense cluster of moments, but only one track.
    planted = [
        crowd.sampled({i: run((0.03, 0.7 + 0.05 * i), (0.97, 0.7 + 0.05 * i), 1, height=0.3)}, 6, epoch=1.75e9 + i * 1e4) for i in (1, 2, 3)
    ]
    naive = Normality.fit(together([crowd.ordinary(), *planted]), crowd.EASY)
    odd = crowd.sampled({9: run((0.03, 0.8), (0.97, 0.8), 1, height=0.32)}, 8, epoch=1.8e9)
    fast = np.hypot(*odd.features["motion"][:, :2].T) > 0.3
    assert np.nanmax(naive.judge(odd).fused[fast]) < 0.1


def test_what_a_person_vouched_for_is_odd_no_more(crowd):
    fine = crowd.sampled({1: run((0.03, 0.8), (0.97, 0.8), 1, height=0.32)}, 8, epoch=1.75e9)
    both = together([crowd.ordinary(), fine])
    vouched = np.isin(both.tracks, fine.tracks)
    again = crowd.sampled({9: run((0.03, 0.82), (0.97, 0.82), 1, height=0.32)}, 8, epoch=1.8e9)
    fast = np.hypot(*again.features["motion"][:, :2].T) > 0.3
    before, after = Normality.fit(both, crowd.EASY).judge(again), Normality.fit(both, crowd.EASY, vouched=vouched).judge(again)
    motion = before.names.index("motion")
    assert np.median(before.p[fast, motion]) < 0.03
    assert np.median(after.p[fast, motion]) > 0.2


def test_what_is_not_trusted_is_not_remembered(crowd):
    odd = crowd.sampled({1: run((0.03, 0.8), (0.97, 0.8), 1, height=0.32)}, 8, epoch=1.75e9)
    both = together([crowd.ordinary(), odd])
    made = Normality.fit(both, crowd.EASY, trusted=~np.isin(both.tracks, odd.tracks))
    assert not np.isin(odd.tracks, made.known["motion"].memory.tracks).any()
    assert made.known["motion"].tracks == len(np.unique(both.tracks))  # but it tells how often odd things happen
