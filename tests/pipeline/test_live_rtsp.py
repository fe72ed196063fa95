"""Real RTSP cameras that die, freeze and come back; and Pahara killed in the middle."""

from __future__ import annotations

import signal
import time

import pytest
from tests.video.conftest import camera  # noqa: F401  the fixture

from pahara.config import from_data
from pahara.pipeline.live import Live
from pahara.store import Store

from .conftest import bright_blocks
from .test_live import until

pytestmark = pytest.mark.slow


def quiet(address):
    return from_data({"version": 1, "cameras": {"gate": {"source": address, "behaviours": []}}})


def test_a_camera_that_dies_is_flagged_told_of_and_back_soon_after_it_returns(camera, tmp_path):  # noqa: F811
    rtsp = camera()
    with Store.open(tmp_path) as store, Live(quiet(rtsp.address), store, make=lambda chosen: bright_blocks) as live:
        gate = live.station("gate")
        until(lambda: gate.looks > 5)
        rtsp.kill()
        killed = time.time()
        until(lambda: gate.state == "stalled", 6)
        assert time.time() - killed <= 5.5
        until(lambda: store.count(kind="offline") == 1, 12)
        assert time.time() - killed <= 15
        assert "127.0.0.1" in store.events(kind="offline")[0].event.reason.values["said"]
        rtsp.start()
        returned = time.time()
        until(lambda: gate.state == "watching", 12)
        seeing = time.time()
        assert seeing - returned <= 10
        live.keeper.flush(5)
        (dark,) = [each for each in store.blind.between(0, 1e12) if each.why == "offline"]
        assert dark.begin == pytest.approx(killed, abs=1)
        assert dark.end == pytest.approx(seeing, abs=1)
        until(lambda: store.events(kind="offline")[0].event.phase == "ended", 5)


def test_a_camera_that_freezes_is_noticed_and_seen_again(camera, tmp_path):  # noqa: F811
    rtsp = camera()
    with Store.open(tmp_path) as store, Live(quiet(rtsp.address), store, make=lambda chosen: bright_blocks) as live:
        gate = live.station("gate")
        until(lambda: gate.looks > 5)
        rtsp.signal(signal.SIGSTOP)
        frozen = time.time()
        until(lambda: gate.state == "stalled", 6)
        time.sleep(3)
        rtsp.signal(signal.SIGCONT)
        thawed = time.time()
        until(lambda: gate.state == "watching" and gate.status().blind == 0, 12)
        assert time.time() - thawed <= 10
        live.keeper.flush(5)
        assert store.blind.seconds(frozen, thawed, "gate", time.time()) == pytest.approx(thawed - frozen, abs=1)
