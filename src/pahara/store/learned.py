"""What a camera has learned, on the disk: numbered models that are never overwritten, the learner's memory, and which model counts.

    <store>/normality/<camera>/
        v0001.model …      models, each written once; a replay finds the one that judged
        current.json       which one counts now, since when and why
        journal.jsonl      what was learned, refused, rolled back: one line each
        learner.state      what the next model will be made of
        gallery/           small pictures of normal people, see gallery.py

Every file appears whole or not at all: it is written beside, flushed to the disk, and renamed.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

from pahara.core import StoreError

from .database import told
from .layout import slug
from .store import Store

try:
    import fcntl
except ImportError:  # Windows: nobody is kept out
    fcntl = None  # type: ignore[assignment]

MODEL = re.compile(r"v(\d{4,7})\.model")
KEPT = 60  # models: two months of nights; older ones go unless a recording that is kept was judged by them
Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class Current:
    """Which model counts. Version 0: none yet."""

    version: int = 0
    since: float = 0.0  # UTC seconds
    why: str = ""  # "first", "nightly", "rollback", "learned" …


class LearnedFolder:
    """One camera's folder. Several programs may use it; what one writes the others see whole."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.folder, self.clock = folder, clock
        self._held: IO[str] | None = None

    @classmethod
    def of(cls, store: Store, camera: str) -> LearnedFolder:
        """The folder of `camera` beside the store's database (of a database server: in the folder of the evidence)."""
        file = store.database.file
        root = file.parent if file is not None else store.evidence.folder
        return cls(root / "normality" / slug(camera), store.clock)

    def __repr__(self) -> str:
        return f"LearnedFolder({str(self.folder)!r})"

    # -- models --------------------------------------------------------------------------------------------------

    @property
    def versions(self) -> tuple[int, ...]:
        """Of all models that are there, in order."""
        try:
            found = [int(match[1]) for each in self.folder.iterdir() if (match := MODEL.fullmatch(each.name))]
        except FileNotFoundError:
            return ()
        except OSError as problem:
            raise told(problem, str(self.folder)) from problem
        return tuple(sorted(found))

    def path(self, version: int) -> Path:
        """Where a model is, or would be."""
        return self.folder / f"v{version:04d}.model"

    @property
    def current(self) -> Current:
        """What counts now. A damaged note is passed over: the newest model counts."""
        try:
            said = json.loads((self.folder / "current.json").read_text(encoding="utf-8"))
            return Current(int(said["version"]), float(said["since"]), str(said["why"]))
        except FileNotFoundError:
            return Current()
        except (OSError, ValueError, KeyError, TypeError):
            return Current(max(self.versions, default=0), 0.0, "")

    def stamp(self) -> tuple[int, int]:
        """Changes whenever `current` does: cheap to ask every second."""
        try:
            told_by = (self.folder / "current.json").stat()
        except OSError:
            return (0, 0)
        return (told_by.st_mtime_ns, told_by.st_ino)

    def add(self, save: Callable[[Path], object], why: str, **facts: Any) -> int:
        """A new model: `save` writes it to the path that it is given; from now on it counts -> its version."""
        self._make()
        part = self._part("model")
        try:
            save(part)
            _flush(part)
            version = max(self.versions, default=0)
            while True:
                version += 1
                try:
                    os.link(part, self.path(version))  # never over another: two learners get two numbers
                    break
                except FileExistsError:
                    continue
        except OSError as problem:
            raise told(problem, str(self.folder)) from problem
        finally:
            with suppress(OSError):
                part.unlink()
        self.choose(version, why, **facts)
        return version

    def choose(self, version: int, why: str, **facts: Any) -> None:
        """From now on this model counts; 0: none does. StoreError when it is not there."""
        if version and not self.path(version).is_file():
            known = ", ".join(map(str, self.versions[-8:])) or "none yet"
            raise StoreError(f"there is no model {version} in {self.folder}; there are: {known}")
        now = self.clock()
        self.write("current.json", json.dumps({"version": version, "since": now, "why": why}).encode())
        self.note(why, version=version, **facts)

    def prune(self, needed: set[int], most: int = KEPT) -> int:
        """Remove old models beyond the newest `most`, save the current one and the `needed` -> how many went."""
        keep = {*self.versions[-most:], self.current.version, *needed}
        gone = [version for version in self.versions if version not in keep]
        for version in gone:
            with suppress(OSError):
                self.path(version).unlink()
        return len(gone)

    # -- the learner's memory ------------------------------------------------------------------------------------

    def save_state(self, state: bytes) -> None:
        """What the learner will go on from. StoreError when it cannot be written; then the old one is still there."""
        self.write("learner.state", state)

    def state(self) -> bytes:
        """What was saved; b"" when nothing was."""
        try:
            return (self.folder / "learner.state").read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as problem:
            raise told(problem, str(self.folder / "learner.state")) from problem

    def set_aside(self, name: str = "learner.state") -> Path:
        """A file that cannot be read is kept under another name, so that a new one can begin."""
        file = self.folder / name
        aside = file.with_name(f"{name}.damaged")
        with suppress(OSError):
            file.replace(aside)
        return aside

    # -- who learns ----------------------------------------------------------------------------------------------

    def claim(self) -> bool:
        """Be the one program that changes what was learned, until `release` or the end -> whether that could be."""
        if self._held is not None or fcntl is None:
            return True
        self._make()
        try:
            held = (self.folder / "learner.lock").open("a")
        except OSError as problem:
            raise told(problem, str(self.folder)) from problem
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            held.close()
            return False
        self._held = held
        for left in self.folder.glob(".part-*"):  # of a program that was killed
            with suppress(OSError):
                left.unlink()
        return True

    def release(self) -> None:
        """Others may learn now."""
        if self._held is not None:
            self._held.close()
            self._held = None

    # -- the journal ---------------------------------------------------------------------------------------------

    def note(self, what: str, **facts: Any) -> None:
        """One line of the journal."""
        self._make()
        line = json.dumps({"time": self.clock(), "what": what, **facts}, ensure_ascii=False, default=_plain) + "\n"
        try:
            with (self.folder / "journal.jsonl").open("a", encoding="utf-8") as journal:
                journal.write(line)
        except OSError as problem:
            raise told(problem, str(self.folder)) from problem

    def journal(self) -> Iterator[Mapping[str, Any]]:
        """What was noted, oldest first; a torn last line is passed over."""
        try:
            lines = (self.folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, UnicodeDecodeError):
            return
        for line in lines:
            with suppress(ValueError):
                said = json.loads(line)
                if isinstance(said, dict):
                    yield said

    # ------------------------------------------------------------------------------------------------------------

    def _make(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise told(problem, str(self.folder)) from problem

    def _part(self, ending: str) -> Path:
        try:
            handle, name = tempfile.mkstemp(prefix=".part-", suffix=f".{ending}", dir=self.folder)
        except OSError as problem:
            raise told(problem, str(self.folder)) from problem
        os.close(handle)
        return Path(name)

    def write(self, name: str, content: bytes) -> None:
        """A file of this folder, whole or not at all. StoreError when it cannot be written."""
        self._make()
        part = self._part("part")
        try:
            part.write_bytes(content)
            _flush(part)
            part.replace(self.folder / name)
        except OSError as problem:
            with suppress(OSError):
                part.unlink()
            raise told(problem, str(self.folder / name)) from problem


class Library(Generic[Model]):
    """Models of one folder by their version, read once each; the last few are held.

    A behaviour asks it with the version that stands in the scene, so that the same scene is judged by the same model for ever.
    """

    def __init__(self, folder: LearnedFolder, load: Callable[[Path], Model], most: int = 4) -> None:
        self.folder, self._load, self._most = folder, load, most
        self._held: dict[int, Model | None] = {}
        self.problems: list[str] = []

    def __call__(self, version: int) -> Model | None:
        """None for version 0 and for a model that has gone or is damaged, which `problems` tells once."""
        if version <= 0:
            return None
        if version not in self._held:
            while len(self._held) >= self._most:
                del self._held[next(iter(self._held))]
            self._held[version] = self._read(version)
        return self._held[version]

    def _read(self, version: int) -> Model | None:
        from pahara.core import PaharaError

        try:
            return self._load(self.folder.path(version))
        except (PaharaError, OSError) as problem:
            self.problems.append(str(problem))
            return None


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


__all__ = ["Current", "LearnedFolder", "Library"]
