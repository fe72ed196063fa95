"""Data sets to break: a small sound one of each kind, and every way of damaging them."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

SPLITS = {"train": 6, "val": 3}
NAMES = ("person", "bag")


def picture(seed: int, size: tuple[int, int] = (96, 64)) -> np.ndarray:
    """A picture like no other: soft random shapes."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)


def yolo_set(root: Path) -> Path:
    """A sound YOLO set: nine pictures, two boxes each."""
    n = 0
    for split, count in SPLITS.items():
        (root / "images" / split).mkdir(parents=True)
        (root / "labels" / split).mkdir(parents=True)
        for _ in range(count):
            cv2.imwrite(str(root / "images" / split / f"{n:03d}.jpg"), picture(n))
            (root / "labels" / split / f"{n:03d}.txt").write_text("0 0.3 0.5 0.2 0.4\n1 0.7 0.6 0.2 0.2\n")
            n += 1
    (root / "data.yaml").write_text(f"train: images/train\nval: images/val\nnc: 2\nnames: [{', '.join(NAMES)}]\n")
    return root


def image_set(root: Path) -> Path:
    """Sound class folders: two classes of twelve pictures."""
    for label, name in enumerate(("cat", "dog")):
        (root / name).mkdir(parents=True)
        for n in range(12):
            cv2.imwrite(str(root / name / f"{n}.png"), picture(100 * label + n))
    return root


def exif_turned(jpeg: bytes, turn: int) -> bytes:
    """The JPEG with an EXIF orientation."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, turn, 0, 0)
    block = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


def _label(text: str) -> Callable[[Path], None]:
    return lambda root: (root / "labels/train/000.txt").write_text(text, encoding="utf-8") and None


def _yaml(old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        file = root / "data.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return change


def _bytes(change: Callable[[bytes], bytes], name: str = "images/train/000.jpg") -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        (root / name).write_bytes(change((root / name).read_bytes()))

    return damage


def _rename(old: str, new: str) -> Callable[[Path], None]:
    return lambda root: (root / old).rename(root / new) and None


def _copy(old: str, new: str) -> Callable[[Path], None]:
    def copy(root: Path) -> None:
        shutil.copy(root / old, root / new)

    return copy


def _recoded(old: str, new: str) -> Callable[[Path], None]:
    return lambda root: cv2.imwrite(str(root / new), cv2.imread(str(root / old)), [cv2.IMWRITE_JPEG_QUALITY, 70]) and None


def _many(*steps: Callable[[Path], None]) -> Callable[[Path], None]:
    def every(root: Path) -> None:
        for step in steps:
            step(root)

    return every


def _remove(name: str) -> Callable[[Path], None]:
    def remove(root: Path) -> None:
        shutil.rmtree(root / name) if (root / name).is_dir() else (root / name).unlink()

    return remove


def _write(name: str, content: bytes) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)

    return write


def _tiny_picture(root: Path) -> None:
    cv2.imwrite(str(root / "images/train/000.jpg"), picture(0, (9, 9)))


def _turn(root: Path) -> None:
    file = root / "images/train/000.jpg"
    file.write_bytes(exif_turned(file.read_bytes(), 6))


# name of the damage: (how to do it, the code that the doctor gives it, the line where it gives one)
YOLO: dict[str, tuple[Callable[[Path], None], str, int]] = {
    "no data.yaml": (_remove("data.yaml"), "yaml-missing", 0),
    "a tab in the yaml": (_yaml("nc: 2", "\tnc: 2"), "yaml-damaged", 3),
    "yaml that is a list": (_write("data.yaml", b"- train\n- val\n"), "yaml-damaged", 1),
    "yaml that is binary": (_write("data.yaml", bytes(range(256))), "yaml-damaged", 0),
    "an empty yaml": (_write("data.yaml", b""), "yaml-damaged", 1),
    "no names": (_yaml("names: [person, bag]", ""), "names-missing", 0),
    "names that are a number": (_yaml("[person, bag]", "2"), "names-missing", 4),
    "a name that is empty": (_yaml("[person, bag]", "[person, '']"), "names-bad", 4),
    "a name twice": (_yaml("[person, bag]", "[person, person]"), "names-twice", 4),
    "names with a gap": (_yaml("[person, bag]", "{0: person, 2: bag}"), "names-gap", 4),
    "nc that disagrees": (_yaml("nc: 2", "nc: 5"), "count-differs", 3),
    "nc that is a word": (_yaml("nc: 2", "nc: two"), "count-differs", 3),
    "a path that leads nowhere": (_yaml("train: im", "path: /no/such/place\ntrain: im"), "path-missing", 1),
    "a path that is a list": (_yaml("train: im", "path: [a, b]\ntrain: im"), "path-missing", 1),
    "no train": (_yaml("train: images/train\n", ""), "no-train", 0),
    "no val": (_yaml("val: images/val\n", ""), "no-val", 0),
    "a split that is not there": (_yaml("images/val", "images/validation"), "split-missing", 2),
    "a split that is a number": (_yaml("images/val", "7"), "unreadable", 0),
    "a split that is empty": (_many(_remove("images/val"), lambda root: (root / "images/val").mkdir()), "split-empty", 2),
    "a list that names no picture": (_many(_write("l.txt", b"images/train/000.jpg\nimages/train/999.jpg\n"), _yaml("images/train", "l.txt")), "list-missing", 2),
    "Labels with a capital": (_rename("labels", "Labels"), "folder-case", 0),
    "labels somewhere else": (_rename("labels", "annotations-txt"), "labels-nowhere", 0),
    "an empty picture": (_bytes(lambda data: b""), "picture-empty", 0),
    "a picture that is text": (_bytes(lambda data: b"<html>404</html>" * 9), "picture-damaged", 0),
    "a picture of noise": (_bytes(lambda data: bytes(np.random.default_rng(0).integers(0, 256, 4000, np.uint8))), "picture-damaged", 0),
    "a picture cut in half": (_bytes(lambda data: data[: len(data) // 2]), "picture-cut", 0),
    "a picture without its last bytes": (_bytes(lambda data: data[:-40]), "picture-cut", 0),
    "a PNG called jpg": (_bytes(lambda data: cv2.imencode(".png", picture(0))[1].tobytes()), "picture-kind", 0),
    "a tiny picture": (_tiny_picture, "picture-tiny", 0),
    "a picture turned by EXIF": (_turn, "pictures-turned", 0),
    "a file that is no picture": (_write("images/train/note.heic", b"x"), "file-odd", 0),
    "a picture without label": (_remove("labels/train/000.txt"), "label-missing", 0),
    "a label without picture": (_remove("images/train/000.jpg"), "label-orphan", 0),
    "an empty label": (_label(""), "label-empty", 0),
    "a label called .TXT": (_rename("labels/train/000.txt", "labels/train/000.TXT"), "label-ending", 0),
    "a label that is binary": (_write("labels/train/000.txt", b"\xff\xfe\x00\x80\x81"), "label-text", 0),
    "four values": (_label("0 0.5 0.5 0.2\n"), "line-values", 1),
    "a word for a number": (_label("0 0.3 0.5 0.2 0.4\nperson 0.5 0.5 0.2 0.2\n"), "line-number", 2),
    "commas": (_label("0,0.5,0.5,0.2,0.2\n"), "line-commas", 1),
    "nan": (_label("0 nan 0.5 0.2 0.2\n"), "line-nan", 1),
    "infinity": (_label("0 0.5 0.5 1e999 0.2\n"), "line-nan", 1),
    "a confidence": (_label("0 0.5 0.5 0.2 0.2 0.9\n"), "line-confidence", 1),
    "the same line twice": (_label("0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\n"), "line-same", 2),
    "outlines": (_label("0 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5\n"), "lines-outlines", 0),
    "a class and a half": (_label("0.5 0.5 0.5 0.2 0.2\n"), "class-whole", 1),
    "a negative class": (_label("-1 0.5 0.5 0.2 0.2\n"), "class-negative", 1),
    "a class without name": (_label("\n2 0.5 0.5 0.2 0.2\n"), "class-unknown", 2),
    "a class of 300 digits": (_label("9" * 300 + " 0.5 0.5 0.2 0.2\n"), "class-unknown", 1),
    "a box without width": (_label("0 0.5 0.5 0 0.2\n"), "box-area", 1),
    "a box of negative height": (_label("0 0.5 0.5 0.2 -0.2\n"), "box-area", 1),
    "pixels": (_label("0 48 32 20 20\n"), "box-pixels", 1),
    "a box slightly outside": (_label("0 0.95 0.5 0.12 0.2\n"), "box-over", 1),
    "a box far outside": (_label("0 0.95 0.5 0.5 0.2\n"), "box-outside", 1),
    "a tiny box": (_label("0 0.5 0.5 0.01 0.01\n"), "box-tiny", 1),
    "a huge box": (_label("0 0.5 0.5 1 1\n"), "box-huge", 1),
    "two boxes for one thing": (_label("0 0.5 0.5 0.2 0.2\n0 0.501 0.5 0.2 0.2\n"), "boxes-same", 2),
    "two classes for one thing": (_label("0 0.5 0.5 0.2 0.2\n1 0.501 0.5 0.2 0.2\n"), "boxes-classes", 2),
    "a class that is never shown": (_yaml("nc: 2\nnames: [person, bag]", "names: [person, bag, car]"), "class-absent", 0),
    "the same file in a split": (_copy("images/train/000.jpg", "images/train/copy.jpg"), "copy-same", 0),
    "nearly the same picture in a split": (_recoded("images/train/000.jpg", "images/train/again.jpg"), "copy-near", 0),
    "the same file in train and val": (_copy("images/train/000.jpg", "images/val/copy.jpg"), "leak-same", 0),
    "nearly the same picture in train and val": (_recoded("images/train/000.jpg", "images/val/again.jpg"), "leak-near", 0),
    "one recording in train and val": (_write("sources.csv", b"path,source\nimages/train/000.jpg,gate\nimages/val/006.jpg,gate\n"), "leak-source", 0),
    "sources without their column": (_write("sources.csv", b"file;source\na;b\n"), "unreadable", 0),
}  # fmt: skip

IMAGES: dict[str, tuple[Callable[[Path], None], str, int]] = {
    "no class folders": (_many(_remove("cat"), _remove("dog"), _write("1.jpg", b"x")), "folder-none", 0),
    "nothing at all": (_many(_remove("cat"), _remove("dog")), "folder-none", 0),
    "one class": (_remove("cat"), "folder-one", 0),
    "an empty class": (lambda root: (root / "cow").mkdir(), "folder-empty", 0),
    "a loose picture": (_copy("cat/0.png", "loose.png"), "folder-loose", 0),
    "Cat and cat": (_many(lambda root: (root / "Cat").mkdir(), _rename("cat/0.png", "Cat/0.png")), "folder-twins", 0),
    "one picture in two classes": (_copy("cat/0.png", "dog/x.png"), "copy-conflict", 0),
    "a damaged picture": (_write("cat/0.png", b"\x89PNG\r\n\x1a\n0000"), "picture-cut", 0),
    "a text among the pictures": (_write("cat/notes.docx", b"x"), "file-odd", 0),
    "splits of different classes": (
        _many(lambda root: [(root / s).mkdir() for s in ("train", "val")] and None, _rename("cat", "train/cat"), _rename("dog", "train/dog"),
              lambda root: (root / "val/cat").mkdir(), _copy("train/cat/0.png", "val/cat/v.png"), _remove("train/cat/0.png")),
        "folder-differs", 0,
    ),
    "a split.csv that names no file": (_write("split.csv", b"path,split\ncat/77.png,train\n"), "unreadable", 0),
    "a split.csv of nonsense": (_write("split.csv", b"\xff\xfe\x00"), "unreadable", 0),
    "few of a class": (_many(*(_remove(f"cat/{n}.png") for n in range(9))), "class-rare", 0),
}  # fmt: skip
