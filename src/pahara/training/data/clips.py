"""Clips in class folders as a torch data set: decoded only when asked for, sampled by seconds, kept on disk afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from pahara.core.errors import DataError
from pahara.video.files import new_file

from .augment import Augment
from .clip_folders import read_clip_folders, sampled_frames
from .epoch import Epoch
from .folders import ClassFolders, Item
from .images import Fill, ImageAugment, fitted
from .splits import SHARES

Rng = np.random.Generator
Pictures = NDArray[np.uint8]  # (t, h, w, 3) BGR
CALM = ImageAugment(area=(0.6, 1.0), stretch=1.1, erase=0.0, pixels=Augment(blur=0.0, jpeg=0.0, video=0.0))
CHUNK = 64  # pictures held in memory while a clip is decoded


class ClipSet(Dataset[tuple[Pictures, int]]):
    """Item i is (pictures (t, h, w, 3) uint8 BGR, label) with t = seconds · rate, whatever the frame rate of the clip.

    With `augment` the window begins anywhere in the clip, anew in every epoch, and all its pictures are varied in the same
    way; without, it is the middle of the clip. A clip that is too short shows its last picture until the end.
    A clip is decoded at its first use and then lies in `cache` (default: this user's cache folder), shrunk to `size`.
    """

    def __init__(
        self,
        items: Sequence[Item],
        names: Sequence[str],
        *,
        seconds: float = 2.0,
        rate: float = 8.0,
        size: tuple[int, int] = (112, 112),
        augment: ImageAugment | None = None,
        fill: Fill = "stretch",
        seed: int = 0,
        cache: Path | None = None,
    ) -> None:
        """size: (width, height). rate: pictures a second."""
        if seconds <= 0 or rate <= 0:
            raise DataError(f"seconds and rate should be more than 0, not {seconds:g} and {rate:g}")
        self.items, self.names, self.size, self.augment, self.fill, self.seed = tuple(items), tuple(names), size, augment, fill, seed
        self.seconds, self.rate, self.steps = seconds, rate, max(round(seconds * rate), 1)
        self.cache = cache or default_cache()
        self.epoch = Epoch()

    def __len__(self) -> int:
        return len(self.items)

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins; workers that are kept alive see it too."""
        self.epoch.set(epoch)

    begin_epoch = set_epoch  # as `Batches` calls it, in the worker

    @property
    def labels(self) -> list[int]:
        """The class of each clip."""
        return [item.label for item in self.items]

    @property
    def groups(self) -> list[str]:
        """The recording of each clip."""
        return [item.group for item in self.items]

    def __getitem__(self, index: int) -> tuple[Pictures, int]:
        return self.sample(index, np.random.default_rng((self.seed, self.epoch.get(), range(len(self))[index])))

    def sample(self, index: int, rng: Rng) -> tuple[Pictures, int]:
        """Item `index`, varied with this generator and no other source of chance."""
        whole = self.clip(index)
        spare = max(len(whole) - self.steps, 0)
        begin = int(rng.integers(0, spare + 1)) if self.augment is not None else spare // 2
        pictures = self._window(whole, begin)
        if self.augment is not None:
            same = int(rng.integers(2**63))
            pictures = np.stack([self.augment(picture, self.size, np.random.default_rng(same)) for picture in pictures])
        return pictures, self.items[index].label

    def windows(self, index: int, stride: float | None = None) -> Pictures:
        """(w, t, h, w, 3) the whole clip in windows, one every `stride` seconds (default: half a window): for examining."""
        whole = self.clip(index)
        step = max(round((stride or self.seconds / 2) * self.rate), 1)
        begins = range(0, max(len(whole) - self.steps, 0) + 1, step)
        return np.stack([self._window(whole, begin) for begin in begins])

    def clip(self, index: int) -> Pictures:
        """(n, h, w, 3) the whole clip at `rate`, read-only; from the cache, where it lies after its first use. DataError."""
        item = self.items[index]
        kept = self.cache / f"{self._key(item.path)}.npy"
        if kept.is_file():
            try:
                found: Pictures = np.load(kept, mmap_mode="r", allow_pickle=False)
                if found.ndim == 4 and found.shape[1:3] == self.size[::-1] and len(found):
                    return found
            except (OSError, ValueError):
                pass  # damaged: it is made anew
        self._decode(item.path, kept)
        again: Pictures = np.load(kept, mmap_mode="r", allow_pickle=False)
        return again

    def _decode(self, path: Path, kept: Path) -> None:
        """The clip's pictures as .npy, never more than CHUNK of them in memory."""
        shape = (self.size[1], self.size[0], 3)
        with new_file(kept) as file, file.open("wb") as out:
            _header(out, 0, shape)
            chunk: list[Pictures] = []
            total = 0
            for picture in sampled_frames(path, self.rate):
                chunk.append(fitted(picture, self.size, self.fill))
                total += 1
                if len(chunk) == CHUNK:
                    out.write(np.stack(chunk).tobytes())
                    chunk.clear()
            if chunk:
                out.write(np.stack(chunk).tobytes())
            out.seek(0)
            _header(out, total, shape)

    def _window(self, whole: Pictures, begin: int) -> Pictures:
        rows = np.minimum(np.arange(begin, begin + self.steps), len(whole) - 1)
        return np.asarray(whole[rows])

    def _key(self, path: Path) -> str:
        try:
            state = path.stat()
        except OSError:
            raise DataError(f"{path}: there is no such clip; was it moved or renamed?") from None
        told = f"2|{path.resolve()}|{state.st_size}|{state.st_mtime_ns}|{self.rate}|{self.size}|{self.fill}"
        return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


def open_clips(
    root: str | Path | ClassFolders,
    *,
    seconds: float = 2.0,
    rate: float = 8.0,
    size: tuple[int, int] = (112, 112),
    augment: ImageAugment | None = CALM,
    fill: Fill = "stretch",
    shares: Mapping[str, float] = SHARES,
    seed: int = 0,
    cache: Path | None = None,
) -> dict[str, ClipSet]:
    """{"train", "val" and, where there is one, "test"} of class folders of clips, split by recording. DataError."""
    folders = root if isinstance(root, ClassFolders) else read_clip_folders(root)
    return {
        split: ClipSet(
            items,
            folders.names,
            seconds=seconds,
            rate=rate,
            size=size,
            augment=augment if split == "train" else None,
            fill=fill,
            seed=seed,
            cache=cache,
        )
        for split, items in folders.divided(shares=shares, seed=seed).items()
    }


def default_cache() -> Path:
    """Where decoded clips lie: this user's cache folder."""
    from platformdirs import user_cache_path

    return user_cache_path("pahara") / "clips"


def _header(out, total: int, shape: tuple[int, int, int]) -> None:  # type: ignore[no-untyped-def]
    """A .npy header of a fixed length, so that the number of pictures can be filled in at the end."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({total:010d}, {shape[0]}, {shape[1]}, {shape[2]}), }}"
    text = text.replace(f"({total:010d}", f"({total:<10d}")  # a Python literal may not begin with zeros
    room = 128 - 10
    out.write(b"\x93NUMPY\x01\x00" + room.to_bytes(2, "little") + text.ljust(room - 1).encode() + b"\n")
