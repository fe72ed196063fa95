"""Falls in a coffee room: a network taught on staged falls, on real ones, or on both, beside the hand-written rule.

    python recipes/falls.py            # the first time detects people in all films (some minutes)
    python recipes/falls.py --quick    # fewer staged scenes and epochs

Data: Charfi et al. 2013 (Le2i), coffee room, 320 x 240 at 25 frames a second, one person; research use, so nothing taught on it
is ever shipped. Split: five folds by film. YOLOX-nano finds people, ByteTrack follows them, and a window is what the watcher
itself would see of a trail: two seconds of box points, ten a second. Staged scenes give trails with their truth and no pixels.

A film's fall is caught when somebody's window is called a fall between its first frame and three seconds after its last; a call before
the fall is a false alarm, and calls later are not judged, because the person still lies there.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import torch
from common import arguments, asset, cache, interval, learn, show
from numpy.typing import NDArray
from torch import Tensor

from pahara.behaviours import Falling
from pahara.behaviours.learned import Window
from pahara.core import DataError, Detections, Observation, PaharaError, Track
from pahara.detection import load_detector
from pahara.evaluation import auroc
from pahara.models import build
from pahara.simulate import Stage, random_script
from pahara.simulate.incidents import observe
from pahara.tracking import ByteTrack, SceneMemory, on_grid
from pahara.training.batches import Batches
from pahara.training.data.splits import folds
from pahara.training.data.windows import observed_tracks
from pahara.training.plan import Plan
from pahara.video import open_source

WINDOW = Window(seconds=2.0, rate=10.0)
STRIDE = 0.2  # seconds between two windows of one trail; the rule is asked as often
LATE = 3.0  # seconds after its last frame within which a fall must be told
FELL = (-0.2, 1.2)  # seconds after a fall's last frame between which a window shows a fall to learn from
EVERY = 3  # of the films' frames: 8.3 a second, about what the analyst remembers
MOST = 1000  # windows without a fall in a lesson
PLAN = Plan(epochs=15, lr=2e-3, weight_decay=0.02, warm_up=2, clip=5)


@dataclass(frozen=True, eq=False)
class Film:
    """One film as the watcher sees it."""

    name: str
    size: tuple[int, int]
    seconds: float
    fall: tuple[float, float] | None  # seconds of its first and last frame
    seen: list[Observation]  # in the order of time


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of trails with the time of their end."""

    inputs: NDArray[np.float32]  # (w, t, k, 3)
    labels: NDArray[np.int64]  # 1 a fall, 0 none, -1 neither: on the way down, or lying
    ends: NDArray[np.float64]  # seconds
    films: list[str]


# -- real films --------------------------------------------------------------------


def read_films(folder: Path, weights: Path) -> list[Film]:
    """All films of clips.csv, their people found and followed."""
    with (folder / "clips.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    kept = cache("falls")
    detector = None
    films = []
    for row in rows:
        path = folder / row["clip"]
        notes = kept / f"{path.stem}-{path.stat().st_size}-v1.json"
        if not notes.exists():
            detector = detector or load_detector(weights, threads=1, classes=("person",))
            with open_source(path, ring_seconds=0) as source:
                told = []
                for number, frame in enumerate(source):
                    if number % EVERY == 0:
                        (found,) = detector([frame.image])
                        told.append([frame.time, found.boxes.round(2).tolist(), found.scores.round(4).tolist()])
                notes.write_text(json.dumps({"size": source.size, "fps": frame.time / max(number, 1), "frames": told}), encoding="utf-8")
        films.append(_film(path.stem, json.loads(notes.read_text(encoding="utf-8")), row))
    return films


def _film(name: str, told: dict[str, Any], row: dict[str, str]) -> Film:
    tracker = ByteTrack()
    seen = []
    for time, boxes, scores in told["frames"]:
        found = Detections(
            np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32), np.zeros(len(boxes), np.intp), ("person",)
        )
        seen.append(on_grid(tracker.update(found, time)))
    step = told["fps"]  # seconds of one frame
    fall = (int(row["fall_first_frame"]) * step, int(row["fall_last_frame"]) * step) if row["fall_first_frame"] else None
    return Film(name, tuple(told["size"]), told["frames"][-1][0], fall, seen)


def windows_of(tracks: Sequence[Track], fall: tuple[float, float] | None, name: str) -> Windows:
    """Every STRIDE a window of each trail, as the watcher would make it then."""
    inputs, labels, ends = [], [], []
    for track in tracks:
        for end in np.arange(track.times[0] + WINDOW.least * WINDOW.seconds, track.times[-1] + 1e-6, STRIDE).tolist():
            rows = slice(0, int(track.times.searchsorted(end + 1e-6)))
            known = Track(track.id, track.label, track.times[rows], track.boxes[rows])
            made = WINDOW.take([known])
            if made is None or end - known.last_seen > STRIDE:
                continue
            inputs.append(made)
            ends.append(end)
            if fall is None or end < fall[0]:
                labels.append(0)
            else:
                labels.append(1 if FELL[0] <= end - fall[1] <= FELL[1] else -1)
    stacked = np.stack(inputs) if inputs else np.zeros((0, *WINDOW.shape), np.float32)
    return Windows(stacked, np.array(labels, np.int64), np.array(ends), [name] * len(inputs))


# -- staged falls ------------------------------------------------------------------


def staged(seeds: Sequence[int]) -> Windows:
    """Windows of staged scenes, each with people who fall and people who do not; boxes alone, as exact as only a stage has them."""
    parts = []
    for seed in seeds:
        script = random_script(seed, kinds=("falling",), duration=30.0, size=(640, 360))
        company = Stage(script, draw=False).company
        seen = observe(script, company)
        for number, trail in seen.trails.items():
            here = trail.here & trail.clear
            if here.sum() < 5:
                continue
            performance = company.performances[number]
            falls = [s.begin + s.detail["down"] for s in performance.segments if s.verb == "fall"]
            fall = (falls[0] - 1.0, falls[0]) if falls else None
            track = Track(number, "person", seen.times[here], trail.boxes[here].astype(np.float32))
            parts.append(windows_of([track], fall, f"staged-{seed}"))
    return joined(parts)


def joined(parts: Sequence[Windows]) -> Windows:
    return Windows(
        np.concatenate([part.inputs for part in parts]), np.concatenate([part.labels for part in parts]),
        np.concatenate([part.ends for part in parts]), [film for part in parts for film in part.films],
    )  # fmt: skip


# -- learning ----------------------------------------------------------------------


class Lesson:
    """Windows to learn from, falls as often as none; mirrored, stretched, tilted and trembling as a detector's boxes do."""

    def __init__(self, windows: Windows) -> None:
        falls, none = np.flatnonzero(windows.labels == 1), np.flatnonzero(windows.labels == 0)
        if not len(falls) or not len(none):
            raise DataError("there must be windows with and without a fall to learn from")
        none = none[:: max(1, round(len(none) / MOST))]  # one after another they are nearly the same
        self.rows = np.concatenate([np.tile(falls, max(1, round(len(none) / len(falls)))), none])
        self.windows = windows

    def __len__(self) -> int:
        return len(self.rows)

    def sample(self, index: int, rng: np.random.Generator) -> tuple[Tensor, int]:
        row = self.rows[index]
        x = self.windows.inputs[row].copy()
        seen = x[..., 2:] > 0
        if rng.random() < 0.5:
            x = x[:, [1, 0, 3, 2, 4, 5]]
            x[..., 0] *= -1
        x[..., :2] *= rng.uniform(0.85, 1.15, 2)  # another lens, another height of the camera
        x[..., :2] += seen * rng.normal(0, 0.03, x[..., :2].shape)
        if rng.random() < 0.3:  # lost from sight for a moment
            begin = int(rng.integers(0, len(x)))
            x[begin : begin + int(rng.integers(1, 5))] = 0
        return torch.from_numpy(x.astype(np.float32)), int(self.windows.labels[row])

    def plain(self) -> tuple[Tensor, Tensor]:
        rows = self.rows[:: max(1, len(self.rows) // 256)]
        return torch.from_numpy(self.windows.inputs[rows]), torch.from_numpy(self.windows.labels[rows])


def taught(windows: Windows, *, model: str, seed: int, epochs: int) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """-> a function of windows (w, t, k, 3) that gives the certainty of a fall (w,)."""
    torch.manual_seed(seed)
    network = build(model, classes=2, inputs=int(np.prod(WINDOW.shape[1:])), width=32, dropout=0.2)
    lesson = Lesson(windows)
    plan = Plan(**{**PLAN.as_dict(), "seed": seed, "epochs": epochs})
    learn(network, Batches(lesson, 32, shuffle=True, workers=0, seed=seed), lesson.plain(), plan, smoothing=0.05)

    def certainty(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return network(torch.from_numpy(inputs)).softmax(1)[:, 1].numpy() if len(inputs) else np.zeros(0, np.float32)

    return certainty


# -- examining ---------------------------------------------------------------------


@dataclass(frozen=True)
class Exam:
    """How a way does on real films."""

    caught: int
    falls: int
    false_alarms: int  # at most one in ten seconds
    normal_minutes: float
    auroc: float  # of windows: a fall against none; not a number for the rule
    recall_low: float  # 95 %, drawing films
    recall_high: float


def judge(films: Sequence[Film], calls: dict[str, NDArray[np.float64]], area: float) -> Exam:
    """`calls`: film -> seconds at which a fall was told."""
    caught, false, minutes = [], 0, 0.0
    for film in films:
        told = np.sort(calls[film.name])
        begin = film.fall[0] if film.fall else film.seconds + 1
        minutes += min(begin, film.seconds) / 60
        last = -np.inf
        for time in told[told < begin].tolist():
            if time - last > 10:
                false, last = false + 1, time
        if film.fall:
            caught.append(bool(((told >= film.fall[0]) & (told <= film.fall[1] + LATE)).any()))
    low, high = interval(caught, [film.name for film in films if film.fall])
    return Exam(sum(caught), len(caught), false, minutes, area, low, high)


def by_rule(films: Sequence[Film], **options: float) -> Exam:
    """The product's `falling`, asked five times a second."""
    rule = Falling(**options)
    calls = {}
    for film in films:
        memory = SceneMemory("room", film.size, seconds=rule.memory)
        scenes = (memory.step(seen) for seen in film.seen)
        calls[film.name] = np.array([scene.time for scene in scenes if max(rule(scene).values(), default=0.0) >= 0.5])
    return judge(films, calls, float("nan"))


def by_network(films: Sequence[Film], real: dict[str, Windows], certainty: dict[str, NDArray[np.float32]]) -> Exam:
    """`certainty`: film -> that of each of its windows, by a network that has not seen the film."""
    calls = {film.name: real[film.name].ends[certainty[film.name] >= 0.5] for film in films}
    labels, sure = (np.concatenate([each[film.name] for film in films]) for each in ({n: w.labels for n, w in real.items()}, certainty))
    return judge(films, calls, auroc(sure[labels >= 0], labels[labels >= 0] == 1))


def examine(films: Sequence[Film], *, model: str, scenes: int, epochs: int, seed: int) -> Iterator[tuple[str, Exam]]:
    yield "rule", by_rule(films)
    yield "rule, 1 s down", by_rule(films, seconds=1.0)
    real = {film.name: windows_of(observed_tracks(film.seen), film.fall, film.name) for film in films}
    stage = staged(range(7000, 7000 + scenes))
    by_stage = taught(stage, model=model, seed=seed, epochs=epochs)
    yield "staged -> real", by_network(films, real, {name: by_stage(some.inputs) for name, some in real.items()})
    names = [film.name for film in films]
    for way, extra in (("real", []), ("staged + real", [stage])):
        certainty: dict[str, NDArray[np.float32]] = {}
        for learnt, asked in folds([int(film.fall is not None) for film in films], names, n=5, seed=seed):
            judge_of = taught(joined([*extra, *(real[names[i]] for i in learnt)]), model=model, seed=seed, epochs=epochs)
            certainty |= {names[i]: judge_of(real[names[i]].inputs) for i in asked}
        yield way, by_network(films, real, certainty)


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    parser.add_argument("--model", default="gru", choices=("gru", "lstm", "tcn"))
    parser.add_argument("--scenes", type=int, default=0, help="staged scenes: default 60, with --quick 15")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    films = read_films(asset(asked.assets, "falls"), asset(asked.assets, "models/yolox-nano-416.onnx"))
    found = {}
    for way, exam in examine(
        films,
        model=asked.model,
        scenes=asked.scenes or (15 if asked.quick else 60),
        epochs=8 if asked.quick else PLAN.epochs,
        seed=asked.seed,
    ):
        found[way] = asdict(exam)
        if not asked.json:
            print(
                f"  {way:<16} caught {exam.caught} of {exam.falls} ({exam.recall_low:.2f} to {exam.recall_high:.2f}),"
                f" {exam.false_alarms} false in {exam.normal_minutes:.1f} min, window AUROC {exam.auroc:.3f}",
                flush=True,
            )
    if asked.json:
        clean = {way: {key: None if value != value else value for key, value in exam.items()} for way, exam in found.items()}
        show(clean, as_json=True)


if __name__ == "__main__":
    try:
        main()
    except PaharaError as error:
        sys.exit(str(error))
