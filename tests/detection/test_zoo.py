"""Named models are fetched once, whole and checked, from a real HTTP server on this machine; or not at all, with advice."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from pahara.core import ModelError
from pahara.detection import zoo
from pahara.detection.download import fetch, sha256_of

BODY = bytes(range(256)) * 2000  # half a megabyte
HASH = hashlib.sha256(BODY).hexdigest()


class Server:
    """A file server with faults, and a record of what it was asked."""

    def __init__(self):
        self.cut_after: int | None = None  # bytes of the first answer
        self.ranges, self.slow, self.silent, self.status = True, 0.0, False, 200
        self.asked: list[str] = []  # the Range header of each request, "" without
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked = self.headers.get("Range", "")
                outer.asked.append(asked)
                if outer.silent:
                    time.sleep(1.5)
                    return
                if self.path != "/model.onnx" or outer.status != 200:
                    self.send_error(outer.status if outer.status != 200 else 404)
                    return
                start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and outer.ranges else 0
                if start >= len(BODY):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(BODY)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                rest = BODY[start:]
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
                self.send_header("Content-Length", str(len(rest)))
                self.end_headers()
                if outer.cut_after is not None:
                    rest, outer.cut_after = rest[: outer.cut_after], None
                for at in range(0, len(rest), 100_000):
                    self.wfile.write(rest[at : at + 100_000])
                    time.sleep(outer.slow)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/model.onnx"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server():
    served = Server()
    yield served
    served.close()


def test_a_file_arrives_whole_and_tells_its_progress(server, tmp_path):
    told = []
    target = tmp_path / "deep" / "model.onnx"
    assert fetch(server.url, target, sha256=HASH, size=len(BODY), progress=lambda have, total: told.append((have, total))) == HASH
    assert target.read_bytes() == BODY
    assert told[0] == (0, len(BODY))
    assert told[-1] == (len(BODY), len(BODY))
    assert [have for have, _ in told] == sorted(have for have, _ in told)
    assert not list(target.parent.glob("*.part"))


def test_after_a_cut_it_goes_on_where_it_was(server, tmp_path):
    server.cut_after = 200_000
    fetch(server.url, tmp_path / "model.onnx", sha256=HASH)
    assert (tmp_path / "model.onnx").read_bytes() == BODY
    assert server.asked == ["", "bytes=200000-"]


def test_what_an_earlier_run_left_is_continued(server, tmp_path):
    (tmp_path / "model.onnx.part").write_bytes(BODY[:300_000])
    fetch(server.url, tmp_path / "model.onnx", sha256=HASH, size=len(BODY))
    assert server.asked == ["bytes=300000-"]
    assert sha256_of(tmp_path / "model.onnx") == HASH


def test_a_whole_part_is_not_asked_for_again(server, tmp_path):
    (tmp_path / "model.onnx.part").write_bytes(BODY)
    fetch(server.url, tmp_path / "model.onnx", sha256=HASH, size=len(BODY))
    assert server.asked == []


def test_a_part_of_another_length_is_thrown_away(server, tmp_path):
    (tmp_path / "model.onnx.part").write_bytes(BODY + b"more")
    fetch(server.url, tmp_path / "model.onnx", sha256=HASH)
    assert sha256_of(tmp_path / "model.onnx") == HASH


def test_a_server_without_ranges_sends_it_all_again(server, tmp_path):
    server.cut_after, server.ranges = 200_000, False
    fetch(server.url, tmp_path / "model.onnx", sha256=HASH)
    assert sha256_of(tmp_path / "model.onnx") == HASH
    assert server.asked == ["", "bytes=200000-"]


def test_a_slow_server_is_waited_for(server, tmp_path):
    server.slow = 0.15
    fetch(server.url, tmp_path / "model.onnx", sha256=HASH, timeout=0.6)
    assert sha256_of(tmp_path / "model.onnx") == HASH


def test_a_silent_server_is_given_up_and_what_came_is_kept(server, tmp_path):
    (tmp_path / "model.onnx.part").write_bytes(BODY[:1000])
    server.silent = True
    with pytest.raises(ModelError, match=r"did not arrive whole .* 1,000 bytes are kept"):
        fetch(server.url, tmp_path / "model.onnx", sha256=HASH, timeout=0.1)
    assert (tmp_path / "model.onnx.part").read_bytes() == BODY[:1000]


def test_a_wrong_hash_is_refused_and_the_file_removed(server, tmp_path):
    with pytest.raises(ModelError, match=f"SHA-256 {HASH}, expected {'0' * 64}"):
        fetch(server.url, tmp_path / "model.onnx", sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_told_with_its_address(server, tmp_path):
    with pytest.raises(ModelError, match=r"model is not at .*/gone \(HTTP 404"):
        fetch(server.url.replace("model.onnx", "gone"), tmp_path / "model.onnx", title="model")
    assert len(server.asked) == 1


def test_without_internet_the_error_says_what_to_do(tmp_path):
    with pytest.raises(ModelError, match=r"no internet: .* put it there"):
        fetch("http://127.0.0.1:9/model.onnx", tmp_path / "model.onnx", advice="put it there")


@pytest.fixture
def staged(server, tmp_path, monkeypatch):
    """The zoo with one model, served here; -> it."""
    model = replace(zoo.MODELS["yolox-nano"], url=server.url, sha256=HASH, bytes=len(BODY))
    monkeypatch.setitem(zoo.MODELS, "yolox-nano", model)
    monkeypatch.setattr(zoo, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.delenv("PAHARA_MODELS", raising=False)
    return model


def test_a_name_is_fetched_on_first_use_only(staged, server):
    path = zoo.locate("yolox-nano")
    assert path.read_bytes() == BODY
    assert zoo.locate("yolox-nano") == path
    assert len(server.asked) == 1


@pytest.mark.parametrize("file", ["yolox-nano.onnx", "yolox_nano.onnx", "yolox-nano-416.onnx", "yolox_nano_416.onnx"])
def test_a_folder_of_models_serves_instead_and_nothing_is_fetched(staged, server, file, tmp_path, monkeypatch):
    own = tmp_path / "own" / file
    own.parent.mkdir()
    own.write_bytes(b"my own training")
    monkeypatch.setenv("PAHARA_MODELS", str(own.parent))
    assert zoo.locate("yolox-nano") == own
    assert own.read_bytes() == b"my own training"
    assert server.asked == []
    told = zoo.show("yolox-nano")
    assert (told["origin"], told["same_as_published"]) == ("PAHARA_MODELS", False)


def test_a_path_is_used_as_it_is(tmp_path):
    own = tmp_path / "mine.onnx"
    own.write_bytes(b"x")
    assert zoo.locate(own) == own
    assert zoo.locate(str(own)) == own


def test_without_a_published_hash_the_first_download_is_trusted_and_locked(staged, server, tmp_path, monkeypatch):
    monkeypatch.setitem(zoo.MODELS, "yolox-nano", replace(staged, sha256=None))
    assert zoo.show("yolox-nano")["hash"] == "trusted at the first download"
    path = zoo.locate("yolox-nano")
    assert json.loads((tmp_path / "cache" / "sha256.json").read_text()) == {"yolox-nano": HASH}
    assert zoo.show("yolox-nano")["hash"] == "locked at the first download"
    path.unlink()
    monkeypatch.setattr(f"{__name__}.BODY", BODY[::-1])  # the next time the server sends something else
    with pytest.raises(ModelError, match="not the file it should be"):
        zoo.locate("yolox-nano")


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("yolox-nan", r"no model named 'yolox-nan' \(did you mean 'yolox-nano'\?\)"),
        ("weights/mine.onnx", r"no model file weights/mine.onnx; check the path"),
        ("gone.onnx", r"no model file gone.onnx"),
        (".", r"is a folder, not a model"),
        ("nanodet-m", r"nobody publishes nanodet-m as an ONNX file; put nanodet-m.onnx into"),
    ],
)
def test_what_cannot_be_found_is_told_in_one_line(asked, answer, monkeypatch, tmp_path):
    monkeypatch.setattr(zoo, "cache_folder", lambda: tmp_path)
    monkeypatch.delenv("PAHARA_MODELS", raising=False)
    with pytest.raises(ModelError, match=answer) as told:
        zoo.locate(asked)
    assert "\n" not in str(told.value)


def test_offline_the_advice_names_the_file_and_the_folder(staged, monkeypatch, tmp_path):
    monkeypatch.setitem(zoo.MODELS, "yolox-nano", replace(staged, url="http://127.0.0.1:9/yolox_nano.onnx"))
    with pytest.raises(ModelError, match=r"no internet: .* put yolox-nano.onnx into .* PAHARA_MODELS"):
        zoo.locate("yolox-nano")
    with pytest.raises(ModelError, match="pahara models pull yolox-nano"):
        zoo.locate("yolox-nano", download=False)


def test_every_model_of_the_zoo_is_free_and_well_described():
    assert len(zoo.MODELS) >= 6
    for name, model in zoo.MODELS.items():
        assert model.licence == "Apache-2.0"
        assert name == model.name
        assert model.url.startswith("https://") or not model.url
        assert model.sha256 is None or (len(model.sha256) == 64 and set(model.sha256) <= set("0123456789abcdef"))
        assert f"{name}.onnx" in model.aliases
    assert len({model.sha256 for model in zoo.MODELS.values() if model.sha256}) == len([m for m in zoo.MODELS.values() if m.sha256])


def test_the_assets_serve_as_a_folder_of_models(asset, monkeypatch):
    monkeypatch.setenv("PAHARA_MODELS", str(Path(asset("models/yolox-nano-416.onnx")).parent))
    assert zoo.locate("yolox-nano").name == "yolox-nano-416.onnx"
    assert zoo.locate("nanodet-m").name == "nanodet-m-320.onnx"


def packed(**files: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name.replace("__", "/"), body)
    return held.getvalue()


@pytest.fixture
def zipped(staged, server, monkeypatch):
    """A pose model that is published inside a zip."""
    model = replace(zoo.POSES["rtmo-t"], url=server.url, sha256=HASH)
    monkeypatch.setitem(zoo.POSES, "rtmo-t", model)
    monkeypatch.setattr(f"{__name__}.BODY", packed(**{"sdk__end2end.onnx": BODY, "sdk__pipeline.json": b"{}"}))
    return model


def test_a_model_in_a_zip_is_taken_out_of_it_and_checked(zipped, tmp_path):
    path = zoo.locate("rtmo-t", known=zoo.POSES)
    assert path.name == "rtmo-t.onnx"
    assert sha256_of(path) == HASH
    assert [one.name for one in path.parent.iterdir()] == ["rtmo-t.onnx"]  # nothing else is left lying about
    assert zoo.show("rtmo-t")["same_as_published"] is True


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (packed(**{"sdk__end2end.onnx": b"another"}), "is not the file it should be"),
        (packed(**{"sdk__other.onnx": b"x"}), "has no end2end.onnx"),
        (b"no zip at all", "is no zip that can be read"),
    ],
)
def test_a_zip_with_something_else_in_it_is_told_and_leaves_nothing(zipped, tmp_path, monkeypatch, body, said):
    monkeypatch.setattr(f"{__name__}.BODY", body)
    with pytest.raises(ModelError, match=said):
        zoo.locate("rtmo-t", known=zoo.POSES)
    assert list((tmp_path / "cache").iterdir()) == []


def test_every_pose_model_is_free_and_named_once():
    assert not zoo.POSES.keys() & zoo.MODELS.keys()
    assert {model.licence for model in zoo.POSES.values()} == {"Apache-2.0"}
    assert zoo.POSES["movenet"].file == "movenet.tflite"
    names = [alias for model in zoo.POSES.values() for alias in model.aliases]
    assert len(names) == len(set(names))


def test_the_movenet_of_the_assets_is_the_published_one(asset, monkeypatch):
    monkeypatch.setenv("PAHARA_MODELS", str(asset("models")))
    told = zoo.show("movenet")
    assert (told["origin"], told["same_as_published"]) == ("PAHARA_MODELS", True)
    assert zoo.locate("movenet", known=zoo.POSES).name == "movenet-lightning-int8.tflite"
