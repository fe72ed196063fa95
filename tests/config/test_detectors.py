"""Which detector is used, and why: "auto" takes what is here and never downloads."""

import shutil
import socket
from dataclasses import replace

import numpy as np
import pytest

from pahara.config import choose_detector, parse, plan
from pahara.config.detectors import EMBEDDED, FALLBACK, PREFERRED
from pahara.config.model import DetectorChoice
from pahara.core import ConfigError, Detector, ModelError
from pahara.detection import zoo


@pytest.fixture(autouse=True)
def nobody_downloads(tmp_path, monkeypatch):
    """An empty cache, no PAHARA_MODELS, and no way out."""

    def refuse(*_, **__):
        raise AssertionError("something tried to reach the network")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PAHARA_MODELS", raising=False)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def models(asset, tmp_path, monkeypatch):
    """A folder with YOLOX-nano in it, as PAHARA_MODELS."""
    folder = tmp_path / "models"
    folder.mkdir()
    shutil.copy(asset("models/yolox-nano-416.onnx"), folder / "yolox-nano.onnx")
    monkeypatch.setenv("PAHARA_MODELS", str(folder))
    return folder


def test_auto_takes_a_model_that_is_here_and_says_where_it_was(models):
    chosen = choose_detector("auto")
    assert (chosen.name, chosen.kind) == ("yolox-nano", "onnx")
    assert chosen.why("en") == "yolox-nano, the first choice of what is on this machine (PAHARA_MODELS)"
    assert "yolox-nano" in chosen.why("bn")
    detector = chosen.make()
    assert isinstance(detector, Detector)
    assert len(detector([np.zeros((90, 120, 3), np.uint8)])) == 1


def test_auto_on_a_fresh_machine_takes_the_model_that_comes_with_pahara():
    chosen = choose_detector("auto")
    assert (chosen.name, chosen.kind) == (EMBEDDED, "onnx")
    assert "comes with Pahara" in chosen.why("en")
    assert "pahara models pull yolox-tiny" in chosen.why("en")
    assert "pahara models pull yolox-tiny" in chosen.why("bn")
    detector = chosen.make()
    assert isinstance(detector, Detector)
    assert detector.classes == ("person", "bag", "vehicle")


def test_auto_without_any_model_takes_motion_and_says_what_to_do(monkeypatch):
    monkeypatch.setitem(zoo.MODELS, EMBEDDED, replace(zoo.MODELS[EMBEDDED], name="not-in-the-package"))
    chosen = choose_detector("auto")
    assert chosen.kind == FALLBACK
    assert "pahara models pull yolox-nano" in chosen.why("en")
    assert "pahara models pull yolox-nano" in chosen.why("bn")
    assert isinstance(chosen.make(), Detector)


def test_auto_knows_every_model_of_the_zoo():
    assert sorted((*PREFERRED, EMBEDDED)) == sorted(zoo.MODELS)


def test_a_zoo_name_a_path_and_a_kind_are_all_detectors(models, tmp_path):
    assert choose_detector("yolox-nano").options == {"model": "yolox-nano"}
    assert choose_detector("motion").kind == "motion"
    chosen = choose_detector("models/yolox-nano.onnx", folder=tmp_path)
    assert (chosen.name, chosen.options) == ("yolox-nano.onnx", {"model": str(models / "yolox-nano.onnx")})
    assert chosen.make().path == models / "yolox-nano.onnx"


def test_options_in_the_file_reach_the_model(models):
    config = parse("version: 1\ndetector: {model: yolox-nano, confidence: 0.3, classes: [person]}\ncameras: {a: {source: '0'}}", env={})
    chosen = choose_detector(plan(config, "a").detector, folder=config.folder)
    assert dict(chosen.options) == {"model": "yolox-nano", "confidence": 0.3, "classes": ["person"]}
    assert chosen.make().classes == ("person",)


def test_a_model_that_is_nowhere_is_told_when_it_is_made():
    chosen = choose_detector("no/such.onnx")
    with pytest.raises(ModelError, match=r"no model file no/such\.onnx"):
        chosen.make()
    with pytest.raises(ModelError, match="no model named 'yolox-nanno'"):
        choose_detector("yolox-nanno").make()


def test_a_kind_or_an_option_that_nobody_knows_is_told():
    with pytest.raises(ConfigError, match="onnx needs 'model'"):
        choose_detector(DetectorChoice(kind="onnx"))
    with pytest.raises(ConfigError, match=r"motion has no 'kep'\. Did you mean 'keep'"):
        choose_detector(DetectorChoice(kind="motion", kep=3))
    with pytest.raises(ConfigError, match="no detector named 'magic'"):
        choose_detector(DetectorChoice(kind="magic"))
