"""Falls, fights, running and climbing learned from simulated people alone, seen through a measured detector-error model.

    python recipes/actions_simulated.py --out /tmp/actions        # stage, train, measure on staged scenes kept aside, export
    python recipes/actions_simulated.py --out /tmp/actions --quick

People of the simulator act before cameras at every height, tilt, lens and distance; nothing is drawn. Their exact boxes are spoilt as
YOLOX-nano was measured to spoil them (`detector_errors.py`), hidden behind furniture and behind each other, followed by ByteTrack, and
cut into windows by the same function as at 3 a.m.: two seconds of box points, ten a second. Two models: `actions` looks at one person
(falling, running, climbing), `fights` at two people near each other. A model's limits are taken from staged scenes kept aside, in which
everybody sits down, crouches, lies down or turns every few seconds: OFTEN false alarms an hour of such a life, which is what the
hand-written rule `falling` gives there (`falling_rule.py`). No real clip is looked at here; what it is worth on real ones say
`benchmarks/falls.py` and `benchmarks/fights_learned.py`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import torch
from common import arguments, cache, learn, show
from detector_errors import Errors, detections
from numpy.typing import NDArray
from torch import Tensor, nn

from pahara.behaviours.learned import Window, near_pairs
from pahara.behaviours.windows import BOX_POINTS
from pahara.core import Observation, PaharaError, Track
from pahara.core.boxes import area, clip
from pahara.detection.recogniser import shaped
from pahara.evaluation import auroc
from pahara.evaluation.alarms import wilson
from pahara.models import build
from pahara.simulate import actions as do
from pahara.simulate.acting import Company
from pahara.simulate.camera import View
from pahara.simulate.incidents import body_boxes
from pahara.simulate.script import Actor, CameraPlan, Place, Script, Wall
from pahara.simulate.skeleton import J
from pahara.tracking import ByteTrack, on_grid
from pahara.training.batches import Batches
from pahara.training.data.windows import observed_tracks
from pahara.training.export import to_onnx
from pahara.training.plan import Plan

Floats = NDArray[np.float64]
Rng = np.random.Generator

CLASSES = ("nothing", "falling", "running", "climbing")
FALLING, RUNNING, CLIMBING, FIGHTING = range(1, 5)  # one box alone does not show a fight: two do
PAIR_CLASSES = ("nothing", "fighting")
ONE, TWO = Window(seconds=2.0, rate=10.0, least=0.5), Window(seconds=2.0, rate=10.0, people=2, least=0.5)
TRAIN, HELD_OUT = range(200_000, 200_300), range(300_000, 300_080)  # seeds of scenes
SECONDS = 16.0  # of a scene
VIEWS = 2  # cameras that look at each scene
STRIDE, SLOW_STRIDE = 0.2, 0.6  # seconds between two windows of an action, and of nothing
FELL = (-0.2, 1.2)  # seconds after the ground was reached between which a window shows a fall
FILLED = 0.7  # share of a window that a lasting action must fill
OFTEN = 50.0  # false alarms of one class an hour of such a life at which its limit is set: what the rule `falling` gives there
PLAN = Plan(epochs=10, lr=2e-3, weight_decay=0.02, warm_up=1, clip=5)
SHAPE = {"width": 40, "layers": 4, "dropout": 0.15}
STEP_INPUTS = 3 * len(BOX_POINTS)  # numbers of one person at one step
VERSION = 2  # of what is cached


# -- staging -----------------------------------------------------------------------


def everyday(rng: Rng, at: Any) -> list[do.Action]:
    """A few things that people do all day, near where they stand."""
    kind = rng.choice(["walk", "walk", "walk", "stand", "sit", "floor", "crouch", "loiter", "lie down"])
    if kind == "walk":
        bend = float(rng.uniform(0, 0.8)) if rng.random() < 0.2 else 0.0
        return [do.Walk(tuple(at() for _ in range(int(rng.integers(1, 3)))), float(rng.uniform(0.4, 2.0)), bend)]
    if kind == "stand":
        return [do.Stand(float(rng.uniform(1, 5)), style=str(rng.choice(["idle", "chat", "phone", "look"])))]  # type: ignore[arg-type]
    if kind == "sit":
        return [do.Sit(float(rng.uniform(2, 7)), float(rng.uniform(0.35, 0.55)))]
    if kind == "floor":
        return [do.Sit(float(rng.uniform(2, 6)), float(rng.uniform(0.03, 0.2)))]
    if kind == "crouch":
        return [do.Crouch(float(rng.uniform(1.2, 4)))]
    if kind == "loiter":
        return [do.Loiter(float(rng.uniform(3, 7)))]
    # Lies down on purpose: slow, and no fall.
    way = str(rng.choice(["forward", "backward", "left", "right"]))
    return [do.Fall(way, float(rng.uniform(2, 5)), True, float(rng.uniform(2.6, 4.0)))]  # type: ignore[arg-type]


def stage(seed: int) -> tuple[Script, dict[int, float], float]:
    """A scene by seed: people within some metres of (0, 0), their heights in metres, and how many metres they use."""
    rng = np.random.default_rng([seed, 77])
    room = float(rng.uniform(1.2, 5.0))

    def at() -> tuple[float, float]:
        x, y = rng.uniform(-room, room, 2)
        return round(float(x), 2), round(float(y), 2)

    wall = Wall((-room - 3, 1.6), (room + 3, 1.6), round(float(rng.uniform(1.0, 2.3)), 2), "fence", name="fence")
    actors, place = [], Place(walls=(wall,))
    what = str(rng.choice(["fall", "fall", "run", "climb", "fight", "fight", "everyday"]))
    if what == "fight":
        meet, seconds = round(float(rng.uniform(3, 7)), 1), round(float(rng.uniform(6, 12)), 1)
        x, y = rng.uniform(-room / 2, room / 2, 2)
        angle = rng.uniform(0, 2 * np.pi)
        for own, other, side in ((1, 2, -1), (2, 1, 1)):
            spot = round(float(x + side * 0.45 * np.cos(angle)), 2), round(float(y + side * 0.45 * np.sin(angle)), 2)
            does: list[do.Action] = [
                do.Walk((spot,), float(rng.uniform(0.9, 2.0))),
                do.Stand(until=meet, style="chat"),
                do.Fight(other, seconds),
            ]
            does.append(do.Run((at(), at()), 3.2) if rng.random() < 0.5 else do.Walk((at(), at()), 1.4))
            start = spot[0] + side * 1.0 * float(np.cos(angle)), spot[1] + side * 1.0 * float(np.sin(angle))
            actors.append(Actor(own, start, tuple(does)))
    else:
        does = [do.Walk((at(),), float(rng.uniform(0.8, 1.8)))]
        if rng.random() < (0.5 if what in ("run", "everyday") else 0.15):
            does += everyday(rng, at)
        if what == "fall":
            if rng.random() < 0.2:
                does.append(do.Run((at(),), float(rng.uniform(2.2, 4.0))))
            elif rng.random() < 0.3:
                does.append(do.Stand(float(rng.uniform(0.5, 2))))
            way = str(rng.choice(["forward", "backward", "left", "right"]))
            does.append(do.Fall(way, float(rng.uniform(2.5, 8)), bool(rng.random() < 0.5), float(rng.uniform(0.5, 1.3))))  # type: ignore[arg-type]
        elif what == "run":
            does.append(do.Run(tuple(at() for _ in range(int(rng.integers(2, 5)))), float(rng.uniform(2.4, 6.5))))
        elif what == "climb":
            x = float(rng.uniform(-room, room))
            does += [do.Walk(((round(x, 2), 0.9),), 1.3), do.Climb("fence", float(rng.uniform(3.5, 8)))]
        while sum(getattr(each, "seconds", 3.0) for each in does) < SECONDS and len(does) < 9:
            does += everyday(rng, at)
        actors.append(Actor(1, at(), tuple(does)))
    for number in range(int(rng.integers(0, 3))):
        more: list[do.Action] = []
        while len(more) < 6:
            more += everyday(rng, at)
        if what == "everyday" and rng.random() < 0.5:  # two who talk close together are no fight
            first = actors[0]
            near = (round(first.at[0] + 0.7, 2), round(first.at[1], 2))
            actors[0] = Actor(1, first.at, (do.Stand(10.0, style="chat"), *first.does))
            more = [do.Stand(10.0, style="chat"), *more]
            actors.append(Actor(10 + number, near, tuple(more)))
        else:
            actors.append(Actor(10 + number, at(), tuple(more), enters=round(float(rng.uniform(0, 6)), 1)))
    heights = {actor.id: float(np.clip(rng.normal(1.67, 0.09), 1.45, 1.9)) for actor in actors}
    return Script(f"actions-{seed}", seed=seed, duration=SECONDS, camera=CameraPlan(), place=place, actors=tuple(actors)), heights, room


def camera(rng: Rng, room: float) -> View:
    """Somewhere around the people, on a wall or a pole, looking about at them."""
    size = ((320, 240), (640, 360), (640, 480))[int(rng.integers(3))]
    away = float(rng.uniform(max(2.2, 0.8 * room), max(6.0, 3.5 * room)))
    high = float(rng.uniform(2.0, min(6.5, 1.6 + away)))
    side = float(rng.uniform(0, 2 * np.pi))
    at = (-away * float(np.sin(side)), -away * float(np.cos(side)))
    down = float(np.degrees(np.arctan2(high - 0.8, away)))
    fov = float(np.clip(np.degrees(2 * np.arctan(rng.uniform(0.8, 1.8) * (room + 1.0) / away)), 35, 100))
    return View(
        size,
        high,
        down + float(rng.normal(0, 4)),
        fov,
        0.0,
        float(rng.normal(0, 1.5)),
        float(np.degrees(side)) + float(rng.normal(0, 5)),
        at,
    )


def filmed(
    company: Company, view: View, rng: Rng, errors: Errors, worse: float
) -> tuple[list[Observation], dict[int, tuple[Floats, Floats]]]:
    """What the watcher sees of a scene, and for each actor (times (t,), exact boxes (t, 4))."""
    rate = float(rng.uniform(6, 12))
    times = np.arange(0, SECONDS, 1 / rate) + rng.uniform(-0.15, 0.15, len(np.arange(0, SECONDS, 1 / rate))) / rate
    times = np.sort(times - min(times[0], 0.0))
    here: dict[int, NDArray[np.bool_]] = {}
    boxes: dict[int, Floats] = {}
    far: dict[int, Floats] = {}
    shown: dict[int, Floats] = {}
    for id_, performance in company.performances.items():
        bodies = performance.skeletons(times)
        whole, depth = body_boxes(view, bodies, np.full(len(times), performance.height))
        cut = clip(whole, view.size)
        share = area(cut) / np.maximum(area(whole), 1e-6)
        here[id_] = (times >= performance.begin) & (times <= performance.end) & (depth > 0.3) & (share > 0.35)
        boxes[id_], shown[id_] = cut, share
        far[id_] = np.linalg.norm(bodies.joints[:, J["pelvis"]] - view.position, axis=1)
    hides = furniture(rng, boxes, here)
    visible, scores = {}, {}
    for id_, exact in boxes.items():
        seen = exact.copy()
        lost = np.zeros(len(times), bool)
        for other in boxes:
            if other != id_:
                both = here[id_] & here[other] & (far[other] < far[id_])
                sides = np.clip(np.minimum(exact[:, 2:], boxes[other][:, 2:]) - np.maximum(exact[:, :2], boxes[other][:, :2]), 0, None)
                covered = both & (sides.prod(1) > 0.6 * np.maximum(area(exact), 1e-6))
                lost |= covered & (rng.random(len(times)) < 0.75)
        for left, top, right, base in hides:
            # Who stands behind it loses what is below its upper edge.
            behind = (exact[:, 3] < base) & (
                np.minimum(exact[:, 2], right) - np.maximum(exact[:, 0], left) > 0.6 * (exact[:, 2] - exact[:, 0])
            )
            bottom = np.where(behind, np.minimum(seen[:, 3], top), seen[:, 3])
            lost |= behind & (bottom - seen[:, 1] < 0.3 * (exact[:, 3] - exact[:, 1]))
            seen[:, 3] = np.maximum(bottom, seen[:, 1] + 1)
        rows = np.flatnonzero(here[id_] & ~lost)
        noisy, sure = np.zeros((len(times), 4)), np.zeros(len(times))
        if len(rows):
            noisy[rows], sure[rows] = errors.person(rng, seen[rows], times[rows], worse=worse)
        visible[id_], scores[id_] = clip(noisy, view.size), sure
    tracker, observations = ByteTrack(), []
    for row, time in enumerate(times.tolist()):
        found = np.array([visible[id_][row] for id_ in boxes]).reshape(-1, 4)
        sure = np.array([scores[id_][row] for id_ in boxes])
        observations.append(on_grid(tracker.update(detections(found, sure), time)))
    truth = {id_: (times[here[id_]], exact[here[id_]]) for id_, exact in boxes.items()}
    return observations, truth


def furniture(rng: Rng, boxes: dict[int, Floats], here: dict[int, NDArray[np.bool_]]) -> list[tuple[float, float, float, float]]:
    """Left, top, right in the picture, and the row where it stands, of tables and low walls before some of the people."""
    told = []
    for _ in range(int(rng.choice([0, 0, 1, 2]))):
        id_ = int(rng.choice(list(boxes)))
        rows = np.flatnonzero(here[id_])
        if not len(rows):
            continue
        box = boxes[id_][int(rng.choice(rows))]
        tall = box[3] - box[1]
        base = box[3] + rng.uniform(0.02, 0.3) * tall
        left = box[0] - rng.uniform(0, 1.5) * tall
        told.append((left, base - rng.uniform(0.25, 0.6) * tall, left + rng.uniform(0.5, 2.5) * tall, base))
    return told


# -- windows -----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Lessons:
    """Windows of staged people with what they show."""

    inputs: NDArray[np.float32]  # (w, t, k, 3)
    labels: NDArray[np.int64]  # of CLASSES, or of PAIR_CLASSES; -1 neither one nor the other
    ends: Floats  # (w,) seconds
    scenes: NDArray[np.int64]  # (w,) seed · 10 + camera
    tracks: NDArray[np.int64]  # (w,) unique within the scene

    @staticmethod
    def join(parts: Sequence[Lessons]) -> Lessons:
        columns = ("inputs", "labels", "ends", "scenes", "tracks")
        return Lessons(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def label_of(company: Company, id_: int, end: float) -> int:
    """What the window of a person that ends at `end` shows."""
    begin = end - ONE.seconds
    filled = dict.fromkeys((RUNNING, CLIMBING, FIGHTING), 0.0)
    for segment in company.performances[id_].segments:
        together = min(end, segment.end) - max(begin, segment.begin)
        if segment.verb == "fall":
            down = segment.begin + segment.detail["down"]
            risen = segment.end
            if segment.detail["down"] > 2.0:  # lay down on purpose
                if together > 0:
                    return 0
            elif FELL[0] <= end - down <= FELL[1]:
                return FALLING
            elif end > segment.begin and begin < down:
                return -1  # on the way down, or the fall is just leaving the window
            elif down <= begin and end <= risen:
                return 0  # lies still, or gets up
        kind = {"run": RUNNING, "climb": CLIMBING, "fight": FIGHTING}.get(segment.verb)
        if kind is not None and together > 0:
            filled[kind] += together
    best = max(filled, key=filled.__getitem__)
    if filled[best] >= FILLED * ONE.seconds:
        return best
    return 0 if sum(filled.values()) < 0.1 else -1


def windows_of(tracks: Sequence[Track], truth: dict[int, tuple[Floats, Floats]], company: Company, scene: int) -> tuple[Lessons, Lessons]:
    """Of each track, and of each two that are near each other."""
    whose = {}
    for track in tracks:
        mean = {id_: _overlap(track, times, boxes) for id_, (times, boxes) in truth.items() if len(times)}
        best = max(mean, key=mean.__getitem__, default=-1)
        if best >= 0 and mean[best] > 0.25:
            whose[track.id] = best
    singles: list[tuple[Any, ...]] = []
    pairs: list[tuple[Any, ...]] = []
    grid = np.arange(1.0, SECONDS, STRIDE)
    for step, time in enumerate(grid.tolist()):
        known = []
        for track in tracks:
            rows = int(track.times.searchsorted(time + 1e-6))
            if track.id in whose and rows >= 2 and time - track.times[rows - 1] < STRIDE:
                known.append(Track(track.id, track.label, track.times[:rows], track.boxes[:rows]))
        told = {track.id: label_of(company, whose[track.id], track.last_seen) for track in known}
        slow = step % round(SLOW_STRIDE / STRIDE)
        for track in known:
            if (told[track.id] <= 0 and slow) or (made := ONE.take([track])) is None:
                continue
            singles.append((made, told[track.id] if told[track.id] != FIGHTING else -1, track.last_seen, scene, track.id))
        for one, two in near_pairs(known, TWO.near):
            both = told[one.id] == told[two.id] == FIGHTING and whose[one.id] != whose[two.id]
            neither = FIGHTING not in (told[one.id], told[two.id]) and -1 not in (told[one.id], told[two.id])
            if (not both and slow) or (made := TWO.take([one, two])) is None:
                continue
            pairs.append((made, 1 if both else 0 if neither else -1, time, scene, one.id * 1000 + two.id))
    return _lessons(singles, ONE), _lessons(pairs, TWO)


def _lessons(rows: Sequence[tuple[Any, ...]], window: Window) -> Lessons:
    if not rows:
        none = np.zeros(0, np.int64)
        return Lessons(np.zeros((0, *window.shape), np.float32), none, np.zeros(0), none, none)
    inputs, labels, ends, scenes, tracks = zip(*rows, strict=True)
    return Lessons(np.stack(inputs), np.array(labels, np.int64), np.array(ends), np.array(scenes, np.int64), np.array(tracks, np.int64))


def _overlap(track: Track, times: Floats, boxes: Floats) -> float:
    """Mean IoU of a track with someone's exact boxes at the nearest moments."""
    rows = np.abs(times[None] - track.times[:, None]).argmin(1)
    near = np.abs(times[rows] - track.times) < 0.1
    mine, its = track.boxes.astype(float), boxes[rows]
    both = np.clip(np.minimum(mine[:, 2:], its[:, 2:]) - np.maximum(mine[:, :2], its[:, :2]), 0, None).prod(1)
    return float((near * both / np.maximum(area(mine) + area(its) - both, 1e-6)).mean())


def staged(seeds: Sequence[int], errors: Errors) -> tuple[Lessons, Lessons]:
    """The windows of many scenes, kept in the user's cache by hundreds."""
    folder = cache("actions")
    parts: list[tuple[Lessons, Lessons]] = []
    block = 20
    for first in range(seeds[0], seeds[-1] + 1, block):
        some = [seed for seed in range(first, first + block) if seed in seeds]
        kept = folder / f"v{VERSION}-{first}-{len(some)}.npz"
        if not kept.exists():
            made = [one for seed in some for one in _scene(seed, errors)]
            both = Lessons.join([one for one, _ in made]), Lessons.join([two for _, two in made])
            part = kept.with_suffix(".part.npz")
            np.savez_compressed(
                part, **{f"{n}_{name}": value for n, each in zip("ab", both, strict=True) for name, value in vars(each).items()}
            )
            part.replace(kept)
            print(f"  staged {some[-1] - seeds[0] + 1} of {len(seeds)} scenes", file=sys.stderr, flush=True)
        with np.load(kept) as told:
            parts.append(tuple(Lessons(*(told[f"{n}_{name}"] for name in Lessons.__dataclass_fields__)) for n in "ab"))  # type: ignore[arg-type]
    return Lessons.join([one for one, _ in parts]), Lessons.join([two for _, two in parts])


def _scene(seed: int, errors: Errors) -> list[tuple[Lessons, Lessons]]:
    return [
        windows_of(observed_tracks(seen), truth, company, seed * 10 + number)
        for number, (company, _, seen, truth) in enumerate(performed(seed, errors))
    ]


def performed(seed: int, errors: Errors) -> Iterator[tuple[Company, View, list[Observation], dict[int, tuple[Floats, Floats]]]]:
    """A scene before each of its cameras: who acts, what is seen, and where everybody really is."""
    script, heights, room = stage(seed)
    company = Company(script, heights)
    rng = np.random.default_rng([seed, 78])
    for _ in range(VIEWS):
        view = camera(rng, room)
        # Better and worse cameras than those that were measured.
        seen, truth = filmed(company, view, rng, errors, worse=float(rng.uniform(0.6, 1.2)))
        yield company, view, seen, truth


# -- learning ----------------------------------------------------------------------


class Lesson:
    """Windows for the loop, no class more than `most` times as frequent as the rarest; mirrored, and stretched as another lens would."""

    def __init__(self, lessons: Lessons, people: int, *, epoch: int = 6000, seed: int = 0) -> None:
        self.lessons, self.people, self.epoch = lessons, people, epoch
        rng = np.random.default_rng(seed)
        kinds = np.unique(lessons.labels[lessons.labels >= 0])
        self.rows = np.concatenate(
            [rng.choice(np.flatnonzero(lessons.labels == k), round(epoch * (0.5 if k == 0 else 0.5 / (len(kinds) - 1)))) for k in kinds]
        )

    def __len__(self) -> int:
        return len(self.rows)

    def sample(self, index: int, rng: Rng) -> tuple[Tensor, int]:
        label = self.lessons.labels[self.rows[index]]
        row = int(rng.choice(self._of(int(label))))
        return ready(varied(self.lessons.inputs[row], self.people, rng)[None])[0], int(label)

    def plain(self) -> tuple[Tensor, Tensor]:
        rows = self.rows[:: max(1, len(self.rows) // 512)]
        return ready(self.lessons.inputs[rows]), torch.from_numpy(self.lessons.labels[rows])

    def _of(self, label: int) -> NDArray[np.intp]:
        if not hasattr(self, "_by_label"):
            self._by_label = {k: np.flatnonzero(self.lessons.labels == k) for k in np.unique(self.lessons.labels).tolist()}
        return self._by_label[label]


def varied(window: NDArray[np.float32], people: int, rng: Rng) -> NDArray[np.float32]:
    """The same seen in a mirror, through another lens, with a moment out of sight."""
    x = window.copy()
    seen = x[..., 2:] > 0
    if rng.random() < 0.5:
        order = np.array([1, 0, 3, 2, 4, 5])
        if people == 2:
            order = np.concatenate([order + 6, order])  # the one on the left comes first
        x = x[:, order]
        x[..., 0] *= -1
    x[..., :2] *= rng.uniform(0.88, 1.14, 2)
    x[..., :2] += seen * rng.normal(0, 0.008, x[..., :2].shape)
    if rng.random() < 0.2:
        begin = int(rng.integers(0, len(x)))
        x[begin : begin + int(rng.integers(1, 4))] = 0
    return x.astype(np.float32)


def taught(lessons: Lessons, window: Window, classes: int, *, seed: int, epochs: int, epoch: int = 6000) -> nn.Module:
    """A causal TCN; the last epoch's weights."""
    torch.manual_seed(seed)
    network = build("tcn", classes=classes, inputs=STEP_INPUTS, persons=window.people, **SHAPE)
    lesson = Lesson(lessons, window.people, epoch=epoch, seed=seed)
    plan = Plan(**{**PLAN.as_dict(), "seed": seed, "epochs": epochs})
    return learn(network, Batches(lesson, 64, shuffle=True, workers=0, seed=seed), lesson.plain(), plan, smoothing=0.05)


def ready(windows: NDArray[np.float32]) -> Tensor:
    """(w, t, k, 3) -> (w, t, 18), or of two people (w, 2, t, 18): what the watcher makes of them too."""
    people, steps = windows.shape[2] // len(BOX_POINTS), windows.shape[1]
    return torch.from_numpy(shaped(windows, (2, steps, STEP_INPUTS) if people == 2 else (steps, STEP_INPUTS)))


def certainties(network: nn.Module, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """(w, t, k, 3) -> (w, c)."""
    with torch.inference_mode():
        parts = [network(ready(inputs[at : at + 1024])).softmax(1).double().numpy() for at in range(0, len(inputs), 1024)]
    return np.concatenate(parts) if parts else np.zeros((0, 1))


def limits_of(sure: NDArray[np.float64], lessons: Lessons, classes: Sequence[str]) -> dict[str, float]:
    """class -> the certainty above which everyday windows come, in one track each, at most `OFTEN` times an hour; at least 0.5."""
    nothing = lessons.labels == 0
    hours = nothing.sum() * SLOW_STRIDE / 3600
    whose = lessons.scenes[nothing] * 10_000 + lessons.tracks[nothing]
    told = {}
    for column, name in enumerate(classes):
        if column:
            peaks = np.sort([sure[nothing, column][whose == one].max() for one in np.unique(whose)])[::-1]
            allowed = int(OFTEN * hours)
            told[name] = round(float(np.clip(peaks[min(allowed, len(peaks) - 1)] + 1e-3, 0.5, 0.98)), 3)
    return told


def measured(sure: NDArray[np.float64], lessons: Lessons, classes: Sequence[str], limits: dict[str, float]) -> dict[str, Any]:
    """On staged scenes kept aside: of each class, how many tracks that show it are told, and how well its windows are told from nothing."""
    told: dict[str, Any] = {}
    for column, name in enumerate(classes):
        if not column:
            continue
        rows = (lessons.labels == column) | (lessons.labels == 0)
        mine = lessons.labels == column
        whose = lessons.scenes[mine] * 10_000 + lessons.tracks[mine]
        hit = [bool((sure[mine, column][whose == one] >= limits[name]).any()) for one in np.unique(whose)]
        share = wilson(sum(hit), len(hit))
        told[name] = {
            "caught": sum(hit), "of": len(hit), "recall": round(share.value, 3), "low": round(share.low, 3), "high": round(share.high, 3),
            "auroc": round(auroc(sure[rows, column], lessons.labels[rows] == column), 4), "limit": limits[name],
        }  # fmt: skip
    nothing = lessons.labels == 0
    told["everyday_hours"] = round(float(nothing.sum() * SLOW_STRIDE / 3600), 2)
    return told


def make(*, seed: int, quick: bool, out: Path | None) -> dict[str, Any]:
    """Stage, teach and measure both models; write their ONNX files into `out`."""
    errors = Errors.read()
    train = staged(TRAIN[:60] if quick else TRAIN, errors)
    held_out = staged(HELD_OUT[:20] if quick else HELD_OUT, errors)
    figures: dict[str, Any] = {}
    for name, lessons, aside, window, classes in (
        ("actions", train[0], held_out[0], ONE, CLASSES),
        ("fights", train[1], held_out[1], TWO, PAIR_CLASSES),
    ):
        network = taught(lessons, window, len(classes), seed=seed, epochs=3 if quick else PLAN.epochs)
        # Half of what was kept aside sets the limits, the other half is measured.
        half = (aside.scenes // 10) % 2 == 0
        setting, asked = (_some(aside, rows) for rows in (half, ~half))
        limits = limits_of(certainties(network, setting.inputs), setting, classes)
        figures[name] = measured(certainties(network, asked.inputs), asked, classes, limits) | {"windows": int((lessons.labels >= 0).sum())}
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            about = {
                "kind": "action", "model": "tcn",
                "options": {**SHAPE, "classes": len(classes), "inputs": STEP_INPUTS, "persons": window.people},
                "classes": list(classes), "names": list(classes), "input": list(ready(asked.inputs[:1]).shape[1:]),
                "window": asdict(window), "activation": "softmax", "thresholds": limits,
                "trained": {"on": "simulated people only", "recipe": "recipes/actions_simulated.py", "seed": seed},
            }  # fmt: skip
            exported = to_onnx(network, tuple(about["input"]), out / f"{name}.onnx", about, real=ready(asked.inputs[:32]).numpy())
            figures[name] |= {"bytes": exported.bytes, "parity": exported.parity, "ms": exported.ms}
    return figures


def model_file(name: str) -> Path:
    """The ONNX file of `actions` or `fights`, made once and kept in the user's cache."""
    folder = cache("actions") / f"models-v{VERSION}"
    if not (folder / f"{name}.onnx").exists():
        make(seed=0, quick=False, out=folder)
    return folder / f"{name}.onnx"


def _some(lessons: Lessons, rows: NDArray[np.bool_]) -> Lessons:
    return Lessons(*(getattr(lessons, name)[rows] for name in Lessons.__dataclass_fields__))


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, default=None, help="folder for the ONNX files")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    figures = make(seed=asked.seed, quick=asked.quick, out=asked.out)
    if asked.json:
        show(figures, as_json=True)
    else:
        print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    try:
        main()
    except PaharaError as error:
        sys.exit(str(error))
