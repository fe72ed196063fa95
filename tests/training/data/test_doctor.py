"""Whatever is wrong with a data set is found, named with file and line, and never ends in a traceback."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from damage import IMAGES, YOLO, image_set, picture, yolo_set
from typer.testing import CliRunner

from pahara.cli.app import app
from pahara.core.errors import DataError, PaharaError
from pahara.language import LANGUAGES, has, text
from pahara.training.data import DetectionSet, open_images
from pahara.training.data.doctor import CODES, check, kind_of, mend
from pahara.training.data.yolo import read_yolo_set


def test_a_sound_set_has_no_errors_and_no_warnings_about_its_files(tmp_path):
    report = check(yolo_set(tmp_path))
    assert (report.kind, report.names, report.splits) == ("yolo", ("person", "bag"), {"train": 6, "val": 3})
    assert report.objects == {"person": 9, "bag": 9}
    assert {finding.code for finding in report.findings} <= {"class-rare"}


def test_sound_class_folders_are_well(tmp_path):
    report = check(image_set(tmp_path))
    assert (report.kind, report.names, report.findings) == ("images", ("cat", "dog"), ())


@pytest.mark.parametrize("name", YOLO)
def test_every_damage_of_a_yolo_set_is_found_and_nothing_falls_over(name, tmp_path):
    damage, code, line = YOLO[name]
    damage(yolo_set(tmp_path))
    report = check(tmp_path)
    found = [finding for finding in report.findings if finding.code == code]
    assert found, f"{code} was not found, only {[f.code for f in report.findings]}"
    assert not line or line in {finding.line for finding in found}
    for finding in report.findings:
        assert finding.path.is_absolute()
        for language in LANGUAGES:
            assert "{" not in finding.what(language) + finding.todo(language)
    assert _trains(tmp_path) or CODES[code] != "info"


def _trains(root: Path) -> bool:
    """Go through the whole set as training does: every item is read, or a DataError of one line tells why not."""
    try:
        data = read_yolo_set(root)
        for split in data.pictures:
            one = DetectionSet(data, split, size=(64, 64))
            for i in range(len(one)):
                sample = one[i]
                assert sample.image.shape == (64, 64, 3)
                assert (sample.boxes >= 0).all()
                assert (sample.boxes <= 64).all()
    except DataError as problem:
        return _one_line(problem, root)
    return True


def _one_line(problem: DataError, root: Path) -> bool:
    assert "\n" not in str(problem)
    assert str(root) in str(problem)
    return False


ERRORS_THAT_STOP = [name for name, (_, code, _) in YOLO.items() if code.startswith(("line-", "class-")) and CODES[code] == "error"]


@pytest.mark.parametrize("name", ERRORS_THAT_STOP)
def test_the_data_set_itself_names_file_and_line_of_a_bad_label(name, tmp_path):
    damage, _, line = YOLO[name]
    damage(yolo_set(tmp_path))
    with pytest.raises(DataError, match=rf"000\.txt, line {line}: "):
        DetectionSet(tmp_path)


@pytest.mark.parametrize("name", IMAGES)
def test_every_damage_of_class_folders_is_found_and_nothing_falls_over(name, tmp_path):
    damage, code, _ = IMAGES[name]
    damage(image_set(tmp_path))
    report = check(tmp_path)
    assert code in {finding.code for finding in report.findings}
    for finding in report.findings:
        assert finding.what("bn")
    try:
        for one in open_images(tmp_path, size=(32, 32)).values():
            for i in range(len(one)):
                assert one[i][0].shape == (32, 32, 3)
    except DataError as problem:
        _one_line(problem, tmp_path)


def test_there_are_thirty_kinds_of_damage_at_least():
    assert len(YOLO) + len(IMAGES) >= 30
    assert {code for _, code, _ in (*YOLO.values(), *IMAGES.values())} >= set(CODES) - {
        "picture-missing",
        "clip-damaged",
        "clip-short",
        "class-imbalance",
        "leak-names",
        "leak-few",
    }  # fmt: skip  (leak-few: see test_labelling)


def test_every_code_has_words_in_both_languages():
    for code in CODES:
        assert has(f"data.{code}"), code
        assert has(f"data.{code}.do"), code
        assert text(f"data.{code}.do", "bn")


@pytest.mark.parametrize("seed", range(40))
def test_bytes_changed_at_random_never_end_in_a_traceback(seed, tmp_path):
    yolo_set(tmp_path)
    rng = np.random.default_rng(seed)
    files = sorted(file for file in tmp_path.rglob("*") if file.is_file())
    for file in rng.choice(np.array(files, object), 4, replace=False):
        data = bytearray(file.read_bytes())
        for _ in range(int(rng.integers(1, 30))):
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
        file.write_bytes(bytes(data[: int(rng.integers(1, len(data) + 1))] if rng.random() < 0.3 else data))
    check(tmp_path)
    _trains(tmp_path)


def test_mending_cuts_and_drops_and_touches_nothing_else(tmp_path):
    yolo_set(tmp_path)
    label = tmp_path / "labels/train/000.txt"
    before = "0 0.3  0.5 0.2 0.4\r\n0 0.3 0.5 0.2 0.4\n1 0.95 0.5 0.12 0.2\n7 0.5 0.5 0.1 0.1\n0 0.95 0.5 0.5 0.2"
    label.write_bytes(before.encode())
    others = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file() and file != label}
    (done,) = mend(check(tmp_path))
    assert (done.dropped, done.cut) == (1, 1)
    assert done.backup.read_bytes() == before.encode()
    assert label.read_bytes().decode().splitlines() == [
        "0 0.3  0.5 0.2 0.4",
        "1 0.945 0.5 0.11 0.2",
        "7 0.5 0.5 0.1 0.1",
        "0 0.95 0.5 0.5 0.2",
    ]
    assert {file: file.read_bytes() for file in others} == others
    assert not [finding for finding in check(tmp_path).findings if finding.fixable]
    assert mend(check(tmp_path)) == []


def test_the_command_ends_with_one_where_there_are_errors_and_with_none_where_there_are_not(tmp_path):
    yolo_set(tmp_path / "set")
    sound = CliRunner().invoke(app, ["data", "check", str(tmp_path / "set")])
    assert sound.exit_code == 0
    (tmp_path / "set/labels/train/000.txt").write_text("9 0.5 0.5 0.1 0.1\n")
    broken = CliRunner().invoke(app, ["data", "check", str(tmp_path / "set"), "--json"])
    assert broken.exit_code == 1
    told = json.loads(broken.stdout)
    assert told["counts"]["error"] == 1
    (finding,) = [each for each in told["findings"] if each["level"] == "error"]
    assert (finding["code"], finding["line"], Path(finding["path"]).name) == ("class-unknown", 1, "000.txt")
    bangla = CliRunner().invoke(app, ["data", "check", str(tmp_path / "set"), "--lang", "bn"])
    assert "নাম নেই" in bangla.stdout


def test_the_command_mends_and_says_what_it_did(tmp_path):
    yolo_set(tmp_path)
    (tmp_path / "labels/train/000.txt").write_text("0 0.95 0.5 0.12 0.2\n")
    done = CliRunner().invoke(app, ["data", "check", str(tmp_path), "--fix"])
    assert done.exit_code == 0
    assert "1 boxes cut" in done.stdout


def test_a_scaled_and_recompressed_copy_is_near_and_another_picture_is_not(tmp_path):
    yolo_set(tmp_path)
    cv2.imwrite(str(tmp_path / "images/train/small.png"), cv2.resize(picture(0), (64, 43), interpolation=cv2.INTER_AREA))
    near = [finding for finding in check(tmp_path).findings if finding.code == "copy-near"]
    assert len(near) == 1
    assert near[0].path.name in ("small.png", "000.jpg")


def test_the_kind_is_seen_from_what_lies_there(tmp_path):
    assert kind_of(yolo_set(tmp_path / "y")) == "yolo"
    assert kind_of(image_set(tmp_path / "i")) == "images"
    (tmp_path / "c/fight").mkdir(parents=True)
    (tmp_path / "c/fight/1.mp4").touch()
    assert kind_of(tmp_path / "c") == "clips"
    (tmp_path / "v/Annotations").mkdir(parents=True)
    assert kind_of(tmp_path / "v") == "voc"
    (tmp_path / "o/annotations").mkdir(parents=True)
    (tmp_path / "o/annotations/instances_train.json").touch()
    assert kind_of(tmp_path / "o") == "coco"
    with pytest.raises(DataError, match="no such"):
        kind_of(tmp_path / "nothing")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"images": 3}', b"\xff\xff", b'{"images": [], "categories": [], "annotations": []}']
)
def test_a_damaged_coco_or_voc_set_is_a_finding(content, tmp_path):
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/instances_train.json").write_bytes(content)
    check(tmp_path)
    (tmp_path / "v/Annotations").mkdir(parents=True)
    (tmp_path / "v/Annotations/1.xml").write_bytes(content)
    assert not check(tmp_path / "v").fit


def test_clips_that_do_not_play_are_found(tmp_path):
    for name in ("fight", "calm"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.mp4").write_bytes(b"no video" * 50)
    (tmp_path / "calm" / "2.mp4").touch()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = check(tmp_path)
    assert [finding.code for finding in report.findings].count("clip-damaged") == 3


def test_the_doctor_does_not_load_torch():
    import subprocess
    import sys

    told = "import sys; from pahara.training.data.doctor import check; import pahara.cli.data, pahara.training.data.convert; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_a_user_error_is_one_line(tmp_path):
    result = CliRunner().invoke(app, ["data", "check", str(tmp_path / "nothing")])
    assert isinstance(result.exception, PaharaError)
    assert "\n" not in str(result.exception)
