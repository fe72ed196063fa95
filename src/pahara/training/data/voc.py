"""Pascal VOC sets: an XML file for each picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as XML
from xml.sax.saxutils import escape

from pahara.core.errors import DataError

from .boxset import BoxSet, Size, box_set
from .decimals import told
from .pictures import PICTURES, image_size
from .yolo import OTHER_WORDS, SPLITS, read_lines

SMALL_LIMIT = 20_000_000  # bytes of one XML file; no honest one is larger


def read_voc(root: Path, *, names: Sequence[str] = (), one_based: bool = False) -> dict[str, BoxSet]:
    """{"train": …} of Annotations/*.xml with JPEGImages/ (or images/) and ImageSets/Main/<split>.txt; {"": all} without lists.

    names: the classes in their order; default: in the order of the alphabet. one_based: pixels count from 1 and the last
    one is inside, as in the original PASCAL devkit; else (LabelImg, CVAT, Roboflow) they are edges that count from 0.
    Objects marked difficult are kept as ignored. DataError with the file.
    """
    annotations = next((root / name for name in ("Annotations", "annotations") if (root / name).is_dir()), root)
    files = sorted(annotations.glob("*.xml"))
    if not files:
        raise DataError(f"{annotations}: there are no .xml files; a VOC set has Annotations/ and JPEGImages/")
    parts = _lists(root) or {"": [file.stem for file in files]}
    by_stem = {file.stem: file for file in files}
    read = {stem: _read(by_stem[stem], root) for some in parts.values() for stem in some if stem in by_stem}
    missing = next(((split, stem) for split, some in parts.items() for stem in some if stem not in by_stem), None)
    if missing:
        raise DataError(
            f"{root / 'ImageSets'}: {missing[0]!r} lists {missing[1]!r}, for which there is no {annotations.name}/{missing[1]}.xml"
        )
    words = tuple(names) or tuple(sorted({name for _, _, objects in read.values() for name, _, _ in objects}))
    if not words:
        raise DataError(f"{annotations}: no object is labelled in these files")
    sets = {}
    for split, stems in parts.items():
        frames, boxes, labels, ignore = [], [], [], []
        for frame, stem in enumerate(stems):
            for name, box, difficult in read[stem][2]:
                if name not in words:
                    raise DataError(f"{by_stem[stem]}: the class {name!r} is not one of {', '.join(words)}")
                x1, y1, x2, y2 = box
                boxes.append((x1 - 1, y1 - 1, x2, y2) if one_based else box)
                frames.append(frame)
                labels.append(words.index(name))
                ignore.append(difficult)
        sets[split] = box_set([read[stem][0] for stem in stems], [read[stem][1] for stem in stems], words, frames, boxes, labels, ignore)
    return sets


def write_voc(
    file: Path, picture: str, size: Size, objects: Sequence[tuple[str, Sequence[float], bool]], *, one_based: bool = False
) -> None:
    """One XML file: objects are (class, (x1, y1, x2, y2) in pixels, difficult). Fractions of a pixel are kept."""
    shift = 1 if one_based else 0
    lines = [
        "<annotation>", f"  <filename>{escape(picture)}</filename>",
        f"  <size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>", "  <segmented>0</segmented>",
    ]  # fmt: skip
    for name, (x1, y1, x2, y2), difficult in objects:
        corners = zip(("xmin", "ymin", "xmax", "ymax"), (x1 + shift, y1 + shift, x2, y2), strict=True)
        inner = "".join(f"<{tag}>{told(value, 1e-8)}</{tag}>" for tag, value in corners)
        lines += [
            "  <object>", f"    <name>{escape(name)}</name>", "    <pose>Unspecified</pose>", "    <truncated>0</truncated>",
            f"    <difficult>{int(difficult)}</difficult>", f"    <bndbox>{inner}</bndbox>", "  </object>",
        ]  # fmt: skip
    file.write_text("\n".join([*lines, "</annotation>", ""]), encoding="utf-8")


Objects = list[tuple[str, tuple[float, float, float, float], bool]]


def _read(file: Path, root: Path) -> tuple[Path, Size, Objects]:
    """-> the picture, its size, and its objects."""
    try:
        text = file.read_bytes()
        if len(text) > SMALL_LIMIT or b"<!ENTITY" in text:
            raise DataError(f"{file}: this XML is too large, or defines entities; it is not read")
        tree = XML.fromstring(text)
    except XML.ParseError as error:
        raise DataError(f"{file}, line {error.position[0]}: this is not XML ({error.msg.split(':')[0]})") from None
    except (OSError, ValueError, LookupError) as error:
        raise DataError(f"{file}: this cannot be read ({error})") from None
    if tree.tag != "annotation":
        raise DataError(f"{file}: this should begin with <annotation>, not <{tree.tag}>")
    picture = _picture(tree.findtext("filename") or "", file, root)
    size = (_whole(tree, "size/width", file), _whole(tree, "size/height", file))
    if min(size) <= 0:
        size = image_size(picture)
    objects: Objects = []
    for number, one in enumerate(tree.findall("object"), 1):
        where = f"{file}, object {number}"
        name = (one.findtext("name") or "").strip()
        if not name:
            raise DataError(f"{where}: it has no <name>")
        corners = [_number(one, f"bndbox/{tag}", where) for tag in ("xmin", "ymin", "xmax", "ymax")]
        x1, y1, x2, y2 = corners
        if x2 <= x1 or y2 <= y1:
            raise DataError(f"{where}: the box from ({x1:g}, {y1:g}) to ({x2:g}, {y2:g}) has no area")
        difficult = (one.findtext("difficult") or "0").strip() not in ("", "0")
        objects.append((name, (x1, y1, x2, y2), difficult))
    return picture, size, objects


def _picture(name: str, file: Path, root: Path) -> Path:
    stems = [name.replace("\\", "/").rsplit("/", 1)[-1]] if name else []
    folders = [root / "JPEGImages", root / "images", root, file.parent]
    stems += [file.stem + ending for ending in PICTURES if file.stem + ending not in stems]
    for folder in folders:
        for stem in stems:
            if stem and (folder / stem).is_file():
                return folder / stem
    raise DataError(f"{file}: its picture {name or file.stem} is not in {', '.join(folder.name for folder in folders[:2])} or beside it")


def _lists(root: Path) -> dict[str, list[str]]:
    folder = root / "ImageSets" / "Main"
    if not folder.is_dir():
        return {}
    found: dict[str, list[str]] = {}
    for file in sorted(folder.glob("*.txt")):
        split = OTHER_WORDS.get(file.stem, file.stem)
        if split in SPLITS:
            found[split] = [line.split()[0] for line in read_lines(file) if line.strip()]
    return {split: found[split] for split in SPLITS if found.get(split)}


def _number(tree: XML.Element, path: str, where: object) -> float:
    text = (tree.findtext(path) or "").strip()
    try:
        value = float(text)
    except ValueError:
        raise DataError(f"{where}: <{path.rsplit('/', 1)[-1]}> should be a number, not {text[:30]!r}") from None
    if not abs(value) < 1e7:
        raise DataError(f"{where}: <{path.rsplit('/', 1)[-1]}> cannot be {text[:30]}")
    return value


def _whole(tree: XML.Element, path: str, file: Path) -> int:
    return 0 if tree.find(path) is None else int(_number(tree, path, file))
