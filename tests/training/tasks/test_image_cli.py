"""From a folder of pictures to a classifier, as its owner types it."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest

from pahara.training import load_weights
from pahara.training.data.pictures import read_image
from pahara.training.run import ENVIRONMENT
from pahara.training.tasks import image
from pahara.training.tasks.doing import read_asked


def test_training_learns_what_a_glance_tells(trained):
    run, done = trained
    told = json.loads((run / "figures.json").read_text())
    assert told["accuracy"] >= 0.9, done.out


def test_the_run_ends_with_figures_the_folder_and_the_next_command(trained):
    _, done = trained
    assert "accuracy" in done.out
    assert "run: runs/image (14 epochs" in done.out
    assert "look: pahara predict runs/image" in done.out
    assert "export: pahara export runs/image" in done.out
    assert "epoch 14/14" in done.err


def test_the_folder_holds_all_that_the_run_was_and_is(trained):
    run, _ = trained
    names = {path.name for path in run.iterdir()}
    assert names >= {"best.safetensors", "metrics.csv", "config.yml", ENVIRONMENT, "model-card.md", "figures.json", "report.html"}
    kind, _, wishes = read_asked(run)
    assert kind == "image"
    assert wishes.plan["epochs"] == 14
    html = (run / "report.html").read_text(encoding="utf-8")
    assert "What it looks at" in html
    assert html.count("data:image/jpeg") >= 8


def test_the_weights_rebuild_the_model_and_know_how_a_picture_is_made(trained, shapes):
    model, about = load_weights(trained[0])
    assert about["classes"] == ["bright", "dark"]
    pictures = [read_image(shapes / name / f"{name}-a.png") for name in about["classes"]]
    assert image.predict(model, about, pictures).argmax(1).tolist() == [0, 1]


def test_predictions_are_drawn_and_told(trained, shapes, pahara, tmp_path):
    done = pahara("predict", trained[0], shapes / "bright", "--json")
    told = json.loads(done.out)
    assert [row["label"] for row in told["predictions"]].count("bright") >= 12
    drawn = cv2.imread(str(tmp_path / told["predictions"][0]["picture"]))
    assert max(drawn.shape[:2]) >= 256, "a tiny picture is enlarged, so that the words can be read"


def test_evaluating_on_the_same_pictures_gives_one_row_a_class(trained, shapes, pahara, tmp_path):
    told = json.loads(pahara("evaluate", "model", trained[0], shapes, "--report", "again.html", "--json").out)
    assert told["figures"]["accuracy"] >= 0.9
    assert [row["class"] for row in told["rows"]] == ["bright", "dark"]
    assert (tmp_path / "again.html").is_file()


def test_new_classes_get_a_new_head_and_the_body_stays(trained, pahara, make, tmp_path):
    data = make.shapes(tmp_path / "more", 6, ("dark", "bright", "darker"))
    done = pahara("train", "image", data, "--from", trained[0], "--epochs", 1, "--freeze", 1, "--workers", 0, "--json")
    told = json.loads(done.out)
    old, new = load_weights(trained[0])[0].state_dict(), load_weights(told["run"])[0].state_dict()
    body = [name for name in old if name.startswith("features")]
    assert body
    assert all((old[name] == new[name]).all() for name in body), "the first epoch was frozen"
    assert len(told["rows"]) == 3


def test_two_runs_stand_side_by_side(trained, pahara, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(trained[0], other)
    config = (other / "config.yml").read_text().replace("lr: 0.005", "lr: 0.5")
    (other / "config.yml").write_text(config)
    told = json.loads(pahara("compare", trained[0], other, "--out", "side.png", "--json").out)
    assert told["different"] == {"lr": [0.005, 0.5]}
    assert cv2.imread(str(tmp_path / "side.png")) is not None
    assert "done differently" in pahara("compare", trained[0], other).out


@pytest.mark.slow
def test_killed_in_the_middle_and_resumed_the_result_is_the_same(shapes, pahara, tmp_path):
    import os
    import signal
    import subprocess
    import sys
    import time
    from pathlib import Path

    options = ("--size", "32", "--batch", "8", "--epochs", "25", "--seed", "3", "--workers", "0")
    command = [str(Path(sys.executable).with_name("pahara")), "train", "image", str(shapes), *options, "--out", "killed"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    state, seen = tmp_path / "killed" / "metrics.csv", time.monotonic()
    while not state.exists() and time.monotonic() - seen < 120:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was too quick to be killed"
    resumed = pahara("train", "image", "--resume", "killed", "--json")
    whole = pahara("train", "image", shapes, *options, "--out", "whole", "--json")
    assert json.loads(resumed.out)["figures"] == json.loads(whole.out)["figures"]
    weights = [load_weights(tmp_path / name)[0].state_dict() for name in ("killed", "whole")]
    assert all((weights[0][name] == weights[1][name]).all() for name in weights[0])


def test_a_dry_run_trains_nothing(shapes, pahara, tmp_path):
    told = json.loads(pahara("train", "image", shapes, "--dry-run", "--model", "resnet18", "--option", "width=8", "--json").out)
    assert told["model"] == "resnet18"
    assert told["train"] + told["held_out"] == 28
    assert not (tmp_path / "runs").exists()


def test_a_learning_rate_is_found_and_the_command_told(shapes, pahara):
    done = pahara("train", "image", shapes, "--find-lr", "--size", 32, "--batch", 8, "--no-augment", "--workers", 0)
    assert "next: pahara train image" in done.out, done.err
    assert 1e-6 < float(done.out.split("learning rate: ")[1].split()[0]) < 1


def test_mistakes_get_one_clear_line(shapes, trained, pahara, make, tmp_path):
    (tmp_path / "empty").mkdir()
    make.shapes(tmp_path / "lonely", 3, ("only",))
    make.film(tmp_path / "films" / "a" / "1.mp4", make.moving(1, frames=3))
    other = make.shapes(tmp_path / "other", 6, ("cat", "dog"))
    for words, told in (
        (("train", "image", "empty"), "no class folders"),
        (("train", "image", "nowhere"), "no such folder"),
        (("train", "image", "lonely"), "one class only ('only')"),
        (("train", "image", "films"), "pahara train action films"),
        (("train", "image"), "DATA, or --resume RUN"),
        (("train", "image", shapes, "--model", "resnet81"), "did you mean 'resnet18'"),
        (("train", "image", shapes, "--model", "resnet18", "--from", trained[0]), "holds a tinyvgg, and --model asks for resnet18"),
        (("train", "image", shapes, "--from", "nothing.safetensors"), "no weights file"),
        (("train", "image", shapes, "--option", "depth"), "name=value"),
        (("train", "image", shapes, "--lr", "0"), "learning rate"),
        (("train", "action", "--resume", trained[0]), "is a run of `pahara train image`"),
        (("train", "action", shapes), "pahara train image"),
        (("evaluate", "model", trained[0], other), "'cat', which the model was not taught"),
        (("predict", trained[0], "nowhere.png"), "there is no nowhere.png"),
        (("compare", trained[0]), "two runs or more"),
        (("compare", trained[0], "empty"), "not the folder of a run"),
    ):
        done = pahara(*words)
        assert done.code == 2, (words, done)
        assert told in done.err, (words, done.err)
        assert done.err.count("\n") == 1, (words, done.err)


def test_without_the_extra_one_line_says_what_to_install(pahara, monkeypatch):
    import pahara.cli.learning as learning

    monkeypatch.setattr(learning, "NEEDED", ("torch", "a_library_that_nobody_has"))
    done = pahara("train", "image", "anything")
    assert done.code == 2
    assert done.err == "pahara: training needs a_library_that_nobody_has, which is not installed: pip install 'pahara[train]'\n"


def test_a_picture_of_any_size_and_shape_is_taken(trained):
    model, about = load_weights(trained[0])
    rng = np.random.default_rng(0)
    odd = [rng.integers(0, 255, shape, dtype=np.uint8) for shape in ((5, 300, 3), (1000, 7, 3), (1, 1, 3))]
    assert np.allclose(image.predict(model, about, odd).sum(1), 1, atol=1e-5)


def test_the_folder_it_learned_from_is_measured_on_what_was_held_out(trained, shapes, pahara, tmp_path):
    own = json.loads(pahara("evaluate", "model", trained[0], shapes, "--json").out)["figures"]["examples"]
    assert own == json.loads((trained[0] / "figures.json").read_text())["examples"]
    other = shutil.copytree(shapes, tmp_path / "more")
    shutil.copy(next((other / "dark").iterdir()), other / "dark" / "new.png")
    everything = json.loads(pahara("evaluate", "model", trained[0], other, "--json").out)["figures"]["examples"]
    assert everything == len(list(other.rglob("*.png"))), "a folder that it does not know counts as a whole"


def test_help_names_the_extra_with_its_brackets(pahara):
    assert "pahara[train]" in pahara("train", "--help").out
    assert "pahara[train]" in " ".join(pahara("evaluate", "model", "--help").out.split())
