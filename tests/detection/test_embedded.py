"""The detector in the package is small, is the file that the zoo names, and sees people, bags and vehicles."""

from importlib.resources import files

import numpy as np
import pytest

from pahara.core.boxes import iou_matrix
from pahara.detection import load_detector, zoo
from pahara.detection.download import sha256_of
from pahara.simulate import Stage, load_script
from pahara.testing import check_detector

NAME = "pahara-nano"
MOST_BYTES = 4_000_000


@pytest.fixture(scope="module")
def detector():
    return load_detector(NAME, threads=1)


def test_it_is_always_here_and_is_the_file_that_the_zoo_names(monkeypatch, tmp_path):
    monkeypatch.delenv("PAHARA_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = zoo.find(zoo.MODELS[NAME])
    assert found.origin == zoo.WITH_PAHARA
    assert found.path is not None
    assert zoo.locate(NAME, download=False) == found.path
    assert sha256_of(found.path) == zoo.MODELS[NAME].sha256
    assert found.path.stat().st_size == zoo.MODELS[NAME].bytes <= MOST_BYTES


def test_its_card_names_the_licence_and_whose_work_it_stands_on():
    card = files("pahara.detection").joinpath("weights", "README.md").read_text(encoding="utf-8")
    for word in ("Apache-2.0", "Megvii", "coco128", "CC BY 4.0", "PETS", zoo.MODELS[NAME].sha256 or ""):
        assert word in card, f"the model card does not say {word}"


def test_it_says_its_classes_and_how_it_wants_its_pictures(detector):
    told = detector.describe()
    assert told["classes"] == ["person", "bag", "vehicle"]
    assert told["input"] == f"{zoo.MODELS[NAME].input}x{zoo.MODELS[NAME].tall} BGR letterbox"
    assert told["layout"] == "yolox"


def test_it_keeps_the_promises_of_a_detector(detector):
    check_detector(detector)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shop-door", "mosque-courtyard"])
def test_it_finds_most_of_who_is_plainly_seen_in_a_bundled_scene(detector, name):
    found = wanted = 0
    for n, shot in enumerate(Stage(load_script(name))):
        if n % 24:
            continue
        people = [s.box for s in shot.truth if s.label == "person" and s.visible > 0.7 and s.box[3] - s.box[1] > 40]
        (seen,) = detector([shot.image])
        here = seen.boxes[(seen.labels == 0) & (seen.scores >= 0.3)]
        wanted += len(people)
        if people and len(here):
            found += int((iou_matrix(np.array(people), here) >= 0.5).any(1).sum())
    assert wanted > 20, "the scene shows nobody: the test would pass without testing"
    assert found >= 0.85 * wanted
