"""Who is who from frame to frame: told with actors who walk, hide, park and cross, at every frame rate."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pahara.core import Detections, Observation, Tracker
from pahara.core.boxes import iou_matrix
from pahara.tracking import ByteTrack

NAMES = ("person", "car", "truck", "bag")
RATES = (2, 5, 7, 10, 25, 30)  # frames a second

Sight = tuple[list[float], float, str] | None  # box, score, class
Actor = Callable[[float], Sight]  # seconds -> what the detector sees of it


def walker(x: float, y: float, speed: float, *, begin: float = 0, finish: float = 1e9, score: float = 0.85, tall: float = 100) -> Actor:
    """A person `tall` pixels, whose foot point starts at x, y and goes sideways at `speed` pixels a second."""

    def see(time: float) -> Sight:
        if not begin <= time <= finish:
            return None
        at = x + speed * (time - begin)
        return [at - 0.2 * tall, y - tall, at + 0.2 * tall, y], score, "person"

    return see


def thing(box: list[float], *, label: str = "car", score: float = 0.85, shown: Callable[[float], bool] = lambda _: True) -> Actor:
    """Something that stands still and is detected whenever `shown`."""
    return lambda time: (box, score, label) if shown(time) else None


def hidden(actor: Actor, begin: float, finish: float) -> Actor:
    """The same actor, behind something from `begin` to `finish`."""
    return lambda time: None if begin <= time < finish else actor(time)


def look(actors: Iterable[Actor], time: float) -> Detections:
    sights = [sight for actor in actors if (sight := actor(time)) is not None]
    return Detections.of([s[0] for s in sights], [s[1] for s in sights], [NAMES.index(s[2]) for s in sights], NAMES)


def film(
    actors: Iterable[Actor], seconds: float, fps: float = 10, tracker: ByteTrack | None = None, noise: float = 0.0, begin: float = 0.0
) -> list[Observation]:
    """What the tracker says of every frame; `noise` in pixels shakes every side."""
    tracker, rng, actors = tracker or ByteTrack(), np.random.default_rng(0), list(actors)
    told = []
    for frame in range(int(seconds * fps) + 1):
        found = look(actors, time := begin + frame / fps)
        shaken = (found.boxes + rng.normal(0, noise, found.boxes.shape)).astype(np.float32)
        told.append(tracker.update(Detections(shaken, found.scores.copy(), found.labels.copy(), NAMES), time))
    return told


def ids(told: Iterable[Observation]) -> list[int]:
    """Every id ever reported, in order."""
    return sorted({i for seen in told for i in seen.ids.tolist()})


def id_at(seen: Observation, x: float) -> int:
    """The id of the seen track nearest to x."""
    centres = (seen.boxes[:, 0] + seen.boxes[:, 2]) / 2
    return int(seen.ids[seen.seen][np.argmin(np.abs(centres[seen.seen] - x))])


def test_it_is_a_tracker():
    assert isinstance(ByteTrack(), Tracker)


# One person, any frame rate


@pytest.mark.parametrize("fps", RATES)
def test_a_walker_is_one_track_at_every_frame_rate(fps):
    told = film([walker(50, 300, 80)], 10, fps, noise=1.5)
    assert ids(told) == [1]
    assert all(seen.seen.all() and len(seen) == 1 for seen in told[fps:])


@pytest.mark.parametrize("fps", RATES[1:])
def test_a_runner_is_one_track_from_five_frames_a_second_on(fps):
    told = film([walker(50, 300, 250)], 5, fps, noise=1.5)  # 2.5 body heights a second: about 4 m/s
    assert ids(told) == [1]


@pytest.mark.parametrize("fps", RATES)
def test_a_newcomer_is_reported_within_a_beat_of_being_confirmed(fps):
    told = film([walker(50, 300, 80, begin=1.0)], 4, fps)
    first = next(seen.time for seen in told if len(seen))
    assert 1.0 + 0.2 - 1e-6 <= first <= 1.0 + 0.2 + 1 / fps + 1 / fps


@pytest.mark.parametrize("fps", RATES)
def test_two_who_cross_keep_their_ids(fps):
    # Eight body widths apart in depth: their boxes overlap while they pass, and both are seen.
    left, right = walker(100, 300, 90), walker(700, 345, -90, tall=115)
    told = film([left, right], 8, fps, noise=1.0)
    assert ids(told) == [1, 2]
    assert id_at(told[2 * fps], 280) == id_at(told[-1], 820)
    assert id_at(told[2 * fps], 520) == id_at(told[-1], -20)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.02, 0.45), min_size=20, max_size=60))
def test_uneven_frames_make_no_difference(waits):
    tracker, now, told = ByteTrack(), 0.0, []
    actors = [walker(50, 300, 80), walker(900, 500, -60)]
    for wait in waits:
        now += wait
        told.append(tracker.update(look(actors, now), now))
    assert ids(told) == [1, 2]


def test_a_camera_that_slows_down_in_the_dark_loses_nobody():
    tracker, actors = ByteTrack(), [walker(50, 300, 160), walker(2000, 500, -150)]
    told = film(actors, 2, 25, tracker=tracker)
    slow = [tracker.update(look(actors, 2 + i * 0.45), 2 + i * 0.45) for i in range(1, 8)]
    assert ids(told + slow) == [1, 2]
    assert all(seen.seen.all() for seen in slow)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.25, 8), st.sampled_from([5, 10, 25]))
def test_the_size_of_the_picture_makes_no_difference(scale, fps):
    def scaled(actor: Actor) -> Actor:
        return lambda t: ([v * scale for v in sight[0]], *sight[1:]) if (sight := actor(t)) else None

    actors = [walker(50, 300, 80), hidden(walker(600, 320, -70), 2, 2.6), walker(300, 700, 30)]
    plain, other = film(actors, 5, fps), film([scaled(a) for a in actors], 5, fps)
    assert [seen.ids.tolist() for seen in plain] == [seen.ids.tolist() for seen in other]
    assert [seen.seen.tolist() for seen in plain] == [seen.seen.tolist() for seen in other]


def test_a_late_clock_makes_no_difference():
    actors = [walker(50, 300, 80)]
    shifted = film([lambda t: actors[0](t - 5e6)], 4, begin=5e6)
    assert [seen.ids.tolist() for seen in film(actors, 4)] == [seen.ids.tolist() for seen in shifted]


# Out of sight


@pytest.mark.parametrize("fps", RATES)
def test_a_walker_behind_a_pillar_comes_out_as_the_same(fps):
    told = film([hidden(walker(50, 300, 80), 4.0, 5.4)], 8, fps, noise=1.5)
    assert ids(told) == [1]
    behind = [seen for seen in told if 4.3 < seen.time < 5.3]
    assert all(not seen.seen.any() and len(seen) == 1 and seen.scores[0] == 0 for seen in behind)


def test_the_box_of_a_track_out_of_sight_is_its_last_sighting():
    told = film([hidden(walker(50, 300, 80), 4.0, 5.0)], 6)
    last = next(seen for seen in reversed(told) if seen.time < 4.0)
    for seen in told:
        if 4.0 <= seen.time < 5.0:
            assert np.array_equal(seen.boxes, last.boxes)


@pytest.mark.parametrize("fps", RATES)
def test_a_walker_who_is_gone_for_long_is_someone_new(fps):
    told = film([hidden(walker(50, 300, 80), 3.0, 8.0)], 12, fps)
    assert ids(told) == [1, 2]
    gone = [seen for seen in told if 5.2 < seen.time < 8.0]
    assert all(len(seen) == 0 for seen in gone)


@pytest.mark.parametrize("fps", RATES)
def test_a_parked_car_that_the_detector_loses_for_a_minute_is_the_same_car(fps):
    car = thing([200, 200, 400, 300], shown=lambda t: t < 10 or t > 70)
    told = film([car], 75, fps)
    assert ids(told) == [1]
    assert told[-1].seen.all()
    # It is listed as briefly out of sight at first, then not at all.
    by_time = {round(seen.time, 3): len(seen) for seen in told}
    assert by_time[15.0] == 1
    assert by_time[30.0] == 0


def test_a_parked_car_is_forgotten_after_recall():
    car = thing([200, 200, 400, 300], shown=lambda t: t < 10 or t > 70)
    assert ids(film([car], 75, tracker=ByteTrack(recall=30))) == [1, 2]


def test_another_car_elsewhere_does_not_inherit_the_id():
    first = thing([200, 200, 400, 300], shown=lambda t: t < 10)
    second = thing([330, 200, 530, 300], shown=lambda t: t > 40)
    assert ids(film([first, second], 50)) == [1, 2]


def test_who_walks_through_the_place_of_a_remembered_car_stays_himself():
    car = thing([200, 200, 400, 300], label="person", shown=lambda t: t < 10)  # even of the same class
    told = film([car, walker(0, 300, 80, begin=20)], 27)
    assert ids(told) == [1, 2]
    assert told[-1].ids.tolist() == [2]


@pytest.mark.parametrize("pause", [0.5, 5, 60])
def test_nobody_looked_for_a_while_and_the_standing_are_still_there(pause):
    """A closed motion gate, or a stream that broke: no update at all in between."""
    tracker, actors = ByteTrack(), [thing([200, 200, 240, 300], label="person"), thing([500, 200, 700, 300])]
    film(actors, 5, tracker=tracker)
    told = film(actors, 3, tracker=tracker, begin=5 + pause)
    assert ids(told) == [1, 2]
    assert all(seen.seen.all() and len(seen) == 2 for seen in told)


def test_who_has_just_sat_down_when_nobody_looks_is_still_the_same():
    tracker, arrives = ByteTrack(), walker(100, 300, 100, finish=2.0)
    sits = thing([280, 200, 320, 300], label="person")
    film([lambda t: arrives(t) or sits(t)], 3, tracker=tracker)  # not long enough to be stationary
    told = film([sits], 2, tracker=tracker, begin=9)
    assert ids(told) == [1]


# What is no track


@pytest.mark.parametrize("fps", RATES)
def test_a_flicker_is_never_reported(fps):
    flicker = walker(300, 300, 0, begin=1.0, finish=1.0 + 0.5 / fps)
    assert ids(film([flicker], 3, fps)) == []


def test_a_flicker_of_a_tenth_of_a_second_is_none_at_thirty_frames_a_second_either():
    assert ids(film([walker(300, 300, 0, begin=1.0, finish=1.1)], 3, 30)) == []


def test_weak_detections_begin_nothing():
    assert ids(film([walker(50, 300, 80, score=0.55)], 5)) == []


@pytest.mark.parametrize("fps", RATES)
def test_weak_detections_carry_a_track_through_an_occlusion(fps):
    sure, weak = walker(50, 300, 80), walker(50, 300, 80, score=0.3)
    told = film([lambda t: weak(t) if 4 <= t < 5 else sure(t)], 8, fps)
    assert ids(told) == [1]
    assert all(seen.seen.all() for seen in told if seen.time > 1)


@pytest.mark.parametrize("fps", RATES)
def test_weak_detections_alone_do_not_keep_a_track_for_ever(fps):
    box = [300, 200, 330, 280]  # someone stood before a post and left unseen; the post looks a little like a person
    told = film([lambda t: (box, 0.85 if t < 3 else 0.35, "person")], 30, fps)
    assert all(seen.seen.all() for seen in told if 1 < seen.time < 4)
    assert not any(seen.seen.any() for seen in told if seen.time > 10)


def test_weak_detections_help_at_one_frame_a_second_too():
    told = film([lambda t: ([300, 200, 330, 280], 0.85 if t < 3 or round(t) % 2 else 0.4, "person")], 20, 1)
    assert ids(told) == [1]
    assert all(seen.seen.all() for seen in told[4:])


def test_something_found_in_one_frame_of_four_is_not_reported():
    now_and_then = thing([300, 200, 330, 280], label="person", shown=lambda t: round(t * 30) % 4 == 0)
    assert ids(film([now_and_then], 3, 30)) == []


def test_noise_below_the_low_limit_is_not_looked_at():
    sure = walker(50, 300, 80)
    told = film([lambda t: sure(t) if t < 3 else (sure(t)[0], 0.05, "person")], 5)
    assert not any(seen.seen.any() for seen in told if seen.time > 3)


def test_the_same_object_detected_twice_is_one_track():
    first, second = walker(50, 300, 80), walker(53, 302, 80, score=0.7)
    assert ids(film([first, second], 5)) == [1]


# Classes


def test_classes_never_share_a_track():
    person, bag = walker(300, 300, 0), thing([280, 200, 320, 300], label="bag")
    told = film([lambda t: person(t) if t < 3 else None, lambda t: bag(t) if t >= 3 else None], 4)
    assert ids(told) == [1, 2]
    assert set(told[-1].labels) == {"person", "bag"}


def test_a_truck_that_is_called_a_car_now_and_then_stays_one_truck():
    box = [200, 200, 420, 320]
    told = film([lambda t: (box, 0.8, "car" if round(t * 10) % 4 == 3 else "truck")], 6)
    assert ids(told) == [1]
    assert {label for seen in told[5:] for label in seen.labels} == {"truck"}


def test_the_label_follows_when_the_detector_has_made_up_its_mind():
    moves, steady = [200, 200, 420, 320], [600, 200, 820, 320]
    told = film([lambda t: (moves, 0.8, "car" if t < 1 else "truck"), lambda t: (steady, 0.8, "car")], 5)
    assert told[-1].labels == ("truck", "car")


def test_confused_classes_may_be_kept_apart():
    box = [200, 200, 420, 320]
    told = film([lambda t: (box, 0.8, "car" if t < 3 else "truck")], 6, tracker=ByteTrack(together=()))
    assert ids(told) == [1, 2]


def test_another_detector_may_number_the_classes_otherwise():
    tracker, person = ByteTrack(), walker(300, 300, 0)
    film([person], 2, tracker=tracker)
    box, score, _ = person(0)
    seen = tracker.update(Detections.of([box], [score], [1], ("bicycle", "person")), 2.1)
    assert seen.ids.tolist() == [1]
    assert seen.labels == ("person",)


# Two in one box


def test_a_box_that_shows_two_people_is_nobodys_sighting():
    left, right = walker(280, 300, 20), walker(360, 300, -20)
    merged = [270, 200, 370, 300]
    tracker = ByteTrack()
    film([left, right], 1.5, tracker=tracker)
    seen = tracker.update(Detections.of([merged], [0.9], [0], NAMES), 1.6)
    assert seen.ids.tolist() == [1, 2]
    assert not seen.seen.any()


def test_what_a_rider_rides_does_not_hide_the_rider():
    """The bag stands for the bicycle: of another class, so it is no rival for the box."""
    rider, bag = walker(50, 300, 80), walker(50, 300, 80)
    told = film([rider, lambda t: (bag(t)[0], 0.8, "bag") if t < 3 else None], 4)
    assert all(seen.seen[0] for seen in told if seen.time > 1)


def test_a_box_that_another_might_claim_moves_its_track_less():
    def moved(rival: bool) -> float:
        tracker = ByteTrack()
        others = [walker(322, 300, 0)] if rival else []
        film([walker(300, 300, 0), *others], 3, tracker=tracker)
        seen = tracker.update(look([walker(308, 300, 0), *others], 0), 3.1)
        return float(seen.boxes[0, 0]) - 280

    assert 0 < moved(rival=True) < 0.8 * moved(rival=False)


@pytest.mark.parametrize("fps", RATES[2:])
def test_two_who_hide_each_other_for_a_moment_come_out_as_themselves(fps):
    near = walker(100, 310, 90, tall=110)
    far = hidden(walker(700, 300, -90), 3.0, 3.7)
    told = film([near, far], 7, fps, noise=1.0)
    assert ids(told) == [1, 2]
    assert id_at(told[2 * fps], 280) == id_at(told[-1], 730)


# Boxes


@pytest.mark.parametrize("fps", [10, 25, 30])
def test_reported_boxes_shake_less_than_the_detections(fps):
    told = film([walker(300, 300, 0)], 30, fps, noise=3.0)
    reported = np.array([seen.boxes[0] for seen in told[2 * fps :]])
    assert reported.std(axis=0).mean() < 0.75 * 3.0


@pytest.mark.parametrize("fps", [5, 10, 25])
def test_boxes_follow_a_fall_within_a_third_of_a_second(fps):
    """From upright to lying in half a second: falling is judged by the shape of these boxes."""
    upright, lying = np.array([280.0, 200, 320, 300]), np.array([240.0, 260, 340, 300])

    def faller(time: float) -> Sight:
        done = min(max((time - 3.0) / 0.5, 0), 1)
        return ((1 - done) * upright + done * lying).tolist(), 0.85, "person"

    told = film([faller], 6, fps)
    assert ids(told) == [1]
    after = next(seen for seen in told if seen.time >= 3.5 + 0.34 - 1e-6)
    assert np.abs(after.boxes[0] - lying).max() < 12


def test_feet_of_a_walker_lag_less_than_a_twentieth_of_the_body():
    told = film([walker(50, 300, 80)], 10)
    for seen in told[20:]:
        feet = (seen.boxes[0, 0] + seen.boxes[0, 2]) / 2
        assert abs(feet - (50 + 80 * seen.time)) < 5


# Looks


def test_looks_tell_apart_two_whose_places_are_alike():
    """They stand close, vanish, and come back with places exchanged half way: only looks can tell."""
    colour = {"red": np.array([1.0, 0.0]), "blue": np.array([0.0, 1.0])}
    image = np.zeros((480, 640, 3), np.uint8)
    shown: list[np.ndarray] = []

    def appearance(_image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        return np.array(shown[-1]).reshape(len(boxes), 2)

    def play(tracker: ByteTrack) -> tuple[int, int]:
        red, blue = [280, 200, 320, 300], [306, 200, 346, 300]
        for frame in range(30):
            shown.append(np.array([colour["red"], colour["blue"]]))
            before = tracker.update(Detections.of([red, blue], [0.9, 0.9], [0, 0], NAMES), frame / 10, image)
        both = [292, 200, 332, 300], [296, 200, 336, 300]
        shown.append(np.array([colour["blue"], colour["red"]]))
        after = tracker.update(Detections.of(both, [0.9, 0.8], [0, 0], NAMES), 3.2, image)
        return int(before.ids[0]), int(after.ids[after.scores.argmin()])  # the red one is the second box now

    first, found = play(ByteTrack(appearance=appearance, appearance_weight=0.9))
    assert first == found
    first, found = play(ByteTrack())
    assert first != found


def test_without_a_picture_looks_are_left_out():
    def never(*_: object) -> np.ndarray:
        raise AssertionError("there was no picture to look at")

    assert ids(film([walker(50, 300, 80)], 3, tracker=ByteTrack(appearance=never))) == [1]


def test_looks_of_the_wrong_shape_are_refused():
    tracker = ByteTrack(appearance=lambda _image, _boxes: np.zeros(3))
    with pytest.raises(ValueError, match="one row for each of 1 boxes"):
        tracker.update(look([walker(300, 300, 0)], 0.0), 0.0, np.zeros((480, 640, 3), np.uint8))


# Promises


def test_ids_belong_to_the_instance_and_count_up():
    for _ in range(2):
        told = film([walker(50, 300, 80), walker(900, 500, -60, begin=2), walker(400, 650, 10, begin=4)], 6)
        assert ids(told) == [1, 2, 3]
        for seen in told:
            assert seen.ids.tolist() == sorted(seen.ids.tolist())


def test_time_must_rise():
    tracker = ByteTrack()
    tracker.update(Detections.none(NAMES), 1.0)
    for wrong in (1.0, 0.5, float("nan")):
        with pytest.raises(ValueError, match="time must rise"):
            tracker.update(Detections.none(NAMES), wrong)


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="low <= high"):
        ByteTrack(low=0.6, high=0.5)
    with pytest.raises(ValueError, match="max_gap is a time in seconds"):
        ByteTrack(max_gap=-1)


def test_an_empty_scene_is_no_error():
    told = film([], 3)
    assert all(len(seen) == 0 and seen.labels == () for seen in told)


def clutter(seed: int, frames: int, n: int) -> list[tuple[float, Detections]]:
    """Walkers, noise and nonsense, at uneven times."""
    rng = np.random.default_rng(seed)
    place, pace, now, out = rng.uniform(0, 600, (n, 2)), rng.normal(0, 60, (n, 2)), 0.0, []
    for _ in range(frames):
        step = float(rng.choice([0.033, 0.1, 0.5, 3.0], p=[0.4, 0.4, 0.18, 0.02]))
        now, place = now + step, place + pace * step
        rows = rng.random(n) < 0.85
        corner = np.concatenate([place[rows] + rng.normal(0, 2, (rows.sum(), 2)), rng.uniform(0, 600, (rng.integers(0, 4), 2))])
        side = rng.uniform([0, 0], [60, 150], corner.shape)  # as thin as nothing, too
        k = len(corner)
        out.append((now, Detections.of(np.concatenate([corner, corner + side], 1), rng.random(k), rng.integers(0, 4, k), NAMES)))
    return out


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 12))
def test_every_observation_is_sound(seed, n):
    tracker, highest = ByteTrack(), 0
    for time, found in clutter(seed, 40, n):
        seen = tracker.update(found, time)
        rows = len(seen)
        assert seen.time == time
        assert seen.boxes.shape == (rows, 4)
        assert len(seen.labels) == len(seen.seen) == len(seen.scores) == rows
        assert np.isfinite(seen.boxes).all()
        assert (np.diff(seen.ids) > 0).all()
        assert (seen.scores[~seen.seen] == 0).all()
        assert (seen.scores[seen.seen] >= 0.1 - 1e-6).all()
        assert seen.seen.sum() <= len(found)
        new = [i for i in seen.ids.tolist() if i > highest]
        assert new == list(range(highest + 1, highest + 1 + len(new)))
        highest += len(new)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_the_same_film_gives_the_same_tracks(seed):
    def play() -> list[tuple]:
        tracker = ByteTrack()
        return [
            (o.ids.tolist(), o.boxes.tolist(), o.labels, o.seen.tolist())
            for o in (tracker.update(found, time) for time, found in clutter(seed, 30, 8))
        ]

    assert play() == play()


def test_memory_stays_bounded_in_a_busy_street():
    tracker = ByteTrack()
    sizes = []
    for time, found in clutter(3, 3000, 10):
        tracker.update(found, time)
        sizes.append(len(tracker._tracks))
    assert max(sizes) < 200


def test_a_hundred_people_are_all_followed():
    actors = [walker(30 + 90 * (i % 10), 120 + 110 * (i // 10), (-1) ** i * 4) for i in range(100)]
    told = film(actors, 6, noise=1.0)
    assert ids(told) == list(range(1, 101))
    last = told[-1]
    truth = np.array([actor(last.time)[0] for actor in actors])
    assert (iou_matrix(truth, last.boxes).max(axis=1) > 0.8).all()
