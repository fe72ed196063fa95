"""Boxes go from format to format and come back as they were."""

from __future__ import annotations

import json

import numpy as np
import pytest
from damage import yolo_set
from hypothesis import given
from hypothesis import strategies as st

from pahara.core.errors import DataError
from pahara.training.data.convert import convert, read_boxes, unique_names
from pahara.training.data.decimals import short, told


def random_yolo(root, digits, seed=0):
    yolo_set(root)
    rng = np.random.default_rng(seed)
    for file in root.rglob("labels/*/*.txt"):
        lines = []
        for _ in range(int(rng.integers(0, 6))):
            wide, tall = rng.uniform(0.05, 0.5, 2)
            x, y = rng.uniform(wide / 2, 1 - wide / 2), rng.uniform(tall / 2, 1 - tall / 2)
            lines.append(f"{rng.integers(2)} " + " ".join(f"{value:.{digits}f}".rstrip("0") for value in (x, y, wide, tall)))
        file.write_text("".join(line + "\n" for line in lines))
    return root


def lines_of(root):
    return {file.name: file.read_text() for file in sorted(root.rglob("labels/*/*.txt"))}


@pytest.mark.parametrize("through", [["coco"], ["voc"], ["coco", "voc"], ["voc", "coco"]])
@pytest.mark.parametrize("digits", [4, 6, 8])
def test_yolo_comes_back_to_the_letter(through, digits, tmp_path):
    first = random_yolo(tmp_path / "a", digits)
    now = first
    for step, form in enumerate([*through, "yolo"]):
        out = tmp_path / f"step{step}"
        done = convert(now, out, form)
        assert done.pictures == {"train": 6, "val": 3}
        now = out
    assert lines_of(now) == lines_of(first)
    assert sorted(file.read_bytes() for file in now.rglob("*.jpg")) == sorted(file.read_bytes() for file in first.rglob("*.jpg"))
    assert read_boxes(now)["val"].names == ("person", "bag")


@pytest.mark.parametrize("through", ["yolo", "voc"])
def test_coco_comes_back_to_the_last_digit_of_its_pixels(through, tmp_path):
    convert(random_yolo(tmp_path / "a", 6), tmp_path / "coco", "coco")
    file = tmp_path / "coco/annotations/instances_train.json"
    data = json.loads(file.read_text())
    rng = np.random.default_rng(1)
    for annotation in data["annotations"]:
        x, y, wide, tall = (round(float(v), 2) for v in (*rng.uniform(0, 30, 2), *rng.uniform(5, 30, 2)))
        annotation["bbox"], annotation["area"] = [x, y, wide, tall], short(wide * tall, 1e-8)
    file.write_text(json.dumps(data))
    convert(tmp_path / "coco", tmp_path / "b", through)
    convert(tmp_path / "b", tmp_path / "c", "coco")
    again = json.loads((tmp_path / "c/annotations/instances_train.json").read_text())
    assert again == data


def test_whole_pixels_of_voc_stay_whole_and_difficult_ones_difficult(tmp_path):
    convert(random_yolo(tmp_path / "a", 6), tmp_path / "voc", "voc")
    file = tmp_path / "voc/Annotations/000.xml"
    head = "<annotation><filename>000.jpg</filename><size><width>96</width><height>64</height></size>"
    row = "<object><name>bag</name><difficult>{}</difficult><bndbox><xmin>{}</xmin><ymin>7</ymin><xmax>41</xmax><ymax>33</ymax></bndbox></object>"
    file.write_text(head + row.format(0, 12) + row.format(1, 13) + "</annotation>")
    convert(tmp_path / "voc", tmp_path / "coco", "coco")
    convert(tmp_path / "coco", tmp_path / "voc2", "voc")
    text = (tmp_path / "voc2/Annotations/000.xml").read_text()
    assert "<xmin>12</xmin><ymin>7</ymin><xmax>41</xmax><ymax>33</ymax>" in text
    assert text.count("<difficult>1</difficult>") == 1
    done = convert(tmp_path / "coco", tmp_path / "yolo", "yolo")
    assert done.left_out == 1
    once = read_boxes(tmp_path / "voc", one_based=True)["train"]
    np.testing.assert_array_equal(once.boxes(0)[0][0], [11, 6, 41, 33])
    convert(tmp_path / "voc", tmp_path / "voc3", "voc", one_based=True)
    assert "<xmin>12</xmin><ymin>7</ymin><xmax>41</xmax>" in (tmp_path / "voc3/Annotations/000.xml").read_text()


@given(st.floats(0, 1), st.integers(1, 9))
def test_a_decimal_is_found_again(value, digits):
    wanted = round(value, digits)
    assert float(told(wanted * 1920 / 1920)) == wanted
    assert "e" not in told(value * 1e-9)


def test_pictures_of_one_name_are_told_apart(tmp_path):
    names = unique_names([tmp_path / "a/1.jpg", tmp_path / "b/1.jpg", tmp_path / "b/1.png"])
    assert len({name.rsplit(".", 1)[0] for name in names}) == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data["images"][0].update(file_name="gone.jpg"), "gone.jpg is in none of"),
        (lambda data: data["images"][0].update(width=500), "is 96 × 64 pixels, not 500"),
        (lambda data: data["annotations"][0].update(category_id=77), "category_id 77"),
        (lambda data: data["annotations"][0].update(bbox=[1, 2, 0, 5]), "no area"),
        (lambda data: data["annotations"][0].update(bbox="x"), "bbox should be a list of 4"),
    ],
)
def test_a_damaged_coco_file_names_the_record(change, words, tmp_path):
    convert(yolo_set(tmp_path / "a"), tmp_path / "coco", "coco")
    file = tmp_path / "coco/annotations/instances_train.json"
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))
    with pytest.raises(DataError, match=r"(image|annotation) 0") as told_of:
        read_boxes(tmp_path / "coco")
    assert words in str(told_of.value)


@pytest.mark.parametrize("xml", ["", "<a>", "<x/>", "<annotation><object/></annotation>", "<!DOCTYPE a [<!ENTITY b 'c'>]><annotation/>"])
def test_a_damaged_voc_file_is_named(xml, tmp_path):
    convert(yolo_set(tmp_path / "a"), tmp_path / "voc", "voc")
    (tmp_path / "voc/Annotations/000.xml").write_text(xml)
    with pytest.raises(DataError, match=r"000\.xml"):
        read_boxes(tmp_path / "voc")


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path):
    root = yolo_set(tmp_path)
    with pytest.raises(DataError, match="not an empty folder"):
        convert(root, root, "coco")
