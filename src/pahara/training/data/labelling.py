"""A video becomes a YOLO set: pictures seconds apart, labelled by a detector, to be corrected by a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pahara.core import Detections, Detector, Image
from pahara.core.errors import DataError
from pahara.video.address import read_address

from .decimals import told
from .doctor.copies import MEAN, MOST
from .doctor.looking import SIDE
from .folders import SOURCES_FILE
from .yolo import read_yolo_set, to_fractions, write_yaml

STATE = ".pahara-label.json"  # how far each video is done, so that an interrupted run goes on
RECENT = 8  # pictures last kept, that a new one must differ from

Progress = Callable[[float, float], None]  # seconds done, seconds in all (0: unknown)


@dataclass(frozen=True, slots=True)
class Labelled:
    """What was written."""

    folder: Path
    names: tuple[str, ...]
    pictures: int  # written by this call
    boxes: int
    alike: int  # pictures passed over because they were nearly the same as one before
    resumed: float  # media seconds at which an earlier run had stopped; 0 for a new one


def label_video(
    video: str | Path,
    detector: Detector,
    out: str | Path,
    *,
    names: Sequence[str] = (),
    every: float = 2.0,
    confidence: float = 0.35,
    alike: bool = False,
    split: str = "train",
    most: int = 0,
    progress: Progress | None = None,
) -> Labelled:
    """Take a picture of `video` every `every` seconds, label it, and add both to the YOLO set in the folder `out`.

    names: the classes to keep, in the order of the set's numbers; default: those of the set that is there, else whatever the
    detector finds in this video. A set that is there keeps its numbers; new classes are added at their end.
    alike: keep pictures too that nearly repeat one of the last few. most: stop after so many pictures, 0 for no end.
    Stopped in the middle (Ctrl-C, power), the same call goes on where it was. DataError, SourceError.
    """
    from pahara.video import open_source

    if every <= 0:
        raise DataError(f"pictures should be more than 0 seconds apart, not {every:g}")
    desk = _Desk.open(Path(out), names, split)
    source_name = _name_of(video)
    done = desk.done(source_name, str(video), every)
    resumed = done
    wanted = done
    written = boxes = passed = 0
    recent: list[Image] = desk.recent(source_name)
    source = open_source(video, ring_seconds=0)
    try:
        total = float(source.duration or 0)
        for frame in source:
            if frame.time + 1e-6 < wanted:
                continue
            wanted = max(wanted + every, frame.time + every / 2)
            image = frame.image
            small = _small(image)
            if not alike and any(_alike(small, one) for one in recent):
                passed += 1
            else:
                recent = [*recent, small][-RECENT:]
                (seen,) = detector([image])
                boxes += desk.add(source_name, frame.time, image, seen[seen.scores >= confidence])
                written += 1
            desk.save(source_name, str(video), every, wanted)
            if progress is not None:
                progress(frame.time, total)
            if most and written >= most:
                break
    finally:
        source.close()
        desk.finish()
    if not written and not passed and not resumed:
        raise DataError(f"{video}: no picture could be taken from it")
    return Labelled(desk.root, tuple(desk.names), written, boxes, passed, resumed)


class _Desk:
    """The set that grows."""

    def __init__(self, root: Path, names: list[str], fixed: bool, split: str, state: dict[str, dict[str, object]]) -> None:
        self.root, self.names, self.fixed, self.split, self.state = root, names, fixed, split, state

    @classmethod
    def open(cls, root: Path, names: Sequence[str], split: str) -> _Desk:
        if root.exists() and not root.is_dir():
            raise DataError(f"{root}: this is a file; --out names a folder")
        have: list[str] = []
        if (root / "data.yaml").is_file():
            have = list(_names_there(root))
        elif root.is_dir() and any(file for file in root.iterdir() if not file.name.startswith(".")):
            raise DataError(f"{root}: this folder is not empty, and no YOLO set; give a new one")
        unknown = [name for name in names if name not in have]
        if have and unknown and names:
            have += unknown
        state: dict[str, dict[str, object]] = {}
        if (root / STATE).is_file():
            try:
                state = json.loads((root / STATE).read_text(encoding="utf-8"))
                state = state if isinstance(state, dict) else {}
            except (OSError, ValueError):
                state = {}  # it begins anew; pictures that are there are written over by the same
        try:
            for part in ("images", "labels"):
                (root / part / split).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{root}: it cannot be written ({error.strerror or error})") from None
        desk = cls(root, have or list(names), bool(names), split, state)
        if desk.names:
            desk._write_yaml()
        return desk

    def done(self, name: str, video: str, every: float) -> float:
        told = self.state.get(name, {})
        if told and told.get("video") != str(Path(video).resolve()):
            raise DataError(f"{self.root}: it holds pictures of another video called {name} ({told.get('video')}); rename one of the two")
        done = told.get("next", 0.0)
        return float(done) if isinstance(done, int | float) and told.get("every") == every else 0.0

    def recent(self, name: str) -> list[Image]:
        """The last pictures that are there, small, so that a run that goes on does not repeat them."""
        files = sorted((self.root / "images" / self.split).glob(f"{name}-t*.jpg"))[-RECENT:]
        found = (cv2.imread(str(file), cv2.IMREAD_COLOR) for file in files)
        return [_small(image) for image in found if image is not None]

    def add(self, name: str, time: float, image: Image, seen: Detections) -> int:
        """Write a picture and its labels, the labels first: a picture without labels would count as empty. -> its boxes."""
        stem = f"{name}-t{time:08.2f}"
        lines = []
        tall, wide = image.shape[:2]
        fractions = to_fractions(seen.boxes.clip(0, [wide, tall, wide, tall]), (wide, tall))
        for label, box in zip(seen.labels.tolist(), fractions.tolist(), strict=True):
            word = seen.names[label]
            if word not in self.names:
                if self.fixed:
                    continue
                self.names.append(word)
                self._write_yaml()
            if min(box[2:]) > 0:
                lines.append(" ".join([str(self.names.index(word)), *(told(round(value, 6)) for value in box)]))
        _whole(self.root / "labels" / self.split / f"{stem}.txt", "".join(line + "\n" for line in lines).encode())
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])
        _whole(self.root / "images" / self.split / f"{stem}.jpg", data.tobytes())
        with (self.root / SOURCES_FILE).open("a", encoding="utf-8") as sources:
            if sources.tell() == 0:
                sources.write("path,source\n")
            sources.write(f"images/{self.split}/{stem}.jpg,{name}\n")
        return len(lines)

    def save(self, name: str, video: str, every: float, next_time: float) -> None:
        self.state[name] = {"video": str(Path(video).resolve()), "every": every, "next": next_time}
        _whole(self.root / STATE, json.dumps(self.state).encode())

    def finish(self) -> None:
        if self.names:
            self._write_yaml()

    def _write_yaml(self) -> None:
        places = {"train": "images/train"}
        for part in ("val", "test"):
            if (self.root / "images" / part).is_dir():
                places[part] = f"images/{part}"
        beside = self.root / ".data.yaml.part"
        write_yaml(beside, tuple(self.names), places)
        beside.replace(self.root / "data.yaml")


def _names_there(root: Path) -> tuple[str, ...]:
    from .yolo import class_names, read_yaml

    file = root / "data.yaml"
    try:
        return read_yolo_set(root).names
    except DataError:
        return class_names(read_yaml(file), file)  # a run that was stopped before its first picture


def _name_of(video: str | Path) -> str:
    """A name for the video's pictures, from its file's, of letters that every system takes."""
    address = read_address(video)
    stem = Path(address.target).stem if address.kind in ("file", "folder") else address.kind
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in stem).strip("-") or "video"


def _small(image: Image) -> Image:
    small: Image = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)  # in colour: a red coat may be as bright as the wall
    return small


def _alike(a: Image, b: Image) -> bool:
    apart = np.abs(a.astype(np.int16) - b.astype(np.int16))
    return bool(apart.max() <= MOST and apart.mean() <= MEAN)


def _whole(file: Path, data: bytes) -> None:
    beside = file.with_name(f".{file.name}.part")
    try:
        beside.write_bytes(data)
        beside.replace(file)
    except OSError as error:
        raise DataError(f"{file}: it cannot be written ({error.strerror or error})") from None
