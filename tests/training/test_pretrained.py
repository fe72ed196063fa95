"""Weights by name come from the disk or, checked, from the web; the official YOLOX is known by its answers."""

from __future__ import annotations

import hashlib
import http.server
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
import torch

from pahara.core import ModelError
from pahara.detection import zoo
from pahara.models import build
from pahara.training import pretrained, weights
from pahara.training.weights import PRETRAINED, find_pretrained


@pytest.fixture
def empty_machine(tmp_path, monkeypatch):
    """No model on the disk."""
    monkeypatch.setattr(zoo, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.delenv(zoo.MODELS_VARIABLE, raising=False)
    return tmp_path


@pytest.fixture
def published(tmp_path) -> Iterator[tuple[str, str]]:
    """A server with a checkpoint as Megvii publishes them. -> its address, the hash."""
    (tmp_path / "web").mkdir()
    torch.manual_seed(3)
    path = tmp_path / "web" / "yolox_nano.pth"
    torch.save({"model": build("yolox-nano", classes=80).state_dict(), "start_epoch": 300}, path)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(path.parent)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/yolox_nano.pth", hashlib.sha256(path.read_bytes()).hexdigest()
    server.shutdown()
    server.server_close()
    thread.join()


def offer(monkeypatch, **changed) -> None:
    monkeypatch.setattr(weights, "PRETRAINED", {**PRETRAINED, "yolox-nano": replace(PRETRAINED["yolox-nano"], **changed)})


def test_weights_by_name_are_fetched_checked_and_kept(empty_machine, published, monkeypatch):
    url, sha256 = published
    offer(monkeypatch, url=url, sha256=sha256)
    model, about = pretrained("yolox-nano")
    torch.manual_seed(3)
    expected = build("yolox-nano", classes=80)
    assert torch.equal(next(model.parameters()), next(expected.parameters()))
    assert about["names"][0] == "person"
    assert about["model"] == "yolox-nano"
    offer(monkeypatch, url="http://127.0.0.1:9/yolox_nano.pth", sha256=sha256)  # nobody listens there
    assert torch.equal(next(pretrained("yolox-nano")[0].parameters()), next(model.parameters()))


def test_a_file_with_another_hash_is_refused(empty_machine, published, monkeypatch):
    offer(monkeypatch, url=published[0], sha256="0" * 64)
    with pytest.raises(ModelError, match="is not the file it should be"):
        pretrained("yolox-nano")
    assert find_pretrained(weights.PRETRAINED["yolox-nano"]) is None


def test_without_internet_it_says_where_to_put_the_file(empty_machine, monkeypatch):
    offer(monkeypatch, url="http://127.0.0.1:9/yolox_nano.pth")
    with pytest.raises(ModelError, match=r"put yolox_nano\.pth into a folder and set PAHARA_MODELS"):
        pretrained("yolox-nano")
    with pytest.raises(ModelError, match="not on this machine"):
        pretrained("yolox-nano", download=False)


def test_names_and_files_that_are_no_weights_are_told(empty_machine):
    with pytest.raises(ModelError, match=r"no pretrained weights named 'yolox-nan' \(did you mean 'yolox-nano'\?\)"):
        pretrained("yolox-nan")
    with pytest.raises(ModelError, match="there is no weights file"):
        pretrained("runs/first/best.safetensors")
    (empty_machine / "mine.pth").write_bytes(b"")
    with pytest.raises(ModelError, match=r"mine\.pth does not say which model it is for"):
        pretrained(empty_machine / "mine.pth")
    (empty_machine / "mine.jpg").write_bytes(b"")
    with pytest.raises(ModelError, match="is no weights file"):
        pretrained(empty_machine / "mine.jpg")


@pytest.mark.slow
def test_the_model_for_watching_serves_as_a_start_where_the_published_weights_are_not_here(empty_machine, asset, monkeypatch):
    (empty_machine / "models").mkdir()
    shutil.copy(asset("models/yolox-nano-416.onnx"), empty_machine / "models")
    monkeypatch.setenv(zoo.MODELS_VARIABLE, str(empty_machine / "models"))
    model, about = pretrained("yolox-nano", download=False)
    assert about["source"] == "yolox-nano-416.onnx"
    again, _ = pretrained(asset("models/yolox-nano-416.onnx"))
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True))
