"""One file with everything that cannot be made again: the database as of one moment, configuration, keys, what was learned, evidence if asked for."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from pahara import __version__
from pahara.core import StoreError

from .store import Store
from .tables import HEAD

MANIFEST = "manifest.json"
DATABASE = "store/pahara.db"
CONFIG = "pahara.yml"
MEDIA = "store/media/"
MARK = ".pahara-store"
LEFT_OUT = ("-wal", "-shm", "-reserve", ".part")  # of the store's folder: belongs to a running program
PIECE = 1 << 20

Tell = Callable[[int, int], None]  # files done, of so many


@dataclass(frozen=True, slots=True)
class Backup:
    """What stands in a backup."""

    path: Path
    made: float  # UTC seconds
    version: str  # of Pahara
    files: Mapping[str, tuple[int, str]]  # name -> bytes, SHA-256
    database: bool
    evidence: int  # files
    gone: int = 0  # evidence that went while the backup was made

    @property
    def bytes(self) -> int:
        """Of all files in it."""
        return sum(size for size, _ in self.files.values())


def back_up(store: Store, config: Path, target: Path, *, evidence: bool = False, tell: Tell = lambda _done, _of: None) -> Backup:
    """Write a new tar file; the store may be in use. Read back and compared before it gets its name. StoreError when that fails.

    PostgreSQL is not in it: `pg_dump` does that better.
    """
    if target.exists():
        raise StoreError(f"{target} is there already: choose another name")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pahara-backup-", dir=target.parent) as scratch:
            found, gone = _collect(store, config, Path(scratch), evidence)
            made = _write(part, found, store, tell)
        _check(part)
        part.replace(target)
    except (OSError, sqlite3.Error, tarfile.TarError) as problem:
        raise StoreError(f"no backup was made: {problem}; free some space, or name another place") from problem
    finally:
        part.unlink(missing_ok=True)
    listed = {name: (size, digest) for name, (size, digest) in made.items() if name != MANIFEST}
    media = sum(name.startswith(MEDIA) and not name.endswith(MARK) for name in listed)
    return Backup(target, time.time(), __version__, listed, DATABASE in listed, media, gone)


def read_backup(path: Path) -> Backup:
    """What stands in a backup, every file compared with its checksum. StoreError when anything is wrong with it."""
    try:
        return _check(path)
    except FileNotFoundError:
        raise StoreError(f"there is no backup {path}") from None
    except (OSError, tarfile.TarError, EOFError) as problem:
        raise StoreError(f"{path} is no backup that can be read ({problem}): take another one") from problem


def restore(path: Path, config: Path, folder: Path, *, force: bool = False, tell: Tell = lambda _done, _of: None) -> Backup:
    """Put a backup back: the configuration to `config`, the store into `folder`. All is checked before anything is touched.

    What stands there already is in the way, unless `force`: then it is moved aside (`….before-restore`), never removed.
    """
    backup = read_backup(path)
    database, media = folder / "pahara.db", folder / "media"
    in_the_way = [each for each in (config, database) if each.exists()]
    if in_the_way and not force:
        raise StoreError(f"{' and '.join(map(str, in_the_way))} would be overwritten: --force moves what is there aside first")
    _nobody_there(media)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        config.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pahara-restore-", dir=folder) as scratch:
            room = Path(scratch)
            _unpack(path, backup, room, tell)
            _move_aside([*in_the_way, *(Path(f"{database}{ending}") for ending in ("-wal", "-shm", "-reserve"))])
            for name in backup.files:
                target = config if name == CONFIG else folder / PurePosixPath(name).relative_to("store")
                target.parent.mkdir(parents=True, exist_ok=True)
                _settle(room / name, target)
    except OSError as problem:
        raise StoreError(f"the backup was not put back: {problem}") from problem
    return backup


def config_text(path: Path) -> str:
    """The configuration in a backup; "" where it has none."""
    with tarfile.open(path) as archive:
        found = archive.extractfile(CONFIG) if CONFIG in archive.getnames() else None
        return found.read().decode("utf-8", "replace") if found is not None else ""


# -- writing -----------------------------------------------------------------------------------------------------


def _collect(store: Store, config: Path, scratch: Path, evidence: bool) -> tuple[list[tuple[str, Path]], int]:
    """-> names in the archive and the files behind them; how many files of evidence went meanwhile."""
    found = [(CONFIG, config)] if config.is_file() else []
    media = store.evidence.folder
    if store.database.file is not None:
        copy = scratch / "pahara.db"
        with closing(sqlite3.connect(store.database.file)) as running, closing(sqlite3.connect(copy)) as copied:
            running.backup(copied, pages=2000, sleep=0.001)
            copied.execute("PRAGMA journal_mode=DELETE")  # one file, whole
            (told,) = copied.execute("PRAGMA integrity_check").fetchone()
        if told != "ok":
            raise StoreError(f"the database {store.database.shown} is damaged ({told}): there is nothing sound to back up")
        found.append((DATABASE, copy))
    folder = media.parent
    for path in sorted(folder.rglob("*")):
        if path.is_relative_to(media) or not path.is_file() or path.is_symlink() or _running(path) or path.name.startswith("pahara.db"):
            continue
        found.append((f"store/{path.relative_to(folder).as_posix()}", path))
    mark = media / MARK
    if mark.is_file():
        found.append((MEDIA + MARK, mark))
    gone = 0
    for event in store.every_event() if evidence else ():
        for item in event.evidence:
            if item.state == "kept":
                there = item.path.is_file()
                gone += not there
                if there:
                    found.append((f"{MEDIA}{item.path.relative_to(media).as_posix()}", item.path))
    return found, gone


def _running(path: Path) -> bool:
    return (
        path.name.endswith(LEFT_OUT)
        or ".part" in path.name
        or ".pahara-backup-" in str(path)
        or path.name == "pulse.json"
        or path.suffix == ".tar"
    )


def _write(part: Path, found: list[tuple[str, Path]], store: Store, tell: Tell) -> dict[str, tuple[int, str]]:
    listed: dict[str, tuple[int, str]] = {}
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # it holds keys and hashes of passwords
    with os.fdopen(handle, "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for number, (name, path) in enumerate(found):
                tell(number, len(found))
                with path.open("rb") as source:
                    info = tarfile.TarInfo(name)
                    info.size, info.mode, info.mtime = os.fstat(source.fileno()).st_size, 0o600, int(path.stat().st_mtime)
                    hashing = _Hashing(source)
                    archive.addfile(info, hashing)
                listed[name] = (info.size, hashing.digest.hexdigest())
            about = {"pahara": __version__, "schema": HEAD, "store": store.identity, "made": time.time()}
            told = json.dumps({**about, "files": {name: list(each) for name, each in listed.items()}}, indent=1).encode()
            info = tarfile.TarInfo(MANIFEST)
            info.size, info.mode = len(told), 0o600
            archive.addfile(info, io.BytesIO(told))
        file.flush()
        os.fsync(file.fileno())
    return listed


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece


# -- reading -----------------------------------------------------------------------------------------------------


def _check(path: Path) -> Backup:
    with tarfile.open(path) as archive:
        members = archive.getmembers()
        names = [member.name for member in members]
        found = archive.extractfile(MANIFEST) if MANIFEST in names else None
        if found is None:
            raise StoreError(f"{path} is no backup of Pahara: it has no {MANIFEST}")
        told = _manifest(found.read(), path)
        files = {str(name): (int(size), str(digest)) for name, (size, digest) in told["files"].items()}
        if len(names) != len(set(names)) or set(names) != {*files, MANIFEST} or not all(map(_safe, files)):
            raise StoreError(f"{path} does not hold what its manifest says: take another backup")
        for member in members:
            if member.name == MANIFEST:
                continue
            source = archive.extractfile(member) if member.isreg() else None
            if source is None or member.size != files[member.name][0] or _digest(source) != files[member.name][1]:
                raise StoreError(f"{member.name} in {path} is damaged: its checksum is wrong. Take another backup")
    media = sum(name.startswith(MEDIA) and not name.endswith(MARK) for name in files)
    return Backup(path, float(told["made"]), str(told["pahara"]), files, DATABASE in files, media)


def _manifest(content: bytes, path: Path) -> dict[str, Any]:
    try:
        told = json.loads(content)
        if told["schema"] > HEAD:
            raise StoreError(f"{path} was made by a newer Pahara ({told['pahara']}): update pahara first")
        dict(told["files"])
        float(told["made"])
    except (ValueError, KeyError, TypeError) as problem:
        raise StoreError(f"the manifest of {path} cannot be read: take another backup") from problem
    return dict(told)


def _safe(name: str) -> bool:
    path = PurePosixPath(name)
    return name == CONFIG or (path.parts[:1] == ("store",) and len(path.parts) > 1 and ".." not in path.parts and "\\" not in name)


def _digest(source: IO[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in iter(lambda: source.read(PIECE), b""):
        digest.update(piece)
    return digest.hexdigest()


def _unpack(path: Path, backup: Backup, room: Path, tell: Tell) -> None:
    """Only regular files under names that were checked; each compared once more, for what lies on the disk is what counts."""
    with tarfile.open(path) as archive:
        for number, (name, (_, digest)) in enumerate(backup.files.items()):
            tell(number, len(backup.files))
            source = archive.extractfile(name)
            target = room / name
            target.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                if source is not None:
                    shutil.copyfileobj(source, file, PIECE)
            with target.open("rb") as written:
                if _digest(written) != digest:
                    raise StoreError(f"{name} could not be read from {path} as it was written")


def _nobody_there(media: Path) -> None:
    """StoreError while a Pahara runs with this folder."""
    try:
        import fcntl
    except ImportError:  # Windows: a file in use cannot be replaced there anyway
        return
    try:
        with (media / ".pahara-lock").open("a") as lock:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return
    except BlockingIOError:
        raise StoreError(f"pahara is running with {media.parent}: stop it first") from None


def _move_aside(paths: list[Path]) -> None:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for path in paths:
        if path.exists():
            path.rename(path.with_name(f"{path.name}.before-restore-{stamp}"))


def _settle(part: Path, target: Path) -> None:
    """Across file systems too, whole or not at all."""
    try:
        part.replace(target)
    except OSError:
        beside = target.with_name(f".{target.name}.part")
        shutil.copyfile(part, beside)
        beside.chmod(0o600)
        beside.replace(target)


__all__ = ["Backup", "back_up", "config_text", "read_backup", "restore"]
