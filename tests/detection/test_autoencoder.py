"""The error of a picture, and how long it must be strange before it is an alarm."""

from __future__ import annotations

import numpy as np
import pytest

from pahara.behaviours import Anomaly
from pahara.core import ModelError
from pahara.detection.about import read_about, written
from pahara.detection.autoencoder import error_of, limit_of
from pahara.detection.pictures import prepare_pictures
from pahara.testing.actors import began, events_of, scenes


def strange(behaviour, seconds=40, fps=10, **spans):
    level = lambda time: next((value for (a, b), value in SPANS[spans["of"]].items() if a <= time < b), 0.4)  # noqa: E731
    return began(events_of(behaviour, scenes({}, seconds=seconds, fps=fps, signals={"autoencoder.unusual": level})))


SPANS = {"long": {(10, 20): 3.0}, "blink": {(10, 10.5): 30.0}, "little": {(10, 20): 0.9}}


@pytest.mark.parametrize("fps", [2, 10, 25])
def test_a_strange_picture_is_told_when_most_of_the_seconds_were_strange(fps):
    (event,) = strange(Anomaly(seconds=2), fps=fps, of="long")
    assert event.time == pytest.approx(11, abs=1 / fps + 0.21)
    assert event.reason.code == "anomaly.unusual"
    assert event.subject == ()


def test_one_odd_picture_is_no_alarm_and_neither_is_one_within_the_usual():
    assert strange(Anomaly(), of="blink") == []
    assert strange(Anomaly(), of="little") == []
    assert strange(Anomaly(limit=0.8), of="little") != []


def test_without_the_signal_nothing_is_strange():
    assert events_of(Anomaly(), scenes({}, seconds=10)) == []


def test_the_worst_patch_sees_what_the_mean_drowns():
    seen = np.zeros((2, 1, 64, 64), np.float32)
    seen[1, 0, 20:28, 40:48] = 1.0
    nothing = np.zeros_like(seen)
    assert error_of(seen, nothing)[1] == pytest.approx(64 / 4096)
    np.testing.assert_allclose(error_of(seen, nothing, patch=8), [0, 1], atol=1e-6)
    corner = np.zeros_like(seen)
    corner[0, 0, :8, :8] = corner[1, 0, -8:, -8:] = 1.0
    np.testing.assert_allclose(error_of(corner, nothing, patch=8), [1, 1], atol=1e-6)


def test_pictures_are_prepared_as_the_file_says():
    about = read_about(written({"kind": "anomaly", "input": [1, 4, 8], "preparation": {"fit": "stretch", "scale": 1 / 255}}))
    made = prepare_pictures([np.full((40, 80, 3), 51, np.uint8), np.zeros((9, 7, 3), np.uint8)], about)
    assert made.shape == (2, 1, 4, 8)
    np.testing.assert_allclose(made[0], 0.2, atol=1e-6)
    np.testing.assert_allclose(made[1], 0.0)


def test_a_file_without_a_limit_or_with_damaged_words_is_refused():
    with pytest.raises(ModelError, match="what error is usual"):
        limit_of(read_about(written({"kind": "anomaly", "input": [3, 8, 8]})))
    for told in ("{", "[]", '{"kind": "dog"}', '{"kind": "image", "version": 99}'):
        with pytest.raises(ModelError):
            read_about({"pahara": told})
    assert read_about({"names": "{0: 'a'}"}) is None
