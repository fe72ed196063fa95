"""Pose in the whole watch: joints reach the behaviours and the store, and a replay sees the same to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from pahara.alarms import AlarmRule
from pahara.behaviours.learned import Action, Recogniser, Window
from pahara.config import from_data, plan
from pahara.core import ModelError, Reason, Scene
from pahara.detection.posing import Posing
from pahara.pipeline.replay import events_of, replay, stored_events
from pahara.pipeline.session import Session
from pahara.pipeline.setup import open_plan, prepare
from pahara.pipeline.watch import watch


class Corners:
    """A pose model that puts every joint where the block is brightest, seen in the pixels themselves."""

    sees = "one"

    def __call__(self, image, boxes):
        joints = np.zeros((len(boxes), 17, 3), np.float32)
        for row, box in enumerate(boxes):
            x1, y1, x2, y2 = np.maximum(np.rint(box), 0).astype(int)
            rows, columns = np.nonzero(image[y1:y2, x1:x2, 1] > 140)
            joints[row, :, 0] = x1 + columns.mean() + np.linspace(-3, 3, 17)
            joints[row, :, 1] = y1 + rows.mean()
            joints[row, :, 2] = 0.777
        return joints


@dataclass(frozen=True)
class ArmsOut:
    """A behaviour that reads joints: how far they reach to the left of the picture's middle."""

    kind: ClassVar[str] = "arms"
    alarm_defaults: ClassVar[Mapping[str, float]] = {"hold": 0.3, "linger": 0.3, "cooldown": 0.0}

    def __call__(self, scene: Scene):
        found = {}
        for track in scene.tracks:
            if track.keypoints.shape[1]:
                known = track.keypoints[track.keypoints[:, 0, 2] > 0]
                if len(known):
                    found[(track.id,)] = float(np.clip(known[-3:, :, 0].mean() / scene.size[0], 0, 1))
        return found

    def explain(self, scene: Scene, subject) -> Reason:
        return Reason("action.seen", self(scene).get(subject, 0.0), 0.5, values={"action": "arms", "seconds": 1.0})


@pytest.fixture
def posed(session: Session) -> Session:
    joints = Recogniser(lambda windows: windows[:, :, 0, 2].mean(axis=1)[:, None], ("raised",), Window(1.0, 10.0, joints=17, least=0.5))
    session.analyst.behaviours |= {"arms": ArmsOut(), "raised": Action(joints, limit=0.5)}
    session.analyst.rules |= {name: AlarmRule.of(session.analyst.behaviours[name]) for name in ("arms", "raised")}
    session.analyst._alarms |= dict.fromkeys(("arms", "raised"), next(iter(session.analyst._alarms.values())))
    session.pose = Posing(Corners(), per_second=5, least_height=10)
    return session


def test_a_replay_with_pose_is_identical_in_joints_scores_and_events(posed, store):
    live = []
    posed.run(lambda _, look: live.append(look.moment) if look.moment is not None else None)
    (recording,) = store.recordings()
    behaviours, rules = posed.analyst.behaviours, posed.analyst.rules
    again = list(replay(store, recording, behaviours, rules))
    assert len(again) == len(live) > 100
    for lived, thought in zip(live, again, strict=True):
        assert [t.id for t in lived.scene.tracks] == [t.id for t in thought.scene.tracks]
        for one, other in zip(lived.scene.tracks, thought.scene.tracks, strict=True):
            assert np.array_equal(one.boxes, other.boxes)
            assert np.array_equal(one.keypoints, other.keypoints)
        assert lived.scores == thought.scores
    kept = events_of(store, recording, behaviours, rules)
    assert {event.kind for event in kept} == {"intrusion", "arms", "action"}
    assert [event.id for event in kept] == [event.id for event in stored_events(store, recording, kept)]


def test_joints_are_where_the_body_is_and_as_many_as_were_granted(posed):
    tracks = {}
    posed.run(lambda _, look: tracks.update({t.id: t for t in look.moment.scene.tracks}) if look.moment is not None else None)
    (track,) = tracks.values()
    known = track.keypoints[:, 0, 2] > 0
    assert posed.pose.looks == pytest.approx(5 * (track.last_seen - track.born), rel=0.15)
    inside = (track.keypoints[known, 8, :2] - track.boxes[known, :2]) / (track.boxes[known, 2:] - track.boxes[known, :2])
    assert np.all((inside > 0.1) & (inside < 0.9))
    assert posed.pose.looks == posed.pose.looked_at < posed.pose.sightings


def test_the_suspicious_is_who_scored_highest_when_last_asked(posed):
    posed.run()
    thinking = posed.analyst
    thinking._scores = {"a": {(1,): 0.2, (1, 2): 0.4}, "b": {(2,): 0.9, (): 1.0}}
    assert thinking.suspicion == {1: 0.4, 2: 0.9}


def test_without_pose_nobody_has_joints(session):
    session.run()
    assert all(track.keypoints.shape == (0, 0, 3) for track in (*session.analyst.scene.tracks, *session.analyst.scene.past))


def test_pose_in_the_configuration_reaches_the_watch(film, asset, monkeypatch):
    pytest.importorskip("ai_edge_litert", reason="the extra pahara[pose] is not installed")
    monkeypatch.setenv("PAHARA_MODELS", str(asset("models")))
    data = {
        "version": 1,
        "pose": {"model": "movenet", "per_second": 4},
        "cameras": {"a": {"source": str(film)}, "b": {"source": str(film), "pose": "off"}},
    }
    made = plan(from_data(data), "a").make_pose()
    assert (made.budget.per_second, made.least_height, made.pose.layout.name) == (4, 30, "movenet")
    assert plan(from_data(data), "b").make_pose() is None
    assert plan(from_data({**data, "pose": False}), "a").make_pose() is None


def test_a_pose_model_that_is_not_there_is_told_before_the_watch_begins(film, tmp_path):
    config = from_data({"version": 1, "cameras": {"a": {"source": str(film), "pose": "my/pose.onnx"}}}, folder=tmp_path)
    made = plan(config, "a")
    with open_plan(made) as source, pytest.raises(ModelError, match=r"there is no model file my/pose\.onnx"):
        prepare(made, source, config=config, detector=lambda images: [])


@pytest.mark.slow
def test_movenet_in_a_watch_of_pets_finds_bodies_and_the_replay_is_identical(asset, store, monkeypatch):
    pytest.importorskip("ai_edge_litert", reason="the extra pahara[pose] is not installed")
    monkeypatch.setenv("PAHARA_MODELS", str(asset("models")))
    film = asset("footage/pets-s2l1/video.avi")
    config = from_data(
        {"version": 1, "detector": "yolox-nano", "gate": False, "pose": "movenet", "cameras": {"pets": {"source": str(film)}}}
    )
    made = plan(config, "pets")
    with open_plan(made) as source:
        session = prepare(made, source, config=config, store=store, seconds=8)
        live = []
        session.run(lambda _, look: live.append(look.moment) if look.moment is not None else None)
    sure = np.concatenate([track.keypoints[track.keypoints[..., 2].any(axis=1)][..., 2] for track in live[-1].scene.tracks])
    assert len(sure) > 20
    assert (sure >= 0.3).mean() > 0.6
    assert session.pose.looks <= 81
    (recording,) = store.recordings()
    for lived, thought in zip(live, replay(store, recording, made.behaviours, made.rules), strict=True):
        assert lived.scores == thought.scores
        for one, other in zip(lived.scene.tracks, thought.scene.tracks, strict=True):
            assert np.array_equal(one.keypoints, other.keypoints)


def test_a_watch_asks_for_pose_only_when_it_has_it(film, yard, session):
    asked = []

    def pose(frame, seen, suspicion):
        asked.append(frame.time)
        return np.zeros((len(seen), 17, 3), np.float32)

    with open_plan(yard) as source:
        beats = [look for look in watch(source, session.detect, session.analyst, pose=pose) if look.moment is not None]
    assert asked == pytest.approx([look.frame.time for look in beats])
