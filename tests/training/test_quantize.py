"""int8: smaller, still right, honest about what it brought."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from pahara.core import ModelError
from pahara.detection.about import read_about
from pahara.detection.engine import OnnxRuntimeEngine
from pahara.models import build
from pahara.training.export import to_onnx
from pahara.training.quantize import Quantized, Side, head_of, quantize

pytestmark = pytest.mark.slow  # torch's exporter and ONNX Runtime's quantiser

ABOUT = {
    "kind": "image",
    "model": "tinyvgg",
    "classes": ["dark", "light"],
    "preparation": {"fit": "stretch", "scale": 1 / 255},
    "activation": "softmax",
}


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """Dark and light pictures, and a small CNN that tells them apart."""
    folder = tmp_path_factory.mktemp("light")
    rng = np.random.default_rng(0)
    pictures = {name: rng.integers(low, low + 100, (40, 24, 24, 3), np.uint8) for name, low in (("dark", 0), ("light", 150))}
    for name, images in pictures.items():
        (folder / "data" / name).mkdir(parents=True)
        for i, image in enumerate(images):
            cv2.imwrite(str(folder / "data" / name / f"{i}.png"), image)
    torch.manual_seed(0)
    model = build("tinyvgg", classes=2, width=16)
    x = torch.from_numpy(np.concatenate(list(pictures.values()))).permute(0, 3, 1, 2).float() / 255
    y = torch.arange(2).repeat_interleave(40)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(30):
        optimizer.zero_grad()
        functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    made = to_onnx(model, (3, 24, 24), folder / "model.onnx", ABOUT)
    return made.path, folder / "data"


def test_a_classifier_stays_right_and_keeps_its_words(classifier, tmp_path):
    model, data = classifier
    made = quantize(model, data, tmp_path / "small.onnx", calibrate=16)
    assert made.metric == "accuracy"
    assert made.before.accuracy == 1.0
    assert made.drop <= 0.1
    assert made.after.bytes < made.before.bytes
    assert len(made.kept) == 1, "the last layer stays float"
    ports = OnnxRuntimeEngine(made.after.path, 1).ports
    assert ports.inputs[0].shape == ("batch", 3, 24, 24)
    about = read_about(ports.metadata)
    assert about.classes == ("dark", "light")
    assert about.more["quantized"]["pictures"] == 16


def test_the_head_is_what_no_other_convolution_follows(classifier):
    import onnx

    graph = onnx.load(classifier[0]).graph
    last, behind = head_of(graph)
    heavy = [node for node in graph.node if node.op_type in ("Conv", "Gemm", "MatMul")]
    assert last == [heavy[-1].name]
    assert not set(behind) & {node.name for node in heavy}


@pytest.mark.parametrize(
    ("ms", "accuracy", "worth", "word"), [(5, 0.9, True, "worth it"), (5, 0.8, False, "not worth it"), (11, 0.9, False, "slower")]
)
def test_the_verdict_follows_the_figures(ms, accuracy, worth, word):
    told = Quantized(Side(Path("a"), 4_000_000, 10, 0.9), Side(Path("b"), 1_000_000, ms, accuracy), "AP50", 10, 10, False, ())
    assert told.worth_it is worth
    assert word in told.verdict


def test_a_model_that_knows_nothing_is_not_praised_for_losing_nothing():
    told = Quantized(Side(Path("a"), 4_000_000, 10, 0.0), Side(Path("b"), 1_000_000, 2, 0.0), "AP50", 10, 10, False, ())
    assert not told.worth_it
    assert "nothing to judge" in told.verdict


def test_a_classifier_is_measured_on_what_its_training_held_out(classifier, tmp_path):
    from pahara.training.data.folders import read_class_folders

    _, data = classifier
    told = {"divided": {"files": read_class_folders(data).mark, "val": 0.25, "seed": 3}}
    own = to_onnx(build("tinyvgg", classes=2, width=16), (3, 24, 24), tmp_path / "own.onnx", {**ABOUT, **told})
    made = quantize(own.path, data, calibrate=8)
    assert made.pictures == 20, "a quarter of 80"
    assert not made.overlap


def test_a_missing_model_is_told_in_one_line(tmp_path):
    with pytest.raises(ModelError, match="no model file"):
        quantize(tmp_path / "gone.onnx", tmp_path)
