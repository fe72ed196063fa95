"""The ledger of blind time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pahara.store import Store


def test_a_stretch_begins_open_and_is_closed_once_the_camera_sees_again(tmp_path):
    with Store.open(tmp_path) as store:
        stretch = store.blind.begin("gate", 100.0, "offline", "no route to host")
        assert store.blind.open("gate") == [stretch]
        assert stretch.seconds(now=130.0) == 30.0
        store.blind.end(stretch, 160.0)
        assert store.blind.open("gate") == []
    with Store.open(tmp_path) as store:
        (kept,) = store.blind.between(0, 1000)
        assert (kept.camera, kept.begin, kept.end, kept.why, kept.detail) == ("gate", 100.0, 160.0, "offline", "no route to host")


def test_a_clock_set_back_never_makes_a_stretch_end_before_it_began(tmp_path):
    with Store.open(tmp_path) as store:
        stretch = store.blind.begin("gate", 100.0, "stalled")
        store.blind.end(stretch, 40.0)
        assert store.blind.between(0, 1000)[0].seconds(now=1000.0) == 0.0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=6))
def test_blind_seconds_count_every_second_once_however_stretches_overlap(tmp_path_factory, stretches):
    with Store.open(tmp_path_factory.mktemp("store")) as store:
        for begin, length in stretches:
            store.blind.add("gate", begin, begin + length, "offline")
        dark = {second for begin, length in stretches for second in range(begin, begin + length) if 10 <= second < 50}
        assert store.blind.seconds(10, 50, "gate", now=100) == pytest.approx(len(dark))


def test_cameras_do_not_mix(tmp_path):
    with Store.open(tmp_path) as store:
        store.blind.add("gate", 0, 10, "off")
        assert store.blind.seconds(0, 20, "yard", now=20) == 0.0
        assert [each.camera for each in store.blind.between(0, 20, ["gate", "yard"])] == ["gate"]
