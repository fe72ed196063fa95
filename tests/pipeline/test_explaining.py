"""An event of an autoencoder brings a heat map that is warm where the picture is strange, in the evidence and in the report."""

import json

import cv2
import numpy as np
import pytest

from pahara.config import from_data, plan
from pahara.core import Detections
from pahara.pipeline.setup import open_plan, prepare
from pahara.report.html import render
from pahara.video.heat import heated

onnx = pytest.importorskip("onnx")

SIDE = 48


@pytest.fixture(scope="module")
def painter(tmp_path_factory):
    """The simplest autoencoder: it paints what it sees without any detail, so a small bright block is what it cannot paint."""
    from onnx import TensorProto, helper

    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3, SIDE, SIDE]) for name in ("pictures", "again")]
    blur = helper.make_node("AveragePool", ["pictures"], ["again"], kernel_shape=[15, 15], pads=[7, 7, 7, 7], strides=[1, 1])
    model = helper.make_model(helper.make_graph([blur], "blur", ports[:1], ports[1:]), opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    about = {
        "kind": "anomaly", "input": [3, SIDE, SIDE], "preparation": {"fit": "stretch", "scale": 1 / 255},
        "thresholds": {"error": 0.05}, "error": {"patch": 5}, "version": 1,
    }  # fmt: skip
    helper.set_model_props(model, {"pahara": json.dumps(about)})
    path = tmp_path_factory.mktemp("painter") / "blur.onnx"
    onnx.save(model, path)
    return path


def test_the_heat_map_is_kept_as_evidence_and_is_warm_where_the_block_is(film, store, painter):
    camera = {
        "source": str(film),
        "signals": [{"kind": "autoencoder", "model": str(painter), "every": 0.2}],
        "behaviours": [{"kind": "anomaly", "seconds": 1}],
    }
    config = from_data({"version": 1, "gate": False, "evidence": {"before": 1, "after": 1, "longest": 3}, "cameras": {"yard": camera}})
    wanted = plan(config, "yard")
    with open_plan(wanted) as source:
        session = prepare(
            wanted, source, config=config, detector=lambda images: [Detections.of([], [], [], ("person",)) for _ in images], store=store
        )
        summary = session.run()
    assert session.problems == []
    (event,) = store.events(kind="anomaly")
    kept = event.kept("explanation")
    picture = cv2.imread(str(kept.path)).astype(int)
    colourful = np.ptp(picture, axis=2) > 40
    rows, columns = np.nonzero(colourful)
    began = event.event.start  # it was told at once: an anomaly needs no hold
    left = float(np.interp(began, [2, 5, 8, 11], [-12, 110, 110, -12]))  # where the block is just then
    assert left - 12 < columns.mean() < left + 24
    assert 34 < rows.mean() < 82
    assert colourful.mean() < 0.25, "most of the picture is as usual"
    assert render(summary).count("data:image/jpeg") >= 3  # the place, the snapshot, the heat


def test_heat_colours_only_what_is_strange():
    heat = np.zeros((9, 16), np.float32)
    heat[4, 8] = 3.0
    plain = np.full((90, 160, 3), 100, np.uint8)
    shown = heated(plain, heat)
    assert shown.shape == plain.shape
    assert (np.ptp(shown[10, 10].astype(int)), np.ptp(shown[45, 85].astype(int)) > 60) == (0, True)
    assert heated(plain, np.zeros((0, 0))) is plain
