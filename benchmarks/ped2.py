"""What a camera learns of normal people on UCSD Ped2: frame AUROC, strictly causal, with scores that look at nothing beside it.

Learned from the clips under `train/`, judged on those under `test/` with `test-labels.csv` (clip, frames, first and last
anomalous frame, from 1); any folder in that layout will do. Boxes come from the detector that a fresh `pahara watch` takes
(pahara-nano), as it is; tracks from Pahara's own tracker. `--model FILE --halves` asks another detector, on the whole picture and on two
overlapping halves of it.

    python benchmarks/ped2.py [FOLDER] [--model FILE] [--halves] [--cache DIR] [--plot curves.png] [--json]

`auroc_boxes` sees outlines alone: motion, shape, dwell and interaction. `auroc_all` also has optical flow within the boxes. `auroc_smoothed` is `auroc_all` after the smoothing of most papers, which looks ahead
and stretches every clip to 0..1: it is there to be compared, not to be reached at a camera.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
from pahara.config.detectors import EMBEDDED
from pahara.core import DataError, Detections, Image, PaharaError, Scene
from pahara.core.boxes import cover_matrix, nms
from pahara.detection import load_detector
from pahara.detection.appearance import Flow
from pahara.evaluation.anomaly import AurocTable, auroc_table, frame_scores
from pahara.normality import Normality, Samples, Settings, measure, none_of, together
from pahara.tracking import ByteTrack, SceneMemory, on_grid
from shared import arguments, asset, show

FPS = 10.0  # the rate at which the frames are taken to have been filmed
HALF = 0.58  # of the picture's width: each half reaches a little over the middle
APART = 3600.0  # seconds between the beginnings of two clips
BOXES = ("motion", "shape", "dwell", "interaction")
ALL = (*BOXES, "flow")
PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")
SECOND = 1.0  # of flow, averaged: as long as the window of the other attributes


@dataclass(frozen=True, eq=False)
class Clip:
    """One clip, measured: a row of `samples` for everybody in each frame."""

    name: str
    samples: Samples
    frames: NDArray[np.intp]  # (n,) the frame of each row
    count: int  # frames
    people: NDArray[np.intp]  # (count,) seen in each frame
    truth: NDArray[np.bool_]  # (count,) anomalous
    seconds: float  # spent on measuring boxes

    def only(self, *names: str) -> Samples:
        return self.samples.only(*names)


def pictures_of(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if path.suffix.casefold() in PICTURES and not path.name.startswith("."))
    if not found:
        raise DataError(f"no pictures in {folder}")
    return found


def clips_of(folder: Path, part: str) -> list[Path]:
    found = (
        sorted(path for path in (folder / part).iterdir() if path.is_dir() and not path.name.startswith("."))
        if (folder / part).is_dir()
        else []
    )
    found = [path for path in found if not path.name.endswith("_gt")]
    if not found:
        raise DataError(f"no clips under {folder / part}: a folder of pictures for each is expected")
    return found


def labels_of(folder: Path) -> dict[str, list[tuple[int, int]]]:
    """Clip -> anomalous stretches, frames from 0, the end exclusive. A clip may have several lines, or none."""
    path = folder / "test-labels.csv"
    if not path.exists():
        raise DataError(f"{path} is missing: clip,frames,first_anomalous,last_anomalous")
    found: dict[str, list[tuple[int, int]]] = {}
    with path.open(newline="") as file:
        for line in csv.DictReader(file):
            spans = found.setdefault(line["clip"], [])
            if line["first_anomalous"]:
                spans.append((int(line["first_anomalous"]) - 1, int(line["last_anomalous"])))
    return found


# ---------------------------------------------------------------- boxes


def look(detector: Callable[[Sequence[Image]], list[Detections]], image: Image, halves: bool) -> Detections:
    """The whole picture, and where asked for its two halves: people of thirty pixels are found when they are looked at twice as large."""
    if not halves:
        return detector([image])[0]
    wide = image.shape[1]
    side = round(HALF * wide)
    spans = [(0, wide), (0, side), (wide - side, wide)]
    boxes, scores, labels, cut = [], [], [], []
    names: tuple[str, ...] = ()
    for (begin, end), found in zip(spans, detector([np.ascontiguousarray(image[:, a:b]) for a, b in spans]), strict=True):
        moved = found.boxes + np.array([begin, 0, begin, 0], np.float32)
        boxes.append(moved)
        scores.append(found.scores)
        labels.append(found.labels)
        cut.append(((moved[:, 0] < begin + 2) & (begin > 0)) | ((moved[:, 2] > end - 2) & (end < wide)))
        names = found.names
    box, score, label, half = (np.concatenate(each) for each in (boxes, scores, labels, cut))
    # What the seam cuts through goes where a whole box of the same class shows it.
    cover = cover_matrix(box.astype(np.float64), box.astype(np.float64))
    np.fill_diagonal(cover, 0.0)
    stays = ~(half & ((cover > 0.5) & (label[:, None] == label[None]) & ~half[None]).any(axis=1))
    box, score, label = box[stays], score[stays], label[stays]
    keep = [row for one in np.unique(label) for row in np.flatnonzero(label == one)[nms(box[label == one], score[label == one])]]
    rows = np.array(sorted(keep), np.intp)
    return Detections.of(box[rows], score[rows], label[rows], names)


def detected(folder: Path, model: Path | str, cache: Path | None, halves: bool) -> list[Detections]:
    """Every frame's detections, from the cache where they lie there."""
    paths = pictures_of(folder)
    key = blake2b(
        f"{folder.resolve()}|{len(paths)}|{paths[-1].stat().st_size}|{HALF if halves else 1}|{model}".encode(), digest_size=8
    ).hexdigest()
    kept = cache / f"{folder.parent.name}-{folder.name}-{key}.npz" if cache else None
    if kept is not None and kept.exists():
        with np.load(kept, allow_pickle=False) as held:
            names = tuple(str(name) for name in held["names"])
            boxes, scores, labels, frames = (held[part] for part in ("boxes", "scores", "labels", "frames"))
            return [Detections.of(boxes[frames == i], scores[frames == i], labels[frames == i], names) for i in range(len(paths))]
    detector = load_detector(model, threads=1)
    found = [look(detector, read(path), halves) for path in paths]
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        rows = {part: np.concatenate([getattr(one, part) for one in found]) for part in ("boxes", "scores", "labels")}
        frames = np.repeat(np.arange(len(found)), [len(one) for one in found])
        np.savez_compressed(kept, frames=frames, names=np.array(detector.names), **rows)  # type: ignore[arg-type]
    return found


def read(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DataError(f"{path} is no picture")
    return np.asarray(image, np.uint8)


# ---------------------------------------------------------------- samples


def measured(folder: Path, found: Sequence[Detections], number: int, spans: Sequence[tuple[int, int]] = ()) -> Clip:
    """One clip through tracker, memory and measure, frame by frame: no row knows a later frame."""
    paths = pictures_of(folder)
    first = read(paths[0])
    size = (first.shape[1], first.shape[0])
    name = f"{folder.parent.name}/{folder.name}"
    tracker, memory, flow = ByteTrack(), SceneMemory(name, size, epoch=1e9 + number * APART, seconds=200.0), Flow()
    parts, frames, people, seconds = [none_of(size)], [], np.zeros(len(paths), np.intp), 0.0
    for i, (path, seen) in enumerate(zip(paths, found, strict=True)):
        scene = memory.step(on_grid(tracker.update(seen, i / FPS)))
        begin = time.process_time()
        here = measure(scene)
        seconds += time.process_time() - begin
        flow.see(read(path), i / FPS)
        parts.append(here.with_feature("flow", flow.of(here.boxes)))
        frames.append(np.full(len(here), i))
        people[i] = _visible(scene)
    samples = together(parts)
    samples = samples.with_feature("flow", averaged(samples, samples.features["flow"]))
    truth = np.zeros(len(paths), bool)
    for start, end in spans:
        truth[start:end] = True
    return Clip(name, samples, np.concatenate(frames), len(paths), people, truth, seconds)


def _visible(scene: Scene) -> int:
    return sum(track.last_seen >= scene.time - 1e-6 for track in scene.tracks)


def averaged(samples: Samples, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, d) -> (n, d): each row's mean with the rows of its own track in the second before it."""
    order = np.lexsort((samples.times, samples.tracks))
    told = np.full_like(values, np.nan)
    begin = 0
    for at, row in enumerate(order):
        while samples.tracks[order[begin]] != samples.tracks[row] or samples.times[row] - samples.times[order[begin]] > SECOND + 1e-6:
            begin += 1
        window = values[order[begin : at + 1]]
        known = np.isfinite(window).all(axis=1)
        if known.any():
            told[row] = window[known].mean(axis=0)
    return told


def load(folder: Path, model: Path | str, cache: Path | None, halves: bool = False) -> tuple[list[Clip], list[Clip]]:
    """-> training clips and test clips, measured."""
    truth = labels_of(folder)
    train = [measured(path, detected(path, model, cache, halves), i) for i, path in enumerate(clips_of(folder, "train"))]
    test = [
        measured(path, detected(path, model, cache, halves), 1000 + i, truth.get(path.name, ()))
        for i, path in enumerate(clips_of(folder, "test"))
    ]
    return train, test


# ---------------------------------------------------------------- scores


def learned(clips: Sequence[Clip], names: Sequence[str], settings: Settings | None = None) -> Normality:
    return Normality.fit(together([clip.only(*names) for clip in clips]), settings or Settings(), step=1 / FPS)


def score(model: Normality, clip: Clip, names: Sequence[str], empty: float = 0.0) -> NDArray[np.float64]:
    """(frames,) the oddest person of each frame: −log of the fused p-value; `empty` where nobody can be judged."""
    fused = model.judge(clip.only(*names)).fused
    told = np.isfinite(fused)
    return frame_scores(-np.log(fused[told]), clip.frames[told], clip.count, empty=empty)


def usual(model: Normality, clips: Sequence[Clip], names: Sequence[str]) -> float:
    """The median of the training frames, each person judged by the others: what a frame is worth of which nothing is known yet.

    A clip begins without trails, and a second passes before its people can be judged; that is no sign of normality.
    """
    scores = np.concatenate([score(model, clip, names, np.nan) for clip in clips])
    return float(np.nanmedian(scores))


def speed(clip: Clip) -> NDArray[np.float64]:
    """(frames,) the fastest box of each frame, picture heights a second: no learning at all."""
    motion = clip.samples.features["motion"]
    fast = np.nan_to_num(np.hypot(motion[:, 0], motion[:, 1]))
    return frame_scores(fast, clip.frames, clip.count)


def cost(model: Normality, clips: Sequence[Clip], most: int = 400) -> float:
    """Milliseconds of processor time per person and frame: measuring, distances and p-values, one frame at a time as a watch does it."""
    measuring = sum(clip.seconds for clip in clips) / max(sum(len(clip.samples) for clip in clips), 1)
    spent, rows = 0.0, 0
    for clip in clips:
        boxes = clip.only(*BOXES)
        for frame in range(0, clip.count, max(1, sum(c.count for c in clips) // most)):
            here = boxes[clip.frames == frame]
            begin = time.process_time()
            model.judge(here)
            spent += time.process_time() - begin
            rows += len(here)
    return 1000 * (measuring + spent / max(rows, 1))


def examine(
    folder: Path, model: Path | str, cache: Path | None = None, halves: bool = False
) -> tuple[AurocTable, dict[str, Any], dict[str, list[Any]], list[Clip]]:
    """-> the table, the benchmark's figures, every column's scores by clip, and the test clips."""
    train, test = load(folder, model, cache, halves)
    few = dict.fromkeys(ALL, 50)  # a folder of a few clips may have fewer tracks than a camera has in an hour
    settings = Settings(ready=few)
    boxes, everything = learned(train, BOXES, settings), learned(train, ALL, settings)
    unknown, unknown_all = usual(boxes, train, BOXES), usual(everything, train, ALL)
    columns = {
        "boxes": [score(boxes, clip, BOXES, unknown) for clip in test],
        "all": [score(everything, clip, ALL, unknown_all) for clip in test],
        "speed": [speed(clip) for clip in test],
    }
    table = auroc_table(columns, [clip.truth for clip in test], people=[clip.people for clip in test])
    figures: dict[str, Any] = {
        "auroc_boxes": table["boxes"].micro, "auroc_all": table["all"].micro, "auroc_smoothed": table["all"].smoothed_micro,
        "null_bump": table["null_bump"].micro, "null_random": table["null_random"].micro, "speed_only": table["speed"].micro,
        "ms_per_person_frame": cost(boxes, test),
        "macro_boxes": table["boxes"].macro, "macro_all": table["all"].macro, "macro_bump": table["null_bump"].macro,
        "macro_random": table["null_random"].macro, "macro_speed": table["speed"].macro,
        "smoothed_boxes": table["boxes"].smoothed_micro,
        "low_boxes": table["boxes"].low, "high_boxes": table["boxes"].high, "low_all": table["all"].low, "high_all": table["all"].high,
        "train_clips": len(train), "test_clips": len(test), "frames": table.frames, "anomalous": table.positive,
        "tracks": len(np.unique(np.concatenate([clip.samples.tracks for clip in train]))),
    }  # fmt: skip
    return table, figures, columns, test


def draw(path: Path, columns: dict[str, list[Any]], clips: Sequence[Clip]) -> None:
    """Each clip's scores over its frames, the truth shaded."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(len(clips), 1, figsize=(9, 1.7 * len(clips)), squeeze=False, layout="constrained")
    for axis, clip, boxes, everything in zip(axes[:, 0], clips, columns["boxes"], columns["all"], strict=True):
        axis.fill_between(np.arange(clip.count), 0, 1, where=clip.truth, transform=axis.get_xaxis_transform(), color="tab:red", alpha=0.15)
        axis.plot(boxes, label="boxes", lw=1)
        axis.plot(everything, label="all", lw=1)
        axis.set_ylabel(clip.name)
        axis.margins(x=0)
    axes[0, 0].legend(loc="upper left", ncols=2)
    axes[-1, 0].set_xlabel("frame; shaded: anomalous")
    figure.suptitle("−log p of the oddest person")
    figure.savefig(path, dpi=110)
    plt.close(figure)


NOTES = {
    "auroc_boxes": "micro frame AUROC, outlines alone, causal; goal ≥ 0.93", "auroc_all": "micro, with optical flow; goal ≥ 0.96",
    "auroc_smoothed": "published-style smoothing of `all`: not causal", "null_bump": "centre bump: looks at no video",
    "null_random": "a random number for everybody", "speed_only": "the fastest box, nothing learned",
    "ms_per_person_frame": "processor time of measure + judge, boxes alone; goal ≤ 0.3", "low_boxes": "95 %, drawing whole clips",
}  # fmt: skip


def main() -> None:
    parser = arguments((__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "folder", nargs="?", type=Path, help="a folder with train/, test/ and test-labels.csv (default: ped2 of the assets)"
    )
    parser.add_argument("--cache", type=Path, help="a folder in which detections are kept between runs")
    parser.add_argument("--model", default=EMBEDDED, help="a detector's .onnx file or name (default: the one that comes with Pahara)")
    parser.add_argument("--halves", action="store_true", help="look at two overlapping halves of the picture too")
    parser.add_argument("--plot", type=Path, help="draw each clip's scores into this picture")
    asked = parser.parse_args()
    folder = asked.folder or asset(asked.assets, "ped2")
    _, figures, columns, clips = examine(folder, asked.model, asked.cache, asked.halves)
    if asked.plot:
        draw(asked.plot, columns, clips)
    show(figures, as_json=asked.json, title=f"Normality on {folder.name}", notes=NOTES)


if __name__ == "__main__":
    try:
        main()
    except PaharaError as error:
        sys.exit(str(error))
