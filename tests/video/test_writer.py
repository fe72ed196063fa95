"""Written videos: true times, any size, and playable whatever happens."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from pahara.core import EVERYWHERE, Frame, Scene, StoreError, Track
from pahara.video import AnnotatedWriter, VideoWriter, open_source


def test_a_variable_frame_rate_keeps_its_times_and_its_length(tmp_path: Path, video: SimpleNamespace) -> None:
    times = [3, 3.1, 3.15, 3.9, 3.93, 5.0, 8.0]
    with VideoWriter(tmp_path / "out.mp4", epoch=1_700_000_000) as writer:
        for k, time in enumerate(times):
            writer.write(video.picture(k), time)
        assert not (tmp_path / "out.mp4").exists(), "it has its name only when it is whole"
    assert (writer.info.begin, writer.info.end, writer.frames) == (3, 8.0, 7)
    with open_source(tmp_path / "out.mp4") as written:
        frames = list(written)
        assert written.duration == pytest.approx(5.0, abs=0.1), "what a player shows"
        assert written.epoch == pytest.approx(1_700_000_003)
    assert [frame.time for frame in frames] == pytest.approx([time - 3 for time in times], abs=2e-5)
    for k in (0, 6):
        assert np.abs(frames[k].image.astype(int) - video.picture(k)).mean() < 5
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")


@pytest.mark.parametrize("size", [(127, 95), (1, 1), (128, 95), (33, 64)])
def test_odd_sizes_are_made_even(tmp_path: Path, size: tuple[int, int]) -> None:
    image = np.full((size[1], size[0], 3), (40, 90, 200), np.uint8)
    with VideoWriter(tmp_path / "odd.mp4") as writer:
        writer.write(image, 0.0)
        writer.write(image, 0.1)
    with open_source(tmp_path / "odd.mp4") as written:
        frame = next(iter(written))
    assert frame.size == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    assert np.abs(frame.image.astype(int) - (40, 90, 200)).max() < 12, "no black edge"


def test_a_picture_of_another_size_is_fitted_in(tmp_path: Path, video: SimpleNamespace) -> None:
    with VideoWriter(tmp_path / "mixed.mp4") as writer:
        writer.write(video.picture(0), 0.0)
        writer.write(np.full((300, 100, 3), 255, np.uint8), 0.1)
    with open_source(tmp_path / "mixed.mp4") as written:
        second = list(written)[1].image
    assert second.shape == (96, 128, 3)
    assert second[48, 64].min() > 240
    assert second[48, 10].max() < 20, "black beside a tall picture"


def test_nothing_written_leaves_nothing(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "none.mp4") as writer:
        pass
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StoreError, match="no picture came"):
        _ = writer.info
    with pytest.raises(ValueError, match="closed already"):
        writer.write(np.zeros((4, 4, 3), np.uint8), 0.0)


def test_an_error_in_the_middle_keeps_what_was_written(tmp_path: Path, video: SimpleNamespace) -> None:
    def write() -> None:
        with VideoWriter(tmp_path / "out.mp4") as writer:
            for k in range(10):
                writer.write(video.picture(k), k / (10 if k < 7 else 0))

    with pytest.raises(ZeroDivisionError):
        write()
    with open_source(tmp_path / "out.mp4") as written:
        assert len(list(written)) == 7


PROGRAM = """
    import sys
    import numpy as np
    from pahara.video import VideoWriter
    with VideoWriter(sys.argv[1]) as writer:
        for k in range(100_000):
            writer.write(np.full((120, 160, 3), k % 200, np.uint8), k / 10)
            if k == 500:
                print("going", flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_video_stays_playable(tmp_path: Path, how: signal.Signals) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path / "out.mp4")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert program.stdout is not None
    assert program.stdout.readline() == b"going\n"
    program.send_signal(how)
    program.communicate(timeout=30)
    (left,) = tmp_path.iterdir()
    assert (left.name == "out.mp4") == (how is signal.SIGINT)
    with open_source(left) as written:
        times = [frame.time for frame in written]
    assert len(times) > 300
    # Ctrl-C between the encoder and the file may cost the one picture that was on its way.
    rows = [round(10 * time) for time in times]
    assert times == pytest.approx([row / 10 for row in rows], abs=1e-3)
    assert rows == sorted(set(rows))
    assert rows[-1] - len(rows) + 1 <= 1


def test_an_annotated_video_shows_the_alert(tmp_path: Path) -> None:
    grey = np.full((240, 320, 3), 128, np.uint8)
    track = Track(3, "person", np.array([0.0]), np.array([[100, 60, 180, 200]], np.float32))
    with AnnotatedWriter(tmp_path / "out.mp4", zones=[EVERYWHERE]) as writer:
        for k in range(5):
            scene = Scene("gate", k / 10, (320, 240), (track,))
            writer.write(Frame.of("gate", k / 10, grey), scene, alerts={3} if k >= 3 else ())
    assert (grey == 128).all(), "the frame itself is not drawn on"
    with open_source(tmp_path / "out.mp4") as written:
        edges = [frame.image[130, 100].astype(int) for frame in written]
    assert [bool(edge[2] > edge[0] + 80 and edge[2] > edge[1] + 80) for edge in edges] == [False, False, False, True, True]
