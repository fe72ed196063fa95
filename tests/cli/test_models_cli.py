"""`pahara models`: what there is, what is here, and what is inside, without a network."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pahara.detection.zoo import MODELS


@pytest.fixture
def pahara(tmp_path, asset):
    """Runs the real command, with YOLOX-nano in PAHARA_MODELS and an empty cache."""
    (tmp_path / "models").mkdir()
    shutil.copy(asset("models/yolox-nano-416.onnx"), tmp_path / "models")

    def run(*words, **env):
        command = Path(sys.executable).with_name("pahara")
        extra = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PAHARA_MODELS": str(tmp_path / "models"), "OMP_NUM_THREADS": "1", **env}
        # A proxy that nobody answers: whoever tries to download fails at once.
        closed = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
        return subprocess.run(
            [command, *words], capture_output=True, encoding="utf-8", cwd=tmp_path, env={**os.environ, **closed, **extra}, check=False
        )

    return run


def test_the_list_says_what_is_here(pahara):
    done = pahara("models", "list")
    assert done.returncode == 0
    assert all(name in done.stdout for name in MODELS)
    told = json.loads(pahara("models", "list", "--json").stdout)
    assert [row["name"] for row in told["models"] if row["here"]] == ["pahara-nano", "yolox-nano"]
    assert told["auto"]["name"] == "yolox-nano"
    assert all(row["licence"] == "Apache-2.0" for row in told["models"])
    alone = json.loads(pahara("models", "list", "--json", PAHARA_MODELS="").stdout)
    assert [row["name"] for row in alone["models"] if row["here"]] == ["pahara-nano"], "it comes with Pahara"
    assert alone["auto"]["name"] == "pahara-nano"


def test_show_looks_into_the_file_by_name_and_by_path(pahara):
    by_name = json.loads(pahara("models", "show", "yolox-nano", "--json").stdout)
    assert by_name["layout"] == "yolox"
    assert by_name["licence"] == "Apache-2.0"
    assert by_name["names"][0] == "person"
    by_path = json.loads(pahara("models", "show", "models/yolox-nano-416.onnx", "--json").stdout)
    assert by_path["input"] == by_name["input"]
    assert "person" in pahara("models", "show", "yolox-nano").stdout


def test_show_never_downloads(pahara):
    done = pahara("models", "show", "yolox-tiny")
    assert done.returncode == 0
    assert "Apache-2.0" in done.stdout
    assert "pahara models pull yolox-tiny" in done.stderr


def test_pull_leaves_alone_what_is_here(pahara, tmp_path):
    told = json.loads(pahara("models", "pull", "yolox-nano", "--json").stdout)
    assert told["models"][0]["fetched"] is False
    assert told["models"][0]["path"] == str(tmp_path / "models" / "yolox-nano-416.onnx")
    assert not (tmp_path / "cache" / "pahara" / "models").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show", "yolox-nanno"), "did you mean 'yolox-nano'?"),
        (("pull", "yolox-nanno"), "did you mean 'yolox-nano'?"),
        (("pull", "nanodet-m"), "nobody publishes nanodet-m as an ONNX file"),
        (("show", "no/such.onnx"), "there is no model file no/such.onnx"),
        (("show", "yolox-nano", "--engine", "magic"), "no engine named 'magic'"),
    ],
)
def test_what_cannot_be_done_is_one_line(pahara, words, told):
    done = pahara("models", *words)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stderr.startswith("pahara: ")
    assert done.stderr.count("\n") == 1


def test_pose_models_stand_in_the_list_and_tell_of_their_joints(pahara, tmp_path, asset):
    pytest.importorskip("ai_edge_litert", reason="the extra pahara[pose] is not installed")
    shutil.copy(asset("models/movenet-lightning-int8.tflite"), tmp_path / "models")
    told = {row["name"]: row for row in json.loads(pahara("models", "list", "--json").stdout)["models"]}
    assert (told["movenet"]["task"], told["movenet"]["here"]) == ("pose", True)
    assert (told["rtmo-t"]["task"], told["rtmo-t"]["here"]) == ("pose", False)
    by_name = json.loads(pahara("models", "show", "movenet", "--json").stdout)
    assert (by_name["layout"], by_name["joints"], by_name["same_as_published"]) == ("movenet", 17, True)
    by_path = pahara("models", "show", "models/movenet-lightning-int8.tflite")
    assert "MoveNet single-pose at 192" in by_path.stdout
    assert not by_path.stderr, "LiteRT greets nobody"
