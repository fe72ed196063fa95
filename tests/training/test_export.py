"""An exported file does what the weights do, says what it is, and a wrong one never takes the place of a good one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pahara.core import ModelError, TrainingError
from pahara.detection import load_detector
from pahara.detection.about import read_about
from pahara.detection.engine import OnnxRuntimeEngine
from pahara.models import build
from pahara.training.checkpoint import save_weights
from pahara.training.export import export, to_onnx

pytestmark = pytest.mark.slow  # torch's exporter takes seconds a model


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    """A run with a fresh detector of one class, exported."""
    run = tmp_path_factory.mktemp("run")
    torch.manual_seed(0)
    about = {
        "kind": "detector", "model": "yolox-nano", "options": {"classes": 2}, "classes": ["person", "ব্যাগ"], "names": ["person", "ব্যাগ"],
        "input": [3, 64, 96], "preparation": {"place": "top-left", "pad": 114.0},
    }  # fmt: skip
    save_weights(run / "best.safetensors", build("yolox-nano", classes=2), about)
    return run, export(run)


def test_a_run_becomes_a_detector_that_the_watcher_reads_with_its_own_names(detector):
    run, made = detector
    assert made.path == run / "model.onnx"
    assert max(made.parity, made.parity_real) <= 1e-4
    loaded = load_detector(made.path)
    assert (loaded.names, loaded.size, loaded.layout.name) == (("person", "ব্যাগ"), (96, 64), "yolox")
    assert len(loaded([np.zeros((90, 120, 3), np.uint8)] * 3)) == 3


def test_the_file_says_what_it_is_and_nothing_of_this_machine(detector):
    _, made = detector
    metadata = OnnxRuntimeEngine(made.path, 1).ports.metadata
    about = read_about(metadata)
    assert metadata["names"] == "{0: 'person', 1: 'ব্যাগ'}"
    assert (about.kind, about.classes, about.input, about.model) == ("detector", ("person", "ব্যাগ"), (3, 64, 96), "yolox-nano")
    data = made.path.read_bytes()
    assert b"site-packages" not in data
    assert b".py" not in data


class Forgetful(torch.nn.Module):
    """Behaves otherwise when it is traced than when it runs: the kind of model that exports wrongly."""

    def forward(self, x):
        return x.mean((1, 2, 3))[:, None] * (1.0 if torch.compiler.is_exporting() else 2.0)


def test_a_file_that_would_not_do_what_torch_does_leaves_the_old_one_in_place(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"the good one")
    with pytest.raises(TrainingError, match="differ"):
        to_onnx(Forgetful(), (3, 8, 8), tmp_path / "model.onnx", {"kind": "image", "classes": ["a"]})
    assert (tmp_path / "model.onnx").read_bytes() == b"the good one"
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


def test_weights_that_do_not_say_what_they_are_are_refused_in_one_line(tmp_path):
    save_weights(
        tmp_path / "a.safetensors", build("tinyvgg", classes=2, width=4), {"model": "tinyvgg", "options": {"classes": 2, "width": 4}}
    )
    with pytest.raises(ModelError, match="shape of its input"):
        export(tmp_path / "a.safetensors")
    with pytest.raises(ModelError, match="no weights file"):
        export(tmp_path / "b.safetensors")
