"""Data sets as training reads them: the same item of the same epoch is the same everywhere, and upright."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from damage import exif_turned, image_set, picture, yolo_set
from torch.utils.data import DataLoader

from pahara.core.errors import DataError
from pahara.evaluation.formats.yolo import picture_size, read_yolo
from pahara.training.batches import Batches
from pahara.training.data import Augment, DetectionSet, collate, open_images, read_image, read_yolo_set
from pahara.training.data.images import ImageAugment, fitted
from pahara.training.data.pictures import image_size


def test_a_yolo_set_gives_pictures_with_boxes_in_pixels(tmp_path):
    sample = DetectionSet(yolo_set(tmp_path))[0]
    assert sample.image.shape == (64, 96, 3)
    np.testing.assert_allclose(sample.boxes, [[19.2, 19.2, 38.4, 44.8], [57.6, 32.0, 76.8, 44.8]], rtol=1e-5)
    assert sample.labels.tolist() == [0, 1]
    assert (sample.image.dtype, sample.boxes.dtype, sample.labels.dtype) == (np.uint8, np.float32, np.int64)


def test_the_order_of_reading_and_the_number_of_workers_do_not_matter(tmp_path):
    yolo_set(tmp_path)
    one = DetectionSet(tmp_path, size=(64, 64), augment=Augment(mosaic=0.7, mixup=0.3), seed=7)
    other = DetectionSet(tmp_path, size=(64, 64), augment=Augment(mosaic=0.7, mixup=0.3), seed=7, cache_mb=10)
    for epoch in (0, 1):
        one.set_epoch(epoch)
        other.set_epoch(epoch)
        forwards, backwards = [one[i] for i in range(6)], [other[i] for i in reversed(range(6))][::-1]
        for a, b in zip(forwards, backwards, strict=True):
            np.testing.assert_array_equal(a.image, b.image)
            np.testing.assert_array_equal(a.boxes, b.boxes)


def test_workers_that_live_on_see_the_next_epoch(tmp_path):
    yolo_set(tmp_path)
    data = DetectionSet(tmp_path, size=(64, 64), augment=Augment(), seed=1)
    loader = DataLoader(data, 3, num_workers=1, collate_fn=collate, persistent_workers=True)
    seen = []
    for epoch in range(2):
        data.set_epoch(epoch)
        seen.append([images.numpy() for images, _, _ in loader])
        expected = [data[i].image for i in range(6)]
        np.testing.assert_array_equal(np.concatenate(seen[-1]), np.stack(expected))
    assert not np.array_equal(seen[0][0], seen[1][0])


def test_mosaics_rest_at_the_end(tmp_path):
    yolo_set(tmp_path)
    data = DetectionSet(tmp_path, size=(64, 64), augment=Augment(mosaic=1.0), calm_from=5)
    data.set_epoch(5)
    plain = DetectionSet(tmp_path, size=(64, 64), augment=Augment(mosaic=0.0))
    plain.set_epoch(5)
    np.testing.assert_array_equal(data[2].image, plain[2].image)


def test_batches_of_the_training_loop_take_the_sets_as_they_are(tmp_path):
    yolo_set(tmp_path / "y")
    data = DetectionSet(tmp_path / "y", size=(64, 64), augment=Augment())
    batches = Batches(data, 3, shuffle=True, collate=collate, workers=0, seed=3)
    batches.begin(1)
    images, boxes, labels = next(iter(batches))
    assert images.shape == (3, 64, 64, 3)
    assert len(boxes) == len(labels) == 3
    images_of = Batches(open_images(image_set(tmp_path / "i"), size=(32, 32), augment=ImageAugment())["train"], 4, workers=0)
    pictures, kinds = next(iter(images_of))
    assert pictures.shape == (4, 32, 32, 3)
    assert kinds.shape == (4,)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_pictures_are_upright_and_measured_upright(turn, kind, tmp_path):
    data = cv2.imencode(".jpg", picture(1))[1].tobytes()
    file = tmp_path / "1.jpg"
    if kind == "png":
        import struct
        import zlib

        file = tmp_path / "1.png"
        whole = cv2.imencode(".png", picture(1))[1].tobytes()
        tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, turn, 0, 0)
        chunk = struct.pack(">I", len(tiff)) + b"eXIf" + tiff + struct.pack(">I", zlib.crc32(b"eXIf" + tiff))
        file.write_bytes(whole[:33] + chunk + whole[33:])
    else:
        file.write_bytes(exif_turned(data, turn))
    image = read_image(file)
    size = (image.shape[1], image.shape[0])
    assert size == ((64, 96) if turn >= 5 else (96, 64))
    assert image_size(file) == picture_size(file) == size


def test_boxes_of_a_turned_picture_are_in_the_turned_picture(tmp_path):
    yolo_set(tmp_path)
    file = tmp_path / "images/train/000.jpg"
    file.write_bytes(exif_turned(file.read_bytes(), 6))
    sample = DetectionSet(tmp_path)[0]
    assert sample.size == (64, 96)
    np.testing.assert_allclose(sample.boxes[0], [0.2 * 64, 0.3 * 96, 0.4 * 64, 0.7 * 96], rtol=1e-5)
    truth = read_yolo(tmp_path / "images/train", names=("person", "bag"))
    np.testing.assert_allclose(truth.boxes[0], sample.boxes[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("yaml", "where"),
    [
        ("path: .\ntrain: images/train\nval: images/val\n", ""),
        ("train: ./images/train\nval: [images/val]\n", ""),
        ("path: ../moved/away\ntrain: images/train\nvalid: images/val\n", ""),
        ("train: ../images/train\nval: ../images/val\n", ""),
        ("train: train.txt\nvalidation: images/val\n", ""),
        ("path: ROOT\ntrain: images/train\nval: images/val\n", ""),
        ("path: sub/set\ntrain: images/train\nval: images/val\n", "working folder"),
    ],
)
def test_paths_are_found_as_other_tools_find_them(yaml, where, tmp_path, monkeypatch):
    root = yolo_set(tmp_path / "sub/set")
    (root / "train.txt").write_text("".join(f"./images/train/{n:03d}.jpg\n" for n in range(6)))
    file = tmp_path / "elsewhere.yaml" if where else root / "data.yaml"
    file.write_text(yaml.replace("ROOT", str(root)) + "names:\n  0: person\n  1: bag\n")
    monkeypatch.chdir(tmp_path)
    data = read_yolo_set(file)
    assert {split: len(some) for split, some in data.pictures.items()} == {"train": 6, "val": 3}
    assert len(DetectionSet(data)[0].boxes) == 2


def test_a_split_that_is_not_there_says_so(tmp_path):
    with pytest.raises(DataError, match="no 'test' in it, only train, val"):
        DetectionSet(yolo_set(tmp_path), "test")


def test_class_folders_are_split_the_same_way_every_time(tmp_path):
    image_set(tmp_path)
    first, again = open_images(tmp_path, seed=4), open_images(tmp_path, seed=4)
    assert [item.path for item in first["test"].items] == [item.path for item in again["test"].items]
    paths = [item.path for one in first.values() for item in one.items]
    assert len(paths) == len(set(paths)) == 24
    assert set(first["val"].labels) == set(first["test"].labels) == {0, 1}


def test_an_augmented_picture_has_its_size_and_its_seed(tmp_path):
    one = open_images(image_set(tmp_path), size=(40, 24), augment=ImageAugment())["train"]
    a, b = one[0][0], one[0][0]
    np.testing.assert_array_equal(a, b)
    one.set_epoch(1)
    assert one[0][0].shape == (24, 40, 3)
    assert not np.array_equal(one[0][0], a)


def test_the_middle_is_cut_out_and_the_shape_kept():
    image = np.zeros((60, 100, 3), np.uint8)
    image[:, 20:80] = 255
    assert fitted(image, (30, 30), "crop").min() == 255
    assert fitted(image, (50, 50), "pad")[40:].max() == 114
    assert fitted(image, (50, 30), "stretch").shape == (30, 50, 3)
