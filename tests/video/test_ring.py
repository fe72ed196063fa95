"""The ring keeps the last seconds; a clip is cut from it without touching the pictures."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pahara.core import StoreError
from pahara.video import FrameRing, PacketRing, open_source
from pahara.video.clip import Template


@pytest.fixture
def minute(tmp_path: Path, video: SimpleNamespace) -> Path:
    """60 s, 10 frames a second, a keyframe every 2 s, with B-frames."""
    return video.make(tmp_path / "minute.mp4", [k / 10 for k in range(600)], gop=20, options={"bf": "2", "x264-params": "scenecut=0"})


def played(path: Path, **options: object) -> tuple[PacketRing, dict[float, np.ndarray]]:
    """A file played to its end: its ring, and luma by time."""
    with open_source(path, **options) as source:  # type: ignore[arg-type]
        lumas = {frame.time: frame.luma.copy() for frame in source}
        assert isinstance(source.ring, PacketRing)
        return source.ring, lumas


def test_a_clip_begins_at_the_last_keyframe_before_and_holds_the_very_same_pictures(minute: Path, tmp_path: Path) -> None:
    ring, lumas = played(minute)
    clip = ring.write_clip(tmp_path / "clip.mp4", 45.3, 50.0)
    assert clip.remuxed
    assert clip.plays_in_browser
    assert clip.begin == pytest.approx(44.0), "keyframes stand at every second second"
    assert 50.0 <= clip.end <= 50.3, "B-frames may bring one or two frames more"
    assert clip.bytes == clip.path.stat().st_size
    with open_source(clip.path) as again:
        frames = list(again)
    assert 61 <= len(frames) <= 63
    for frame in frames[:61]:
        assert np.array_equal(frame.luma, lumas[round(44.0 + frame.time, 1)])


def test_the_ring_holds_its_seconds_and_not_much_more(minute: Path) -> None:
    ring, _ = played(minute, ring_seconds=10)
    begin, end = ring.span
    assert end == pytest.approx(59.9)
    assert 10 <= end - begin <= 12.1, "whole groups of pictures"
    assert ring.bytes > 0


def test_the_ring_is_bounded_in_bytes_too(minute: Path) -> None:
    ring, _ = played(minute, ring_bytes=8_000)
    begin, end = ring.span
    assert ring.bytes <= 8_000
    assert 2 <= end - begin < 30


def packet(second: float, size: int, keyframe: bool) -> av.Packet:
    new = av.Packet(bytes(size))
    new.pts = new.dts = round(second * 1000)
    new.is_keyframe = keyframe
    return new


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    with av.open(str(tmp_path_factory.mktemp("ring") / "x.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 64, 48
        return Template(stream)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 3), st.integers(1, 400), st.booleans()), max_size=80), st.floats(1, 20), st.integers(200, 5000))
def test_whatever_comes_the_ring_starts_at_a_keyframe_and_keeps_its_bounds(
    template: Template, packets: list[tuple[float, int, bool]], seconds: float, most: int
) -> None:
    ring = PacketRing(seconds, most)
    now, keys = 0.0, []
    for step, size, keyframe in packets:
        now += step
        ring.append(packet(now, size, keyframe), Fraction(1, 1000), template)
        keys += [round(now, 3)] if keyframe else []
        assert ring.bytes <= most
        if ring.span is not None:
            begin, end = ring.span
            assert any(abs(begin - key) < 0.002 for key in keys), "it begins at a keyframe"
            later = [key for key in keys if key > begin + 0.002]
            assert not later or end - later[0] < seconds + 0.002, "no group is kept that is too old as a whole"


def test_what_is_no_longer_held_gets_one_clear_line(minute: Path, tmp_path: Path) -> None:
    ring, _ = played(minute, ring_seconds=10)
    with pytest.raises(StoreError, match=r"no video of camera 'camera' from 70\.0 s to 80\.0 s is left in its ring: it holds"):
        ring.write_clip(tmp_path / "clip.mp4", 70, 80)
    with pytest.raises(StoreError, match="it is empty"):
        PacketRing().write_clip(tmp_path / "clip.mp4", 0, 1)
    assert list(tmp_path.glob("*clip*")) == []
    early = ring.write_clip(tmp_path / "clip.mp4", 0, 50)
    assert early.begin == ring.span[0], "what is left of it"


def test_transcoding_cuts_exactly(minute: Path, tmp_path: Path) -> None:
    ring, _ = played(minute)
    clip = ring.write_clip(tmp_path / "clip.mp4", 45.3, 50.0, transcode=True)
    assert (clip.begin, clip.end, clip.remuxed) == (pytest.approx(45.3), pytest.approx(50.0), False)
    with open_source(clip.path) as again:
        assert len(list(again)) == 48


@pytest.mark.parametrize(
    ("codec", "format"), [("mpeg4", "avi"), ("mjpeg", "avi"), ("libx265", "matroska"), ("msmpeg4v2", "avi"), ("ffv1", "matroska")]
)
def test_what_browsers_do_not_play_is_encoded_as_h264_unless_told_not_to(
    tmp_path: Path, video: SimpleNamespace, codec: str, format: str
) -> None:
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    path = video.make(
        tmp_path / "x.bin", [k / 10 for k in range(40)], codec="mpeg4" if codec == "msmpeg4v2" else codec, format=format, options=options
    )
    ring, _ = played(path)
    assert not ring.plays_in_browser
    clip = ring.write_clip(tmp_path / "seen.mp4", 1.0, 3.0)
    assert (clip.codec, clip.plays_in_browser, clip.path.suffix) == ("h264", True, ".mp4")
    with open_source(clip.path) as again:
        frames = list(again)
    assert [frame.time for frame in frames] == pytest.approx([k / 10 for k in range(21)], abs=2e-3)
    assert np.abs(frames[3].image.astype(int) - video.picture(13)).mean() < 8

    raw = ring.write_clip(tmp_path / "raw.mp4", 1.0, 3.0, transcode=False)
    assert raw.remuxed
    assert raw.path.suffix == (".mkv" if codec == "ffv1" else ".mp4"), "mp4 where it can hold the codec"
    with open_source(raw.path) as again:
        assert again.stats.corrupt == 0
        assert len(list(again)) >= 21


def test_a_clip_of_an_avi_with_b_frames_shows_them_in_the_right_order(asset, tmp_path: Path) -> None:
    ring, lumas = played(asset("footage/pets-s2l1/video.avi"))
    clip = ring.write_clip(tmp_path / "clip.mp4", 76.0, 78.0)
    assert clip.begin == pytest.approx(75.0)
    with open_source(clip.path) as again:
        frames = list(again)
    assert len(frames) >= 31
    for frame in frames[:30]:
        assert np.array_equal(frame.luma, lumas[round(75.0 + frame.time, 1)])


def test_a_clip_across_a_change_of_size_keeps_the_longer_stretch(tmp_path: Path, video: SimpleNamespace) -> None:
    first = video.make(tmp_path / "a.ts", [k / 10 for k in range(30)], format="mpegts")
    second = video.make(tmp_path / "b.ts", [k / 10 for k in range(30)], size=(64, 48), format="mpegts")
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    ring, _ = played(both)
    clip = ring.write_clip(tmp_path / "clip.mp4", 2.5, 5.5)
    with open_source(clip.path) as again:
        assert {frame.size for frame in again} == {(64, 48)}


def test_the_ring_may_be_read_while_it_is_filled(minute: Path, tmp_path: Path) -> None:
    clips = []
    with open_source(minute, loop=True, ring_seconds=10) as source:
        reader = iter(source)
        for _ in range(200):
            next(reader)

        def cut() -> None:
            for k in range(25):
                begin, end = source.ring.span
                clips.append(source.ring.write_clip(tmp_path / f"clip{k}.mp4", begin + 1, end))

        thread = threading.Thread(target=cut)
        thread.start()
        while thread.is_alive():
            next(reader)
        thread.join()
    assert len(clips) == 25
    for clip in clips:
        with open_source(clip.path) as again:
            times = [frame.time for frame in again]
        assert again.stats.corrupt == 0
        assert len(times) >= 80
        assert clip.end - clip.begin == pytest.approx(times[-1], abs=0.25)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small tmpfs needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("transcode", [False, True])
def test_a_full_disk_leaves_nothing_behind_and_says_so(small_disk: Path, tmp_path: Path, video: SimpleNamespace, transcode: bool) -> None:
    noise = np.random.default_rng(0)
    path = tmp_path / "big.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(60):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise.integers(0, 256, (240, 320, 3), dtype=np.uint8), format="bgr24")))
        container.mux(stream.encode(None))
    ring, _ = played(path)
    with pytest.raises(StoreError, match=r"the disk is full: .*clip\.mp4 was not written"):
        ring.write_clip(small_disk / "clip.mp4", 0, 6, transcode=transcode)
    assert list(small_disk.iterdir()) == []
    (small_disk / "clip.mp4").write_bytes(b"an older one")
    with pytest.raises(StoreError, match="the disk is full"):
        ring.write_clip(small_disk / "clip.mp4", 0, 6, transcode=transcode)
    assert (small_disk / "clip.mp4").read_bytes() == b"an older one"


def test_a_folder_that_cannot_be_written_to_gets_one_clear_line(minute: Path) -> None:
    ring, _ = played(minute)
    with pytest.raises(StoreError, match=r"cannot write /proc/clip\.mp4"):
        ring.write_clip(Path("/proc/clip.mp4"), 45, 50)


def test_a_ring_of_pictures_keeps_its_bounds(video: SimpleNamespace, tmp_path: Path) -> None:
    ring = FrameRing(seconds=5, fps=10)
    for k in range(1000):
        ring.append(video.picture(k % 50), k / 50)
    begin, end = ring.span
    assert end == pytest.approx(19.9, abs=0.1)
    assert 5 <= end - begin <= 5.2
    clip = ring.write_clip(tmp_path / "clip.mp4", 16, 18)
    with open_source(clip.path) as again:
        times = [frame.time for frame in again]
    assert len(times) == pytest.approx(20, abs=2)
    with pytest.raises(StoreError, match="is left in its ring"):
        ring.write_clip(tmp_path / "old.mp4", 1, 2)

    small = FrameRing(seconds=5, max_bytes=20_000)
    for k in range(100):
        small.append(video.picture(k % 50), k / 10)
        assert small.bytes <= 20_000
