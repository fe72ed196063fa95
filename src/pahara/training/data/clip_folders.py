"""Video clips on disk: which there are, of which class and recording, how long, and their pictures at a steady rate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import av

from pahara.core import Image
from pahara.core.errors import DataError
from pahara.video.pixels import Orientation, to_image

from .folders import SPLIT_FILE, ClassFolders, Item, as_listed, read_class_folders, read_table
from .pictures import VIDEOS
from .yolo import OTHER_WORDS, SPLITS

LIST = "clips.csv"
TINY = 1e-3  # seconds; video clocks are rounded to milliseconds
FASTEST = 250.0  # pictures a second; beyond it the clock of a clip is wrong
GIVE_UP = 200  # packets in a row that cannot be decoded


def read_clip_folders(root: str | Path) -> ClassFolders:
    """Clips of `root/fight/1.mp4 …` (or below train/, val/, test/), or those that `root/clips.csv` lists.

    The list has the columns clip and label, and may have source (the recording that a clip was cut from; clips of one
    source stay on one side of a split) and split. DataError with the line.
    """
    root = Path(root)
    if (root / LIST).is_file() and (rows := read_table(root / LIST, ("clip",))) and "label" in rows[0][1]:
        return _listed(root)
    return read_class_folders(root, VIDEOS)


def clip_length(path: Path) -> float:
    """Seconds of a clip; DataError when it cannot be played (its first picture is decoded) or holds no picture."""
    clock = clip_clock(path)
    next(sampled_frames(path, 1.0))
    return clock.seconds


@dataclass(frozen=True, slots=True)
class Clock:
    """How long a clip is, and how its pictures are timed."""

    seconds: float
    rate: float  # pictures a second by the file's head, where its own times are useless; 0 where they are good


def clip_clock(path: Path) -> Clock:
    """From the times of its packets, without decoding. Clips whose times stand still (cut by careless tools) are counted instead."""
    times: list[float] = []
    packets = 0
    with _opened(path) as container:
        stream = container.streams.video[0]
        rate = float(stream.guessed_rate or stream.average_rate or 25)
        with suppress(av.error.FFmpegError):  # a clip that breaks off is as long as what is there
            for packet in container.demux(stream):
                if packet.size:
                    packets += 1
                    stamp = packet.pts if packet.pts is not None else packet.dts
                    if stamp is not None and stream.time_base is not None:
                        times.append(float(stamp * stream.time_base))
    if not packets:
        raise DataError(f"{path}: this clip holds no picture; take it out of the data set")
    span = max(times) - min(times) if times else 0.0
    if packets > 1 and (len(set(times)) < packets / 2 or span <= 0 or packets / span > FASTEST):
        rate = rate if 0 < rate <= FASTEST else 25.0
        return Clock(packets / rate, rate)
    return Clock(span * packets / max(packets - 1, 1) if packets > 1 else 1 / rate if rate > 0 else 0.0, 0.0)


def sampled_frames(path: Path, rate: float) -> Iterator[Image]:
    """The pictures of a clip at `rate` a second, (h, w, 3) BGR, upright; a slower clip repeats its own. DataError.

    Picture k is the first at or after k / rate seconds; only these are converted. Every clip gives one at least; one that
    is damaged on the way gives what can be decoded.
    """
    clock = clip_clock(path)
    k = 0
    with _opened(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = 1
        first: float | None = None
        for n, frame in enumerate(_decoded(container, stream)):
            time = n / clock.rate if clock.rate else frame.time
            if time is None:
                continue
            first = time if first is None else first
            image: Image | None = None
            while k / rate <= time - first + TINY:
                image = to_image(frame, Orientation.of(frame)) if image is None else image
                yield image
                k += 1
    if not k:
        raise DataError(f"{path}: no picture of this clip can be decoded; take it out of the data set")


def _decoded(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    failed = 0
    packets = container.demux(stream)
    while failed < GIVE_UP:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            yield from packet.decode()
            failed = 0
        except (av.error.FFmpegError, OSError):
            failed += 1


@contextmanager
def _opened(path: Path) -> Iterator[av.container.InputContainer]:
    if not path.is_file():
        raise DataError(f"{path}: there is no such clip; was it moved or renamed?")
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        told = (
            "is empty (0 bytes)"
            if path.stat().st_size == 0
            else f"is no video, or it is damaged ({getattr(error, 'strerror', None) or error})"
        )
        raise DataError(f"{path}: this clip {told}; take it out of the data set, or copy it again") from None
    with container:
        if not container.streams.video:
            raise DataError(f"{path}: there is no picture in this clip, only sound; take it out of the data set")
        yield container


def _listed(root: Path) -> ClassFolders:
    told: list[tuple[Path, str, str, str]] = []
    for line, row in read_table(root / LIST, ("clip", "label")):
        clip, label = root / row["clip"], row["label"]
        split = OTHER_WORDS.get(row.get("split", ""), row.get("split", ""))
        if not row["clip"] or not clip.is_file():
            raise DataError(f"{root / LIST}, line {line}: there is no clip {row['clip']}; take the line out, or bring the clip back")
        if not label:
            raise DataError(f"{root / LIST}, line {line}: this clip has no label")
        if split and split not in SPLITS:
            raise DataError(f"{root / LIST}, line {line}: {split!r} is no split; there are {', '.join(SPLITS)}")
        told.append((clip, label, row.get("source") or row["clip"], split))
    names = tuple(sorted({label for _, label, _, _ in told}))
    splits: dict[str, list[Item]] = {}
    for clip, label, source, split in told:
        splits.setdefault(split, []).append(Item(clip, names.index(label), source))
    if "" in splits and len(splits) > 1:
        raise DataError(f"{root / LIST}: some clips have a split and some have none; fill the column, or leave it away")
    if "" in splits and (root / SPLIT_FILE).is_file():
        return ClassFolders(root, names, as_listed(tuple(splits[""]), root))
    return ClassFolders(root, names, {split: tuple(splits[split]) for split in ("", *SPLITS) if split in splits})
