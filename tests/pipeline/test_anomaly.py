"""Learned suspicion measured on clips: a runner among walkers is found, by what was known at each moment, and judged by the labels."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from pahara.core import Observation, PaharaError
from pahara.detection.motion import MotionDetector
from pahara.evaluation import Spans, TruthError, read_spans
from pahara.pipeline.anomaly import Clip, clips_in, compare, read_clip, read_data
from pahara.pipeline.anomaly_plot import draw_scores

SIZE = (640, 360)


def walkers(name: str, seed: int, *, runner: tuple[float, float] | None = None, seconds: float = 12.0) -> Clip:
    """Five people cross at a walk; a runner between the two moments, when there is one."""
    rng = np.random.default_rng(seed)
    times = np.arange(0, seconds, 0.1)
    ways = [(float(rng.uniform(-300, 300)), float(rng.uniform(40, 64)), float(rng.uniform(180, 340)), 0.0, seconds) for _ in range(5)]
    if runner:
        ways.append((0.0, 300.0, 260.0, *runner))
    seen = []
    for time in times.tolist():
        rows = []
        for number, (start, speed, foot, begin, end) in enumerate(ways):
            x = start + speed * (time - begin) + rng.normal(0, 0.6)
            if begin <= time <= end and 0 < x < SIZE[0] - 30:
                tall = foot * 0.28
                rows.append((number + 1, [x, foot - tall, x + 0.4 * tall, foot]))
        n = len(rows)
        seen.append(
            Observation(
                round(time, 6),
                np.array([i for i, _ in rows], np.int64),
                np.array([b for _, b in rows], np.float32).reshape(-1, 4),
                ("person",) * n,
                np.ones(n, bool),
                np.ones(n, np.float32),
                {},
            )
        )
    return Clip(name, SIZE, times, tuple(seen))


@pytest.fixture(scope="module")
def found():
    normal = [walkers(f"n{seed}", seed) for seed in range(8)]
    asked = [walkers("a", 100, runner=(4.0, 6.0)), walkers("b", 101, runner=(7.0, 9.0))]
    spans = {"a": Spans(False, ((4.0, 6.0),)), "b": Spans(True, ((71, 91),))}
    return compare(normal, asked, spans, sigma=5)


def test_a_runner_among_walkers_stands_out(found):
    assert found.table["unusual"].micro > 0.8
    assert found.table["unusual"].micro > found.table["null_bump"].micro
    assert abs(found.table["null_random"].micro - 0.5) < 0.2


def test_every_column_knows_only_the_past():
    normal = [walkers(f"n{seed}", seed) for seed in range(6)]
    whole = walkers("a", 100, runner=(4.0, 6.0))
    half = replace(whole, times=whole.times[:70], seen=whole.seen[:70])
    spans = {"a": Spans(False, ((4.0, 6.0),))}
    one, two = (compare(normal, [clip], spans, sigma=5).clips[0] for clip in (whole, half))
    for name in one.columns:
        assert one.columns[name][:70] == pytest.approx(two.columns[name])


def test_thresholds_come_from_normal_clips_and_say_what_they_cannot_tell(found):
    assert [row.name for row in found.budgets] == ["1/h", "1/day", "1/week"]
    assert not any(row.reachable for row in found.budgets)
    assert all(row.report.incidents == 2 for row in found.budgets)
    assert all(row.realised_at_most > 3 / row.report.hours * 0.99 for row in found.budgets)


def test_a_clip_without_labels_is_named():
    with pytest.raises(PaharaError, match="nothing of the clip a"):
        compare([walkers("n", 0)], [walkers("a", 1)], {}, sigma=5)


def test_too_little_to_learn_from_is_said():
    with pytest.raises(PaharaError, match="tracks; at least"):
        compare([walkers("n", 0)], [walkers("a", 1)], {"a": Spans(False, ((1, 2),))}, sigma=5)


def test_labels_in_frames_and_in_seconds_agree(tmp_path):
    frames, seconds = tmp_path / "frames.csv", tmp_path / "seconds.csv"
    frames.write_text("clip,frames,first_anomalous,last_anomalous\n01,50,11,20\n01,50,31,31\n02,50,,\n")
    seconds.write_text("clip,start,end\n01,1.0,1.9\n01,3.0,3.0\n02,,\n")
    times = np.arange(50) / 10
    one, two = read_spans(frames), read_spans(seconds)
    assert one["01"].frames(times).tolist() == two["01"].frames(times).tolist()
    assert one["01"].frames(times).sum() == 11
    assert np.allclose(one["01"].seconds(times), two["01"].seconds(times))
    assert not one["02"].frames(times).any()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("clip,from\na,1\n", "first line"), ("", "nothing"), ("clip,start,end\na,5,2\n", "no range"), ("clip,start,end\na,x,2\n", "two numbers"),
        ("clip,start,end\n,1,2\n", "no clip's name"), ("clip,first_anomalous,last_anomalous\na,0,2\n", "no range"),
    ],
)  # fmt: skip
def test_labels_that_cannot_be_are_refused_in_one_line(tmp_path, text, why):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(TruthError, match=why) as told:
        read_spans(path)
    assert "\n" not in str(told.value)


def test_a_folder_without_clips_is_told(tmp_path):
    with pytest.raises(PaharaError, match="no clips"):
        clips_in(tmp_path)
    with pytest.raises(PaharaError, match="train"):
        read_data(tmp_path, None)


def test_a_clip_is_looked_at_once(tmp_path):
    folder = tmp_path / "01"
    folder.mkdir()
    for number in range(30):
        picture = np.full((120, 160, 3), 90, np.uint8)
        cv2.rectangle(picture, (5 + 4 * number, 40), (17 + 4 * number, 80), (200, 200, 220), -1)
        cv2.imwrite(str(folder / f"{number:03}.png"), picture)
    first = read_clip(folder, MotionDetector(), key="motion", cache=tmp_path / "kept")

    def never(_pictures):
        raise AssertionError("looked again")

    again = read_clip(folder, never, key="motion", cache=tmp_path / "kept")
    assert again.size == first.size == (160, 120)
    assert again.times.tolist() == first.times.tolist()
    assert len(first.seen) == 30
    for one, two in zip(first.seen, again.seen, strict=True):
        assert one.boxes.tolist() == two.boxes.tolist()
        assert one.ids.tolist() == two.ids.tolist()
    with pytest.raises(AssertionError):
        read_clip(folder, never, key="another", cache=tmp_path / "kept")


def test_the_plot_shades_the_truth(tmp_path):
    times = np.arange(100) / 10
    truth = (times >= 4) & (times < 6)
    path = tmp_path / "plot.png"
    draw_scores(path, [("clip", times, truth * 3.0, truth)], title="scores", limits={"1/h": 2.0})
    picture = cv2.imread(str(path))
    shaded = (picture == (190, 200, 246)).all(axis=2).any(axis=0)
    first, last = np.flatnonzero(shaded[60:])[[0, -1]] + 60  # past the legend
    assert 0.39 < (first - 150) / (1100 - 150 - 24) < 0.42
    assert 0.59 < (last - 150) / (1100 - 150 - 24) < 0.62
    with pytest.raises(PaharaError, match="cannot write"):
        draw_scores(tmp_path / "no" / "plot.png", [("clip", times, truth * 1.0, truth)], title="scores")
