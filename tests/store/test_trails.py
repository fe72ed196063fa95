"""Observations come back from a blob as they went in."""

from __future__ import annotations

import base64
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.conftest import Place, a_walk, same

from pahara.core import Observation, StoreError
from pahara.core.scene import NO_KEYPOINTS
from pahara.store import Store, trails
from pahara.tracking.memory import SceneMemory, on_grid

VERSION_1 = (  # four beats, written by the program of that version
    "UEhUAWECwrrZAAAAeJyLZWBgqFZKSk0sKVayMtFRKsovBzLMdZRKihKTs4FMIx2lnMSk1BwgM1qpILWoOD9PSUfpwbLpD5bte7Bs4YNlex4s26"
    "8Uq6NUnJmelwhWFh2rE62UkliUrRQbW8vIyMTExMjGwcjAwAiCzAwOQCt5gZiZgYFpgYCAAJAPEmqAUB4MDAeA1AYGMGAD6QKqg1CMYE0gDOIx"
    "MDIy/joDBGlpaYwgDgtETwODg529PQAmRS9Y"
)

numbers = st.floats(-5000, 5000, width=32)
names = st.text(max_size=8)


@st.composite
def walks(draw: st.DrawFn) -> list[Observation]:
    """Anything that `on_grid` can make: people come, go, change order, stand still; signals come and go."""
    time, made = draw(st.floats(0, 1e8)), []
    for _ in range(draw(st.integers(1, 12))):
        ids = draw(
            st.lists(st.integers(-(2**63), 2**63 - 1) if draw(st.integers(0, 9)) == 0 else st.integers(1, 9), unique=True, max_size=6)
        )
        n = len(ids)
        boxes = np.array(draw(st.lists(numbers, min_size=4 * n, max_size=4 * n)), np.float32).reshape(n, 4)
        labels = tuple(draw(st.lists(st.sampled_from(["person", "bag", "গাড়ি", ""]) | names, min_size=n, max_size=n)))
        seen = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), np.bool_)
        scores = np.array(draw(st.lists(st.floats(0, 1, width=32), min_size=n, max_size=n)), np.float32)
        signals = draw(st.dictionaries(names, st.floats(width=32), max_size=3))
        joints = NO_KEYPOINTS
        if points := draw(st.sampled_from([0, 0, 0, 5, 17, 17])):
            some = draw(st.integers(0, 2**32 - 1))  # hypothesis is slow at drawing hundreds of numbers
            luck = np.random.default_rng(some)
            joints = luck.uniform([-900, -900, -0.3], [900, 900, 1.0], (n, points, 3)).astype(np.float32)
            joints[luck.random(n) < 0.5] = 0
        made.append(on_grid(Observation(time, np.array(ids, np.int64), boxes, labels, seen, scores, signals, joints)))
        time = max(made[-1].time, time) + draw(st.floats(1e-5, 1000))
    return made


@given(walks())
@settings(max_examples=200, deadline=None)
def test_what_on_grid_made_comes_back_exactly(walk):
    back = trails.decode(trails.encode(walk))
    assert len(back) == len(walk)
    assert all(same(a, b) for a, b in zip(walk, back, strict=True))


@given(walks(), st.integers(0, 2**30), st.integers(1, 255))
@settings(max_examples=120, deadline=None)
def test_a_damaged_blob_is_told_and_never_believed(walk, at, change):
    blob = bytearray(trails.encode(walk))
    blob[at % len(blob)] ^= change
    with pytest.raises(StoreError, match=r"damaged|newer"):
        trails.decode(bytes(blob))


@given(st.binary(max_size=200))
def test_any_bytes_are_told_as_damaged(blob):
    with pytest.raises(StoreError, match="damaged"):
        trails.decode(blob)


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1))
@settings(max_examples=300)
def test_a_forged_body_with_a_right_checksum_is_told_as_damaged(body, length):
    packed = length.to_bytes(4, "little") + zlib.compress(body)
    blob = b"PHT\x01" + zlib.crc32(packed).to_bytes(4, "little") + packed
    with pytest.raises(StoreError, match="damaged"):
        trails.decode(blob)


@pytest.mark.parametrize("keep", [0, 3, 8, 11, 12, 40, -1])
def test_a_blob_cut_short_is_told(keep):
    with pytest.raises(StoreError, match="damaged"):
        trails.decode(trails.encode(a_walk())[:keep])


def test_a_blob_of_a_newer_program_says_so():
    blob = bytearray(trails.encode(a_walk()))
    blob[3] = 3
    with pytest.raises(StoreError, match="newer Pahara"):
        trails.decode(bytes(blob))


def test_what_version_1_wrote_is_still_read():
    blob = base64.b64decode(VERSION_1)
    assert blob[3] == 1
    walk = trails.decode(blob)
    assert [o.ids.tolist() for o in walk] == [[3], [3, 7], [3, 7], [3, 7]]
    assert [o.boxes[0, 0] for o in walk] == [10, 11, 12, 13]
    assert walk[2].seen.tolist() == [True, False]
    assert [dict(o.signals) for o in walk] == [{}, {"dark": 0.25}, {"dark": 0.5}, {"dark": 0.75}]
    assert all(o.keypoints.shape == (0, 0, 3) for o in walk)


def test_what_is_not_on_the_grid_is_kept_exactly_too():
    walk = [replace(o, time=o.time + 1e-9, boxes=o.boxes + np.float32(0.013), signals={"x": 0.1}) for o in a_walk(20)]
    walk[3] = replace(walk[3], boxes=np.full((3, 4), np.nan, np.float32))
    walk[5] = replace(walk[5], keypoints=np.full((3, 17, 3), 0.013, np.float32))
    walk[6] = replace(walk[6], keypoints=np.full((3, 17, 3), np.nan, np.float32))
    assert all(same(a, b) for a, b in zip(walk, trails.decode(trails.encode(walk)), strict=True))


def test_time_that_stands_still_is_refused():
    beat = a_walk(1)[0]
    with pytest.raises(ValueError, match="times that increase"):
        trails.encode([beat, beat])


def test_a_person_costs_less_than_six_bytes_a_beat():
    walk = [replace(o, signals={}) for o in a_walk(beats=100, people=4)]  # pure jitter: real trails are steadier
    assert len(trails.encode(walk)) / 400 < 6
    still = [replace(o, boxes=walk[0].boxes, scores=walk[0].scores, seen=walk[0].seen) for o in walk]
    assert len(trails.encode(still)) / 400 < 1


def test_who_is_not_looked_at_costs_no_joints_and_who_is_little():
    """Against 17 joints of three floats: 204 bytes."""
    walk = a_walk(beats=100, people=4)
    plain = len(trails.encode(walk))
    nobody = [replace(o, keypoints=np.zeros((4, 17, 3), np.float32)) for o in walk]
    assert len(trails.encode(nobody)) < plain + 40
    luck = np.random.default_rng(1)
    pose = luck.uniform(0, 1, (4, 17, 2))
    looked = []
    for beat, o in enumerate(walk):
        joints = np.zeros((4, 17, 3), np.float32)
        one = beat % 4  # ten looks a second shared by four
        size = o.boxes[one, 2:] - o.boxes[one, :2]
        joints[one, :, :2] = o.boxes[one, :2] + size * pose[one] + luck.normal(0, 0.015 * size[1], (17, 2))
        joints[one, :, 2] = luck.uniform(0.4, 0.9, 17)
        looked.append(on_grid(replace(o, keypoints=joints)))
    assert (len(trails.encode(looked)) - plain) / 100 < 75


def test_scenes_made_from_stored_observations_are_the_scenes_of_the_night(place: Place):
    walk = a_walk(beats=450, people=3, begin=5.0)
    with place.open() as store:
        recording = store.begin_recording("gate", "gate.mp4", (768, 432), memory=20.0)
        for first in range(0, 450, 100):
            store.add_observations(recording, walk[first : first + 100])
    with place.open() as store:
        again = store.recording(recording.id)
        lived = SceneMemory(again.camera, again.size, seconds=again.memory)
        replayed = SceneMemory(again.camera, again.size, seconds=again.memory)
        kept = list(store.observations(again))
        assert len(kept) == 450
        for before, after in zip(walk, kept, strict=True):
            a, b = lived.step(before), replayed.step(after)
            assert a.time == b.time
            assert [t.id for t in a.tracks] == [t.id for t in b.tracks]
            for one, other in zip(a.tracks, b.tracks, strict=True):
                assert np.array_equal(one.times, other.times)
                assert np.array_equal(one.boxes, other.boxes)
            assert all(np.array_equal(a.signals[name].values, b.signals[name].values) for name in ("dark", "blur"))


def test_a_part_of_the_night_is_read_without_the_rest(store: Store):
    recording = store.begin_recording("gate", "gate.mp4", (768, 432))
    walk = a_walk(beats=300)
    for first in range(0, 300, 100):
        store.add_observations(recording, walk[first : first + 100])
    assert [o.time for o in store.observations(recording, since=9.5, until=20.1)] == [o.time for o in walk if 9.5 <= o.time < 20.1]
    assert store.span(recording) == (walk[0].time, walk[-1].time)
    assert list(store.observations(recording, since=30.0)) == []
    other = store.begin_recording("yard", "yard.mp4", (768, 432))
    assert list(store.observations(other)) == []
    assert store.span(other) is None


def test_the_same_stretch_twice_is_kept_once(store: Store):
    recording = store.begin_recording("gate", "gate.mp4", (768, 432))
    walk = a_walk()
    store.add_observations(recording, walk[:50])
    store.add_observations(recording, walk)
    store.add_observations(recording, [])
    assert [o.time for o in store.observations(recording)] == [o.time for o in walk]


def test_trails_of_no_recording_are_refused(store: Store):
    with pytest.raises(StoreError):
        store.add_observations(77, a_walk())


def test_a_stretch_that_rotted_on_the_disk_is_named(store: Store):
    from sqlalchemy import update

    from pahara.store.tables import trails as table

    recording = store.begin_recording("gate", "gate.mp4", (768, 432))
    store.add_observations(recording, a_walk())
    with store.database.writing() as connection:
        connection.execute(update(table).values(blob=b"PHT\x01 something else"))
    with pytest.raises(StoreError, match=r"trails of recording \d+ from 0.0 s to 9.9 s are damaged"):
        list(store.observations(recording))
