"""Pictures in class folders as a torch data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from torch.utils.data import Dataset

from pahara.core import Image
from pahara.core.errors import DataError

from .augment import Augment
from .epoch import Epoch
from .folders import ClassFolders, Item, read_class_folders
from .pictures import read_image
from .sample import letterboxed, resized, sample_of
from .splits import SHARES

Rng = np.random.Generator
Fill = Literal["crop", "pad", "stretch"]


@dataclass(frozen=True)
class ImageAugment:
    """How pictures of a class are varied: a random part of them, mirrored, in another light."""

    area: tuple[float, float] = (0.35, 1.0)  # share of the picture that is shown (Szegedy et al. 2015)
    stretch: float = 4 / 3  # largest change of its shape
    flip: float = 0.5  # probability of left for right; 0 where sides matter (digits, signs)
    pixels: Augment = Augment()  # noqa: RUF009  frozen
    erase: float = 0.1  # probability that a rectangle is covered (Zhong et al. 2017)

    def __call__(self, image: Image, size: tuple[int, int], rng: Rng) -> Image:
        """(h, w, 3) -> size (width, height)."""
        tall, wide = image.shape[:2]
        share, shape = rng.uniform(*self.area), np.exp(rng.uniform(-1, 1) * np.log(self.stretch)) * size[0] / size[1]
        part_wide = min(round(float(np.sqrt(share * wide * tall * shape))), wide) or 1
        part_tall = min(round(float(np.sqrt(share * wide * tall / shape))), tall) or 1
        left, top = int(rng.integers(0, wide - part_wide + 1)), int(rng.integers(0, tall - part_tall + 1))
        image = resized(image[top : top + part_tall, left : left + part_wide], size)
        if rng.random() < self.flip:
            image = cv2.flip(image, 1)
        image = self.pixels.pixels(image, rng)
        if rng.random() < self.erase:
            image = image.copy()
            sides = np.maximum((rng.uniform(0.1, 0.4, 2) * size).astype(int), 1)
            x, y = (int(rng.integers(0, most - side + 1)) for most, side in zip(size, sides.tolist(), strict=True))
            image[y : y + sides[1], x : x + sides[0]] = rng.integers(0, 256, 3)
        return image


class ImageSet(Dataset[tuple[Image, int]]):
    """Item i is (image (h, w, 3) uint8 BGR, label). `size` (width, height) makes them one size; None leaves them as they are.

    Without `augment` the picture fills the size: its middle is cut out ("crop"), or it is padded, or stretched.
    cache_mb: memory for decoded pictures, shrunk to what `size` needs.
    """

    def __init__(
        self,
        items: Sequence[Item],
        names: Sequence[str],
        *,
        size: tuple[int, int] | None = None,
        augment: ImageAugment | None = None,
        fill: Fill = "crop",
        seed: int = 0,
        cache_mb: float = 0.0,
    ) -> None:
        if augment is not None and size is None:
            raise DataError("augmentation needs a size: give size=(width, height)")
        self.items, self.names, self.size, self.augment, self.fill, self.seed = tuple(items), tuple(names), size, augment, fill, seed
        self.epoch = Epoch()
        self._cache: dict[int, Image] = {}
        self._room = int(cache_mb * 1e6)

    def __len__(self) -> int:
        return len(self.items)

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins; workers that are kept alive see it too."""
        self.epoch.set(epoch)

    @property
    def labels(self) -> list[int]:
        """The class of each item."""
        return [item.label for item in self.items]

    @property
    def groups(self) -> list[str]:
        """What each item must not be parted from."""
        return [item.group for item in self.items]

    begin_epoch = set_epoch  # as `Batches` calls it, in the worker

    def __getitem__(self, index: int) -> tuple[Image, int]:
        return self.sample(index, np.random.default_rng((self.seed, self.epoch.get(), range(len(self))[index])))

    def sample(self, index: int, rng: Rng) -> tuple[Image, int]:
        """Item `index`, varied with this generator and no other source of chance."""
        index = range(len(self))[index]
        item, image = self.items[index], self._read(index)
        if self.size is None:
            return image, item.label
        if self.augment is not None:
            return self.augment(image, self.size, rng), item.label
        return fitted(image, self.size, self.fill), item.label

    def _read(self, index: int) -> Image:
        if index in self._cache:
            return self._cache[index]
        image = read_image(self.items[index].path)
        if self.size is not None:
            tall, wide = image.shape[:2]
            shrink = 2 * max(self.size[0] / wide, self.size[1] / tall)  # twice what is needed, for cutting parts out
            if shrink < 1:
                image = resized(image, (max(round(wide * shrink), 1), max(round(tall * shrink), 1)))
        if self._room >= image.nbytes:
            self._room -= image.nbytes
            image.flags.writeable = False
            self._cache[index] = image
        return image


def fitted(image: Image, size: tuple[int, int], fill: Fill = "crop") -> Image:
    """(h, w, 3) -> size (width, height): its middle cut out, or grey beside it, or stretched."""
    if fill == "stretch":
        return resized(image, size)
    if fill == "pad":
        return letterboxed(sample_of(image), size).image
    tall, wide = image.shape[:2]
    scale = max(size[0] / wide, size[1] / tall)
    part_wide, part_tall = min(max(round(size[0] / scale), 1), wide), min(max(round(size[1] / scale), 1), tall)
    left, top = (wide - part_wide) // 2, (tall - part_tall) // 2
    return resized(image[top : top + part_tall, left : left + part_wide], size)


def open_images(
    root: str | Path | ClassFolders,
    *,
    size: tuple[int, int] | None = None,
    augment: ImageAugment | None = None,
    fill: Fill = "crop",
    shares: Mapping[str, float] = SHARES,
    seed: int = 0,
    cache_mb: float = 0.0,
) -> dict[str, ImageSet]:
    """{"train", "val" and, where there is one, "test"} of class folders; only "train" is augmented. DataError."""
    folders = root if isinstance(root, ClassFolders) else read_class_folders(root)
    return {
        split: ImageSet(
            items, folders.names, size=size, augment=augment if split == "train" else None, fill=fill, seed=seed, cache_mb=cache_mb
        )
        for split, items in folders.divided(shares=shares, seed=seed).items()
    }  # fmt: skip
