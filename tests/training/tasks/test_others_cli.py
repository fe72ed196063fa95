"""Actions, the unusual and objects: the same verbs on clips, trails, films and boxes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from pahara.behaviours.learned import Window
from pahara.core import DataError
from pahara.detection.clip import ClipSignal
from pahara.simulate import Incident, Sighting, Truth, write_truth
from pahara.training import load_weights
from pahara.training.data.clips import ClipSet
from pahara.training.data.folders import Item
from pahara.training.data.windows import WindowSet
from pahara.training.tasks import action, anomaly
from pahara.training.tasks.windows import Varied
from pahara.video import open_source

QUICK = ("--workers", 0, "--json")


@pytest.fixture(scope="module")
def clips(make, tmp_path_factory):
    """A ball that swings across, or up and down."""
    folder = tmp_path_factory.mktemp("clips")
    for k in range(7):
        for name, across in (("across", True), ("upright", False)):
            make.film(folder / name / f"{name}-{chr(97 + k)}.mp4", make.moving(k, across=across))
    return folder


@pytest.fixture(scope="module")
def footage(make, tmp_path_factory):
    """Normal films, and a test in which a square appears in frames 11 to 16."""
    folder = tmp_path_factory.mktemp("footage")
    for k in range(2):
        make.film(folder / "train" / f"{k}.mp4", make.moving(k, frames=40))
    make.film(folder / "test" / "quiet.mp4", make.moving(3, frames=20))
    make.film(folder / "test" / "odd.mp4", make.moving(4, frames=24, odd=range(10, 16)))
    (folder / "test" / "labels.csv").write_text("clip,first,last\nodd.mp4,11,16\n")
    return folder


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """Six scenes of a man who walks; in each he falls and lies for three seconds."""
    folder = tmp_path_factory.mktemp("scenes")
    for k in range(6):
        frames = []
        for n in range(120):
            time = n / 10
            x, lying = 60 + 12 * time + 5 * k, 5 <= time < 9
            box = (x - 40, 180.0, x + 40, 205.0) if lying else (x - 15, 110.0 + 2 * np.sin(9 * time), x + 15, 205.0)
            frames.append((time, (Sighting(1, "person", box, 1.0),)))
        truth = Truth(
            f"scene{k}",
            10.0,
            (320, 240),
            12.0,
            0.0,
            {},
            {},
            frames,
            (Incident("falling", 5.0, 9.0, (1,), (60.0, 180.0, 140.0, 205.0)),),
            (),
        )
        write_truth(truth, folder / f"scene{k}" / "truth.json")
    return folder


def test_clips_train_predict_are_measured_and_watched_with(clips, pahara, tmp_path, monkeypatch):
    told = json.loads(
        pahara("train", "action", clips, "--epochs", 8, "--size", 32, "--seconds", 1, "--batch", 4, "--lr", "0.003", *QUICK).out
    )
    assert set(told["figures"]) >= {"accuracy", "macro_f1", "ece"}
    assert told["next"]["pahara.yml"].startswith("signals: [{kind: clip, model: ")
    _, about = load_weights(told["run"])
    assert about["input"] == [8, 3, 32, 32]
    assert set(about["thresholds"]) == {"across", "upright"}
    seen = json.loads(pahara("predict", told["run"], clips / "across", "--json").out)["predictions"]
    assert {row["label"] for row in seen} <= {"across", "upright"}
    assert (tmp_path / seen[0]["picture"]).is_file()
    assert json.loads(pahara("evaluate", "model", told["run"], clips, "--json").out)["figures"]["examples"] == 14
    # The watcher takes its pictures from the camera, training from the cache of clips: both must see the same.
    monkeypatch.setitem(sys.modules, "openvino", None)  # as on a machine without it
    without = pahara("export", told["run"], "--to", "openvino")
    assert (without.code, without.err.count("\n")) == (2, 1), without
    assert "pip install 'pahara[openvino]'" in without.err
    assert not (Path(told["run"]) / "model.onnx").exists(), "told before anything is made"
    exported = pahara("export", told["run"])
    assert exported.code == 0
    assert "signals: [{kind: clip, model: runs/action/model.onnx}]" in exported.out
    film = next((clips / "across").iterdir())
    signal = ClipSignal(Path(told["run"]) / "model.onnx", every=0.01)
    with open_source(film) as source:
        watched = [signal(frame) for frame in source]
    model, about = load_weights(told["run"])
    kept = ClipSet([Item(film, 0, "")], about["classes"], seconds=1.0, rate=8.0, size=(32, 32), cache=tmp_path / "kept")
    trained = action.predict(model, about, kept.windows(0, stride=1 / 8))  # every window of the clip
    seen_live = np.array([[each[f"clip.{name}"] for name in about["classes"]] for each in watched if each["clip.across"]])
    for window in trained:
        assert np.abs(seen_live - window).max(axis=1).min() < 1e-4


def test_trails_of_staged_scenes_teach_a_fall(scenes, pahara):
    told = json.loads(pahara("train", "action", scenes, "--epochs", 12, "--lr", "0.005", *QUICK).out)
    assert [row["class"] for row in told["rows"]] == ["nothing", "falling"]
    assert told["figures"]["accuracy"] > 0.8
    assert told["next"]["pahara.yml"].startswith("behaviours: [{kind: action, model: ")
    _, about = load_weights(told["run"])
    window = Window.of(about["window"])
    assert about["input"] == list(window.shape), "what the watcher will give it"
    refused = pahara("predict", told["run"], scenes)
    assert refused.code == 2
    assert "let it watch" in refused.err
    assert json.loads(pahara("evaluate", "model", told["run"], scenes, "--json").out)["figures"]["accuracy"] > 0.8


def test_a_mirrored_window_is_the_same_action_seen_in_a_mirror():
    window = Window(seconds=1.0, rate=4.0, people=2)
    steps, points, _ = window.shape
    x = np.zeros((1, steps, points, 3), np.float32)
    x[..., 2] = 1
    x[0, :, : points // 2, 0], x[0, :, points // 2 :, 0] = -0.5, 0.7  # one on the left, one on the right
    varied = Varied(WindowSet(x, np.zeros(1, np.int64), ("a",), ("nothing",), window))
    made = [varied.sample(0, np.random.default_rng(k))[0] for k in range(20)]
    assert all(one[:, : points // 2, 0].mean() < 0 < one[:, points // 2 :, 0].mean() for one in made), "the left one stays first"
    sides = {round(float(one[:, : points // 2, 0].mean()), 1) for one in made}
    assert min(sides) <= -0.6 < -0.5 <= max(sides), "both ways round"
    assert (x[0, :, 0, 0] == -0.5).all(), "the data itself is not changed"


def test_the_unusual_stands_out_from_what_is_normal(footage, pahara, tmp_path):
    told = json.loads(
        pahara("train", "anomaly", footage, "--epochs", 15, "--size", 48, "--rate", 8, "--batch", 8, "--option", "width=8", *QUICK).out
    )
    assert told["figures"]["auroc_micro"] > 0.9
    rows = {row["clip"]: row for row in told["rows"]}
    assert (rows["odd.mp4"]["frames"], rows["odd.mp4"]["abnormal"]) == (24, 6)
    assert rows["quiet.mp4"]["auroc"] is None, "a clip of one kind has no AUROC, and none is made up"
    _, about = load_weights(told["run"])
    assert about["thresholds"]["error"] == about["usual"]["high"] > about["usual"]["median"] > 0
    again = json.loads(pahara("evaluate", "model", told["run"], footage, "--json").out)
    assert again["figures"]["auroc_micro"] == pytest.approx(told["figures"]["auroc_micro"])
    seen = json.loads(pahara("predict", told["run"], footage / "test" / "odd.mp4", "--json").out)["predictions"]
    errors = {row["time"]: row["error"] for row in seen}
    assert max(errors, key=errors.get) == 1.5, "frame 13 is the one at 1.5 s"
    assert "Micro pools" in (tmp_path / told["report"]).read_text(encoding="utf-8")


def test_trails_of_a_quiet_scene_teach_what_is_normal(scenes, pahara):
    told = json.loads(pahara("train", "anomaly", scenes, "--model", "sequence-autoencoder", "--epochs", 10, "--lr", "0.01", *QUICK).out)
    assert told["figures"]["auroc_micro"] > 0.7
    assert told["next"]["pahara.yml"].startswith("behaviours: [{kind: action")


def test_objects_train_and_are_found_by_the_same_verbs(pahara, tmp_path):
    rng = np.random.default_rng(0)
    for part, many in (("train", 6), ("val", 2)):
        for k in range(many):
            picture = rng.integers(60, 90, (96, 96, 3), dtype=np.uint8)
            x, y = (int(v) for v in rng.integers(25, 70, 2))
            cv2.rectangle(picture, (x - 15, y - 15), (x + 15, y + 15), (30, 220, 240), cv2.FILLED)
            for sub in ("images", "labels"):
                (tmp_path / "boxes" / sub / part).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / "boxes" / "images" / part / f"{k}.png"), picture)
            (tmp_path / "boxes" / "labels" / part / f"{k}.txt").write_text(f"0 {x / 96} {y / 96} {30 / 96} {30 / 96}\n")
    (tmp_path / "boxes" / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [box]\n")
    told = json.loads(pahara("train", "detector", "boxes", "--epochs", 1, "--size", 96, "--batch", 2, *QUICK).out)
    assert "map50" in told["figures"]
    assert told["next"]["pahara.yml"] == "detector: runs/detector/model.onnx"
    seen = json.loads(pahara("predict", told["run"], "boxes/images/val", "--least", 0, "--json").out)["predictions"]
    assert len(seen) == 2
    assert (tmp_path / seen[0]["picture"]).is_file()


def test_labels_that_cannot_be_are_named_with_their_line(tmp_path):
    (tmp_path / "labels.csv").write_text("clip,first,last\na.mp4,3,9\na.mp4,9,3\n")
    with pytest.raises(DataError, match=r"labels.csv, line 3"):
        anomaly.read_ranges(tmp_path)
    (tmp_path / "labels.csv").write_text("clip,first,last\na.mp4,3,9\na.mp4,20,22\n")
    assert anomaly.read_ranges(tmp_path) == {"a.mp4": [(3, 9), (20, 22)]}


def test_footage_without_anything_to_see_is_one_clear_line(pahara, tmp_path, make):
    (tmp_path / "empty").mkdir()
    make.film(tmp_path / "short" / "a.mp4", make.moving(0, frames=4))
    for place in ("kinds/cat", "kinds/dog", "parted/train/cat", "parted/train/dog"):
        (tmp_path / place).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / place / "1.png"), np.zeros((8, 8, 3), np.uint8))
    for words, told in (
        (("train", "anomaly", "empty"), "neither a film nor a picture"),
        (("train", "anomaly", "short"), "too few to learn what is normal"),
        (("train", "anomaly", "short", "--size", "50"), "sides that 16 divides"),
        (("train", "action", "empty"), "no class folders"),
        (("train", "detector", "empty"), "there is no data.yaml"),
        (("train", "detector", "kinds"), "`pahara train image kinds`"),
        (("train", "detector", "parted"), "`pahara train image parted`"),
    ):
        done = pahara(*words)
        assert (done.code, done.err.count("\n")) == (2, 1), done
        assert told in done.err
