"""A detection set from staged scenes: pictures as a camera's H.264 would show them, with the true boxes of people, bags and vehicles."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import DataError, Image
from pahara.simulate import Script, Sighting, Stage, random_script
from pahara.simulate.actions import Drive
from pahara.simulate.incidents import DEFAULTS
from pahara.simulate.script import Actor, Bag, Thing
from pahara.simulate.settings import SETTINGS
from pahara.simulate.standing import standing

# What the truth calls a thing -> what a watch asks for.
WATCHED: Mapping[str, str] = {
    "person": "person", "backpack": "bag", "handbag": "bag", "suitcase": "bag",
    "bicycle": "vehicle", "car": "vehicle", "motorcycle": "vehicle",
}  # fmt: skip
SEEN = 0.3  # share that must be visible; what shows less is neither right nor wrong
SMALLEST = 5.0  # pixels: the shorter side of a box that anyone could find
INDEX = "index.jsonl"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Example:
    """One picture of a detection set on disk, with n boxes."""

    path: Path
    boxes: NDArray[np.float32]  # (n, 4) pixels, x1 y1 x2 y2
    labels: NDArray[np.intp]  # (n,) index into the set's names; -1: neither to be found nor held against anyone
    source: str = ""  # the scene or film it comes from: pictures of one source stay on one side of a split


def stage_set(
    folder: Path,
    seeds: Sequence[int],
    *,
    each: int = 14,
    size: tuple[int, int] = (640, 360),
    classes: Mapping[str, str] = WATCHED,
    names: Sequence[str] = ("person", "bag", "vehicle"),
    busy: bool = True,
    progress: Progress | None = None,
) -> list[Example]:
    """Stage one scene a seed, keep `each` pictures of it at most, seconds apart; -> what is in `folder` afterwards.

    Scenes that an earlier call left in the folder are kept, so an interrupted build goes on. `busy` adds standing bags,
    bearers and parked vehicles to what `random_script` stages; `classes` maps the truth's words to `names`, and other
    words are background.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ready = {example.source for example in read_set(folder, names)} if (folder / INDEX).exists() else set()
    for done, seed in enumerate(seeds, 1):
        if str(seed) not in ready:
            rows = []
            for n, (picture, objects) in enumerate(_scene(seed, each, size, busy)):
                name = f"{seed:06d}-{n:02d}.jpg"
                (folder / name).write_bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes())
                rows.append(json.dumps({"file": name, "source": str(seed), "objects": _told(objects, classes)}))
            with (folder / INDEX).open("a", encoding="utf-8") as index:  # a scene's rows at once, after its pictures
                index.write("\n".join(rows) + "\n")
        if progress is not None:
            progress(done, len(seeds))
    wanted = {str(seed) for seed in seeds}
    return [example for example in read_set(folder, names) if example.source in wanted]


def read_set(folder: Path, names: Sequence[str]) -> list[Example]:
    """The pictures of a folder that `stage_set` or `write_set` made. DataError when it has no index."""
    try:
        lines = (folder / INDEX).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{folder} holds no detection set ({INDEX} is missing: {error.strerror}); build it first") from error
    column = {name: i for i, name in enumerate(names)}
    examples = []
    for line in filter(None, lines):
        row = json.loads(line)
        boxes = np.array([one[1] for one in row["objects"]], np.float32).reshape(-1, 4)
        labels = np.array([column.get(one[0], -1) for one in row["objects"]], np.intp)
        examples.append(Example(folder / row["file"], boxes, labels, row["source"]))
    return examples


def write_set(
    folder: Path, pictures: Sequence[tuple[Image, NDArray[Any], Sequence[str]]], source: str, *, names: Sequence[str]
) -> list[Example]:
    """Pictures with boxes (n, 4) and labels as words ("" is neither right nor wrong) -> the same on disk, added to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / INDEX).open("a", encoding="utf-8") as index:
        for n, (picture, boxes, words) in enumerate(pictures):
            name = f"{source}-{n:04d}.jpg"
            (folder / name).write_bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes())
            objects = [[word, [round(float(v), 2) for v in box]] for word, box in zip(words, boxes, strict=True)]
            index.write(json.dumps({"file": name, "source": source, "objects": objects}) + "\n")
    return [example for example in read_set(folder, names) if example.source == source]


def _told(objects: Sequence[Sighting], classes: Mapping[str, str]) -> list[list[Any]]:
    rows = []
    for one in objects:
        word = classes.get(one.label)
        x1, y1, x2, y2 = one.box
        if word is None or one.visible < 0.02:
            continue
        clear = one.visible >= SEEN and min(x2 - x1, y2 - y1) >= SMALLEST
        rows.append([word if clear else "", [round(v, 2) for v in one.box]])
    return rows


def _scene(seed: int, each: int, size: tuple[int, int], busy: bool) -> Iterator[tuple[Image, tuple[Sighting, ...]]]:
    rng = np.random.default_rng([seed, 77])
    script = random_script(seed, kinds=tuple(DEFAULTS), duration=60.0, size=size)
    if busy:
        script = _busier(script, rng)
    script = replace(script, fps=1.0)  # a second between two pictures; `each` of them are kept
    stage = Stage(script)
    shots = [shot for shot in stage if not any(t.begin <= shot.time < t.end for t in script.tampers)]
    parked = standing(stage)
    films = _filmed([shot.image for shot in shots], crf=int(rng.integers(22, 34)))
    filled = [i for i, shot in enumerate(shots) if any(s.visible >= SEEN and s.label in WATCHED for s in shot.truth)]
    empty = [i for i in range(len(shots)) if i not in set(filled)]
    # The fullest moments teach most; a few empty ones teach what nothing looks like.
    filled = sorted(filled, key=lambda i: -len(shots[i].truth) + float(rng.random()) * 3)[: each - 1]
    chosen = sorted([*filled, *rng.permutation(empty)[: max(1, each - len(filled)) if len(filled) < 3 else 1].tolist()])
    for i in chosen:
        yield films[i], (*shots[i].truth, *parked)


def _busier(script: Script, rng: np.random.Generator) -> Script:
    """More to find in the same place: bags that stand about, bearers, parked vehicles, a car that drives by."""
    name = script.name.rsplit("-", 1)[0].replace("-", "_")
    xs = [spot[0] for corners in script.zones.values() for spot in corners] or [-3.5, 3.5]
    low, high = (-2.2, 2.2) if name in ("corridor", "alley") else (min(-3.8, *xs), max(3.8, *xs))
    free = 1 + max([a.id for a in script.actors] + [b.id for b in script.bags] + [0])
    bags, actors = list(script.bags), list(script.actors)
    for _ in range(int(rng.choice([0, 1, 2, 3, 4], p=[0.15, 0.3, 0.25, 0.2, 0.1]))):
        at = (round(float(rng.uniform(low, high)), 2), round(float(rng.uniform(3.6, 12.5)), 2))
        bags.append(Bag(free, str(rng.choice(["suitcase", "suitcase", "backpack", "handbag"])), at=at, colour=_colour(rng)))  # type: ignore[arg-type]
        free += 1
    bearers = {bag.by for bag in bags}
    for actor in script.actors:
        if actor.kind == "person" and actor.id not in bearers and rng.random() < 0.3:
            bags.append(Bag(free, str(rng.choice(["backpack", "handbag", "suitcase"])), by=actor.id, colour=_colour(rng)))  # type: ignore[arg-type]
            free += 1
    things = list(script.place.things)
    outdoors = not script.place.ceiling
    if outdoors and rng.random() < 0.5:
        for _ in range(int(rng.integers(1, 3))):
            kind, side = ("car" if rng.random() < 0.6 else "motorcycle"), float(rng.choice([-1, 1]))
            at = (round(side * float(rng.uniform(4.6, 7.5)), 2), round(float(rng.uniform(7.0, 14.0)), 2))
            things.append(Thing(kind, at, round(float(rng.uniform(0, 360)))))  # type: ignore[arg-type]
    if outdoors and name not in ("alley",) and rng.random() < 0.5:
        far, y = 13.0 * float(rng.choice([-1, 1])), round(float(rng.uniform(6.5, 11.5)), 2)
        kind = "car" if rng.random() < 0.7 else "cyclist"
        speed = round(float(rng.uniform(1.2, 2.5)), 2)
        actors.append(Actor(free, (far, y), (Drive(((-far, y),), speed),), kind, round(float(rng.uniform(0, 40)), 1), None, colour=""))  # type: ignore[arg-type]
        free += 1
    return replace(script, bags=tuple(bags), actors=tuple(actors), place=replace(script.place, things=tuple(things)))


def _colour(rng: np.random.Generator) -> str:
    if rng.random() < 0.4:
        return ""
    hue, strong, light = int(rng.integers(180)), int(rng.integers(20, 160)), int(rng.integers(30, 170))
    b, g, r = cv2.cvtColor(np.array([[[hue, strong, light]]], np.uint8), cv2.COLOR_HSV2BGR)[0, 0].tolist()
    return f"#{r:02x}{g:02x}{b:02x}"


def _filmed(pictures: Sequence[Image], *, crf: int) -> list[Image]:
    """The same pictures after an H.264 encoder as cheap recorders have it."""
    if not pictures:
        return []
    memory = io.BytesIO()
    with av.open(memory, "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=Fraction(12), options={"preset": "veryfast", "bf": "0", "crf": str(crf)})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = 24
        stream.codec_context.thread_count = 1
        for picture in pictures:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")))
        film.mux(stream.encode(None))
    memory.seek(0)
    with av.open(memory) as film:
        return [frame.to_ndarray(format="bgr24") for frame in film.decode(video=0)]


assert set(SETTINGS) >= {"corridor", "alley"}  # named above
