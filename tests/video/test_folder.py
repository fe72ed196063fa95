"""Folders of pictures as sources."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from pahara.core import SourceError
from pahara.video import open_source


@pytest.fixture
def folder(tmp_path: Path, video: SimpleNamespace) -> Path:
    """1.png to 12.png, and things that are no pictures."""
    inside = tmp_path / "pictures"
    inside.mkdir()
    for k in range(12):
        cv2.imwrite(str(inside / f"{k + 1}.png"), video.picture(k))
    (inside / "notes.txt").write_text("not a picture")
    (inside / ".hidden.png").write_text("not a picture either")
    (inside / "deeper.png").mkdir()
    return inside


def test_pictures_come_in_the_order_of_their_numbers(folder: Path, video: SimpleNamespace) -> None:
    with open_source(folder) as source:
        frames = list(source)
    assert [frame.time for frame in frames] == pytest.approx([k / 10 for k in range(12)])
    assert source.size == (128, 96)
    assert source.duration == pytest.approx(1.2)
    for k, frame in enumerate(frames):
        assert np.array_equal(frame.image, video.picture(k))
        assert np.array_equal(frame.luma, cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY))


def test_the_rate_may_stand_in_the_address_or_beside_it(folder: Path) -> None:
    with open_source(f"{folder}?fps=4") as source:
        assert [frame.time for frame in source][:3] == [0.0, 0.25, 0.5]
    with open_source(folder, fps=2) as source:
        assert [frame.time for frame in source][:3] == [0.0, 0.5, 1.0]
    for wrong in ("fps=0", "fps=x", "speed=2"):
        with pytest.raises(SourceError, match=r"a folder takes only the option fps"):
            open_source(f"{folder}?{wrong}")


def test_a_limit_and_a_loop_work_as_with_files(folder: Path) -> None:
    with open_source(folder, fps_limit=5) as source:
        assert [frame.time for frame in source] == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    with open_source(folder, loop=True) as source:
        times = [frame.time for frame, _ in zip(source, range(30), strict=False)]
    assert times == pytest.approx([k / 10 for k in range(30)])


def test_a_clip_of_pictures_shows_them_at_their_times(folder: Path, tmp_path: Path, video: SimpleNamespace) -> None:
    with open_source(folder) as source:
        list(source)
        clip = source.ring.write_clip(tmp_path / "clip.mp4", 0.35, 0.85)
    assert (clip.begin, clip.end, clip.remuxed, clip.codec) == (0.4, 0.8, False, "h264")
    with open_source(clip.path) as written:
        frames = list(written)
    assert [frame.time for frame in frames] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4], abs=1e-3)
    assert np.abs(frames[0].image.astype(int) - video.picture(4)).mean() < 6


def test_pictures_may_change_their_size(folder: Path) -> None:
    cv2.imwrite(str(folder / "6.png"), np.zeros((50, 60, 3), np.uint8))
    with open_source(folder) as source:
        sizes = [frame.size for frame in source]
    assert sizes.count((60, 50)) == 1
    assert sizes[5] == (60, 50)


def test_what_is_wrong_with_a_folder_gets_one_clear_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    with pytest.raises(SourceError, match="holds no pictures"):
        open_source(tmp_path / "bare")
    for content, told in ((b"no picture at all", "is damaged, or no picture"), (b"", "is empty")):
        (folder / "3.png").write_bytes(content)
        seen = []
        with open_source(folder) as source, pytest.raises(SourceError, match=rf"3\.png {told}"):
            seen.extend(frame.time for frame in source)
        assert len(seen) == 2, "what came before it was seen"


def test_real_frames(asset) -> None:
    with open_source(asset("ped2/train/01"), fps=10) as source:
        frames = list(source)
    assert len(frames) == 120
    assert frames[-1].size == (360, 240)
    assert source.ring is not None
    assert source.ring.bytes < 4_000_000, "JPEG files are kept as they are"
