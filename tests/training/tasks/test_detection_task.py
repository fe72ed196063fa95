"""`pahara train detector`: a job from a YOLO set, fresh or from the official weights; its words say what is wrong."""

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pahara.core import DataError, ModelError, TrainingError  # noqa: E402
from pahara.training.tasks.detection import _size_for, open_job, predict  # noqa: E402
from pahara.training.tasks.doing import measured_start, worse_than_start  # noqa: E402
from pahara.training.tasks.job import Wishes  # noqa: E402


@pytest.fixture
def squares(tmp_path):
    """Pictures with a red or a blue square."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 6), ("val", 3)):
        (tmp_path / "images" / part).mkdir(parents=True)
        (tmp_path / "labels" / part).mkdir(parents=True)
        for n in range(count):
            picture, kind = np.full((96, 128, 3), 90, np.uint8), n % 2
            x, y = int(rng.integers(0, 88)), int(rng.integers(0, 56))
            picture[y : y + 40, x : x + 40] = (30, 30, 220) if kind == 0 else (220, 30, 30)
            cv2.imwrite(str(tmp_path / "images" / part / f"{n}.png"), picture)
            (tmp_path / "labels" / part / f"{n}.txt").write_text(f"{kind} {(x + 20) / 128} {(y + 20) / 96} {40 / 128} {40 / 96}\n")
    (tmp_path / "data.yaml").write_text("path: .\ntrain: images/train\nval: images/val\nnames: [person, blue]\n")
    return tmp_path


def job_of(folder, **wishes):
    return open_job(folder, Wishes(size=96, batch=3, workers=0, plan={"epochs": 1}, **wishes))


def test_a_job_has_a_loss_with_gradients_and_a_measure(squares):
    job = job_of(squares)
    batch = next(iter(job.batches))
    parts = job.task.loss(job.model.train(), batch)
    parts["loss"].backward()
    assert all(p.grad is not None for p in job.model.parameters())
    figures = job.task.measure(job.model, job.held_out, torch.device("cpu"))
    assert 0 <= figures["map50"] <= 1
    assert job.summary["classes"] == {"person": 3, "blue": 3}


def test_the_official_weights_bring_what_they_know_of_a_class_of_the_same_name(squares, asset):
    official = asset("models/yolox-nano-416.onnx")
    job = job_of(squares, weights=str(official))
    person = cv2.imread(str(sorted(asset("coco128").rglob("*.jpg"))[0]))
    assert job.model.classes == 2
    assert job.about["input"] == [3, 96, 96]
    (found,) = predict(job.model, {**job.about, "input": [3, 416, 416]}, [person])
    assert found.names == ("person", "blue")
    boxes = np.concatenate([found.boxes, np.zeros((0, 4), np.float32)])
    assert (boxes >= 0).all()
    assert (boxes <= np.array([person.shape[1], person.shape[0]] * 2)).all()


def test_the_finished_model_is_examined_with_a_row_for_each_class(squares):
    job = job_of(squares)
    outcome = job.examine(job.model)
    assert outcome.figures["pictures"] == 3
    assert {row["class"] for row in outcome.table} >= {"person", "blue"}


def test_what_cannot_be_is_said_in_one_line(squares, tmp_path):
    with pytest.raises(TrainingError, match="steps of 32"):
        open_job(squares, Wishes(size=100))
    for words in ("wide", "544x", "544x320x3", "544*320"):
        with pytest.raises(TrainingError, match="width x height"):
            open_job(squares, Wishes(extra={"size": words}))
    with pytest.raises(ModelError, match="not from nanodet-m"):
        job_of(squares, weights="nanodet-m")
    for text in (squares / "labels" / "train").iterdir():
        text.write_text("")
    with pytest.raises(DataError, match="no training picture has a box"):
        job_of(squares)


def test_training_starts_from_the_detector_that_comes_with_pahara(squares):
    job = job_of(squares, weights="pahara-nano")
    assert job.model.classes == 2
    assert job.about["model"] == "yolox-nano"
    with pytest.raises(ModelError, match="holds a yolox-nano, and --model asks for yolox-s"):
        job_of(squares, weights="pahara-nano", model="yolox-s")
    with pytest.raises(ModelError, match=r"no weights file .*gone\.onnx"):
        job_of(squares, weights="gone.onnx")


@pytest.mark.parametrize(
    ("picture", "size"),
    [((640, 360), (544, 320)), ((1920, 1080), (544, 320)), ((360, 640), (320, 544)), ((640, 480), (480, 352)), ((50, 50), (416, 416))],
)
def test_the_input_has_the_shape_of_the_pictures(tmp_path, picture, size):
    files = [tmp_path / f"{n}.png" for n in range(3)]
    for file in files:
        cv2.imwrite(str(file), np.zeros((*picture[::-1], 3), np.uint8))
    assert _size_for(files) == size


def test_pictures_that_lie_and_stand_get_a_square(tmp_path):
    for name, size in (("lying", (90, 160)), ("standing", (160, 90))):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros((*size, 3), np.uint8))
    assert _size_for(sorted(tmp_path.iterdir())) == (416, 416)


def test_a_wide_input_is_trained_kept_and_shown_without_its_padding(squares):
    job = open_job(squares, Wishes(batch=3, workers=0, plan={"epochs": 1}, extra={"size": "160x96"}))
    assert job.about["input"] == [3, 96, 160]
    assert job.summary["size"] == "160 x 96"
    pictures, boxes, _ = next(iter(job.held_out))
    assert pictures.shape == (3, 96, 160, 3)
    assert job.task.loss(job.model.train(), (pictures, boxes, [torch.zeros(len(b), dtype=torch.long) for b in boxes]))["loss"].isfinite()
    assert job.held_out.data.shown(0).shape == (96, 128, 3), "the 32 columns of padding are left out"
    assert open_job(squares, Wishes(batch=3, workers=0, plan={"epochs": 1})).about["input"] == [3, 352, 480]


def test_a_training_that_ends_worse_than_its_start_says_so(squares):
    from pahara.training.loop import Result

    job = job_of(squares, weights="pahara-nano")
    before = measured_start(job, squares)
    assert 0 <= before <= 1
    assert measured_start(job, squares) == before, "a run that goes on reads what was measured"
    worse = Result(squares, "finished", 0.25, 1, 1, 2, 1.0, [])
    (words,) = worse_than_start(job, 0.5, worse)
    assert "0.500 with pahara-nano" in words["en"]
    assert "0.250" in words["bn"]
    assert worse_than_start(job, 0.25, worse) == ()
    assert measured_start(job_of(squares), squares) is None, "a fresh model knows nothing that could be lost"
