"""A camera learns by the night: nothing younger than a day, nothing flagged, and no model that is worse."""

from dataclasses import replace

import numpy as np
import pytest

from pahara.core import ModelError
from pahara.normality import Learner, Normality, Samples, Settings, together
from pahara.normality.attributes import DAY
from pahara.normality.drift import MANY, SETTLED, TRACKS
from pahara.normality.reservoir import as_long_as, chosen
from pahara.normality.trial import compare
from pahara.testing.actors import run, scenes

NOON = 1.7e9 // DAY * DAY + DAY / 2
QUICK = Settings(folds=2, ready={"motion": 40, "shape": 40, "dwell": 40, "interaction": 40}, without=("time", "place"))


def on_day(samples: Samples, day: int) -> Samples:
    """The same people under other names, on another day at noon."""
    begin = NOON + day * DAY
    return replace(samples, tracks=samples.tracks ^ np.int64(day << 40), times=samples.times - samples.times.min() + begin)


@pytest.fixture(scope="module")
def taught(crowd):
    """Three days of ordinary people, and the first model of them."""
    learner = Learner(QUICK)
    for day in range(3):
        learner.take(on_day(crowd.ordinary(), day), watched=240.0)
    return learner.to_bytes(), learner.night(None, NOON + 2 * DAY + 300).model


def again(taught):
    return Learner.from_bytes(taught[0])


def runner(crowd, day=0, number=1):
    return on_day(crowd.sampled({number: run((0.03, 0.7 + number / 100), (0.97, 0.7 + number / 100), 1, height=0.32)}, 6), day)


def test_the_first_model_is_made_of_all_there_is(taught):
    learner, model = again(taught), taught[1]
    assert model.ready
    assert learner.seen == 270
    assert learner.watched == pytest.approx(720)
    assert model.peaks.per_day == pytest.approx(270 * DAY / 720)


def test_what_was_seen_today_is_learned_tomorrow(crowd, taught):
    learner, model = again(taught), taught[1]
    today = NOON + 5 * DAY
    learner.take(on_day(crowd.ordinary(), 5), watched=240.0)
    assert learner.night(model, today + 3600).why == "nothing new"
    update = learner.night(model, today + DAY + 3600)
    assert update.why in ("nightly", "worse")
    made = update.model if update.taken else learner.fit()
    assert made.made > model.made or not update.taken


def test_what_was_flagged_is_not_remembered_unless_a_person_says_that_it_was_fine(crowd, taught):
    learner = again(taught)
    odd = runner(crowd)
    learner.take(odd, watched=6.0)
    learner.flag(odd.tracks)
    assert not np.isin(odd.tracks, learner.fit().known["motion"].memory.tracks).any()
    learner.verdict(odd.tracks, fine=True)
    memory = learner.fit().known["motion"].memory
    assert np.isin(odd.tracks, memory.tracks).all()
    assert memory.vouched[np.isin(memory.tracks, odd.tracks)].all()
    learner.verdict(odd.tracks, fine=False)
    known = learner.fit().known["motion"]
    assert not np.isin(odd.tracks, known.memory.tracks).any()
    assert known.tracks == 270  # what was real does not even tell how often odd things happen


def test_flagged_people_still_count_in_the_budget(crowd, taught):
    # If they did not, every night would lower the threshold, and every day would flag more.
    learner = again(taught)
    before = learner.fit()
    keys = np.unique(learner.samples.tracks)
    judged = before.judge(learner.samples)
    odd = [k for k in keys if np.nanmin(judged.fused[learner.samples.tracks == k]) < 0.02]
    learner.flag(odd)
    assert len(odd) >= 3
    assert learner.fit().threshold(2000.0) > 0.7 * before.threshold(2000.0)


def test_a_challenger_that_learned_nonsense_is_no_better(crowd, taught):
    rng, known = np.random.default_rng(0), crowd.ordinary()
    wild = known.with_feature("motion", rng.normal(0, 2, (len(known), 3))).with_feature("shape", np.exp(rng.normal(0, 1, (len(known), 2))))
    nonsense = Normality.fit(on_day(wild, 9), QUICK, watched=240.0)  # as if a detector had gone mad for a day
    held_out = crowd.sampled(crowd.walkers(40, 100.0, seed=3), 100.0, epoch=NOON + 3 * DAY)
    champion, challenger, better = compare(taught[1], nonsense, held_out)
    assert not better
    assert challenger.apart < champion.apart - 0.05
    assert champion.off < 3
    assert compare(nonsense, taught[1], held_out)[2]


def test_a_model_that_floods_its_owner_is_rolled_back(crowd, taught):
    learner, good = again(taught), taught[1]
    slow = crowd.ordinary()
    lame = Normality.fit(slow.with_feature("motion", slow.features["motion"] * 0.1), QUICK, watched=720.0, version=good.version + 1)
    bad = replace(lame, made=NOON + 3 * DAY)
    for day in (6, 7):
        learner.take(on_day(slow, day), watched=240.0)
    update = learner.night(bad, NOON + 8 * DAY, previous=good)
    assert update.why == "rollback"
    assert update.taken
    assert update.model.version == bad.version + 1
    assert update.model.known is good.known


def test_what_was_learned_survives_a_restart(taught, crowd):
    learner = again(taught)
    learner.flag([1, 2])
    learner.verdict([3], fine=True)
    twin = Learner.from_bytes(learner.to_bytes())
    assert twin.to_bytes() == learner.to_bytes()
    assert twin.fit().to_bytes() == learner.fit().to_bytes()


@pytest.mark.parametrize("data", [b"", b"hello", None])
def test_damaged_lessons_are_told_in_one_line(taught, data):
    with pytest.raises(ModelError) as told:
        Learner.from_bytes(taught[0][:-50] if data is None else data)
    assert "\n" not in str(told.value)


def test_scenes_are_learned_from_as_samples_are(crowd):
    learner = Learner(QUICK)
    for scene in scenes(crowd.walkers(5, 20.0), seconds=20, fps=10, epoch=NOON):
        learner.see(scene)
    assert learner.seen == 5
    assert learner.watched == pytest.approx(20, abs=0.2)
    times = learner.samples.times - NOON
    assert np.allclose(times * 2, np.round(times * 2))
    assert all(np.diff(np.sort(times[learner.samples.tracks == key])).min() >= 0.49 for key in np.unique(learner.samples.tracks))


def test_memory_is_bounded_and_what_was_fine_stays(crowd):
    keys = np.arange(1000, dtype=np.int64)
    rows = chosen(keys, np.full(1000, NOON), 100, keep=keys[:5])
    assert len(rows) == 100
    assert set(range(5)) <= set(rows.tolist())
    old_and_new = np.repeat([NOON - 56 * DAY, NOON], 500)
    kept = chosen(keys, old_and_new, 200, keep=keys[:0])
    assert (kept >= 500).sum() > 3 * (kept < 500).sum() > 0  # four half-lives ago


def test_the_reservoir_does_not_depend_on_how_often_it_was_looked_through():
    rng = np.random.default_rng(0)
    keys, times = rng.integers(-(2**62), 2**62, 400), NOON + np.sort(rng.uniform(0, 20 * DAY, 400))
    at_once = chosen(keys, times, 50, keep=keys[:0])
    first = chosen(keys[:200], times[:200], 50, keep=keys[:0])
    rest = np.concatenate([first, np.arange(200, 400)])
    assert set(keys[at_once]) == set(keys[rest[chosen(keys[rest], times[rest], 50, keep=keys[:0])]])


def test_a_long_stay_is_kept_in_blocks_that_evidence_can_be_gathered_from():
    tracks = np.append(np.zeros(5000, np.int64), np.ones(10, np.int64))
    rows = as_long_as(tracks, np.arange(5010) * 0.5, 480)
    assert 400 <= (rows < 5000).sum() <= 480
    assert (rows >= 5000).sum() == 10
    assert np.mean(np.diff(rows[rows < 5000]) == 1) > 0.9
    assert rows[0] == 0


def test_a_camera_that_was_turned_is_frozen_and_learned_anew(crowd, taught):
    learner, model = again(taught), taught[1]
    here = on_day(crowd.ordinary(), 4)
    assert not learner.judged(here, model.judge(here)).frozen
    turned = on_day(crowd.ordinary(), 9)
    turned = turned.with_feature("motion", turned.features["motion"] * 3).with_feature("shape", turned.features["shape"] * 3)
    state = learner.judged(turned, model.judge(turned))
    assert state.frozen
    assert state.why == "people"
    assert learner.night(model, NOON + 12 * DAY).why == "drift"
    assert not state.relearn
    later = replace(turned, times=turned.times + SETTLED)
    assert learner.judged(later, model.judge(later)).relearn
    learner.forget(before=float(turned.times.min()))
    assert not learner.drift.frozen
    assert len(learner.samples) == 0


def test_a_few_odd_people_are_no_drift(crowd, taught):
    learner, model = again(taught), taught[1]
    some = together([on_day(crowd.ordinary(), 4), *(runner(crowd, 4, number) for number in range(1, 6))])
    assert not learner.judged(some, model.judge(some)).frozen
    assert MANY < TRACKS


def test_the_picture_itself_can_tell_that_the_camera_moved(taught):
    learner = again(taught)
    assert not learner.looked(NOON, "other").frozen
    assert learner.looked(NOON + 11, "other").why == "view"
    assert not learner.looked(NOON + 20, "same").frozen
