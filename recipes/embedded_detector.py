"""The detector that Pahara ships: YOLOX-nano, taught to see people, bags and vehicles as a cheap camera shows them.

    python recipes/embedded_detector.py --data /tmp/pahara-embedded --out /tmp/pahara-nano --minutes 40

Start: Megvii's YOLOX-nano for COCO (Apache-2.0). Lessons: staged scenes with true boxes; coco128, mostly shrunk and four in
one, because people before a camera are small; a film labelled by the teacher. The teacher is the same YOLOX-nano before this
training: on real pictures the student is also held to what the teacher sees, so that it does not forget real people.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from pahara.models.yolox import YOLOX
from pahara.models.yolox_weights import load_official, settle_norms
from pahara.training.data.staged import Example, read_set, stage_set, write_set
from pahara.training.simota import detection_loss, distillation_loss

NAMES = ("person", "bag", "vehicle")
KIN = ((0,), (24, 26, 28), (1, 2, 3, 5, 7))  # COCO's classes of which each of ours is a kind
TRAIN_SEEDS, HELD_OUT_SEEDS = range(1000, 1400), range(5000, 5030)  # the demo's benchmark stages 0 to 19: never here
INPUT = (544, 320)  # width, height of the shipped model: as many pixels as 416 x 416, and a third finer for a 16:9 camera
CANVAS = (384, 288)  # width, height of a training picture: a part of a camera's picture, at the size at which the model will see it
MIXTURE = (("staged", 9), ("coco", 5), ("film", 2))  # pictures of each source in a batch; all but the first are real
REAL = 9  # first row of a batch that is real


# -- the pictures ------------------------------------------------------------------


def coco_examples(folder: Path) -> list[Example]:
    """coco128's boxes in our words; what is none of ours is background."""
    ours = {kind: label for label, kinds in enumerate(KIN) for kind in kinds}
    examples = []
    for path in sorted((folder / "images").rglob("*.jpg")):
        told = next((folder / "labels").rglob(path.stem + ".txt"), None)
        tall, wide = cv2.imread(str(path)).shape[:2]
        rows = np.array([line.split()[:5] for line in told.read_text().splitlines() if line] if told else [], np.float32).reshape(-1, 5)
        rows = rows[np.isin(rows[:, 0], list(ours))]
        middle, half = rows[:, 1:3] * (wide, tall), rows[:, 3:5] * (wide / 2, tall / 2)
        labels = np.array([ours[int(kind)] for kind in rows[:, 0]], np.intp)
        examples.append(Example(path, np.concatenate([middle - half, middle + half], 1).astype(np.float32), labels, "coco"))
    return examples


def film_examples(film: Path, teacher: Path, folder: Path, every: int = 12) -> list[Example]:
    """Frames of a film, half a second apart, with the teacher's boxes: sure ones are true, unsure ones neither right nor wrong."""
    from pahara.detection.onnx import load_detector

    if (folder / "index.jsonl").exists():
        return read_set(folder, NAMES)
    detector = load_detector(teacher, confidence=0.15)
    words = {kind: NAMES[label] for label, kinds in enumerate(KIN) for kind in kinds}
    video, pictures, n = cv2.VideoCapture(str(film)), [], 0
    while (read := video.read())[0]:
        if n % every == 0:
            found = detector([read[1]])[0]
            told = [words.get(int(k), "") if s >= 0.5 else "" for k, s in zip(found.labels, found.scores, strict=True)]
            ours = np.isin(found.labels, list(words))
            pictures.append((read[1], found.boxes[ours], [w for w, o in zip(told, ours, strict=True) if o]))
        n += 1
    return write_set(folder, pictures, film.stem, names=NAMES)


class Pictures:
    """One source of training pictures: draws one at random, at a random scale, cut to the canvas."""

    def __init__(self, examples: list[Example], scales: tuple[float, float], four: float) -> None:
        self.examples, self.scales, self.four = examples, scales, four
        self.bytes = [example.path.read_bytes() for example in examples]

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """-> picture (h, w, 3), boxes (n, 4), labels (n,)"""
        wide, tall = CANVAS
        canvas = np.full((tall, wide, 3), 114, np.uint8)
        if rng.random() < self.four:
            x, y = int(rng.uniform(0.35, 0.65) * wide), int(rng.uniform(0.35, 0.65) * tall)
            parts = [(0, 0, x, y), (x, 0, wide, y), (0, y, x, tall), (x, y, wide, tall)]
        else:
            parts = [(0, 0, wide, tall)]
        boxes, labels = [], []
        for part in parts:
            b, k = self._paste(canvas, part, rng, len(parts))
            boxes.append(b)
            labels.append(k)
        box, label = np.concatenate(boxes), np.concatenate(labels)
        if rng.random() < 0.5:
            canvas = canvas[:, ::-1]
            box = np.stack([wide - box[:, 2], box[:, 1], wide - box[:, 0], box[:, 3]], 1)
        return spoiled(np.ascontiguousarray(canvas), rng), box, label

    def _paste(
        self, canvas: np.ndarray, part: tuple[int, int, int, int], rng: np.random.Generator, parts: int
    ) -> tuple[np.ndarray, np.ndarray]:
        pick = int(rng.integers(len(self.examples)))
        image = cv2.imdecode(np.frombuffer(self.bytes[pick], np.uint8), cv2.IMREAD_COLOR)
        x0, y0, x1, y1 = part
        low, high = np.log(self.scales)
        scale = float(np.exp(rng.uniform(low, high)))
        if parts > 1:
            scale *= 0.8
        stretch = float(np.exp(rng.normal(0, 0.06)))
        wide, tall = max(16, round(image.shape[1] * scale * stretch)), max(16, round(image.shape[0] * scale / stretch))
        image = cv2.resize(image, (wide, tall), interpolation=cv2.INTER_LINEAR if scale > 0.6 else cv2.INTER_AREA)
        boxes = self.examples[pick].boxes * np.tile([wide / (image_w := self._size(pick)[0]), tall / self._size(pick)[1]], 2)
        del image_w
        labels = self.examples[pick].labels

        def shift(room: int, length: int, axis: int) -> int:
            """Where the picture's edge lies from the part's edge; a cut shows something more often than not."""
            if length <= room:
                return int(rng.integers(room - length + 1))
            seen = np.flatnonzero(labels >= 0)
            if len(seen) and rng.random() < 0.75:
                aim = boxes[seen[int(rng.integers(len(seen)))]]
                at = (aim[axis] + aim[axis + 2]) / 2 + rng.uniform(-0.5, 0.5) * room
                return -int(np.clip(at - room / 2, 0, length - room))
            return -int(rng.integers(length - room + 1))

        dx, dy = shift(x1 - x0, wide, 0), shift(y1 - y0, tall, 1)
        sx, sy = max(0, -dx), max(0, -dy)
        piece = image[sy : sy + (y1 - y0) - max(dy, 0), sx : sx + (x1 - x0) - max(dx, 0)]
        px, py = x0 + max(dx, 0), y0 + max(dy, 0)
        canvas[py : py + piece.shape[0], px : px + piece.shape[1]] = piece
        moved = boxes + np.tile([x0 + dx, y0 + dy], 2)
        low_corner, high_corner = np.tile([px, py], 2), np.tile([px + piece.shape[1], py + piece.shape[0]], 2)
        cut = np.clip(moved, low_corner, high_corner)
        left = np.prod(cut[:, 2:] - cut[:, :2], axis=1) / np.maximum(np.prod(moved[:, 2:] - moved[:, :2], axis=1), 1e-6)
        small = (cut[:, 2:] - cut[:, :2]).min(1, initial=1e9) < 4.0
        keep = left > 0.02
        return cut[keep].astype(np.float32), np.where((left < 0.35) | small, -1, labels)[keep]

    def _size(self, pick: int) -> tuple[int, int]:
        sizes = self.__dict__.setdefault("_sizes", {})
        if pick not in sizes:
            image = cv2.imdecode(np.frombuffer(self.bytes[pick], np.uint8), cv2.IMREAD_COLOR)
            sizes[pick] = image.shape[1], image.shape[0]
        return sizes[pick]


def spoiled(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other light, infrared, noise, blur, compression."""
    if rng.random() < 0.7:
        hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV).astype(np.int16)
        hsv[..., 0] = (hsv[..., 0] + int(rng.integers(-6, 7))) % 180
        hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.5, 1.4), 0, 255)
        image = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR)
    if rng.random() < 0.12:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.7:
        image = cv2.convertScaleAbs(image, alpha=float(rng.uniform(0.6, 1.35)), beta=float(rng.uniform(-20, 20)))
    if rng.random() < 0.2:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.2)))
    if rng.random() < 0.2:
        image = np.clip(image + rng.normal(0, rng.uniform(2, 10), image.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        image = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))])[1], cv2.IMREAD_COLOR)
    return image


def batch_of(sources: dict[str, Pictures], rng: np.random.Generator) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """-> pictures (b, 3, h, w) float BGR 0..255, boxes, labels"""
    drawn = [sources[name].draw(rng) for name, count in MIXTURE for _ in range(count)]
    pictures = torch.from_numpy(np.stack([d[0] for d in drawn])).permute(0, 3, 1, 2).float()
    return (
        pictures.contiguous(memory_format=torch.channels_last),
        [torch.from_numpy(d[1]) for d in drawn],
        [torch.from_numpy(d[2]) for d in drawn],
    )


# -- the training --------------------------------------------------------------------


def train(args: argparse.Namespace) -> None:
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    official = args.assets / "models" / "yolox-nano-416.onnx"
    # What is staged already is taken as it is: `--stage` builds the rest first.
    staged = stage_set(args.data / "staged", TRAIN_SEEDS) if args.stage else read_set(args.data / "staged", NAMES)
    sources = {
        "staged": Pictures(staged, (0.55, 1.3), 0.15),
        "coco": Pictures(coco_examples(args.assets / "coco128"), (0.2, 0.95), 0.55),
        "film": Pictures(film_examples(args.assets / "footage" / "one-by-one.mp4", official, args.data / "film"), (0.35, 0.9), 0.3),
    }
    print({name: len(source.examples) for name, source in sources.items()}, flush=True)
    teacher = load_official(YOLOX(80), official).eval().to(memory_format=torch.channels_last)
    student = load_official(YOLOX(80), official)
    student.replace_head(len(NAMES), KIN)
    student = student.to(memory_format=torch.channels_last)
    settle_norms(student, (batch_of(sources, rng)[0] for _ in range(4)))
    if args.resume:
        student.load_state_dict(torch.load(args.resume, weights_only=True))
    # The first layers see edges and colours, which are the same everywhere: half of the work of a step is saved by leaving them.
    frozen = student.layer_groups()[: args.freeze]
    for group in frozen:
        group.requires_grad_(False)
    average = copy.deepcopy(student).eval()
    weights = [p for p in student.parameters() if p.ndim > 1 and p.requires_grad]
    others = [p for p in student.parameters() if p.ndim == 1 and p.requires_grad]
    optimizer = torch.optim.AdamW([{"params": weights, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}], lr=args.lr)
    args.out.mkdir(parents=True, exist_ok=True)
    began, step, sums, saved = time.monotonic(), 0, {}, time.monotonic()
    student.train()
    for group in frozen:
        group.eval()
    while (gone := (time.monotonic() - began) / (60 * args.minutes)) < 1:
        rate = args.lr * min((step + 1) / 60, 1.0) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * gone)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        pictures, boxes, labels = batch_of(sources, rng)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
            rows = student(pictures)
            with torch.no_grad():
                taught = teacher(pictures[REAL:])
        parts = detection_loss(rows, boxes, labels, CANVAS)
        parts["teacher"] = args.distil * distillation_loss(rows[REAL:], taught.float(), KIN)
        loss = parts.pop("loss") + parts["teacher"]
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 10.0)
        optimizer.step()
        step += 1
        follow(average, student, min(0.998, (1 + step) / (10 + step)))
        for name, value in parts.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach())
        if step % 50 == 0:
            told = " ".join(f"{name} {value / 50:.3f}" for name, value in sums.items())
            print(f"step {step} {gone:.0%} {time.monotonic() - began:.0f} s lr {rate:.1e} {told}", flush=True)
            sums = {}
        if time.monotonic() - saved > 240:
            torch.save(average.state_dict(), args.out / "average.pt")
            saved = time.monotonic()
    torch.save(average.state_dict(), args.out / "average.pt")
    (args.out / "run.json").write_text(json.dumps({"steps": step, "pictures": step * len(labels), "minutes": args.minutes, "lr": args.lr}))


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, keep: float) -> None:
    """The averaged model goes a little way towards the trained one."""
    for mine, its in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if mine.is_floating_point():
            mine.lerp_(its, 1 - keep)
        else:
            mine.copy_(its)


# -- what is shipped -------------------------------------------------------------------


def ship(weights: Path, path: Path, size: tuple[int, int] = INPUT) -> None:
    """Averaged weights -> an ONNX file with its weights kept in half precision, which runs in full precision.

    A runtime turns the weights back when it loads the model, so halving the file costs no time; what it costs in accuracy
    (nothing that can be measured) is in every figure, because the shipped file is what the benchmark measures.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    from pahara.training.export import to_onnx

    model = YOLOX(len(NAMES))
    model.load_state_dict(torch.load(weights, weights_only=True))
    about = {
        "kind": "detector", "model": "yolox-nano", "options": {"classes": len(NAMES)}, "classes": list(NAMES),
        "preparation": {"place": "top-left", "pad": 114.0}, "licence": "Apache-2.0",
        "trained": "fine-tuned by the Pahara maintainers from YOLOX-nano, Copyright (c) 2021-2022 Megvii Inc., Apache-2.0",
    }  # fmt: skip
    to_onnx(model.deployed(), (3, size[1], size[0]), path, about, spread=(0.0, 255.0))
    proto = onnx.load(str(path))
    kept = {one.name: numpy_helper.to_array(one) for one in proto.graph.initializer}
    casts = []
    for name, array in kept.items():
        if array.dtype == np.float32 and array.size > 64:
            at = next(i for i, one in enumerate(proto.graph.initializer) if one.name == name)
            proto.graph.initializer[at].CopyFrom(numpy_helper.from_array(array.astype(np.float16), name + "_half"))
            casts.append(helper.make_node("Cast", [name + "_half"], [name], to=TensorProto.FLOAT, name=name + "_full"))
    nodes = [*casts, *proto.graph.node]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    onnx.checker.check_model(proto)
    onnx.save(proto, str(path))
    print(f"{path}: {path.stat().st_size:,} bytes, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assets", type=Path, default=Path(__file__).parents[2] / "shared" / "assets")
    parser.add_argument("--data", type=Path, default=Path("/tmp/pahara-embedded"), help="folder for the staged pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--distil", type=float, default=0.5, help="weight of the teacher's opinion")
    parser.add_argument("--freeze", type=int, default=2, help="layer groups that stay as they are")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stage", action="store_true", help="stage what is missing of the training scenes first")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--resume", type=Path, help="averaged weights to go on from")
    parser.add_argument("--ship", type=Path, help="write these averaged weights as an ONNX file to --out and end")
    asked = parser.parse_args()
    if asked.ship:
        ship(asked.ship, asked.out)
    else:
        train(asked)


if __name__ == "__main__":
    main()
