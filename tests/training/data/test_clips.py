"""Clips are sampled by seconds, whatever their frame rate, decoded once, and never torn from their recording."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from pahara.core.errors import DataError
from pahara.training.data.clip_folders import clip_clock, clip_length, read_clip_folders, sampled_frames
from pahara.training.data.clips import CALM, ClipSet, open_clips
from pahara.training.data.folders import Item


def film(path, fps=10, seconds=3.0):
    """A clip whose brightness tells the time: 80 a second, from 10 on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.options = {"qscale": "2"}
        packets = []
        for n in range(round(fps * seconds)):
            image = np.full((48, 64, 3), min(10 + 80 * n / fps, 250), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = n, Fraction(1, fps)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for packet in packets:
            container.mux(packet)
    return path


def seconds_of(pictures):
    """The times that the brightness tells."""
    return (pictures.reshape(len(pictures), -1).mean(axis=1) - 10) / 80


@pytest.mark.parametrize("fps", [5, 8, 10, 25, 30])
def test_pictures_come_by_the_clock_and_not_by_the_frame(fps, tmp_path):
    pictures = np.stack(list(sampled_frames(film(tmp_path / "a.mp4", fps), 5.0)))
    assert len(pictures) == pytest.approx(15, abs=1)
    np.testing.assert_allclose(seconds_of(pictures), np.arange(len(pictures)) / 5, atol=1 / fps + 0.06)
    assert clip_length(tmp_path / "a.mp4") == pytest.approx(3, abs=0.05)


def test_a_window_is_the_middle_and_as_long_as_asked(tmp_path):
    items = [Item(film(tmp_path / "x/a.mp4"), 1, "a")]
    pictures, label = ClipSet(items, ("x", "y"), seconds=1.0, rate=10, size=(32, 24), cache=tmp_path / "cache")[0]
    assert (pictures.shape, pictures.dtype, label) == ((10, 24, 32, 3), np.uint8, 1)
    np.testing.assert_allclose(seconds_of(pictures), 1 + np.arange(10) / 10, atol=0.06)


def test_a_short_clip_stays_on_its_last_picture(tmp_path):
    items = [Item(film(tmp_path / "x/a.mp4", seconds=0.5), 0, "a")]
    pictures, _ = ClipSet(items, ("x",), seconds=2.0, rate=10, size=(32, 24), cache=tmp_path / "cache")[0]
    assert len(pictures) == 20
    np.testing.assert_array_equal(pictures[5], pictures[-1])


def test_a_clip_is_decoded_once_and_again_when_it_changed(tmp_path, monkeypatch):
    file = film(tmp_path / "x/a.mp4")
    one = ClipSet([Item(file, 0, "a")], ("x",), size=(32, 24), cache=tmp_path / "cache")
    first = one[0][0]
    (kept,) = (tmp_path / "cache").iterdir()
    before = kept.stat().st_mtime_ns
    np.testing.assert_array_equal(one[0][0], first)
    assert kept.stat().st_mtime_ns == before
    kept.write_bytes(b"damaged")
    np.testing.assert_array_equal(one[0][0], first)
    film(file, seconds=1.0)
    assert len(one.clip(0)) < 12


def test_windows_of_an_epoch_are_the_same_for_everyone(tmp_path):
    items = [Item(film(tmp_path / "x/a.mp4"), 0, "a")]
    one, other = (ClipSet(items, ("x",), seconds=1.0, size=(32, 24), augment=CALM, seed=3, cache=tmp_path / "c") for _ in range(2))
    np.testing.assert_array_equal(one[0][0], other[0][0])
    begins = set()
    for epoch in range(6):
        one.set_epoch(epoch)
        begins.add(one[0][0].tobytes())
    assert len(begins) == 6


def test_the_whole_clip_in_windows(tmp_path):
    one = ClipSet([Item(film(tmp_path / "x/a.mp4"), 0, "a")], ("x",), seconds=1.0, rate=10, size=(32, 24), cache=tmp_path / "c")
    made = one.windows(0, stride=0.5)
    assert made.shape == (5, 10, 24, 32, 3)
    np.testing.assert_allclose(seconds_of(made[:, 0]), [0, 0.5, 1, 1.5, 2], atol=0.06)


def test_real_clips_whose_clock_stands_still_are_counted(asset):
    clock = clip_clock(asset("fights/fight/fi001.mp4"))  # 53 pictures, every one at 0 s; its head says 25 a second
    assert clock.rate == 25
    assert clock.seconds == pytest.approx(53 / 25)
    pictures = np.stack([cv2.resize(p, (32, 24)) for p in sampled_frames(asset("fights/fight/fi001.mp4"), 5.0)])
    assert len(pictures) == 11
    assert np.abs(np.diff(pictures.astype(int), axis=0)).mean() > 1


def test_no_recording_is_on_two_sides(asset, tmp_path):
    sets = open_clips(asset("fights"), cache=tmp_path)
    groups = [set(one.groups) for one in sets.values()]
    assert sum(map(len, groups)) == len(set.union(*groups))
    assert sum(map(len, sets.values())) == 165
    assert all(set(one.labels) == {0, 1} for one in sets.values())


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("clip,label\ngone.mp4,fight\n", "line 2: there is no clip gone.mp4"),
        ("clip,label\na.mp4,\n", "line 2: this clip has no label"),
        ("clip,label,split\na.mp4,fight,someday\n", "line 2: 'someday' is no split"),
        ("clip,label\na.mp4\n", "line 2: this row has too few values"),
    ],
)
def test_a_list_that_is_wrong_names_its_line(rows, words, tmp_path):
    (tmp_path / "a.mp4").touch()
    (tmp_path / "clips.csv").write_text(rows)
    with pytest.raises(DataError, match=words):
        read_clip_folders(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100])
def test_what_is_no_clip_says_so(content, tmp_path):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.mp4"):
        ClipSet([Item(tmp_path / "a.mp4", 0, "a")], ("x",), cache=tmp_path / "c")[0]
