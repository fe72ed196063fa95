"""What does not belong on this path: an autoencoder learns UCSD Ped2's walkers and is puzzled by bicycles and carts.

    python recipes/ped2_autoencoder.py            # about ten minutes on one core
    python recipes/ped2_autoencoder.py --quick    # fewer epochs: about three

Data: Mahadevan et al. 2010, UCSD Ped2, 10 frames a second. Split: as published, taught on `train/` (normal clips alone, the
last two of them held out to choose the epoch), examined on `test/`. Figures are frame-level AUROC, micro (all frames pooled) and
macro (mean over the clips that have both kinds), without padding and without scaling the scores of each clip by its own least and greatest,
which looks into the future. Beside them stand nulls that learn nothing.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import cv2
import numpy as np
import torch
from common import arguments, asset, run_folder, show, whole
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from pahara.core import DataError
from pahara.evaluation import frame_auroc
from pahara.models import build
from pahara.training.batches import Batches
from pahara.training.loop import train
from pahara.training.plan import Plan

SIZE = (120, 80)  # width, height: a third of the original
STACK = 4  # frames one after another, as channels: unusual movement cannot be painted from memory either
BLOCK = 8  # pixels of a side: a person is about so tall; the worst block is the frame's score
HELD_OUT = 2  # normal clips

Pictures = NDArray[np.uint8]  # (t, h, w) grey


def read_clip(folder: Path) -> Pictures:
    """All frames of a clip, grey and small, in the order of their names."""
    files = sorted(folder.glob("*.jpg")) or sorted(folder.glob("*.tif")) or sorted(folder.glob("*.png"))
    if not files:
        raise DataError(f"{folder}: there are no frames in it")
    pictures = [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in files]
    return np.stack([cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA) for picture in pictures])


def read_truth(folder: Path) -> dict[str, NDArray[np.bool_]]:
    """Clip -> True for each anomalous frame, from test-labels.csv (1-based, both ends included; a clip may have several lines)."""
    truth: dict[str, NDArray[np.bool_]] = {}
    with (folder / "test-labels.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            flags = truth.setdefault(row["clip"], np.zeros(int(row["frames"]), bool))
            if row["first_anomalous"]:
                flags[int(row["first_anomalous"]) - 1 : int(row["last_anomalous"])] = True
    return truth


class Stacks:
    """Every STACK frames of some clips as one example (STACK, h, w) in 0..1; sometimes mirrored."""

    def __init__(self, clips: Sequence[Pictures], every: int = 1) -> None:
        self.clips = [torch.from_numpy(clip) for clip in clips]
        self.places = [(n, last) for n, clip in enumerate(clips) for last in range(STACK - 1, len(clip), every)]

    def __len__(self) -> int:
        return len(self.places)

    def sample(self, index: int, rng: np.random.Generator) -> Tensor:
        stack = self[index]
        return stack.flip(-1) if rng.random() < 0.5 else stack

    def __getitem__(self, index: int) -> Tensor:
        clip, last = self.places[index]
        return self.clips[clip][last - STACK + 1 : last + 1].float() / 255


@dataclass
class Paint:
    """The task: paint the input again."""

    best: str = "error"
    lower_is_better: bool = True

    def loss(self, model: nn.Module, batch: Tensor) -> dict[str, Tensor]:
        return {"loss": (model(batch) - batch).square().mean()}

    def measure(self, model: nn.Module, batches: Iterable[Tensor], device: torch.device) -> dict[str, float]:
        errors = [(model(batch.to(device)) - batch.to(device)).square().mean((1, 2, 3)) for batch in batches]
        return {"error": float(torch.cat(errors).mean())}


def worst_block(maps: Tensor) -> Tensor:
    """Maps (n, h, w) -> the mean of the worst BLOCK x BLOCK pixels of each (n,)."""
    return avg_pool2d(maps[:, None], BLOCK, stride=BLOCK // 2).amax((1, 2, 3))


@torch.inference_mode()
def puzzled(model: nn.Module, clip: Pictures) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """-> (worst block, mean over the picture) of the squared error of each frame; the first frames share the first stack's."""
    stacks = Stacks([clip])
    maps = torch.cat(
        [model.errors(torch.stack([stacks[i] for i in range(n, min(n + 32, len(stacks)))])) for n in range(0, len(stacks), 32)]
    )
    both = [torch.cat([score[:1].expand(STACK - 1), score]).numpy() for score in (worst_block(maps), maps.mean((1, 2)))]
    return both[0], both[1]


def change(clip: Pictures) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A null: (worst block, mean) of the squared difference from the frame before."""
    moved = torch.from_numpy(np.diff(clip.astype(np.float32) / 255, axis=0, prepend=clip[:1].astype(np.float32) / 255)).square()
    return worst_block(moved).numpy(), moved.mean((1, 2)).numpy()


def examine(folder: Path, *, epochs: int, width: int, seed: int, progress: bool) -> dict[str, Any]:
    clips = [read_clip(place) for place in sorted((folder / "train").iterdir()) if place.is_dir()]
    torch.manual_seed(seed)
    options = {"channels": STACK, "width": width, "latent": 16}
    model = build("autoencoder", **options)
    lesson = Batches(Stacks(clips[:-HELD_OUT], every=2), 16, shuffle=True, workers=0, seed=seed)
    normal = Batches(Stacks(clips[-HELD_OUT:], every=4), 16, workers=0)
    plan = Plan(epochs=epochs, lr=3e-3, weight_decay=0.0, warm_up=0.5, seed=seed)
    with run_folder() as run:
        result = train(model, Paint(), lesson, normal, plan, run, about={"model": "autoencoder", "options": options}, progress=progress)
    whole(result)
    model.eval()

    truth = read_truth(folder)
    films = {name: read_clip(folder / "test" / name) for name in truth}
    rng = np.random.default_rng(seed)
    ways = {
        "autoencoder": {name: puzzled(model, film)[0] for name, film in films.items()},
        "autoencoder, mean error": {name: puzzled(model, film)[1] for name, film in films.items()},
        "null: change, worst block": {name: change(film)[0] for name, film in films.items()},
        "null: change, mean": {name: change(film)[1] for name, film in films.items()},
        "null: middle of the clip": {name: -np.abs(np.linspace(-0.5, 0.5, len(film))) for name, film in films.items()},
        "null: chance": {name: rng.random(len(film)) for name, film in films.items()},
    }
    table = {way: frame_auroc((scores[name], flags) for name, flags in truth.items()) for way, scores in ways.items()}
    own = table["autoencoder"]
    return {
        "micro": own.micro,
        "macro": own.macro,
        "clips": own.clips,
        "clips_in_macro": own.judged,
        "frames": int(sum(len(flags) for flags in truth.values())),
        "minutes": result.seconds / 60,
        "table": {way: {"micro": found.micro, "macro": found.macro} for way, found in table.items()},
    }


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    parser.add_argument("--epochs", type=int, default=0, help="default: 20, with --quick 5")
    parser.add_argument("--width", type=int, default=8, help="channels of the first layer")
    asked = parser.parse_args()
    epochs = asked.epochs or (5 if asked.quick else 20)
    found = examine(asset(asked.assets, "ped2"), epochs=epochs, width=asked.width, seed=asked.seed, progress=not asked.json)
    if asked.json:
        show(found, as_json=True)
        return
    table = found.pop("table")
    show(
        found,
        as_json=False,
        title=f"Ped2, {epochs} epochs",
        notes={"micro": "frame AUROC, all frames", "macro": "mean over clips with both kinds"},
    )
    for way, figures in table.items():
        print(f"  {way:<28} micro {figures['micro']:.3f}  macro {figures['macro']:.3f}")


if __name__ == "__main__":
    try:
        main()
    except DataError as error:
        sys.exit(str(error))
