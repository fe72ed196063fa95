"""A camera learns what is usual, and tells what is not, with the right reason; and a replay says the same whatever happened in between."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from pahara.config import from_data, plan
from pahara.core import Frame, Observation, Track
from pahara.language import explain
from pahara.normality import VERSION, Normality, Settings, track_key
from pahara.pipeline.analyst import Analyst
from pahara.pipeline.explaining import composed, explained
from pahara.pipeline.learn import learn_recordings
from pahara.pipeline.learning import NONE_YET, Learning, Lessons, learning_of, remembered, settings_of, verdicts_of
from pahara.pipeline.replay import events_of
from pahara.pipeline.watch import Look
from pahara.store import Store
from pahara.store.gallery import Gallery
from pahara.store.learned import LearnedFolder
from pahara.tracking import on_grid

SIZE = (640, 360)
NOON = 1_735_560_000.0  # UTC
TALL = 90.0  # pixels
EVERY = 240.0  # seconds from one passer-by to the next
PEOPLE = 240
GREY = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)


def seen(time, people):
    """people: (id, x, y) foot points in pixels."""
    boxes = [(x - 18, y - TALL, x + 18, y) for _, x, y in people]
    ones = np.ones(len(people))
    return on_grid(
        Observation(
            time, np.array([i for i, _, _ in people], np.int64), np.array(boxes, np.float32).reshape(-1, 4), ("person",) * len(people),
            ones.astype(bool), (0.9 * ones).astype(np.float32),
        )
    )  # fmt: skip


def passer_by(number, begin, *, speed=0.8, ways=1, seed=0):
    """Across the picture at so many body heights a second, there and back `ways` times -> observations, ten a second."""
    rng = np.random.default_rng([seed, number])
    y = 200 + rng.uniform(-25, 25)
    pace = speed * rng.uniform(0.85, 1.15) * TALL
    forward = rng.random() < 0.5
    far = 440.0
    for step in range(round(10 * ways * far / pace)):
        way, along = divmod(step * pace / 10, far)
        x = 100 + (along if (way % 2 == 0) == forward else far - along)
        yield seen(begin + step / 10, [(number, x + rng.normal(0, 0.6), y + rng.normal(0, 0.6))])


def a_day(people=PEOPLE, *, first=1, begin=0.0, seed=0):
    """Passers-by one after another, and an empty picture twice a minute in between."""
    for number in range(people):
        at = begin + number * EVERY
        last = at
        for observation in passer_by(first + number, at, seed=seed):
            yield observation
            last = observation.time
        for quiet in np.arange(last + 1, at + EVERY - 1, 30.0):
            yield seen(round(float(quiet), 3), [])


CONFIG = from_data(
    {
        "version": 1,
        "timezone": "UTC",
        "cameras": {"lane": {"source": "lane.mp4", "behaviours": [{"kind": "unusual", "budget": "3/day", "labels": "person"}]}},
    }
)


def record(store, observations, *, epoch=NOON):
    recording = store.begin_recording(
        "lane", "lane.mp4", SIZE, epoch=epoch, memory=190, config=json.dumps(CONFIG.as_dict()), settings={"camera": "lane"}
    )
    block = []
    for observation in observations:
        block.append(observation)
        if len(block) == 2000:
            store.add_observations(recording, block)
            block = []
    if block:
        store.add_observations(recording, block)
    return recording


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A store whose camera has learned from one recording; tests copy it."""
    folder = tmp_path_factory.mktemp("lane")
    with Store.open(folder) as store:
        recording = record(store, a_day())
        result = learn_recordings(store, "lane", [recording], settings=settings_of("UTC", NOON))
    assert (result.version, result.tracks, result.problems) == (1, PEOPLE, [])
    return folder


@pytest.fixture
def store(taught, tmp_path):
    import shutil

    shutil.copytree(taught, tmp_path / "out")
    with Store.open(tmp_path / "out") as opened:
        yield opened


def watched(store, observations, *, days_later=1.0, image=GREY, change=None, settings=None):
    """What the watch does with these, beat by beat, learning on the way -> recording, events, learning."""
    config = CONFIG
    wanted = plan(config, "lane")
    recording = store.begin_recording(
        "lane",
        "lane.mp4",
        SIZE,
        epoch=NOON + days_later * 86400,
        memory=190,
        config=json.dumps(config.as_dict()),
        settings={"camera": "lane"},
    )
    learning = learning_of(wanted, store, recording, timezone="UTC")
    if settings is not None:
        learning.settings = learning.lessons.learner.settings = settings
    analyst = Analyst("lane", SIZE, learning.bind(wanted.behaviours), wanted.rules, epoch=recording.epoch, memory=190)
    events, kept = [], []
    for number, observation in enumerate(observations):
        frame = Frame("lane", observation.time, SIZE, lambda: image)
        observation = on_grid(replace(observation, signals={**observation.signals, **learning.signal(frame)}))
        moment = analyst.recall(observation)
        kept.append(observation)
        events += moment.events
        for event in moment.events:
            store.save_event(event, recording)
        learning.see(Look(frame, None, moment))
        if change is not None:
            change(number, learning)
    for event in analyst.finish():
        store.save_event(event, recording)
        events.append(event)
    learning.finish()
    for start in range(0, len(kept), 2000):
        store.add_observations(recording, kept[start : start + 2000])
    return recording, events, learning


def runner():
    """Ten usual people, then one who runs there and back three times."""
    yield from a_day(3, first=1000, seed=5)
    yield from passer_by(2000, 3 * EVERY, speed=3.0, ways=4, seed=5)


def replayed(store, recording):
    found = remembered(plan(CONFIG, "lane"), store)
    return events_of(store, recording, found.behaviours, found.rules)


def last_reports(events):
    latest = {event.id: event for event in events}
    return sorted(latest.values(), key=lambda event: (event.start, event.id))


# ---------------------------------------------------------------- learned, judged, told


def test_who_runs_where_people_walk_is_told_with_the_right_reason_in_both_languages(store):
    _recording, events, _ = watched(store, runner())
    began = [event for event in events if event.phase == "began"]
    assert [event.subject for event in began] == [(2000,)]
    reason = last_reports(events)[0].reason
    assert reason.code == "unusual.speed"
    assert reason.values["attribute"] == "motion"
    assert 2.4 < reason.measured < 3.6
    assert reason.values["low"] < 0.8 < reason.values["high"] < 1.3
    assert "body heights a second" in explain(reason, "en")
    assert "person-seconds here (" in explain(reason, "en")
    assert "শরীর-উচ্চতা" in explain(reason, "bn")
    assert "{" not in explain(reason, "en") + explain(reason, "bn")


def test_usual_people_are_not_told(store):
    _, events, learning = watched(store, a_day(12, first=500, seed=9))
    assert events == []
    assert learning.judged > 11 * EVERY * 0.9


def test_a_replay_is_the_same_to_the_last_bit(store):
    recording, events, _ = watched(store, runner())
    assert replayed(store, recording) == last_reports(events)


def test_a_replay_is_the_same_although_the_model_changed_in_the_middle_and_again_afterwards(store):
    other = Normality.load(LearnedFolder.of(store, "lane").path(1))
    slower = replace(other, peaks=replace(other.peaks, highest=other.peaks.highest + 30.0))  # takes far more evidence

    def change(number, learning):
        if number == 150:  # while usual people are about
            learning.folder.add(slower.save, "nightly")

    recording, events, learning = watched(store, runner(), change=change)
    versions = [o.signals[VERSION] for o in store.observations(recording)]
    assert versions[0] == 1
    assert versions[-1] == 2
    assert learning.chosen == 2
    again = replayed(store, recording)
    assert again == last_reports(events)
    LearnedFolder.of(store, "lane").choose(1, "rollback")
    assert replayed(store, recording) == again


def test_a_recording_from_before_there_was_a_model_stays_silent_in_its_replay(store):
    folder = LearnedFolder.of(store, "lane")
    folder.choose(0, "relearn")
    (folder.folder / "learner.state").unlink()
    recording, events, _learning = watched(store, runner())
    assert events == []
    assert {o.signals[VERSION] for o in store.observations(recording)} == {NONE_YET}
    folder.choose(1, "rollback")
    assert replayed(store, recording) == []


def test_a_recording_that_nobody_judged_is_tried_with_the_model_that_counts(store):
    """A back-test: `unusual` is added to the configuration after the fact."""
    recording = record(store, runner(), epoch=NOON + 86400)
    assert [event.subject for event in replayed(store, recording)] == [(2000,)]


def test_the_reason_brings_what_is_usual_and_the_nearest_examples(store):
    folder = LearnedFolder.of(store, "lane")
    gallery = Gallery.of(folder)
    model = Normality.load(folder.path(1))
    picture = cv2.imencode(".jpg", np.full((120, 160, 3), 90, np.uint8))[1].tobytes()
    for key in np.unique(model.known["motion"].memory.tracks).tolist():
        gallery.add(key, NOON, picture)
    _, events, learning = watched(store, runner())
    event = last_reports(events)[0]
    told = explained(event, learning.model, gallery)
    assert told.usual.quantity == "speed"
    assert told.usual.at(told.usual.observed) > told.usual.at(told.usual.high)
    assert len(told.examples) == 3
    assert composed(told, event, GREY).startswith(b"\xff\xd8\xff")


# ---------------------------------------------------------------- learning while watching


def test_a_camera_without_a_model_makes_its_first_one_while_it_watches(tmp_path):
    few = Settings(ready={"motion": 30, "shape": 30, "dwell": 30, "interaction": 30})
    with Store.open(tmp_path) as store:
        recording, events, learning = watched(store, a_day(40), settings=few)
        assert learning.chosen == 1
        assert events == []
        assert learning.problems == []
        assert [note["what"] for note in learning.notes] == ["first"]
        assert LearnedFolder.of(store, "lane").current.why == "first"
        assert replayed(store, recording) == []
        gallery = Gallery.of(LearnedFolder.of(store, "lane"))
        first = Track(1, "person", np.array([0.0]), np.zeros((1, 4), np.float32))
        assert track_key("lane", recording.epoch, first) in gallery


def test_what_was_learned_goes_on_after_the_program_was_ended(store):
    folder = LearnedFolder.of(store, "lane")
    before = Lessons.load(folder, Settings())[0].learner.seen
    watched(store, a_day(5, first=700, seed=3))
    after = Lessons.load(folder, Settings())[0]
    assert after.learner.seen == before + 5
    assert len(after.done) == 2


def test_who_alarmed_is_not_learned_from_unless_someone_says_that_it_was_fine(store):
    _recording, events, _ = watched(store, runner())
    folder = LearnedFolder.of(store, "lane")
    alarm = next(line for line in folder.journal() if line["what"] == "alarm")
    assert alarm["event"] == events[0].id
    key = int(alarm["tracks"][0])
    taught = Lessons.load(folder, Settings())[0].learner
    assert key not in np.unique(taught.fit().known["motion"].memory.tracks)
    store.review(events[0].id, "fine")
    learning = Learning(folder, settings=settings_of("UTC", NOON), verdicts=verdicts_of(store, "lane"))
    learning.update(NOON + 5 * 86400)
    learning.finish()
    taught = Lessons.load(folder, Settings())[0].learner
    assert key in np.unique(taught.fit().known["motion"].memory.tracks)


def test_stored_tracks_are_learned_from_once(store):
    recordings = store.recordings()
    again = learn_recordings(store, "lane", recordings, settings=settings_of("UTC", NOON))
    assert (again.skipped, again.version, again.tracks) == (1, 0, PEOPLE)
    assert LearnedFolder.of(store, "lane").versions == (1,)


def test_learning_that_was_stopped_goes_on_where_it_was(tmp_path):
    with Store.open(tmp_path) as store:
        recording = record(store, a_day(12))

        def stop(said, done, total):
            if done > total / 2:
                raise KeyboardInterrupt

        half = learn_recordings(store, "lane", [recording], settings=Settings(), tell=stop)
        assert half.interrupted
        assert 4 < half.tracks < 9
        whole = learn_recordings(store, "lane", [recording], settings=Settings())
        once = learn_recordings(store, "lane", [recording], settings=Settings(), anew=True)
        assert (whole.tracks, once.tracks) == (12, 12)
        assert whole.hours == pytest.approx(once.hours, rel=0.02)
        assert len(Lessons.load(LearnedFolder.of(store, "lane"), Settings())[0].learner.samples) == pytest.approx(
            len(Lessons.load(LearnedFolder.of(store, "lane"), Settings())[0].learner.samples)
        )


# ---------------------------------------------------------------- damage and drift


def test_a_damaged_model_is_told_in_one_line_and_the_one_before_counts(store):
    folder = LearnedFolder.of(store, "lane")
    folder.add(lambda path: path.write_bytes(folder.path(1).read_bytes()[:500]), "nightly")
    _, events, learning = watched(store, runner())
    assert learning.chosen == 1
    (problem,) = learning.problems
    assert "v0002.model is damaged" in problem
    assert "\n" not in problem
    assert [event.subject for event in last_reports(events)] == [(2000,)]


def test_damaged_lessons_are_set_aside_and_the_model_goes_on_judging(store):
    folder = LearnedFolder.of(store, "lane")
    state = folder.state()
    folder.save_state(state[: len(state) // 2])
    _, events, learning = watched(store, runner())
    assert "damaged" in learning.problems[0]
    assert (folder.folder / "learner.state.damaged").is_file()
    assert [event.subject for event in last_reports(events)] == [(2000,)]


def test_two_watches_of_one_camera_do_not_learn_over_each_other(store):
    folder = LearnedFolder.of(store, "lane")
    other = LearnedFolder(folder.folder)
    assert other.claim()
    before = folder.state()
    _, events, learning = watched(store, runner())
    assert "another program is learning" in learning.problems[0]
    assert folder.state() == before
    assert [event.subject for event in last_reports(events)] == [(2000,)]
    other.release()


def test_a_watch_learns_on_once_the_other_has_ended(store):
    folder = LearnedFolder.of(store, "lane")
    other = LearnedFolder(folder.folder)
    assert other.claim()
    before = Lessons.load(folder, Settings())[0].learner.seen
    _, _, learning = watched(store, a_day(3, first=800, seed=4), change=lambda number, _: other.release() if number == 20 else None)
    assert learning.owns
    assert Lessons.load(folder, Settings())[0].learner.seen == before + 3


def test_a_camera_that_was_turned_judges_nobody_and_learns_anew_once_it_stays_so(store):
    def turned():
        for observation in a_day(12, first=3000, seed=2):
            moved = 1.0 if observation.time > 2 * EVERY else 0.0
            yield replace(observation, signals={"tamper.moved": moved})
        yield from (replace(o, signals={"tamper.moved": 1.0}) for o in passer_by(3900, 12 * EVERY, speed=3.0, ways=4))

    recording, events, learning = watched(store, turned())
    assert events == []
    assert [note["what"] for note in learning.notes] == ["frozen", "relearn"]
    assert learning.chosen == NONE_YET
    assert LearnedFolder.of(store, "lane").current.version == 0
    assert len(np.unique(learning.lessons.learner.samples.tracks)) < 15
    assert replayed(store, recording) == []
