"""Pictures with boxes as a torch data set: seeded per item and epoch, so that order and workers do not matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from pahara.core import Image
from pahara.core.errors import DataError
from pahara.detection.letterbox import Fit, Preparation

from .augment import Augment
from .epoch import Epoch
from .pictures import image_size, read_image
from .sample import Sample, letterboxed, resized, sample_of
from .yolo import YoloSet, label_file, read_labels, read_yolo_set, to_pixels

Rng = np.random.Generator


class DetectionSet(Dataset[Sample]):
    """One split of a YOLO set. Item i is a `Sample`: image (h, w, 3) uint8 BGR, boxes (n, 4) float32 px x1 y1 x2 y2, labels (n,).

    size: (width, height) of every item; None gives pictures as they are. Without `augment` a picture is letterboxed
    at the top left, as the watcher does it; with it, it is varied anew in every epoch (`set_epoch`).
    calm_from: the epoch from which mosaic and mixup rest, as YOLOX trains its last epochs.
    cache_mb: memory for decoded pictures, shrunk to `size`; each worker of a loader has its own.
    """

    def __init__(
        self,
        data: YoloSet | str | Path,
        split: str = "train",
        *,
        size: tuple[int, int] | None = None,
        augment: Augment | None = None,
        seed: int = 0,
        calm_from: int | None = None,
        cache_mb: float = 0.0,
        pictures: Sequence[Path] | None = None,
    ) -> None:
        """`pictures` takes these instead of the split's. DataError, with file and line, for anything wrong in the labels."""
        if augment is not None and size is None:
            raise DataError("augmentation needs a size: give size=(width, height)")
        told = data if isinstance(data, YoloSet) else read_yolo_set(data)
        self.names, self.split, self.size, self.augment, self.seed = told.names, split, size, augment, seed
        self.calm_from = calm_from
        self.pictures = tuple(told[split] if pictures is None else pictures)
        self.epoch = Epoch()
        self._fractions: list[NDArray[np.float64]] = []
        self._labels: list[NDArray[np.int64]] = []
        for picture in self.pictures:
            boxes, labels = read_labels(label_file(picture), len(self.names))
            self._fractions.append(boxes)
            self._labels.append(labels)
        self._cache: dict[int, Sample] = {}
        self._room = int(cache_mb * 1e6)

    def __len__(self) -> int:
        return len(self.pictures)

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins; workers that are kept alive see it too."""
        self.epoch.set(epoch)

    def labels(self, index: int) -> NDArray[np.int64]:
        """(n,) the classes of a picture's boxes, without reading it."""
        return self._labels[index]

    def truth(self, index: int) -> Sample:
        """The picture as it is on disk, upright, with its boxes in its own pixels."""
        image = read_image(self.pictures[index])
        boxes = to_pixels(self._fractions[index], (image.shape[1], image.shape[0]))
        return sample_of(image, boxes, self._labels[index])

    def picture_size(self, index: int) -> tuple[int, int]:
        """(width, height) of the picture on disk, upright."""
        return image_size(self.pictures[index])

    begin_epoch = set_epoch  # as `Batches` calls it, in the worker

    def __getitem__(self, index: int) -> Sample:
        return self.sample(index, np.random.default_rng((self.seed, self.epoch.get(), range(len(self))[index])))

    def sample(self, index: int, rng: Rng) -> Sample:
        """Item `index`, varied with this generator and no other source of chance."""
        index = range(len(self))[index]
        sample = self._read(index)
        if self.size is None:
            return sample
        if self.augment is None:
            return letterboxed(sample, self.size)
        augment = self.augment
        if self.calm_from is not None and self.epoch.get() >= self.calm_from:
            augment = replace(augment, mosaic=0.0, mixup=0.0)
        return augment(sample, self.size, rng, lambda rng: self._read(int(rng.integers(len(self)))))

    def shown(self, index: int) -> Image:
        """The picture of item `index` in the item's own pixels, without the padding beside it (for one that is not augmented)."""
        sample = self._read(range(len(self))[index])
        if self.size is None:
            return sample.image
        inner = Fit.of(sample.size, self.size, Preparation()).inner
        return letterboxed(sample, self.size).image[: inner[1], : inner[0]]

    def _read(self, index: int) -> Sample:
        """The picture, shrunk to fit `size`, with its boxes; from memory where it is kept there."""
        if index in self._cache:
            return self._cache[index]
        sample = self.truth(index)
        if self.size is None:
            return sample
        (wide, tall), (most_wide, most_tall) = sample.size, self.size
        shrink = min(most_wide / wide, most_tall / tall)
        if shrink < 1:
            small = (max(round(wide * shrink), 1), max(round(tall * shrink), 1))
            scale = np.array([small[0] / wide, small[1] / tall] * 2, np.float32)
            sample = Sample(resized(sample.image, small), sample.boxes * scale, sample.labels)
        if self._room >= sample.image.nbytes:
            self._room -= sample.image.nbytes
            for array in sample:
                array.flags.writeable = False
            self._cache[index] = sample
        return sample


def collate(samples: Sequence[Sample]) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Samples of one size -> images (b, h, w, 3) uint8 BGR, and for each picture its boxes (n, 4) float32 and labels (n,) int64."""
    images = torch.from_numpy(np.stack([sample.image for sample in samples]))
    boxes = [torch.from_numpy(np.array(sample.boxes, np.float32)) for sample in samples]
    return images, boxes, [torch.from_numpy(np.array(sample.labels, np.int64)) for sample in samples]
