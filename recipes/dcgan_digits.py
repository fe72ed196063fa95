"""Digits that nobody wrote: a DCGAN of 8 x 8 pixels, and how to tell with numbers whether it learnt anything.

    python recipes/dcgan_digits.py                     # about half a minute of one core
    python recipes/dcgan_digits.py --quick             # a tenth of it: the figures show that it is too little
    python recipes/dcgan_digits.py --picture grid.png  # also paints 10 x 10 of them

Two networks learn against each other, so there are two losses and neither tells how good the pictures are. What is measured, on the
half of scikit-learn's digits that no network was shown:

* `distance`: between painted and real digits, in the features of a CNN that reads digits (Fréchet, as in Heusel et al. 2017,
  "GANs trained by a two time-scale update rule", arxiv.org/abs/1706.08500, there with another CNN; compare within this file only).
  Beside it the same for real digits of the other half (as good as it gets) and for noise with every pixel's true mean and spread.
* `kinds` and `rarest`: how many of the ten digits are painted, and the share of the rarest one: a painter may learn only a 1.
* `copied`: how near the next real digit is that the painter saw, over the same for one it did not see: 1 if it invents, 0 if it copies.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import torch
from common import arguments, learn, show
from digits import CNN, Pictures, Seen, as_input, fresh, read_digits, taught, told, with_seed
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as unlike

from pahara.models import build

NOISE, WIDTH, BATCH, LR = 32, 32, 64, 5e-4
EPOCHS = 150


def paint(generator: nn.Module, count: int, seed: int) -> Pictures:
    """-> (count, 8, 8) in 0..1"""
    noise = torch.randn(count, NOISE, generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        painted: Pictures = ((generator.eval()(noise)[:, 0] + 1) / 2).numpy()
    return painted


def compete(pictures: Pictures, *, seed: int, epochs: int) -> nn.Module:
    """The game: the judge learns to tell real from painted, the painter to deceive it. -> the painter, averaged over time."""
    torch.manual_seed(seed)
    painter = build("dcgan-generator", size=8, channels=1, noise=NOISE, width=WIDTH)
    judge = build("dcgan-discriminator", size=8, channels=1, width=WIDTH)
    steady = torch.optim.swa_utils.AveragedModel(painter, avg_fn=averaged)  # the painter jumps; its average is calmer
    # The paper's settings: a short memory of old gradients, for the opponent changes.
    paints = torch.optim.Adam(painter.parameters(), lr=LR, betas=(0.5, 0.999))
    judges = torch.optim.Adam(judge.parameters(), lr=LR, betas=(0.5, 0.999))
    real = torch.from_numpy(2 * pictures[:, None] - 1)  # (n, 1, 8, 8) in -1..1, as the painter's tanh gives them
    yes, no = torch.full((BATCH,), 0.9), torch.zeros(BATCH)  # not quite sure of "real": the judge stays teachable
    for _ in range(epochs):
        for batch in torch.randperm(len(real)).split(BATCH):
            if len(batch) < BATCH:
                continue
            painted: Tensor = painter(torch.randn(BATCH, NOISE))

            wrong = unlike(judge(real[batch]), yes) + unlike(judge(painted.detach()), no)
            judges.zero_grad()
            wrong.backward()
            judges.step()

            caught = unlike(judge(painted), torch.ones(BATCH))
            paints.zero_grad()
            caught.backward()
            paints.step()
            steady.update_parameters(painter)
    return steady.module


def averaged(kept: Tensor, new: Tensor, steps: Tensor | int) -> Tensor:
    """A moving average over some 200 steps, over fewer at the beginning."""
    share = min(0.995, (1 + int(steps)) / (10 + int(steps)))
    return share * kept + (1 - share) * new


def distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Fréchet distance of two clouds of features (n, f): |m - m'|² + tr(C + C' - 2 √(C C'))."""
    covariance, its = np.cov(one.T), np.cov(other.T)
    apart = one.mean(0) - other.mean(0)
    common = np.sqrt(np.linalg.eigvals(covariance @ its).real.clip(0)).sum()  # the trace of the root, also where a feature is dead
    return float(apart @ apart + np.trace(covariance) + np.trace(its) - 2 * common)


def examine(*, seed: int = 0, epochs: int = EPOCHS, reader_epochs: int = 0) -> tuple[dict[str, float], Pictures]:
    """-> figures, and a hundred painted digits"""
    pictures, labels = read_digits()
    order = np.random.default_rng(seed).permutation(len(pictures))
    shown, hidden = order[: len(order) // 2], order[len(order) // 2 :]
    lesson = Seen(pictures[shown], labels[shown])
    reader = learn(fresh("tinyvgg", seed), taught(lesson, 64, seed), lesson.plain(), with_seed(CNN, seed, reader_epochs))
    painted = paint(compete(pictures[shown], seed=seed, epochs=epochs), len(hidden), seed)

    def features(some: Pictures) -> NDArray[np.float64]:
        with torch.inference_mode():
            return reader.features(as_input(some)).mean((2, 3)).double().numpy()  # type: ignore[operator, no-any-return]

    rng = np.random.default_rng(seed)
    noise = np.clip(rng.normal(pictures[shown].mean(0), pictures[shown].std(0), painted.shape), 0, 1).astype(np.float32)
    real = features(pictures[hidden])
    shares = np.bincount(told(reader, painted), minlength=10) / len(painted)
    flat = [some.reshape(len(some), -1) for some in (painted, pictures[shown], pictures[hidden][: len(shown)])]
    figures = {
        "distance": distance(features(painted), real),
        "distance_real": distance(features(pictures[shown]), real),
        "distance_noise": distance(features(noise), real),
        "kinds": float((shares > 0.01).sum()),
        "rarest": float(shares.min()),
        "copied": float(np.median(cdist(flat[0], flat[1]).min(1)) / np.median(cdist(flat[0], flat[2]).min(1))),
        "reader": float((told(reader, pictures[hidden]) == labels[hidden]).mean()),
    }
    return figures, painted[:100]


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    parser.add_argument("--picture", type=Path, help="paint a hundred digits into this PNG file")
    asked = parser.parse_args()
    figures, painted = examine(seed=asked.seed, epochs=EPOCHS // 10 if asked.quick else EPOCHS)
    notes = {
        "distance": "painted to real digits",
        "distance_real": "real to real ones: as good as it gets",
        "distance_noise": "noise to real ones",
        "kinds": "of ten digits that are painted, more than 1 % each",
        "rarest": "share of the digit that is painted least",
        "copied": "1 invents, 0 copies",
        "reader": "accuracy of the CNN that measures",
    }
    show(figures, as_json=asked.json, title="DCGAN on digits", notes=notes)
    if asked.picture:
        import cv2

        apart = np.pad(painted, ((0, 0), (1, 1), (1, 1)))  # a pixel of paper around each
        grid = apart.reshape(10, 10, 10, 10).transpose(0, 2, 1, 3).reshape(100, 100)
        if not cv2.imwrite(
            str(asked.picture), cv2.resize((255 * (1 - grid)).astype(np.uint8), (640, 640), interpolation=cv2.INTER_NEAREST)
        ):
            sys.exit(f"{asked.picture} cannot be written; name a .png file in a folder that exists")


if __name__ == "__main__":
    main()
