"""Video files as sources: whole ones, odd ones, and broken ones."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

from pahara.core import SourceError
from pahara.video import FrameRing, PacketRing, open_source


def times_of(path: Path, **options: object) -> list[float]:
    with open_source(path, **options) as source:  # type: ignore[arg-type]
        return [frame.time for frame in source]


def test_frames_come_with_their_times_and_pictures(regular: Path, video: SimpleNamespace) -> None:
    with open_source(regular, camera="gate") as source:
        frames = list(source)
    assert [frame.time for frame in frames] == pytest.approx([k / 10 for k in range(40)])
    assert {frame.camera for frame in frames} == {"gate"}
    assert source.size == frames[0].size == (128, 96)
    assert source.duration == pytest.approx(4.0, abs=0.1)
    assert not source.live
    assert source.stats.frames == 40
    assert source.stats.corrupt == source.stats.dropped == 0
    assert not source.stats.truncated
    for k in (0, 7, 39):
        assert np.abs(frames[k].image.astype(int) - video.picture(k)).mean() < 4, "the right picture, in BGR"
        grey = cv2.cvtColor(frames[k].image, cv2.COLOR_BGR2GRAY).astype(int)
        assert frames[k].luma.shape == (96, 128)
        assert np.corrcoef(frames[k].luma.ravel(), grey.ravel())[0, 1] > 0.99


def test_the_decoders_own_memory_cannot_be_written_through_luma(regular: Path) -> None:
    with open_source(regular) as source, pytest.raises(ValueError, match="read-only"):
        next(iter(source)).luma[0, 0] = 1


def test_a_frame_kept_for_later_still_shows_its_own_picture(regular: Path, video: SimpleNamespace) -> None:
    with open_source(regular) as source:
        first, *_ = list(source)
    assert np.abs(first.image.astype(int) - video.picture(0)).mean() < 4


def stop_the_clock(path: Path, goal: Path) -> Path:
    """The same film, each picture with the timestamp 0, as some converters write it: MP4's table of lengths says 0 everywhere."""
    film = bytearray(path.read_bytes())
    for name in (b"stts", b"ctts"):  # lengths of pictures; how much later than decoded each is shown
        table = film.index(name)
        for entry in range(int.from_bytes(film[table + 8 : table + 12])):
            at = table + 12 + 8 * entry + 4
            film[at : at + 4] = bytes(4)
    edits = film.index(b"elst") - 8  # the box around it, which would cut pictures away
    film[edits : edits + 4] = b"free"
    goal.write_bytes(film)
    return goal


def test_a_file_whose_clock_stands_still_is_paced_by_its_frame_rate(regular: Path, tmp_path: Path, video: SimpleNamespace) -> None:
    stopped = stop_the_clock(regular, tmp_path / "stopped.mp4")
    with av.open(str(stopped)) as film:
        assert len({packet.dts for packet in film.demux(video=0) if packet.size}) == 1, "the clock stands"
    with open_source(stopped) as source:
        frames = list(source)
    steps = np.diff([frame.time for frame in frames])
    assert len(frames) == 40
    assert steps.max() - steps.min() < 0.002
    assert np.abs(frames[39].image.astype(int) - video.picture(39)).mean() < 4


def test_real_clips_whose_clock_stands_still_show_every_picture(asset) -> None:  # type: ignore[no-untyped-def]
    clip = asset("fights/fight/fi001.mp4")
    with open_source(clip) as source:
        times = [frame.time for frame in source]
        assert source.duration == pytest.approx(53 / 25, abs=0.05)
    assert times == pytest.approx([k / 25 for k in range(53)])


def test_a_variable_frame_rate_keeps_its_times(tmp_path: Path, video: SimpleNamespace) -> None:
    shown = [0, 0.1, 0.15, 0.9, 0.93, 2.0, 5.0]
    assert times_of(video.make(tmp_path / "vfr.mp4", shown)) == pytest.approx(shown)


def test_time_begins_at_zero_where_the_file_does_not(tmp_path: Path, video: SimpleNamespace) -> None:
    path = video.make(tmp_path / "late.mkv", [3 + k / 10 for k in range(10)])
    with open_source(path) as source:
        assert [frame.time for frame in source] == pytest.approx([k / 10 for k in range(10)], abs=1e-3)
        assert source.duration == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(("format", "codec"), [("avi", "libx264"), ("avi", "mpeg4"), ("avi", "mjpeg"), ("matroska", "libx264"), ("mpegts", "libx264"),
                                               ("flv", "libx264"), ("mp4", "mjpeg"), ("mp4", "mpeg4")])  # fmt: skip
def test_every_usual_container_gives_the_same_times(tmp_path: Path, format: str, codec: str, video: SimpleNamespace) -> None:
    shown = [k / 10 for k in range(30)]
    path = video.make(tmp_path / "x.bin", shown, format=format, codec=codec)
    with open_source(path) as source:
        frames = list(source)
    assert [frame.time for frame in frames] == pytest.approx(shown, abs=2e-3)
    assert np.abs(frames[20].image.astype(int) - video.picture(20)).mean() < 6, "in the order they were shown, B-frames or not"


def test_bare_h264_without_any_timestamps_counts_at_its_nominal_rate(tmp_path: Path, video: SimpleNamespace) -> None:
    path = video.make(tmp_path / "bare.h264", [k / 25 for k in range(20)], format="h264")
    with open_source(path) as source:
        assert [frame.time for frame in source] == pytest.approx([k / 25 for k in range(20)])
        assert isinstance(source.ring, FrameRing), "its packets cannot be put on a time line, so pictures are kept"
        assert source.ring.write_clip(tmp_path / "clip.mp4", 0.2, 0.6).end == pytest.approx(0.6)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation_is_honoured_in_image_luma_and_size(tmp_path: Path, degrees: int, mirrored: bool, video: SimpleNamespace) -> None:
    path = video.turn(video.make(tmp_path / "phone.mp4", [0, 0.1, 0.2]), degrees, mirrored)
    upright = video.picture(0)
    turned = np.rot90(upright, -degrees // 90)
    turned = turned[:, ::-1] if mirrored else turned
    with open_source(path) as source:
        assert source.size == (turned.shape[1], turned.shape[0]), "known before the first frame"
        frame = next(iter(source))
        assert frame.size == source.size
        assert np.abs(frame.image.astype(int) - turned).mean() < 6
        assert frame.image.flags.c_contiguous
        assert np.corrcoef(frame.luma.ravel(), cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY).ravel())[0, 1] > 0.99
        clip = source.ring.write_clip(tmp_path / "clip.mp4", 0, 1)
    with open_source(clip.path) as again:
        assert again.size == source.size, "a remuxed clip keeps the rotation"


def test_a_change_of_size_and_clock_inside_a_file_is_followed(tmp_path: Path, video: SimpleNamespace) -> None:
    shown = [k / 10 for k in range(20)]
    first = video.make(tmp_path / "a.ts", shown, format="mpegts")
    second = video.make(tmp_path / "b.ts", shown, size=(64, 48), format="mpegts")
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    with open_source(both) as source:
        frames = list(source)
    assert [frame.size for frame in frames] == [(128, 96)] * 20 + [(64, 48)] * 20
    assert [frame.time for frame in frames] == pytest.approx([k / 10 for k in range(40)], abs=0.01)
    assert frames[-1].image.shape == (48, 64, 3)
    assert source.stats.resets == 1


def test_odd_sizes_work(tmp_path: Path, video: SimpleNamespace) -> None:
    path = video.make(tmp_path / "odd.avi", [0, 0.1], size=(127, 95), codec="mjpeg", format="avi")
    with open_source(path) as source:
        frame = next(iter(source))
        assert frame.image.shape == (95, 127, 3)
        assert frame.luma.shape == (95, 127)


def test_a_full_range_picture_is_as_bright_as_it_was(tmp_path: Path, video: SimpleNamespace) -> None:
    path = video.make(tmp_path / "full.avi", [0, 0.1], codec="mjpeg", format="avi")
    with open_source(path) as source:
        image = next(iter(source)).image
    assert abs(int(image[60, 10, 1]) - 235) < 8, "the white square"


# What is broken.


def test_a_truncated_file_gives_what_can_be_read_and_says_so(tmp_path: Path, regular: Path) -> None:
    whole = regular.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: int(len(whole) * 0.8)])
    with open_source(cut) as source:
        times = [frame.time for frame in source]
    assert 10 <= len(times) < 40
    assert times == sorted(times)
    assert source.stats.truncated
    assert source.stats.corrupt > 0


def test_corrupt_bytes_in_the_middle_cost_a_few_frames_and_are_counted(tmp_path: Path, video: SimpleNamespace) -> None:
    path = video.make(tmp_path / "long.ts", [k / 10 for k in range(100)], format="mpegts")
    data = bytearray(path.read_bytes())
    noise = np.random.default_rng(5).integers(0, 256, 3000, dtype=np.uint8).tobytes()
    middle = len(data) // 2
    data[middle : middle + len(noise)] = noise
    path.write_bytes(data)
    with open_source(path) as source:
        frames = list(source)
        for frame in frames:
            assert frame.image.shape == (96, 128, 3)
    assert len(frames) >= 70
    assert frames[-1].time == pytest.approx(9.9, abs=0.2), "what follows the damage is at its own time"
    assert source.stats.corrupt > 0


@pytest.mark.parametrize("seed", range(12))
def test_random_damage_never_ends_in_anything_but_frames_or_one_clear_line(tmp_path: Path, regular: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    data = bytearray(regular.read_bytes())
    for place in random.integers(0, len(data), 1 + seed * 4):
        data[place] = random.integers(0, 256)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    try:
        with open_source(path) as source:
            times = [frame.time for frame in source]
    except SourceError as error:
        line, times = str(error), []
    else:
        line = ""
    assert all(a < b for a, b in pairwise(times))
    assert times or ("damaged.mp4" in line and "\n" not in line)


def test_each_kind_of_no_video_gets_one_clear_line(tmp_path: Path, regular: Path, video: SimpleNamespace) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("this is not a video\n" * 50)
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(1).integers(0, 256, 5000, dtype=np.uint8).tobytes())
    plain = video.make(tmp_path / "plain.mp4", [k / 10 for k in range(40)]).read_bytes()
    (tmp_path / "unfinished.mp4").write_bytes(plain[: len(plain) // 2])
    with av.open(str(tmp_path / "sound.m4a"), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        for k in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 44100, k * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for name, line in {
        "empty.mp4": "is empty",
        "text.mp4": "is a text file, not a video",
        "noise.mp4": "is no video that can be read",
        "unfinished.mp4": "without its index",
        "sound.m4a": "has sound but no pictures",
        "missing.mp4": "no such file or folder",
    }.items():
        with pytest.raises(SourceError, match=line) as told:
            open_source(tmp_path / name)
        assert name in str(told.value)
        assert "\n" not in str(told.value)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_says_so(regular: Path) -> None:
    regular.chmod(0)
    with pytest.raises(SourceError, match="may not be read"):
        open_source(regular)


def test_a_video_with_the_wrong_ending_plays(tmp_path: Path, regular: Path) -> None:
    path = tmp_path / "video.txt"
    path.write_bytes(regular.read_bytes())
    assert len(times_of(path)) == 40


# How it is used.


def test_media_time_zero_is_the_creation_time_or_the_last_change_minus_the_length(tmp_path: Path, regular: Path) -> None:
    os.utime(regular, (1_700_000_000, 1_700_000_000))
    with open_source(regular) as source:
        assert source.epoch == pytest.approx(1_700_000_000 - source.duration)
        assert source.ring.epoch == source.epoch
        list(source)
        source.epoch = 1_600_000_000.0
        clip = source.ring.write_clip(tmp_path / "clip.mp4", 2.0, 3.0)
    with open_source(clip.path) as again:
        assert again.epoch == pytest.approx(1_600_000_002.0), "a clip knows when it was"
    with open_source(regular, start=datetime(2026, 1, 2, tzinfo=UTC)) as told:
        assert told.epoch == datetime(2026, 1, 2, tzinfo=UTC).timestamp()


def test_a_limit_of_frames_a_second_is_kept_evenly(regular: Path) -> None:
    times = times_of(regular, fps_limit=3)
    assert len(times) == 12
    assert max(b - a for a, b in pairwise(times)) <= 0.401
    assert len(times_of(regular, fps_limit=100)) == 40


def test_a_loop_goes_on_in_time(regular: Path) -> None:
    with open_source(regular, loop=True) as source:
        times = []
        for frame in source:
            times.append(frame.time)
            if len(times) == 100:
                break
    assert times == pytest.approx([k / 10 for k in range(100)], abs=0.02)


def test_a_file_can_be_played_twice(regular: Path) -> None:
    with open_source(regular) as source:
        assert [frame.time for frame in source] == [frame.time for frame in source]
        assert source.stats.frames == 40


def test_closing_from_another_thread_ends_the_iteration(regular: Path) -> None:
    source = open_source(regular, loop=True)
    threading.Timer(0.3, source.close).start()
    began = time.monotonic()
    for frame in source:
        assert frame.image is not None
    assert time.monotonic() - began < 2
    assert list(source) == []
    source.close()


def test_breaking_off_and_closing_frees_the_file(regular: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    for _ in range(30):
        with open_source(regular) as source:
            for frame in source:
                if frame.time > 0.5:
                    break
    if before:
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2


def test_a_file_without_ring_keeps_nothing(regular: Path) -> None:
    with open_source(regular, ring_seconds=0) as source:
        list(source)
        assert source.ring is None


@pytest.mark.parametrize(("name", "frames", "step", "size"), [("one-by-one.mp4", 1394, 0.1, (768, 432)), ("pets-s2l1/video.avi", 795, 0.1, (480, 360)),
                                                               ("plaza-overhead.avi", 341, 0.04, (1280, 720))])  # fmt: skip
def test_real_footage_loses_no_frame(asset, name: str, frames: int, step: float, size: tuple[int, int]) -> None:
    with open_source(asset(f"footage/{name}")) as source:
        times = [frame.time for frame in source]
        assert isinstance(source.ring, PacketRing)
    assert times == pytest.approx([k * step for k in range(frames)], abs=1e-6)
    assert source.size == size
    assert source.stats.corrupt == source.stats.dropped == 0


def test_pictures_of_real_footage_come_in_the_order_in_which_they_were_shown(asset) -> None:
    """An AVI stores no picture times, and this one has B-frames: frame k must still be frame k (its ground truth counts them)."""
    path = asset("footage/pets-s2l1/video.avi")
    with open_source(path) as source, av.open(str(path)) as bare:
        for ours, theirs in zip(source, bare.decode(video=0), strict=False):
            assert np.array_equal(ours.luma, np.frombuffer(theirs.planes[0], np.uint8).reshape(-1, theirs.planes[0].line_size)[:360, :480])
            if ours.time > 5:
                break
