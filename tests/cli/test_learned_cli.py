"""A model of one's own at work with one line in pahara.yml: trained here, exported, watched with, replayed."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from pahara.behaviours import Window
from pahara.config import json_schema
from pahara.detection.autoencoder import error_of
from pahara.models import build
from pahara.testing.actors import scenes, stand, walk
from pahara.training.checkpoint import save_weights
from pahara.training.export import export
from pahara.training.tasks.action import PREPARATION, ToClip
from pahara.video import open_source

pytestmark = pytest.mark.slow  # torch, its exporter and a film

LOOK = Window(seconds=1.0, rate=5.0)
SMALL = (64, 32)  # width, height of what the autoencoder sees


def seen(actor):
    """Windows of one actor, as the watcher makes them."""
    made = [LOOK.take(scene.tracks) for scene in scenes({1: actor}, seconds=6) if scene.tracks]
    return np.stack([one for one in made if one is not None])


@pytest.fixture(scope="module")
def models(tmp_path_factory, yard):
    """Two runs: "walking" or "standing" from trails, and an autoencoder that knows the empty yard."""
    torch.manual_seed(0)
    runs = tmp_path_factory.mktemp("runs")
    groups = [(0, seen(stand((0.5, 0.7), 0, 6)))] + [
        (1, seen(walk(*ends, 0, 6))) for ends in [((0.1, 0.8), (0.9, 0.8)), ((0.9, 0.7), (0.2, 0.7))]
    ]
    x = torch.from_numpy(np.concatenate([windows for _, windows in groups]))
    y = torch.cat([torch.full((len(windows),), label) for label, windows in groups])
    classes, options = ["standing", "walking"], {"classes": 2, "inputs": LOOK.shape[1] * 3, "width": 8, "layers": 1}
    model = build("lstm", **options)
    learn(model, x, lambda out: functional.cross_entropy(out, y), steps=150)
    assert (model.eval()(x).argmax(1) == y).float().mean() > 0.95
    window = {"seconds": 1.0, "rate": 5.0, "people": 1, "joints": 0}
    about = {"kind": "action", "model": "lstm", "options": options, "names": classes, "input": list(LOOK.shape), "window": window}
    save_weights(runs / "moves/best.safetensors", model, about)

    wide, tall = SMALL
    about = {
        "kind": "anomaly",
        "model": "autoencoder",
        "options": {"width": 4, "latent": 4},
        "input": [3, tall, wide],
        "error": {"patch": 8},
    }
    about["preparation"] = {"fit": "stretch", "scale": 1 / 255}
    from pahara.detection.about import read_about, written
    from pahara.detection.pictures import prepare_pictures

    with open_source(yard.film, camera="yard") as film:
        empty = [frame.image for frame in film if frame.time < 2.5]
    pictures = prepare_pictures(empty[::3], read_about(written(about)))
    painter = build("autoencoder", width=4, latent=4)
    learn(painter, torch.from_numpy(pictures), lambda out: functional.mse_loss(out, torch.from_numpy(pictures)), steps=150)
    with torch.no_grad():
        errors = error_of(pictures, painter.eval()(torch.from_numpy(pictures)).numpy(), patch=8)
    save_weights(runs / "yard/best.safetensors", painter, {**about, "thresholds": {"error": 1.2 * float(errors.max())}})
    clip_model(runs / "clips", yard)
    return {name: export(runs / name).path for name in ("moves", "yard", "clips")}


def clip_model(folder, yard):
    """CNN + LSTM: the yard's own film before and after the man walks in at 3 s, as clips of one second."""
    torch.manual_seed(0)
    with open_source(yard.film, camera="yard") as film:
        pictures = [(frame.time, cv2.resize(frame.image, (32, 32), interpolation=cv2.INTER_AREA)) for frame in film if frame.time < 9]
    rate, steps = 5.0, 5
    grid = [next(picture for time, picture in pictures if time >= k / rate - 1e-6) for k in range(int(pictures[-1][0] * rate))]
    clips = np.stack([np.stack(grid[k : k + steps]) for k in range(len(grid) - steps)])  # (n, t, h, w, 3)
    labels = torch.tensor([int(k / rate > 3.2) for k in range(len(clips))])
    about = {
        "kind": "action", "model": "cnn-lstm", "options": {"classes": 2, "width": 8, "memory": 16}, "classes": ["nothing", "visit"],
        "names": ["nothing", "visit"], "input": [steps, 3, 32, 32], "activation": "softmax", "thresholds": {"nothing": 0.5, "visit": 0.6},
        "window": {"seconds": 1.0, "rate": rate}, "preparation": dict(PREPARATION),
    }  # fmt: skip
    model = build("cnn-lstm", **about["options"])
    x = ToClip(about["preparation"])(torch.from_numpy(clips))
    learn(model, x, lambda out: functional.cross_entropy(out, labels), steps=60)
    save_weights(folder / "best.safetensors", model, about)


def learn(model, x, loss, *, steps):
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(model(x)).backward()
        optimizer.step()


def watched(verb, yard, tmp_path, text):
    (tmp_path / "pahara.yml").write_text(
        f"version: 1\ndetector: motion\n{text}\ncameras: {{yard: {{source: {yard.film}}}}}\n", encoding="utf-8"
    )
    return verb("watch", yard.film, "-c", "pahara.yml", "--out", "seen", "--json")


def events(done):
    return [each for each in map(json.loads, done.out.splitlines()) if each.get("type") == "event" and each["phase"] == "began"]


def test_an_action_of_ones_own_is_seen_told_and_replayed(verb, yard, models, tmp_path, monkeypatch):
    (tmp_path / "moves.onnx").write_bytes(models["moves"].read_bytes())
    done = watched(verb, yard, tmp_path, "defaults: {behaviours: [{kind: action, model: moves.onnx, watch_for: [walking]}]}")
    assert done.code == 0, done
    first = events(done)[0]
    assert first["kind"] == "action"
    assert 3 <= first["start"] <= 12, "the man walks in at 3 s"
    assert "walking" in json.dumps(first)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # a path in the file stays relative to the file
    again = verb("replay", tmp_path / "seen", "--json")
    assert again.code == 0, again
    assert json.loads(again.out)["identical"] is True


def test_a_picture_unlike_the_taught_ones_is_seen_by_the_autoencoder(verb, yard, models, tmp_path):
    text = f"signals: [{{kind: autoencoder, model: {models['yard']}}}]\ndefaults: {{behaviours: [{{kind: anomaly, seconds: 1}}]}}"
    done = watched(verb, yard, tmp_path, text)
    assert done.code == 0, done
    assert [each["kind"] for each in events(done)][:1] == ["anomaly"]
    assert events(done)[0]["start"] >= 2.5, "the empty yard is what it was taught"
    again = verb("replay", tmp_path / "seen", "--json")
    assert json.loads(again.out)["identical"] is True


def test_what_a_model_of_clips_sees_is_told_and_replayed(verb, yard, models, tmp_path):
    text = f"signals: [{{kind: clip, model: {models['clips']}}}]\ndefaults: {{behaviours: [{{kind: clip, watch_for: [visit]}}]}}"
    done = watched(verb, yard, tmp_path, text)
    assert done.code == 0, done
    first = events(done)[0]
    assert first["kind"] == "clip"
    assert 3 <= first["start"] <= 6, "the man walks in at 3 s"
    assert "visit" in json.dumps(first)
    again = verb("replay", tmp_path / "seen", "--json")
    assert json.loads(again.out)["identical"] is True


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("defaults: {behaviours: [{kind: action, model: gone.onnx}]}", 3, "there is no file"),
        ("defaults: {behaviours: [{kind: action, model: pahara.yml}]}", 3, "no ONNX model"),
        ("defaults: {behaviours: [{kind: action, model: YARD}]}", 3, "looks at pictures"),
        (
            "defaults: {behaviours: [{kind: action, model: MOVES, watch_for: [flying]}]}",
            3,
            "watch_for lists classes of the model (standing, walking)",
        ),
        ("defaults: {behaviours: [{kind: action}]}", 3, "needs 'model'"),
        ("signals: [{kind: autoencoder, model: MOVES}]", 3, "no autoencoder"),
        ("signals: [{kind: autoencoder}]", 3, "needs 'model'"),
        ("defaults: {behaviours: [anomaly]}", 3, "reads the signal 'autoencoder'"),
        ("defaults: {behaviours: [clip]}", 3, "reads the signal 'clip'"),
        ("defaults: {behaviours: [{kind: action, model: CLIPS}]}", 3, "kind: clip"),
        ("signals: [{kind: clip, model: MOVES}]", 3, "belongs to the behaviour 'action'"),
        ("signals: [{kind: clip, model: CLIPS}]\ndefaults: {behaviours: [{kind: clip, watch_for: [visits]}]}", 4, "Did you mean 'visit'?"),
    ],
)
def test_a_model_that_does_not_fit_is_told_in_one_line_with_its_place(verb, yard, models, tmp_path, text, line, words):
    done = watched(
        verb,
        yard,
        tmp_path,
        text.replace("YARD", str(models["yard"])).replace("MOVES", str(models["moves"])).replace("CLIPS", str(models["clips"])),
    )
    assert done.code == 2
    assert words in done.err
    assert f"pahara.yml, line {line}" in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert "Traceback" not in done.err


def test_the_schema_offers_them_all():
    schema = json.dumps(json_schema())
    assert "behaviour.action" in schema
    assert "signal.autoencoder" in schema
    assert "signal.clip" in schema
