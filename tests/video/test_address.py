"""What may be given as a source, and what is said of what may not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pahara.core import SourceError
from pahara.video import open_source
from pahara.video.address import natural_order, read_address


@pytest.mark.parametrize(
    "spec",
    ["exec:rm -rf x", "concat:a.mp4|b.mp4", "pipe:0", "file:/etc/passwd", "file:///etc/passwd", "lavfi:testsrc", "udp://0.0.0.0:1", "tcp://h:1",
     "ftp://h/x.mp4", "data:video/mp4;base64,AAAA", "subfile,,start,1,end,2,,:/etc/passwd", "crypto:x", "gopher://h", "rtsp:nohost"],
)  # fmt: skip
def test_only_files_folders_webcams_and_four_network_schemes_are_opened(spec: str) -> None:
    with pytest.raises(SourceError) as told:
        open_source(spec)
    assert "\n" not in str(told.value)


def test_a_playlist_that_points_elsewhere_is_not_followed(tmp_path: Path) -> None:
    for name, text in {
        "list.mp4": "ffconcat version 1.0\nfile '/etc/hostname'\n",
        "list.m3u8": "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "stream.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    }.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(SourceError, match="is a text file, not a video"):
            open_source(tmp_path / name)


@pytest.mark.parametrize(
    ("spec", "kind"),
    [("0", "webcam"), ("webcam:1", "webcam"), ("/dev/video2", "webcam"), ("rtsp://h/x", "network"), ("RTSPS://h/x", "network"), ("https://h/x", "network")],
)  # fmt: skip
def test_each_way_to_write_a_source_is_understood(spec: str, kind: str) -> None:
    assert read_address(spec).kind == kind


def test_a_file_whose_name_looks_like_an_address_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, regular: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("gate:1.mp4", "0", "concat:x.mp4", "what?.mp4"):
        Path(name).write_bytes(regular.read_bytes())
        with open_source(name) as source:
            assert next(iter(source)).size == (128, 96)


def test_a_wrong_path_suggests_the_right_one(tmp_path: Path) -> None:
    (tmp_path / "entrance.mp4").write_bytes(b"")
    with pytest.raises(SourceError, match=r"no such file or folder: .*entrnce\.mp4; did you mean .*entrance\.mp4\?"):
        open_source(tmp_path / "entrnce.mp4")


def test_an_unknown_webcam_says_what_there_is() -> None:
    with pytest.raises(SourceError, match=r"no webcam 99: .*check that it is plugged in"):
        open_source("webcam:99")


def test_no_error_and_no_repr_tells_the_password() -> None:
    with pytest.raises(SourceError) as told:
        open_source("rtsp://watcher:geheim@127.0.0.1:9/live", timeout=2)
    error: BaseException | None = told.value
    assert "geheim" not in str(error)
    assert "nothing listens at rtsp://***@127.0.0.1:9/live" in str(error)
    with open_source("rtsp://watcher:geheim@127.0.0.1:9/live", wait=True) as waiting:
        assert "geheim" not in repr(waiting)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30, unique=True))
def test_numbered_pictures_come_in_order_of_their_numbers(numbers: list[int]) -> None:
    names = sorted((f"cam 7 frame{n}.jpg" for n in numbers), key=natural_order)
    assert names == [f"cam 7 frame{n}.jpg" for n in sorted(numbers)]
