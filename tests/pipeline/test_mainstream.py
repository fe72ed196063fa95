"""Evidence comes from the main stream while the sub-stream is watched; and everything can be recorded as it comes."""

from __future__ import annotations

import av
import pytest

from pahara.config import from_data, retention
from pahara.pipeline.keeper import Keeper
from pahara.pipeline.live import Live
from pahara.pipeline.mainstream import ShiftedRing
from pahara.pipeline.tape import Tape
from pahara.store import Store
from pahara.video import open_source
from pahara.video.writer import VideoWriter

from .conftest import FPS, SECONDS, bright_blocks, picture
from .test_live import until


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """The same film, twice as large."""
    path = tmp_path_factory.mktemp("large") / "block.mp4"
    with VideoWriter(path) as writer:
        for n in range(SECONDS * FPS):
            writer.write(picture(n / FPS).repeat(2, 0).repeat(2, 1), n / FPS)
    return path


def size_of(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return (stream.codec_context.width, stream.codec_context.height), sum(1 for _ in container.demux(stream)) - 1


def watched(film, record, **more):
    places = {"zones": {"right": [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]}, "behaviours": [{"kind": "intrusion", "zone": "right"}]}
    camera = {"source": str(film), "record": str(record), **places}
    return from_data(
        {"version": 1, "gate": False, "evidence": {"before": 1, "after": 1, "longest": 4}, "cameras": {"yard": camera}, **more}
    )


@pytest.mark.slow
def test_a_clip_shows_the_main_stream_at_the_time_of_the_event(film, large, tmp_path):
    with Store.open(tmp_path) as store, Live(watched(film, large), store, make=lambda chosen: bright_blocks) as live:
        until(lambda: any(event.kept("clip") for event in store.events(kind="intrusion")), 30)
        (event,) = [event for event in store.events(kind="intrusion") if event.kept("clip")][:1]
        clip = event.kept("clip")
        assert size_of(clip.path)[0] == (320, 180)
        assert clip.begin <= event.start_utc - 0.5
        assert clip.end >= event.start_utc
        assert live.station("yard").alive


@pytest.mark.slow
def test_without_its_main_stream_a_camera_keeps_clips_of_what_it_watches(film, tmp_path):
    config = watched(film, "rtsp://127.0.0.1:1/away")
    with Store.open(tmp_path) as store, Live(config, store, make=lambda chosen: bright_blocks):
        until(lambda: any(event.kept("clip") for event in store.events(kind="intrusion")), 30)
        clip = next(event.kept("clip") for event in store.events(kind="intrusion") if event.kept("clip"))
        assert size_of(clip.path)[0] == (160, 90)


def test_times_of_the_main_stream_are_told_in_those_of_the_sub_stream(film, large, tmp_path):
    with open_source(film, ring_seconds=60) as sub, open_source(large, ring_seconds=60) as main:
        for source in (sub, main):
            for _ in source:
                pass
        sub.epoch, main.epoch = 1000.0, 997.0  # the main stream came three seconds earlier
        ring = ShiftedRing(lambda: main.ring, sub)
        info = ring.write_clip(tmp_path / "clip.mp4", 2.0, 6.0)
        assert size_of(info.path)[0] == (320, 180)
        assert info.begin <= 2.0
        assert info.end == pytest.approx(6.0, abs=0.11)
        late = ring.write_clip(tmp_path / "late.mp4", 9.0, 11.5)  # of which the main stream had nothing any more
        assert size_of(late.path)[0] == (160, 90)
        assert ShiftedRing(lambda: None, sub).write_clip(tmp_path / "sub.mp4", 2.0, 6.0).end == pytest.approx(6.0, abs=0.11)


def test_a_tape_holds_every_picture_once_in_files_of_a_minute(film, tmp_path):
    keeper = Keeper()
    with Store.open(tmp_path / "out") as store, open_source(film, ring_seconds=60) as source:
        for _ in source:
            pass
        source.epoch = 1_767_268_855.0  # five seconds before a full minute
        tape = Tape("yard", store, keeper, lambda: source.ring)
        tape.cut(source.epoch + 6)
        tape.cut(source.epoch + 8)
        tape.cut(rest=True)
        tape.cut(rest=True)
        assert keeper.stop()
        found = store.footage.between("yard", source.epoch, source.epoch + 60)
        assert len({piece.begin // 60 for piece in found}) == (2 if len(found) > 1 else 1)
        assert sum(size_of(piece.path)[1] for piece in found) == SECONDS * FPS
        assert all(before.end <= after.begin for before, after in zip(found, found[1:], strict=False))
        assert found[0].begin == pytest.approx(source.epoch)
        assert found[-1].end == pytest.approx(source.epoch + SECONDS - 1 / FPS, abs=0.01)


@pytest.mark.slow
def test_a_watch_that_records_keeps_what_came_until_it_was_stopped(film, tmp_path):
    config = watched(film, "", recording={"enabled": True, "days": 1})
    assert retention(config).footage_days == 1
    with Store.open(tmp_path) as store:
        with Live(config, store, make=lambda chosen: bright_blocks) as live:
            until(lambda: live.station("yard").frames > 30, 20)
        found = store.footage.between("yard", 0, 1e12)
        assert sum(piece.end - piece.begin for piece in found) > 2
        assert all(size_of(piece.path)[0] == (160, 90) for piece in found)
