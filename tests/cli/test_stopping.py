"""Ctrl-C ends every verb with one line and without a traceback, wherever it is just then."""

import os
import signal
import time
from pathlib import Path

import pytest


def work(process, seconds):
    """Wait until the program has had so many seconds of the processor: on a busy machine it would still be starting."""
    told = Path(f"/proc/{process.pid}/stat")
    if not told.exists():
        time.sleep(seconds)
        return
    for _ in range(600):
        used = sum(int(ticks) for ticks in told.read_text().rpartition(")")[2].split()[11:13]) / os.sysconf("SC_CLK_TCK")
        if used >= seconds or process.poll() is not None:
            return
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        (["demo", "--seconds", "600", "--out", "out"], 2.5),  # while it is filmed
        (["bench", "{film}", "--rounds", "1000"], 2.5),
        (["evaluate", "events", "{film}", "{truth}", "-c", "{config}", "--detector", "motion"], 1.0),
        (["simulate", "--seconds", "600", "--out", "out"], 2.5),
    ],
)
def test_ctrl_c_is_one_line(command, yard, words, seconds):
    running = command(*(word.format(film=yard.film, truth=yard.truth, config=yard.config) for word in words))
    work(running, seconds)
    running.send_signal(signal.SIGINT)
    out, told = running.communicate(timeout=60)
    assert running.returncode == 130, told
    assert out == ""
    assert told.splitlines()[-1:] == ["pahara: stopped"], told
    assert "Traceback" not in told


def test_a_watch_that_was_stopped_has_its_own_last_line(verb, yard, monkeypatch):
    from pahara.pipeline.session import Session

    see = Session._see

    def stopped(self, look):
        see(self, look)
        if self.frames == 20:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Session, "_see", stopped)
    done = verb("watch", yard.film, "-c", yard.config, "--detector", "motion", "--out", "kept")
    assert done.code == 130
    assert done.err.splitlines()[-1].startswith("report: ")
    assert "stopped" not in done.err
