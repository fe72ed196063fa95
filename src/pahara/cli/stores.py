"""Places on the disk that a verb is given: a store that must be there already, a folder or file that must be possible."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pahara.core.errors import PaharaError, StoreError

if TYPE_CHECKING:
    from pahara.store import Store


def existing(where: str, *, media: Path | None = None) -> Store:
    """The store in a folder (an output folder of `pahara watch`) or behind a database URL; StoreError when there is none."""
    from pahara.store import Store

    if "://" not in where and not (Path(where).expanduser() / "pahara.db").is_file():
        raise StoreError(f"there is no store in {where}: `pahara watch SOURCE --out {where}` makes one")
    return Store.open(where, media=media if "://" in where else None)


def usable_folder(folder: Path, option: str) -> None:
    """Make a folder for what a verb writes. PaharaError before the work begins where that is impossible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as problem:
        raise PaharaError(f"{folder} is a file, not a folder: choose another with {option}") from problem
    except OSError as problem:
        raise PaharaError(f"cannot make the folder {folder}: {problem.strerror or problem}; choose another with {option}") from problem


def usable_file(path: Path, option: str) -> None:
    """Make the folder of a file that a verb writes; PaharaError before the work begins where it cannot be."""
    if path.is_dir():
        raise PaharaError(f"{path} is a folder: give {option} the name of a file")
    usable_folder(path.parent, option)


def spoken(language: str) -> None:
    """PaharaError for a language that nobody wrote the words in."""
    from pahara.language import LANGUAGES

    if language not in LANGUAGES:
        raise PaharaError(f"no language {language!r}; there are {' and '.join(LANGUAGES)}")
