"""Files that are whole or not there: written under a temporary name, then renamed."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av

from pahara.core import StoreError

FULL = (errno.ENOSPC, errno.EDQUOT)
UNDER_WAY = ".part-"  # a name that begins so is temporary already: whoever chose it renames the file, and sweeps it after a crash


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """A clip that was written."""

    path: Path  # as asked, but .mkv where mp4 cannot hold the codec
    begin: float  # media seconds of its first frame: at or before what was asked, since it starts at a keyframe
    end: float  # media seconds of its last frame
    bytes: int
    remuxed: bool  # the camera's own packets; False: encoded anew as H.264
    codec: str  # of the pictures in it, as FFmpeg names it
    plays_in_browser: bool


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` (same ending) that takes its place when all went well, and is gone when not.

    OSError becomes a StoreError of one line. A name that begins with `UNDER_WAY` is written as it is: a second temporary name
    beside it would be swept by nobody when the program is killed.
    """
    temporary: Path | None = None
    if path.name.startswith(UNDER_WAY):
        try:
            yield path
        except (OSError, av.error.FFmpegError) as error:
            raise cannot_write(path, error) from error
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=f".part{path.suffix}", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes it private
        temporary.replace(path)
    except (OSError, av.error.FFmpegError) as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def cannot_write(path: Path, error: Exception) -> StoreError:
    """One line about a file that could not be written."""
    if getattr(error, "errno", None) in FULL:
        return StoreError(f"the disk is full: {path} was not written; free some space or shorten the retention")
    reason = getattr(error, "strerror", None) or str(error)
    return StoreError(f"cannot write {path}: {reason}")


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
