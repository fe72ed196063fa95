"""Fights in real CCTV clips: which of several ways tells them from quiet scenes, on sources never seen.

    python recipes/fights.py                 # the headline; the first time measures all clips (about five minutes)
    python recipes/fights.py --ways all      # every way that was tried, the CNN + LSTM from scratch included (half an hour)

Data: third-party CCTV clips of about two seconds, for measuring only: nothing taught on them is ever shipped. Split: five folds
by source, because clips of one film share camera, people and the very quarrel; drawn anew several times, and averaged. The
headline is the mean of all quick ways: 28 sources are too few to choose among them. The way `chosen` does choose, by four folds
*within* the learnt sources, so that the examined ones have no say. What is measured in the clips (people and movement, and what a
frozen YOLOX-nano sees) lies in the user's cache afterwards.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import av
import cv2
import numpy as np
import torch
from common import arguments, asset, cache, interval, learn, show
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from pahara.core import DataError, Image, PaharaError
from pahara.detection import load_detector
from pahara.evaluation import auroc
from pahara.models import build
from pahara.models.yolox import YOLOX
from pahara.models.yolox_weights import load_official
from pahara.training.batches import Batches
from pahara.training.data.splits import Rows, folds
from pahara.training.plan import Plan

Floats = NDArray[np.float32]

STEP = 0.1  # seconds between two looks
FLOW = (320, 180)  # pixels at which movement is measured
COARSE = (80, 45)  # pixels at which it is looked at
WIDE = 416  # pixels of the picture that the frozen detector sees
SMALL = (112, 64)  # pixels of the pictures for the CNN
SURE = 0.25  # confidence from which a person counts
VERSION = 1  # of what is cached


# -- the clips ---------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Clip:
    """What was measured in one clip, at t looks."""

    label: int  # 1 is a fight
    source: str  # the film it was cut from
    energy: Floats  # (t,) mean change of a pixel between two pictures, 0..255
    motion: Floats  # (t, 19) how people and picture move
    seen: Floats  # (t, 384) what a frozen detector's neck sees in the picture
    small: NDArray[np.uint8]  # (t, 64, 112, 3) BGR

    @property
    def change(self) -> Floats:
        """(384,) how much each feature changes from look to look: what stands still, and so the place, drops out."""
        return np.abs(np.diff(self.seen, axis=0)).mean(0) if len(self.seen) > 1 else np.zeros_like(self.seen[0])


def read_clip(path: Path) -> tuple[list[Image], float]:
    """-> pictures and how many a second.

    The clips' own timestamps all say 0, so a picture's time comes from the stream's nominal rate.
    """
    with av.open(str(path)) as film:
        rate = film.streams.video[0].guessed_rate
        return [frame.to_ndarray(format="bgr24") for frame in film.decode(video=0)], float(rate or 25)


class Looker:
    """Measures clips; keeps what it has measured in the user's cache."""

    def __init__(self, weights: Path) -> None:
        self.weights = weights
        self.folder = cache("fights")
        self.flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._models: tuple[Any, YOLOX] | None = None

    def __call__(self, path: Path, label: int, source: str) -> Clip:
        kept = self.folder / f"{path.stem}-{path.stat().st_size}-v{VERSION}.npz"
        if not kept.exists():
            found = self._measure(path)
            part = kept.with_suffix(".part.npz")
            np.savez_compressed(part, **found)
            part.replace(kept)
        with np.load(kept) as told:
            return Clip(label, source, told["energy"], told["motion"], told["seen"], told["small"])

    def _measure(self, path: Path) -> dict[str, NDArray]:
        if self._models is None:
            self._models = load_detector(self.weights, threads=1, classes=("person",)), load_official(YOLOX(80), self.weights).eval()
        detector, network = self._models
        pictures, rate = read_clip(path)
        if len(pictures) < 2:
            raise DataError(f"{path}: a clip needs two pictures at least")
        looks = np.unique(
            np.searchsorted(np.arange(len(pictures)) / rate, np.arange(0, len(pictures) / rate, STEP)).clip(0, len(pictures) - 1)
        )
        people = [detector([pictures[i]])[0] for i in looks]
        rows: dict[str, list[Any]] = {"energy": [], "motion": [], "seen": [], "small": []}
        for i, found in zip(looks, people, strict=True):
            now = min(i, len(pictures) - 2)
            one, two = (
                cv2.cvtColor(cv2.resize(pictures[k], FLOW, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY) for k in (now, now + 1)
            )
            rows["energy"].append(np.abs(one.astype(np.float32) - two).mean())
            flow = self.flow.calc(one, two, None) * (rate / FLOW[1])  # picture heights a second
            height, width = pictures[i].shape[:2]
            boxes = found.boxes[found.scores >= SURE] / (width, height, width, height)
            rows["motion"].append(moving(cv2.resize(flow, COARSE, interpolation=cv2.INTER_AREA), boxes))
            rows["seen"].append(seen(network, pictures[i]))
            rows["small"].append(cv2.resize(pictures[i], SMALL, interpolation=cv2.INTER_AREA))
        return {name: np.array(values, np.uint8 if name == "small" else np.float32) for name, values in rows.items()}


def read_clips(folder: Path, weights: Path) -> list[Clip]:
    """All clips of `clips.csv`, in its order."""
    look = Looker(weights)
    with (folder / "clips.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [look(folder / row["clip"], int(row["label"] == "fight"), row["source"]) for row in rows]


# -- what is measured --------------------------------------------------------------


def moving(flow: Floats, boxes: Floats) -> Floats:
    """Flow (h, w, 2) in picture heights a second and people (n, 4) in shares of the picture -> how all and each of them move.

    The camera's own movement (the median) is taken out; what people do is counted in their own heights.
    """
    flow = flow - np.median(flow.reshape(-1, 2), axis=0)
    speed = np.linalg.norm(flow, axis=-1)
    high, wide = speed.shape
    each = [np.zeros(5)]
    for x1, y1, x2, y2 in boxes:
        inside = np.s_[max(int(y1 * high), 0) : int(y2 * high) + 1, max(int(x1 * wide), 0) : int(x2 * wide) + 1]
        tall = y2 - y1
        if tall < 0.05 or not speed[inside].size:
            continue
        limbs = np.linalg.norm(flow[inside] - flow[inside].mean((0, 1)), axis=-1)  # movement that is not that of the whole person
        each.append(
            np.array([speed[inside].mean() / tall, np.quantile(speed[inside], 0.9) / tall, limbs.mean() / tall, tall, (x2 - x1) / tall])
        )
    people = np.stack(each[1:] or each)
    way = np.histogram(np.arctan2(flow[..., 1], flow[..., 0]), 8, (-np.pi, np.pi), weights=speed)[0] + 1e-9
    way /= way.sum()
    return np.concatenate([
        np.quantile(speed, (0.5, 0.75, 0.9, 0.95, 0.99)), people.mean(0), people.max(0), [len(boxes), *closeness(boxes), -(way * np.log(way)).sum()]
    ]).astype(np.float32)  # fmt: skip


def closeness(boxes: Floats) -> tuple[float, float]:
    """Of the nearest two people: how much their boxes overlap (IoU), and their distance in body heights, at most 5."""
    most, nearest = 0.0, 5.0
    for n, a in enumerate(boxes):
        for b in boxes[n + 1 :]:
            wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            both = max(wide, 0) * max(high, 0)
            areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
            most = max(most, both / max(areas - both, 1e-9))
            tall = max((a[3] - a[1] + b[3] - b[1]) / 2, 1e-6)
            nearest = min(nearest, float(np.hypot((a[0] + a[2] - b[0] - b[2]) / 2 * 16 / 9, a[3] - b[3])) / tall)
    return most, nearest


def seen(network: YOLOX, picture: Image) -> Floats:
    """A picture -> what a frozen detector's neck sees: mean and peak over the picture of its 64 features at stride 8 and 128 at 16."""
    high = round(picture.shape[0] * WIDE / picture.shape[1])
    canvas = np.full((-(-high // 32) * 32, WIDE, 3), 114, np.uint8)
    canvas[:high] = cv2.resize(picture, (WIDE, high))
    with torch.inference_mode():
        maps = network.backbone(torch.from_numpy(canvas.transpose(2, 0, 1)[None].astype(np.float32)))
    parts = []
    for features, stride in zip(maps[:2], (8, 16), strict=True):
        inside = features[0, :, : -(-high // stride)]  # without what was only filled up
        parts += [inside.mean((1, 2)), inside.amax((1, 2))]
    return torch.cat(parts).numpy()


# -- ways to tell ------------------------------------------------------------------


def pooled(rows: Floats) -> Floats:
    """(t, f) -> mean, spread and peak of each number over the clip (3 f,)."""
    return np.concatenate([rows.mean(0), rows.std(0), rows.max(0)])


def linear(inverse_penalty: float) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=inverse_penalty, max_iter=4000))


def trees() -> ExtraTreesClassifier:
    return ExtraTreesClassifier(200, min_samples_leaf=2, random_state=0)


# name -> what it looks at, what decides. The energy of the picture is the baseline: "much moves, so it is a fight".
QUICK_WAYS: Mapping[str, tuple[Callable[[Clip], Floats], Callable[[], Any]]] = {
    "energy": (lambda clip: np.log(clip.energy.mean(keepdims=True) + 1e-3), lambda: linear(1.0)),
    "motion, linear": (lambda clip: pooled(clip.motion), lambda: linear(0.1)),
    "motion, trees": (lambda clip: pooled(clip.motion), trees),
    "change, linear": (lambda clip: clip.change, lambda: linear(0.01)),
    "both, linear": (lambda clip: np.concatenate([pooled(clip.motion), clip.change]), lambda: linear(0.01)),
}
CHOICE = tuple(name for name in QUICK_WAYS if name != "energy")


def by_quick_way(name: str, clips: Sequence[Clip], learnt: Rows, asked: Rows) -> Floats:
    """-> probability of a fight for each asked clip."""
    look, make = QUICK_WAYS[name]
    inputs = np.stack([look(clip) for clip in clips])
    judge = make().fit(inputs[learnt], [clips[i].label for i in learnt])
    return judge.predict_proba(inputs[asked])[:, 1]


def chosen(clips: Sequence[Clip], learnt: Rows, asked: Rows) -> Floats:
    """The quick way that does best on the learnt sources, four folds within them; the asked clips have no say."""
    labels, sources = [clips[i].label for i in learnt], [clips[i].source for i in learnt]
    right = dict.fromkeys(CHOICE, 0)
    for inner, outer in folds(labels, sources, n=4, seed=0):
        truth = np.array(labels)[outer]
        for name in CHOICE:
            right[name] += int(((by_quick_way(name, clips, learnt[inner], learnt[outer]) >= 0.5) == truth).sum())
    return by_quick_way(max(CHOICE, key=right.__getitem__), clips, learnt, asked)


def vote(clips: Sequence[Clip], learnt: Rows, asked: Rows) -> Floats:
    """The mean probability of all quick ways but the baseline: nothing is chosen."""
    return np.mean([by_quick_way(name, clips, learnt, asked) for name in CHOICE], axis=0)


class Films:
    """Clips as pictures for a CNN + LSTM: LOOKS of them, 0.2 s apart (t, 3, h, w); mirrored, lighter, from another moment on."""

    LOOKS, EVERY = 10, 2

    def __init__(self, clips: Sequence[Clip]) -> None:
        self.clips = clips

    def __len__(self) -> int:
        return len(self.clips)

    def sample(self, index: int, rng: np.random.Generator) -> tuple[Tensor, int]:
        films, label = self.pictures(index, float(rng.random())), self.clips[index].label
        films = films.flip(-1) if rng.random() < 0.5 else films
        return films * float(rng.uniform(0.7, 1.3)) + float(rng.uniform(-0.1, 0.1)), label

    def pictures(self, index: int, begin: float = 0.5) -> Tensor:
        """From `begin` (share of what can be left out) on; a short clip stands still at its end."""
        small = self.clips[index].small
        first = round(begin * max(len(small) - self.LOOKS * self.EVERY, 0))
        rows = (first + np.arange(self.LOOKS) * self.EVERY).clip(0, len(small) - 1)
        return torch.from_numpy(small[rows]).permute(0, 3, 1, 2).float() / 127.5 - 1

    def plain(self) -> tuple[Tensor, Tensor]:
        return torch.stack([self.pictures(i) for i in range(len(self))]), torch.tensor([clip.label for clip in self.clips])


class Series:
    """What moves, look by look, as windows for a TCN (t, 19), standardised; from another moment on, trembling."""

    LOOKS = 20

    def __init__(self, clips: Sequence[Clip], mean: Floats, spread: Floats) -> None:
        self.clips, self.mean, self.spread = clips, mean, spread

    def __len__(self) -> int:
        return len(self.clips)

    def sample(self, index: int, rng: np.random.Generator) -> tuple[Tensor, int]:
        x = self.window(index, float(rng.random()))
        return x * float(rng.uniform(0.85, 1.15)) + torch.from_numpy(rng.normal(0, 0.1, x.shape).astype(np.float32)), self.clips[
            index
        ].label

    def window(self, index: int, begin: float = 0.5) -> Tensor:
        rows = self.clips[index].motion
        first = round(begin * max(len(rows) - self.LOOKS, 0))
        looks = (first + np.arange(self.LOOKS)).clip(0, len(rows) - 1)
        return torch.from_numpy((rows[looks] - self.mean) / self.spread)

    def plain(self) -> tuple[Tensor, Tensor]:
        return torch.stack([self.window(i) for i in range(len(self))]), torch.tensor([clip.label for clip in self.clips])


def by_cnn_lstm(clips: Sequence[Clip], learnt: Rows, asked: Rows, *, seed: int, epochs: int = 25) -> Floats:
    """A CNN + LSTM from scratch on small pictures and their differences."""
    lesson, exam = Films([clips[i] for i in learnt]), Films([clips[i] for i in asked])
    torch.manual_seed(seed)
    network = build("cnn-lstm", classes=2, width=12)
    return _taught(network, lesson, exam, Plan(epochs=epochs, lr=2e-3, weight_decay=0.05, warm_up=2, clip=5, seed=seed))


def by_tcn(clips: Sequence[Clip], learnt: Rows, asked: Rows, *, seed: int, epochs: int = 40) -> Floats:
    """A causal TCN on two seconds of how people and picture move."""
    rows = np.concatenate([clips[i].motion for i in learnt])
    mean, spread = rows.mean(0), rows.std(0) + 1e-3
    lesson, exam = (Series([clips[i] for i in some], mean, spread) for some in (learnt, asked))
    torch.manual_seed(seed)
    network = build("tcn", classes=2, inputs=rows.shape[1], width=32, layers=4, dropout=0.3)
    return _taught(network, lesson, exam, Plan(epochs=epochs, lr=2e-3, weight_decay=0.05, warm_up=2, clip=5, seed=seed))


def _taught(network: nn.Module, lesson: Films | Series, exam: Films | Series, plan: Plan) -> Floats:
    learn(network, Batches(lesson, 16, shuffle=True, workers=0, seed=plan.seed), lesson.plain(), plan)
    with torch.inference_mode():
        return network(exam.plain()[0]).softmax(1)[:, 1].numpy()


# -- examining ---------------------------------------------------------------------


@dataclass(frozen=True)
class Exam:
    """How often a way was right: 5 folds by source, repeated with other folds."""

    accuracy: float
    low: float  # 95 %, drawing whole sources
    high: float
    auroc: float


def examine(clips: Sequence[Clip], way: Callable[[Rows, Rows, int], Floats], *, repeats: int, seed: int = 0) -> Exam:
    """`way(learnt, asked, seed)` gives probabilities; every clip is asked once in each repeat."""
    labels, sources = np.array([clip.label for clip in clips]), [clip.source for clip in clips]
    right, areas = np.zeros((repeats, len(clips))), []
    for repeat in range(repeats):
        told = np.zeros(len(clips))
        for learnt, asked in folds(labels.tolist(), sources, n=5, seed=seed + repeat):
            told[asked] = way(learnt, asked, seed + repeat)
        right[repeat] = (told >= 0.5) == labels
        areas.append(auroc(told, labels == 1))
    low, high = interval(right.mean(0), sources)
    return Exam(float(right.mean()), low, high, float(np.mean(areas)))


def ways(clips: Sequence[Clip]) -> dict[str, Callable[[Rows, Rows, int], Floats]]:
    """Everything that was tried, by name."""
    quick = {name: (lambda learnt, asked, _seed, name=name: by_quick_way(name, clips, learnt, asked)) for name in QUICK_WAYS}
    return {
        **quick,
        "chosen": lambda learnt, asked, _seed: chosen(clips, learnt, asked),
        "vote": lambda learnt, asked, _seed: vote(clips, learnt, asked),
        "tcn": lambda learnt, asked, seed: by_tcn(clips, learnt, asked, seed=seed),
        "cnn-lstm": lambda learnt, asked, seed: by_cnn_lstm(clips, learnt, asked, seed=seed),
    }


NOTES = {
    "accuracy": "five folds by source; the mean of fixed ways, nothing chosen",
    "low": "95 %, drawing whole sources",
    "baseline": "motion energy with a learnt threshold",
    "most_frequent": "always the more frequent class",
    "auroc": "a fight outscores a quiet clip",
}


def headline(clips: Sequence[Clip], *, repeats: int, seed: int = 0) -> dict[str, Any]:
    """The mean of the quick ways, beside the baseline."""
    every = ways(clips)
    found, base = (examine(clips, every[name], repeats=repeats, seed=seed) for name in ("vote", "energy"))
    return {
        "accuracy": found.accuracy, "low": found.low, "high": found.high, "baseline": base.accuracy, "baseline_low": base.low,
        "baseline_high": base.high, "auroc": found.auroc, "most_frequent": float(max(np.mean([c.label for c in clips]), 1 - np.mean([c.label for c in clips]))),
        "clips": len(clips), "sources": len({clip.source for clip in clips}), "repeats": repeats,
    }  # fmt: skip


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    parser.add_argument("--repeats", type=int, default=3, help="times that the five folds are drawn anew (networks: once)")
    parser.add_argument("--ways", default="", help="comma-separated names, 'all', or nothing for the headline alone")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    clips = read_clips(asset(asked.assets, "fights"), asset(asked.assets, "models/yolox-nano-416.onnx"))
    found = headline(clips, repeats=1 if asked.quick else asked.repeats, seed=asked.seed)
    every = ways(clips)
    names = list(every) if asked.ways == "all" else [name.strip() for name in asked.ways.split(",") if name.strip()]
    table = {}
    for name in names:
        if name not in every:
            sys.exit(f"there is no way named {name!r}; there are {', '.join(every)}")
        once = asked.quick or name in ("tcn", "cnn-lstm")
        table[name] = examine(clips, every[name], repeats=1 if once else asked.repeats, seed=asked.seed)
        print(
            f"  {name:<16} accuracy {table[name].accuracy:.3f} ({table[name].low:.3f} to {table[name].high:.3f})  AUROC {table[name].auroc:.3f}",
            file=sys.stderr,
            flush=True,
        )
    if asked.json and table:
        found["ways"] = {name: asdict(exam) for name, exam in table.items()}
    show(found, as_json=asked.json, title="Fights in CCTV clips", notes=NOTES)


if __name__ == "__main__":
    try:
        main()
    except PaharaError as error:
        sys.exit(str(error))
