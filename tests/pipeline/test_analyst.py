"""The analyst thinks at its beat, spares the behaviours, and a replay thinks the same."""

from __future__ import annotations

import numpy as np
import pytest

from pahara.alarms import AlarmRule
from pahara.behaviours import Intrusion, Loitering, Running
from pahara.core import Detections, Zone
from pahara.pipeline.analyst import Analyst
from pahara.pipeline.replay import compare, events_of
from pahara.store import Store
from pahara.tracking import ByteTrack

SIZE = (640, 360)
YARD = Zone("yard", ((0.4, 0.3), (0.7, 0.3), (0.7, 1.0), (0.4, 1.0)))
NAMES = ("person",)


def people(*feet: tuple[float, float], tall: float = 90.0) -> Detections:
    """Detections of people whose feet stand at these pixels."""
    boxes = [(x - tall / 5, y - tall, x + tall / 5, y) for x, y in feet]
    return Detections.of(boxes, [0.9] * len(boxes), [0] * len(boxes), NAMES)


def analyst(*, memory: float = 60.0) -> Analyst:
    behaviours = {"intrusion": Intrusion(YARD), "loitering": Loitering(YARD, seconds=10), "running": Running()}
    rules = {name: AlarmRule.of(behaviour) for name, behaviour in behaviours.items()}
    return Analyst("gate", SIZE, behaviours, rules, tracker=ByteTrack(), epoch=1_700_000_000.0, memory=memory)


def visitor(time: float) -> tuple[float, float]:
    """Walks into the yard, stays there for half a minute, and walks on."""
    x = np.interp(time, [0, 10, 40, 50], [40, 330, 345, 620])
    return float(x), 280.0 + 2.0 * float(np.sin(1.7 * time))


@pytest.mark.parametrize(("fps", "beats"), [(25, 100), (30, 100), (10, 100), (7, 70), (2, 20)])
def test_the_scene_is_remembered_ten_times_a_second_or_as_often_as_there_are_frames(fps: int, beats: int) -> None:
    thinking = analyst()
    moments = [thinking.look(i / fps, people((100, 200))) for i in range(10 * fps)]
    assert sum(moment is not None for moment in moments) == pytest.approx(beats, abs=1)


def test_a_visitor_who_stays_in_the_yard_is_told_once_with_the_reason() -> None:
    thinking = analyst()
    events = []
    for i in range(60 * 15):
        time = i / 15
        moment = thinking.look(time, people(visitor(time)) if time < 50 else people())
        events += moment.events if moment else ()
    loitering = [event for event in events if event.kind == "loitering"]
    assert [event.phase for event in loitering] == ["began", "ended"]
    began, ended = loitering
    assert began.id == ended.id
    assert began.reason.measured == pytest.approx(10, abs=0.5)
    assert began.reason.limit == 10
    assert began.place == "yard"
    assert [event.kind for event in events if event.phase == "began"].count("intrusion") == 1
    assert not [event for event in events if event.kind == "running"]


def test_a_replay_of_stored_observations_gives_identical_events(tmp_path) -> None:
    thinking = analyst()
    live = {}
    rng = np.random.default_rng(3)
    with Store.open(tmp_path) as store:
        recording = store.begin_recording("gate", "film", SIZE, epoch=1_700_000_000.0, memory=60.0, beat=thinking.beat)
        kept = []
        time = 0.0
        while time < 55:
            time += rng.uniform(0.03, 0.12)  # a camera that cannot keep time
            x, y = visitor(time)
            seen = people((x + rng.normal(0, 1.5), y + rng.normal(0, 1.5))) if rng.uniform() > 0.1 else people()
            moment = thinking.look(time, seen, {"light": float(rng.uniform())})
            if moment is None:
                continue
            kept.append(moment.observation)
            live.update({event.id: event for event in moment.events})
            if len(kept) == 64:
                store.add_observations(recording, kept)
                kept = []
        store.add_observations(recording, kept)
        live.update({event.id: event for event in thinking.finish()})
        assert live, "nothing happened: the comparison would pass without comparing"
        again = events_of(store, recording, thinking.behaviours, thinking.rules)
    assert again == sorted(live.values(), key=lambda event: (event.start, event.id))
    assert compare(list(live.values()), again).identical


def test_a_stricter_rule_removes_the_event_and_a_looser_one_adds_none_of_its_own(tmp_path) -> None:
    thinking = analyst()
    with Store.open(tmp_path) as store:
        recording = store.begin_recording("gate", "film", SIZE, memory=60.0, beat=thinking.beat)
        observations = [m.observation for i in range(500) if (m := thinking.look(i / 10, people(visitor(i / 10))))]
        store.add_observations(recording, observations)
        rules = {"loitering": AlarmRule()}

        def loitering(seconds: float) -> list:
            return events_of(store, recording, {"loitering": Loitering(YARD, seconds=seconds)}, rules, memory=60.0)

        strict = compare(loitering(10), loitering(45))
        assert len(strict.removed) == 1
        assert not strict.added
        loose = compare(loitering(20), loitering(10))
        assert len(loose.kept) == 1
        assert not loose.removed
        assert not loose.added


def test_someone_who_walks_keeps_the_detector_awake_and_a_parked_car_does_not() -> None:
    walker, parked = analyst(), analyst()
    for i in range(60):
        walker.look(i / 10, people((50 + 6 * i, 280)))
        parked.look(i / 10, people((300 + 0.2 * (i % 2), 280)))
    assert walker.busy
    assert not parked.busy
    assert not analyst().busy


def test_while_the_detector_rests_a_standing_person_stays_in_the_scene() -> None:
    thinking = analyst()
    moments = []
    for i in range(200):
        time = i / 10
        rest = i > 50 and i % 10 != 0  # the gate lets one frame a second through
        moments.append(thinking.look(time, None if rest else people((330, 280))))
    assert moments[-1] is not None
    assert [track.id for track in moments[-1].scene.tracks] == [1]
    asked = [moment.scores["loitering"] for moment in moments if moment is not None and moment.scores]
    assert max(asked[-1].values()) > 0.5


@pytest.mark.parametrize("fps", [25, 10, 7, 3])
def test_behaviours_are_asked_five_times_a_second_or_as_often_as_there_are_frames(fps: int) -> None:
    thinking = analyst()
    moments = [thinking.look(i / fps, people((100, 200))) for i in range(10 * fps)]
    asked = sum(moment is not None and bool(moment.scores) for moment in moments)
    assert asked == pytest.approx(10 * min(fps, 5), abs=2)


def test_what_the_detector_saw_between_two_beats_is_not_forgotten() -> None:
    """At 12 frames a second every sixth frame falls between two beats; a gate that opens every two seconds may hit only those."""
    for phase in range(24):
        thinking = analyst()
        for i in range(12 * 20):
            saw = people((330, 280)) if i < 24 or i % 24 == phase else None
            thinking.look(i / 12, saw)
        assert thinking.scene is not None
        (track,) = thinking.scene.tracks
        assert track.last_seen > 17.5, f"a look at every frame {phase} of 24 was lost"
