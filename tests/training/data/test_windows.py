"""What actions are learnt from: the windows that a watcher would see, with what happened in them."""

from __future__ import annotations

import numpy as np
import pytest

from pahara.behaviours.learned import Window
from pahara.core import Event, Observation, Reason, Track
from pahara.core.errors import DataError
from pahara.simulate import Incident, Sighting, Truth
from pahara.store import Store
from pahara.training.data.windows import WindowSet, store_windows, track_windows, truth_tracks, truth_windows

WINDOW = Window(seconds=1.0, rate=10.0)


def walker(number=1, *, seconds=6.0, x=100.0, speed=40.0, begin=0.0):
    times = begin + np.arange(round(seconds * 10) + 1) / 10
    left = x + speed * (times - begin)
    boxes = np.stack([left, np.full_like(times, 50), left + 40, np.full_like(times, 150)], axis=1).astype(np.float32)
    return Track(number, "person", times, boxes)


def staged(incidents=(), visible=1.0):
    """Two people for six seconds, side by side."""
    tracks = [walker(1), walker(2, x=150.0)]
    frames = [
        (float(time), tuple(Sighting(t.id, "person", tuple(t.boxes[n].tolist()), visible) for t in tracks))
        for n, time in enumerate(tracks[0].times)
    ]
    return Truth("yard", 10, (640, 360), 6.0, 0.0, {}, {}, frames, tuple(incidents))


def test_windows_come_with_the_stride_and_see_nothing_later():
    made = track_windows([walker()], WINDOW, lambda begin, end, ids: int(end > 3), names=("before", "after"), group="yard", stride=0.5)
    assert made.inputs.shape[1:] == WINDOW.shape
    assert len(made) == pytest.approx(11, abs=1)
    assert made.labels.tolist() == sorted(made.labels.tolist())
    short = walker(seconds=3.0)
    again = track_windows([short], WINDOW, lambda *_: 0, names=("one",), stride=0.5)
    np.testing.assert_array_equal(again.inputs, made.inputs[: len(again)])


def test_a_training_window_is_what_the_watcher_sees():
    track = walker()
    made = track_windows([track], WINDOW, lambda *_: 0, names=("one",), stride=100.0)
    n = int(np.searchsorted(track.times, 0.7 - 1e-6)) + 1
    np.testing.assert_array_equal(made.inputs[0], WINDOW.take([Track(1, "person", track.times[:n], track.boxes[:n])]))


def test_an_action_that_fills_half_the_window_names_it_and_a_touched_one_is_left_out():
    fall = Incident("falling", 2.0, 4.0, (1,), (0, 0, 1, 1))
    made = truth_windows(staged([fall]), WINDOW, ("falling",), stride=0.25)
    assert made.names == ("nothing", "falling")
    counts = np.bincount(made.labels, minlength=2)
    assert counts[1] == pytest.approx(9, abs=1)  # windows of person 1 that end between 2.5 and 4.5 s
    assert counts[0] > counts[1]
    alone = truth_windows(staged([]), WINDOW, ("falling",), stride=0.25)
    assert len(made) < len(alone)  # those that only touch the fall are missing
    assert set(made.groups) == {"yard"}


def test_a_pair_is_two_who_stand_near_each_other():
    pair = Window(seconds=1.0, rate=10.0, people=2)
    fight = Incident("fighting", 1.0, 5.0, (1, 2), (0, 0, 1, 1))
    made = truth_windows(staged([fight]), pair, ("fighting",))
    assert made.inputs.shape[1:] == pair.shape
    assert set(made.labels.tolist()) >= {1}
    far = track_windows([walker(1), walker(2, x=900.0)], pair, lambda *_: 0, names=("one",))
    assert len(far) == 0


def test_what_nobody_could_see_is_not_learnt():
    assert truth_tracks(staged(visible=0.1)) == []
    assert len(truth_windows(staged(visible=0.1), WINDOW, ("falling",))) == 0


def test_splits_keep_a_scene_on_one_side():
    parts = [track_windows([walker()], WINDOW, lambda b, e, i: int(e > 3), names=("a", "b"), group=f"scene{n}") for n in range(8)]
    sets = WindowSet.join(parts).split(shares={"train": 0.75, "val": 0.25})
    assert not set(sets["train"].groups) & set(sets["val"].groups)
    assert sum(map(len, sets.values())) == sum(map(len, parts))
    with pytest.raises(DataError, match="no windows"):
        WindowSet.join([])


def test_the_store_gives_what_was_seen_with_what_people_said(tmp_path):
    track = walker()
    with Store.open(tmp_path / "store") as store:
        recording = store.begin_recording("gate", "x.mp4", (640, 360), begun=1.0)
        store.add_observations(
            recording,
            [
                Observation(float(time), np.array([1]), track.boxes[n : n + 1], ("person",), np.array([True]), np.array([0.9], np.float32))
                for n, time in enumerate(track.times)
            ],
        )
        plain = store_windows(store, WINDOW, stride=0.5, names=("nothing", "running"))
        assert set(plain.labels.tolist()) == {0}
        event = Event(
            "0" * 16,
            "gate",
            "running",
            "running",
            (1,),
            "ended",
            2.0,
            4.0,
            0.0,
            0.9,
            3.0,
            Reason("running.speed", 2.0, 1.0),
            (),
            (640, 360),
        )
        store.save_event(event, recording)
        unsaid = store_windows(store, WINDOW, stride=0.5, names=("nothing", "running"), labels={"running": "running"})
        assert -1 in unsaid.labels or len(unsaid) < len(plain)
        store.review(event.id, "real")
        said = store_windows(store, WINDOW, stride=0.5, names=("nothing", "running"), labels={"running": "running"})
        assert set(said.labels.tolist()) == {0, 1}
        store.review(event.id, "fine")
        fine = store_windows(store, WINDOW, stride=0.5, names=("nothing", "running"), labels={"running": "running"})
        assert set(fine.labels.tolist()) == {0}
        with pytest.raises(DataError, match="not among the names"):
            store_windows(store, WINDOW, labels={"running": "flying"})
    np.testing.assert_array_equal(plain.inputs.shape[1:], WINDOW.shape)
