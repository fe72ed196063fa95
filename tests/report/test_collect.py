"""The collector counts what happened, whatever the frame rate, and costs next to nothing."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pahara.behaviours.crossing import Crossing
from pahara.core import Observation, Tripwire, Zone
from pahara.report import Background, FeetMap, SummaryCollector, TimeBins
from pahara.testing.actors import Cast, began, events_of, hidden, path, remember, scenes, stand, walk

SIZE = (640, 360)
LEFT = Zone("left", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
MIDDLE = Tripwire("middle", (0.5, 0.0), (0.5, 1.0))


def gathered(actors, seconds, *, zones=(LEFT,), lines=(MIDDLE,), **options):
    collector = SummaryCollector("test", SIZE, zones=zones, lines=lines)
    for scene in scenes(actors, seconds=seconds, **options):
        collector.see(scene)
    return collector.finish()


@pytest.mark.parametrize("fps", [3, 10, 25])
def test_feet_warm_the_spot_where_they_stand_for_as_long_as_they_stand(fps):
    feet = gathered({1: stand((0.25, 0.8), 0, 20)}, 20, fps=fps).feet
    row, column = np.unravel_index(feet.seconds.argmax(), feet.seconds.shape)
    assert feet.seconds.max() == pytest.approx(20, abs=0.5)
    assert feet.seconds.sum() == pytest.approx(20, abs=0.5)
    assert (column + 0.5) / feet.seconds.shape[1] == pytest.approx(0.25, abs=0.02)
    assert (row + 0.5) / feet.seconds.shape[0] == pytest.approx(0.8, abs=0.02)


def test_who_is_out_of_sight_warms_nothing():
    """A track that the tracker keeps alive for a while has no feet."""
    feet = gathered({1: stand((0.25, 0.8), 0, 10)}, 20, patience=8.0).feet
    assert feet.seconds.sum() == pytest.approx(10, abs=0.5)


def test_a_detector_that_looks_every_two_seconds_still_counts_the_whole_stay():
    """The motion gate spares frames while someone stands still; the time between two sightings belongs to the stay."""
    summary = gathered({1: hidden(stand((0.25, 0.8), 0, 20), *[(a + 0.05, a + 2) for a in range(0, 20, 2)])}, 20, patience=3.0)
    assert summary.feet.seconds.sum() == pytest.approx(20, abs=0.5)
    assert list(summary.stays["left"]["person"]) == pytest.approx([20], abs=0.5)


def test_stays_are_counted_once_for_each_visitor():
    stays = gathered({1: stand((0.2, 0.8), 0, 30), 2: walk((0.1, 0.5), (0.9, 0.5), 10, 16)}, 40).stays
    assert sorted(stays[""]["person"]) == pytest.approx([6, 30], abs=0.3)
    assert sorted(stays["left"]["person"]) == pytest.approx([3, 30], abs=0.3)


def test_a_step_out_of_the_zone_does_not_break_a_stay_but_a_walk_does():
    step = path((0, 0.4, 0.8), (10, 0.4, 0.8), (10.5, 0.6, 0.8), (11, 0.4, 0.8), (20, 0.4, 0.8))
    stroll = path((0, 0.4, 0.8), (10, 0.4, 0.8), (11, 0.6, 0.8), (16, 0.6, 0.8), (17, 0.4, 0.8), (27, 0.4, 0.8))
    assert len(gathered({1: step}, 21).stays["left"]["person"]) == 1
    assert list(gathered({1: stroll}, 28).stays["left"]["person"]) == pytest.approx([10.5, 10.5], abs=0.4)


def test_noise_of_the_detector_is_no_visitor():
    assert "person" not in gathered({1: stand((0.2, 0.8), 5, 5.4)}, 10).stays.get("", {})


def test_forward_is_to_the_right_hand_of_who_walks_the_line():
    """The line runs downwards on the picture, so its right hand is the picture's left."""
    crossings = gathered({1: walk((0.8, 0.6), (0.2, 0.6), 0, 8), 2: walk((0.2, 0.8), (0.8, 0.8), 20, 28)}, 40).crossings
    assert crossings.count(0) == (1, 1)
    assert list(crossings.times) == pytest.approx([4.2, 24.2], abs=0.8)


def test_touching_the_line_and_turning_back_is_no_crossing():
    touch = path((0, 0.2, 0.6), (5, 0.499, 0.6), (10, 0.2, 0.6))
    assert gathered({1: touch}, 15).crossings.count(0) == (0, 0)


def test_a_line_counts_exactly_what_the_crossing_behaviour_reports():
    rng = np.random.default_rng(7)
    actors = {}
    for i in range(1, 25):
        x, y = rng.uniform(0.05, 0.95, 6), rng.uniform(0.3, 0.95, 6)
        actors[i] = path(*zip(np.cumsum(rng.uniform(2, 6, 6)) + 3 * i, x, y, strict=True))
    told = began(events_of(Crossing(MIDDLE), scenes(actors, seconds=120, jitter=0.01)))
    assert len(told) > 30
    assert sum(gathered(actors, 120, jitter=0.01).crossings.count(0)) == len(told)


def test_a_bag_that_is_carried_over_a_line_does_not_count_beside_its_owner():
    way = walk((0.8, 0.6), (0.2, 0.6), 0, 8)
    assert gathered({1: way, 2: Cast(way, "backpack")}, 20).crossings.count(0) == (1, 0)


def test_those_in_view_are_counted_per_class():
    summary = gathered({i: stand((0.1 * i, 0.8), i, 20) for i in range(1, 4)} | {9: Cast(stand((0.9, 0.9), 0, 20), "car")}, 20)
    assert np.nanmax(summary.present["person"].peaks) == 3
    assert np.nanmax(summary.present["car"].peaks) == 1
    assert np.nanmin(summary.present["person"].peaks) == 0


def test_the_highest_score_of_each_beat_is_kept_for_every_behaviour():
    collector = SummaryCollector("test", SIZE, behaviours={"loitering": "loitering", "running": "running"})
    for scene in scenes({1: stand((0.2, 0.8), 0, 9), 2: stand((0.4, 0.8), 0, 9)}, seconds=10):
        collector.see(scene, {"loitering": {(1,): 0.2, (2,): scene.time / 20}})
    scores = collector.finish().scores
    assert scores["loitering"].peaks.max() == pytest.approx(0.5)
    assert len(scores["running"].peaks) == 0


def test_time_bins_hold_a_year_in_the_same_room_and_lose_no_peak():
    bins = TimeBins(most=64, width=0.5)
    for hour in range(24 * 365):
        bins.add(np.array([3600.0 * hour]), np.array([9.0 if hour == 4000 else 1.0]))
    assert len(bins.times) <= 64
    assert bins.peaks.max() == 9
    assert abs(bins.times[bins.peaks.argmax()] - 3600 * 4000) <= bins.width
    assert np.nansum(bins.means) > 0


def test_a_gap_leaves_empty_bins():
    bins = TimeBins(width=1.0)
    bins.add(np.array([0.0, 1.0, 9.0]), np.array([1.0, 1.0, 1.0]))
    assert np.isnan(bins.means).tolist() == [False, False, *[True] * 7, False]


def test_the_feet_map_has_square_spots():
    assert FeetMap((1920, 1080)).seconds.shape == (56, 100)
    assert FeetMap((1080, 1920)).seconds.shape == (178, 100)


def test_began_and_ended_make_one_card(story):
    loitering = [card for card in story.cards if card.event.kind == "loitering"]
    assert len(loitering) == 1
    assert loitering[0].event.phase == "ended"
    assert loitering[0].alarm == pytest.approx(22, abs=0.5)
    assert loitering[0].end == pytest.approx(48, abs=1)
    assert loitering[0].event.reason.measured > 40
    assert loitering[0].snapshot


def test_what_still_goes_on_ends_with_the_run():
    from pahara.behaviours.loitering import Loitering

    collector = SummaryCollector("test", SIZE)
    events = events_of(Loitering(LEFT, seconds=5), scenes({1: stand((0.2, 0.8), 0, 20)}, seconds=20))
    collector.event(events[0])
    card = collector.finish(end=20.0).cards[0]
    assert card.open
    assert card.end == 20


def test_pictures_may_come_later_or_for_an_unknown_event():
    from pahara.behaviours.loitering import Loitering

    collector = SummaryCollector("test", SIZE)
    for event in events_of(Loitering(LEFT, seconds=5), scenes({1: stand((0.2, 0.8), 0, 20)}, seconds=20)):
        collector.event(event)
    collector.evidence(event.id, snapshot=b"later", clip=Path("clip.mp4"))
    collector.evidence("nobody", snapshot=b"lost")
    card = collector.finish().cards[0]
    assert (card.snapshot, card.clip, card.open) == (b"later", Path("clip.mp4"), False)


def test_a_run_in_which_nothing_was_seen_is_no_error():
    summary = SummaryCollector("test", SIZE, lines=[MIDDLE]).finish()
    assert (summary.seconds, summary.cards, bool(summary.feet)) == (0.0, (), False)


def test_the_background_is_the_place_without_its_passers_by():
    background = Background()
    for second in range(0, 60):
        image = np.full((90, 160, 3), 100, np.uint8)
        image[20:80, (second * 7) % 140 : (second * 7) % 140 + 20] = 255
        if background.wants(second):
            background.add(second, image)
    shown = cv2.imdecode(np.frombuffer(background.jpeg(), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(shown.astype(int) - 100).max() < 12


def test_the_background_asks_for_few_pictures_however_long_the_run():
    background, asked = Background(), 0
    for second in range(24 * 3600):
        if background.wants(second):
            asked += 1
            background.add(second, np.zeros((4, 4, 3), np.uint8))
    assert 15 < asked < 150


@pytest.mark.slow
def test_a_beat_with_ten_people_costs_a_few_millionths_of_a_second():
    """20 µs on a quiet core with five behaviours, two zones and two lines; the test allows for a busy machine."""
    rng = np.random.default_rng(0)
    spots = rng.uniform(100, 500, (10, 2))
    seen = [
        Observation(
            0.1 * k, np.arange(10), np.concatenate([spots + k * 0.1, spots + k * 0.1 + [30, 80]], 1).astype(np.float32),
            ("person",) * 10, np.ones(10, bool), np.ones(10, np.float32),
        )
        for k in range(1500)
    ]  # fmt: skip
    story = list(remember(seen, size=SIZE, memory=30))
    scores = {name: {(1,): 0.2, (2,): 0.3} for name in "abcde"}
    best = np.inf
    for _ in range(3):
        collector = SummaryCollector("test", SIZE, zones=[LEFT, replace(LEFT, name="b")], lines=[MIDDLE, replace(MIDDLE, name="b")])
        begin = time.process_time()
        for scene in story:
            collector.see(scene, scores)
        collector.finish()
        best = min(best, (time.process_time() - begin) / len(story))
    assert best < 80e-6
