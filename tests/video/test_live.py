"""A real network camera: read, lost, found again, frozen, closed."""

from __future__ import annotations

import http.server
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import pytest

from pahara.core import SourceError
from pahara.video import FrameRing, PacketRing, open_source
from pahara.video.live import LONGEST_WAIT, LiveSource, backoff

pytestmark = pytest.mark.slow


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def wait_for(condition: Callable[[], object], seconds: float) -> float:
    """How long it took; fails after `seconds`."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not happen in time"
        time.sleep(0.02)
    return time.monotonic() - began


def test_frames_of_a_camera_arrive_in_time_and_a_clip_can_be_cut(camera, tmp_path: Path) -> None:
    opened = time.time()
    with open_source(camera().address, camera="gate", timeout=5) as source:
        assert source.live
        assert source.size == (320, 240)
        frames = list(islice(source, 45))
        now = time.time()
        times = [frame.time for frame in frames]
        assert times[0] == 0.0
        assert all(0.03 < b - a < 0.2 for a, b in pairwise(times)), "15 frames a second"
        assert frames[-1].image.shape == (240, 320, 3)
        assert frames[-1].image.std() > 5
        assert opened - 1 < source.epoch <= now
        assert abs(source.epoch + times[-1] - now) < 1.0, "media time keeps to the wall clock, also after the packets that came at once"
        assert isinstance(source.ring, PacketRing)
        clip = source.ring.write_clip(tmp_path / "clip.mp4", 1.2, 2.2)
    assert clip.begin == pytest.approx(1.0, abs=0.1), "a keyframe every second"
    with open_source(clip.path) as written:
        assert len(list(written)) == pytest.approx(19, abs=3)
        assert written.stats.corrupt == 0


def test_a_camera_that_was_switched_off_and_on_comes_back_with_the_gap_in_its_time(camera) -> None:
    one = camera()
    with open_source(one.address, timeout=3) as source:
        frames = iter(source)
        before = [frame.time for frame in islice(frames, 20)]
        last_seen = time.monotonic()
        one.kill()
        wait_for(lambda: source.stats.trouble, 5)
        assert "127.0.0.1" in source.stats.trouble
        assert not source.connected
        time.sleep(1.0)
        one.start()
        after = []
        for frame in frames:
            after.append(frame.time)
            if source.stats.reconnects and len(after) > 20:
                break
        gap = max(b - a for a, b in pairwise(before + after))
        elapsed = time.monotonic() - last_seen
        assert all(a < b for a, b in pairwise(before + after))
        assert 1.0 < gap < elapsed, "a reconnect is only a large gap"
        assert after[-1] - before[-1] == pytest.approx(elapsed, abs=1.5)
        assert source.stats.reconnects == 1
        assert source.stats.longest_gap == pytest.approx(gap)
        assert source.connected


def test_a_frozen_camera_is_noticed_within_the_timeout_and_read_again_when_it_thaws(camera) -> None:
    one = camera()
    with open_source(one.address, timeout=2) as source:
        frames = iter(source)
        list(islice(frames, 20))
        one.signal(signal.SIGSTOP)
        came = in_thread(lambda: [None for frame in frames if source.stats.reconnects])
        assert wait_for(lambda: source.stats.trouble, 4) < 3.2, "2 s after the last packet"
        assert "does not answer in time" in source.stats.trouble
        one.signal(signal.SIGCONT)
        wait_for(lambda: source.stats.reconnects and not source.stats.trouble, 20)
    came.join(2)
    assert not came.is_alive()


def test_without_reconnect_a_frozen_camera_ends_in_one_line(camera) -> None:
    one = camera()
    with open_source(one.address, timeout=2, reconnect=False) as source:
        frames = iter(source)
        list(islice(frames, 20))
        one.signal(signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(SourceError, match="does not answer in time"):
            list(frames)
        assert time.monotonic() - began < 3.2


def test_closing_returns_at_once_even_while_the_camera_is_frozen(camera) -> None:
    one = camera()
    source = open_source(one.address, timeout=30)
    seen: list[float] = []
    watching = in_thread(lambda: seen.extend(frame.time for frame in source))
    wait_for(lambda: source.stats.frames > 15, 10)
    one.signal(signal.SIGSTOP)
    time.sleep(0.5)
    began = time.monotonic()
    source.close()
    watching.join(2)
    assert not watching.is_alive()
    assert time.monotonic() - began < 2
    assert len(seen) > 15
    one.signal(signal.SIGCONT)  # so that its thread ends, too


def test_closing_while_reconnecting_returns_at_once(camera) -> None:
    one = camera()
    source = open_source(one.address, timeout=3)
    watching = in_thread(lambda: list(source))
    wait_for(lambda: source.stats.frames > 5, 10)
    one.kill()
    wait_for(lambda: source.stats.trouble, 5)
    began = time.monotonic()
    source.close()
    watching.join(2)
    assert not watching.is_alive()
    assert time.monotonic() - began < 2


def test_a_slow_consumer_loses_frames_but_never_time(camera) -> None:
    with open_source(camera().address, timeout=5) as source:
        frames = iter(source)
        list(islice(frames, 10))
        time.sleep(6)
        late = [frame.time for frame in islice(frames, 3)]
        newest = source.ring.span[1]
        assert newest - late[-1] < 3.5, "it goes on near the newest frame"
        assert late[0] > 2.5
        assert source.stats.skipped > 15
        assert source.ring.span[0] < 0.5, "the ring has what the consumer missed"


def test_the_password_decides_and_is_never_shown(camera) -> None:
    one = camera("--password", "geheim")
    host = one.address.removeprefix("rtsp://")
    for secret in ("", "watcher:falsch@"):
        with pytest.raises(SourceError, match="refuses the user name or password") as told:
            open_source(f"rtsp://{secret}{host}", timeout=3)
        assert "falsch" not in str(told.value)
    with pytest.raises(SourceError, match="has no such stream"):
        open_source(f"rtsp://watcher:geheim@{host}x", timeout=3)
    with open_source(f"rtsp://watcher:geheim@{host}", timeout=3) as source:
        assert next(iter(source)).time == 0.0
        assert "geheim" not in repr(source)
        one.kill()
        wait_for(lambda: source.stats.trouble, 5)
        assert "geheim" not in source.stats.trouble


def test_a_wrong_password_is_not_tried_for_ever(camera) -> None:
    one = camera("--password", "geheim")
    with open_source(one.address, timeout=3, wait=True) as source, pytest.raises(SourceError, match="refuses the user name"):
        list(source)


def test_a_service_may_start_before_its_camera(camera) -> None:
    one = camera()
    one.kill()
    with pytest.raises(SourceError, match="nothing listens"):
        open_source(one.address, timeout=2)
    with open_source(one.address, timeout=2, wait=True) as source:
        wait_for(lambda: "nothing listens" in source.stats.trouble, 3)
        one.start()
        assert next(iter(source)).size == (320, 240)
        assert source.stats.reconnects == 0
        assert source.connected


def test_a_server_that_accepts_and_says_nothing_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for scheme in ("rtsp", "http"):
            began = time.monotonic()
            with pytest.raises(SourceError, match="does not answer in time"):
                open_source(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/live", timeout=1)
            assert time.monotonic() - began < 2.2


def test_a_motion_jpeg_camera_over_rtsp_is_read_and_its_clips_play_in_a_browser(camera, tmp_path: Path) -> None:
    with open_source(camera("--codec", "jpeg").address, timeout=5) as source:
        list(islice(source, 30))
        assert source.ring.codec == "mjpeg"
        clip = source.ring.write_clip(tmp_path / "clip.mp4", 0.5, 1.5)
    assert clip.codec == "h264"
    assert clip.begin == pytest.approx(0.5, abs=0.1)


def test_the_wait_between_attempts_doubles_up_to_six_seconds_and_differs() -> None:
    for failures, longest in ((0, 0.5), (1, 1), (3, 4), (4, LONGEST_WAIT), (5000, LONGEST_WAIT)):
        waits = [backoff(failures) for _ in range(200)]
        assert longest / 2 <= min(waits) < max(waits) <= longest
    assert LONGEST_WAIT == 6


@pytest.fixture
def web(regular: Path, video: SimpleNamespace) -> Iterator[str]:
    """A web server with /video.mp4 and /mjpeg, which sends 15 JPEG pictures a second for ever."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/video.mp4":
                body = regular.read_bytes()
                self.send_response(200)
                self.send_header("Content-Type", "video/mp4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            elif self.path == "/mjpeg":
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                k = 0
                while True:
                    body = cv2.imencode(".jpg", video.picture(k))[1].tobytes()
                    self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(body) + body + b"\r\n")
                    k += 1
                    time.sleep(1 / 15)
            else:
                self.send_error(404)

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                return  # the reader went away

        def log_message(self, format: str, *args: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = in_thread(server.serve_forever)
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(2)


def test_a_finished_video_behind_http_is_read_like_a_file(web: str) -> None:
    with open_source(f"{web}/video.mp4", timeout=5) as source:
        assert not source.live
        assert [frame.time for frame in source] == pytest.approx([k / 10 for k in range(40)])
    with pytest.raises(SourceError, match="has no such stream"):
        open_source(f"{web}/other.mp4", timeout=5)


def test_a_motion_jpeg_camera_over_http_is_live(web: str) -> None:
    with open_source(f"{web}/mjpeg", timeout=5) as source:
        assert isinstance(source, LiveSource)
        frames = list(islice(source, 30))
        assert frames[-1].size == (128, 96)
        assert frames[0].time == 0.0
        assert frames[-1].time == pytest.approx(29 / 15, abs=0.7), "its packets carry no time: the clock does"


def test_a_camera_that_sends_raw_pictures_has_a_ring_of_pictures(tmp_path: Path) -> None:
    """As most webcams do; FFmpeg's test pattern in real time stands in for the device."""
    source = LiveSource(
        lambda: av.open("testsrc=size=160x120:rate=15,realtime", format="lavfi"), "webcam 0", camera="desk", timeout=5, reconnect=True, wait=False,
        ring_seconds=5, ring_bytes=1 << 20, start=None, fps_limit=None, threads=1,
    )  # fmt: skip
    with source:
        frames = list(islice(source, 30))
        assert frames[-1].time == pytest.approx(29 / 15, abs=0.01)
        assert frames[-1].luma.shape == (120, 160)
        assert isinstance(source.ring, FrameRing)
        clip = source.ring.write_clip(tmp_path / "clip.mp4", 0.5, 1.5)
    with open_source(clip.path) as written:
        assert len(list(written)) == pytest.approx(10, abs=3), "about ten pictures a second are kept"
